#include "api/http/admin_handlers.h"

#include <fmt/format.h>

#include "api/http/body.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

constexpr pd::Millis kTimeout{3000};

std::string MarkerKey(const pd::PdServer& server, std::string_view marker) {
  return server.Key(fmt::format("/cluster/markers/{}", marker));
}

HttpResponse GetMarker(pd::PdServer& server, std::string_view marker) {
  const auto found = server.meta().Get(MarkerKey(server, marker));
  if (!found) return PlainText(500, found.error().context);
  return JsonV1(200, Json{{"marked", found->has_value()}});
}

HttpResponse SetMarker(pd::PdServer& server, std::string_view marker) {
  const auto put = server.meta().Put(MarkerKey(server, marker), "on", kTimeout);
  return put ? PlainText(200, "") : PlainText(500, put.error().context);
}

HttpResponse ClearMarker(pd::PdServer& server, std::string_view marker) {
  const auto gone = server.meta().Delete(MarkerKey(server, marker), "", kTimeout);
  return gone ? PlainText(200, "") : PlainText(500, gone.error().context);
}

HttpResponse SetIdBase(pd::PdServer& server, const HttpRequest& request) {
  const auto marked = server.meta().Get(MarkerKey(server, "snapshot-recovering"));
  if (!marked) return PlainText(500, marked.error().context);
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto text = StringIn(*body, "id");
  if (!text) return PlainText(400, "invalid id value");
  const auto base = ParseUint64(*text);
  if (!base) return PlainText(400, base.error());
  if (!marked->has_value())
    return PlainText(403, "can only recover alloc id when recovering mark marked");
  if (auto set = server.SetIdBase(*base); !set) return PlainText(500, set.error().context);
  return PlainText(200, "");
}

HttpResponse ResetTs(pd::PdServer& server, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto text = StringIn(*body, "tso");
  const auto ts = ParseUint64(text.value_or(""));
  if (!ts) return ErrorResponse(400, "invalid tso value");
  bool ignore_smaller = false;
  if (const auto force = body->find("force-use-larger"); force != body->end()) {
    if (!force->is_boolean()) return ErrorResponse(400, "invalid force-use-larger value");
    ignore_smaller = force->get<bool>();
  }
  using Oracle = pd::TsoOracle;
  const auto reset = server.tso().Reset(
      *ts, ignore_smaller ? Oracle::IfSmaller::kIgnore : Oracle::IfSmaller::kRefuse,
      Oracle::GapCheck::kOn, server.config_store().online()->pd_server.max_gap_reset_ts);
  if (reset) return JsonV1(200, Json("Reset ts successfully."));
  if (reset.error().code == pd::ErrorCode::kInvalidArgument)
    return ErrorResponse(403, reset.error().context);
  return ErrorResponse(503, fmt::format("It's a temporary failure with error {}, please retry.",
                                        reset.error().context));
}

}  // namespace

void RegisterAdminHandlers(Router& router, pd::PdServer& server) {
  const std::string admin = "/pd/api/v1/admin";
  for (const std::string marker : {"snapshot-recovering", "pitr-restore-mode"}) {
    const std::string path = admin + "/cluster/markers/" + marker;
    router.Add("GET", path, "IsMarked",
               [&server, marker](const HttpRequest&) { return GetMarker(server, marker); });
    router.Add("POST", path, "Mark",
               [&server, marker](const HttpRequest&) { return SetMarker(server, marker); });
    router.Add("DELETE", path, "Unmark",
               [&server, marker](const HttpRequest&) { return ClearMarker(server, marker); });
  }
  router.Add("POST", admin + "/base-alloc-id", "RecoverAllocID",
             [&server](const HttpRequest& request) { return SetIdBase(server, request); });
  router.Add("POST", admin + "/reset-ts", "ResetTS",
             [&server](const HttpRequest& request) { return ResetTs(server, request); });
}

}  // namespace api

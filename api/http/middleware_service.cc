#include "api/http/middleware_service.h"

#include <utility>

#include "pd/log/log.h"

namespace api {
namespace {

constexpr const char* kKey = "/service_middleware";
constexpr pd::Millis kSaveTimeout{3000};

}  // namespace

MiddlewareService::MiddlewareService(pd::PdServer& server)
    : server_(server),
      http_(server.clock(), server.metrics(), "http"),
      grpc_(server.clock(), server.metrics(), "grpc"),
      middleware_(http_, grpc_, [this](std::string text) -> pd::Result<void> {
        const auto saved = server_.meta().Put(server_.Key(kKey), std::move(text), kSaveTimeout,
                                              server_.serving_term());
        if (!saved) return tl::unexpected(saved.error());
        return {};
      }) {}

pd::Result<void> MiddlewareService::OnLeaderStart(uint64_t /*term*/) {
  const auto saved = server_.meta().Get(server_.Key(kKey));
  if (!saved) return tl::unexpected(saved.error());
  const auto loaded = middleware_.Load(*saved ? (*saved)->value : "");
  if (loaded) return {};
  pd::LogWarn("ignoring the saved rate limits", {{"error", loaded.error()}});
  return middleware_.Load("");
}

void MiddlewareService::OnLeaderStop() {
  http_.Replace({});
  grpc_.Replace({});
}

}  // namespace api

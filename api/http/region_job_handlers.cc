#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/http/body.h"
#include "api/http/json_body.h"
#include "api/http/region_json.h"
#include "api/http/scheduling_routes.h"

// What people ask for of many regions at once (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::KeyRange;

constexpr uint64_t kRetries = 5;
constexpr size_t kPointedOut = 256;

template <class T>
using OrAnswer = tl::expected<T, HttpResponse>;

/// As the reference reads numbers of such bodies: any JSON number, its fraction dropped.
uint64_t RetriesIn(const Json& body) {
  const auto found = body.find("retry_limit");
  if (found == body.end() || !found->is_number()) return kRetries;
  const auto value = found->get<double>();
  return value > 0 ? static_cast<uint64_t>(std::min(value, 1e9)) : 0;
}

OrAnswer<std::vector<std::string>> SplitKeysIn(const Json& body) {
  const auto refuse = [](const char* text) { return tl::unexpected(ErrorResponse(400, text)); };
  const auto list = body.find("split_keys");
  if (list == body.end()) return refuse("split_keys should be provided.");
  if (!list->is_array()) return refuse("split_keys should be an array.");
  if (list->empty()) return refuse("empty split keys.");
  std::vector<std::string> keys;
  for (const Json& item : *list) {
    if (!item.is_string()) return refuse("split_keys should contain only strings.");
    auto key = ParseHexKey(item.get<std::string>());
    if (!key) return tl::unexpected(ErrorResponse(500, key.error()));
    keys.push_back(*std::move(key));
  }
  return keys;
}

HttpResponse SplitRegions(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto keys = SplitKeysIn(*body);
  if (!keys) return keys.error();
  const auto splits = routes.coordinator.jobs().Split(*keys, RetriesIn(*body));
  if (!splits) return ErrorResponse(splits.error());
  Json ids = Json::array();
  for (const scheduler::RegionId id : splits->regions) ids.push_back(id.value);
  return JsonV1(200, Json{{"processed-percentage", splits->percentage}, {"regions-id", ids}});
}

/// The regions that a body names by a range of keys or by their ids, or the answer to give.
OrAnswer<std::vector<scheduler::RegionId>> RegionsIn(const SchedulingRoutes& routes,
                                                     const Json& body, const char* ids_name,
                                                     int status_if_invalid) {
  std::vector<scheduler::RegionId> regions;
  const auto start_hex = StringIn(body, "start_key");
  const auto end_hex = StringIn(body, "end_key");
  if (start_hex && end_hex) {
    const auto start = ParseHexKey(*start_hex);
    if (!start) return tl::unexpected(ErrorResponse(500, start.error()));
    const auto end = ParseHexKey(*end_hex);
    if (!end) return tl::unexpected(ErrorResponse(500, end.error()));
    routes.coordinator.cluster().regions().Visit(
        {*start, *end}, [&](const scheduler::Region& region) {
          regions.push_back(region.id);
          // One more than may be named, so that too many are refused.
          return regions.size() <= pd::RegionJobs::kNamedMax;
        });
    return regions;
  }
  const auto invalid = [&] {
    return tl::unexpected(ErrorResponse(status_if_invalid, std::string(ids_name) + " is invalid"));
  };
  const auto list = body.find(ids_name);
  if (list == body.end() || !list->is_array()) return invalid();
  for (const Json& id : *list) {
    const auto value = IdOf(id);
    if (!value) return invalid();
    regions.push_back({*value});
  }
  return regions;
}

HttpResponse ScatterRegions(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto regions = RegionsIn(routes, *body, "regions_id", 500);
  if (!regions) return regions.error();
  const auto scattered = routes.coordinator.jobs().Scatter(
      *regions, StringIn(*body, "group").value_or(""), RetriesIn(*body));
  if (scattered) return JsonV1(200, Json{{"processed-percentage", scattered->percentage}});
  const bool empty = scattered.error().code == pd::ErrorCode::kNotFound;
  return empty ? ErrorResponse(500, scattered.error().context) : ErrorResponse(scattered.error());
}

// ---- Looking sooner

/// "[6B31,6B32)", with the digits as they came.
std::string RangeText(const std::string& start, const std::string& end) {
  return fmt::format("[{},{})", start, end);
}

/// How many regions of each range, or the answer to give.
OrAnswer<size_t> LimitOf(const HttpRequest& request) {
  const auto text = request.Query("limit");
  if (!text || text->empty()) return kPointedOut;
  const auto limit = ParseInt64(*text, "Atoi");
  if (!limit) return tl::unexpected(ErrorResponse(400, limit.error()));
  return static_cast<size_t>(std::max<int64_t>(*limit, 0));
}

HttpResponse Accelerate(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto start_hex = StringIn(*body, "start_key");
  const auto end_hex = StringIn(*body, "end_key");
  if (!start_hex || !end_hex) return ErrorResponse(400, "start_key or end_key is not string");
  const auto start = ParseHexKey(*start_hex);
  if (!start) return ErrorResponse(500, start.error());
  const auto end = ParseHexKey(*end_hex);
  if (!end) return ErrorResponse(500, end.error());
  const auto limit = LimitOf(request);
  if (!limit) return limit.error();
  static_cast<void>(
      routes.coordinator.PointOut({*start, *end}, std::min(*limit, pd::Patrol::kPointedOutMax)));
  return PlainText(
      200, "Accelerate regions scheduling in a given range " + RangeText(*start_hex, *end_hex));
}

struct TextRange {
  KeyRange keys;
  std::string text;
};

OrAnswer<TextRange> RangeIn(const Json& item) {
  std::vector<std::string> texts;
  std::vector<std::string> keys;
  for (const char* name : {"start_key", "end_key"}) {
    const auto refuse = [&](const std::string& text) {
      return tl::unexpected(ErrorResponse(400, text));
    };
    const auto member = item.find(name);
    if (member == item.end()) return refuse(std::string("missing ") + name);
    if (!member->is_string()) return refuse(std::string("bad format ") + name);
    texts.push_back(member->get<std::string>());
    auto key = ParseHexKey(texts.back());
    if (!key) return refuse(fmt::format("split key {} is not in hex format", name));
    keys.push_back(*std::move(key));
  }
  return TextRange{{std::move(keys[0]), std::move(keys[1])}, RangeText(texts[0], texts[1])};
}

HttpResponse AccelerateAll(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto body = ReadBody(request);
  if (!body) return body.error();
  constexpr const char* kType = "[]map[string]interface {}";
  if (!body->is_array() && !body->is_null()) return TypeError(pd::JsonKind(*body), kType, 1);
  std::vector<TextRange> ranges;
  for (const Json& item : *body) {
    if (!item.is_object()) return TypeError(pd::JsonKind(item), kType + 2, 1);
    auto range = RangeIn(item);
    if (!range) return range.error();
    ranges.push_back(*std::move(range));
  }
  const auto limit = LimitOf(request);
  if (!limit) return limit.error();
  std::string text = "Accelerate regions scheduling in given ranges: ";
  size_t left = pd::Patrol::kPointedOutMax;  // Of all ranges.
  for (const TextRange& range : ranges) {
    left -= routes.coordinator.PointOut(range.keys, std::min(*limit, left));
    text += range.text + ", ";
  }
  return PlainText(200, text);
}

}  // namespace

HttpResponse ScatterByOperator(const SchedulingRoutes& routes, const Json& body) {
  const auto regions = RegionsIn(routes, body, "region_ids", 400);
  if (!regions) return regions.error();
  const auto scattered = routes.coordinator.jobs().Scatter(
      *regions, StringIn(body, "group").value_or(""), RetriesIn(body));
  std::string why;
  if (!scattered) {
    why = scattered.error().context;
  } else if (!scattered->refused.empty()) {
    why = scattered->refused.begin()->second;
  }
  return JsonV1(
      200, Json{{"processed-percentage", scattered ? scattered->percentage : 0}, {"error", why}});
}

void AddRegionJobRoutes(Router& router, const SchedulingRoutes& routes) {
  using Handler = HttpResponse (*)(const SchedulingRoutes&, const HttpRequest&);
  const auto add = [&](const char* path, const char* name, Handler handler) {
    router.Add("POST", path, name,
               WhenScheduling(routes, [routes, handler](const HttpRequest& request) {
                 return handler(routes, request);
               }));
  };
  add("/pd/api/v1/regions/split", "SplitRegions", SplitRegions);
  add("/pd/api/v1/regions/scatter", "ScatterRegions", ScatterRegions);
  add("/pd/api/v1/regions/accelerate-schedule", "AccelerateRegionsScheduleInRange", Accelerate);
  add("/pd/api/v1/regions/accelerate-schedule/batch", "AccelerateRegionsScheduleInRanges",
      AccelerateAll);
}

}  // namespace api

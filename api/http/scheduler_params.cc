#include "api/http/scheduler_params.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/http/body.h"
#include "api/http/router.h"
#include "pd/config/values.h"
#include "pd/dispatch/range_job_codec.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::KeyRange;
using scheduler::StoreId;

constexpr size_t kRangeNameBytesMax = 255;
constexpr size_t kRangesMax = 1024;

ParamOr<std::string> Option(const Json& body, const char* key, int status) {
  const auto member = body.find(key);
  const auto refuse = [&](const char* code, const char* before, const char* after) {
    return tl::unexpected(
        ErrorResponse(status, fmt::format("[PD:apiutil:{}]{} {} {}", code, before, key, after)));
  };
  if (member == body.end()) return refuse("ErrOptionNotExist", "the option", "does not exist");
  if (!member->is_string()) {
    return refuse("ErrOptionTypeInvalid", "the type of option", "is invalid");
  }
  return member->get<std::string>();
}

/// A key as it was before QueryEscape.
ParamOr<std::string> Unescaped(const std::string& text, int status) {
  if (auto decoded = PercentDecode(text, PlusSign::kIsSpace)) return *std::move(decoded);
  const auto is_hex = [&](size_t at) {
    return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
  };
  size_t at = text.find('%');
  while (is_hex(at + 1) && is_hex(at + 2)) at = text.find('%', at + 3);
  return tl::unexpected(
      ErrorResponse(status, fmt::format("invalid URL escape \"{}\"", text.substr(at, 3))));
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

ParamOr<std::vector<std::string>> KeysOf(const Json& body, const char* key) {
  const auto text = StringIn(body, key);
  if (!text) {
    return tl::unexpected(
        ErrorResponse(400, fmt::format("{} is required and must be a string", key)));
  }
  std::vector<std::string> keys;
  for (const std::string& part : SplitAtCommas(*text)) {
    auto decoded = Unescaped(part, 400);
    if (!decoded) return tl::unexpected(decoded.error());
    keys.push_back(*std::move(decoded));
  }
  return keys;
}

ParamOr<std::vector<KeyRange>> RangesOf(const Json& body) {
  auto starts = KeysOf(body, "start-key");
  if (!starts) return tl::unexpected(starts.error());
  auto ends = KeysOf(body, "end-key");
  if (!ends) return tl::unexpected(ends.error());
  if (starts->size() != ends->size() || starts->size() > kRangesMax) {
    return tl::unexpected(ErrorResponse(
        400, fmt::format("{} start keys and {} end keys: as many of each are wanted, up to {}",
                         starts->size(), ends->size(), kRangesMax)));
  }
  std::vector<KeyRange> ranges;
  for (size_t i = 0; i < starts->size(); ++i) {
    if (!(*ends)[i].empty() && (*starts)[i] >= (*ends)[i]) {
      return tl::unexpected(ErrorResponse(400, "start-key must be below end-key"));
    }
    ranges.push_back({std::move((*starts)[i]), std::move((*ends)[i])});
  }
  return ranges;
}

ParamOr<scheduler::Millis> TimeoutOf(const Json& body) {
  const auto refuse = [](const std::string& text) {
    return tl::unexpected(ErrorResponse(400, text));
  };
  const auto member = body.find("timeout");
  if (member == body.end()) return scheduler::RangeJob{}.timeout;
  if (!member->is_string()) return refuse("timeout must be a string");
  const auto text = member->get<std::string>();
  const auto timeout = pd::ParseDuration(text);
  if (!timeout) return refuse("timeout:" + text + " is invalid");
  if (*timeout <= pd::Nanos{0}) return refuse("timeout must be positive");
  return std::max(scheduler::Millis{1}, std::chrono::duration_cast<scheduler::Millis>(*timeout));
}

/// Of store ids with commas between them; the error is strconv's.
tl::expected<std::vector<StoreId>, std::string> StoresOf(const std::string& text) {
  std::vector<StoreId> stores;
  for (const std::string& part : SplitAtCommas(text)) {
    const auto id = ParseUint64(part);
    if (!id) return tl::unexpected(id.error());
    stores.push_back({*id});
  }
  return stores;
}

tl::expected<scheduler::GrantHotRegionConfig, std::string> GrantOf(const std::string& leader,
                                                                   const std::string& stores) {
  const auto id = ParseUint64(leader);
  if (!id) return tl::unexpected(id.error());
  auto list = StoresOf(stores);
  if (!list) return tl::unexpected(list.error());
  return scheduler::GrantHotRegionConfig{{*id}, *std::move(list)};
}

}  // namespace

ParamOr<scheduler::ScatterRangeConfig> ReadScatterRange(const Json& body) {
  scheduler::ScatterRangeConfig config;
  for (const auto& [key, out] :
       {std::pair{"start_key", &config.range.start}, std::pair{"end_key", &config.range.end}}) {
    const auto text = Option(body, key, 500);
    if (!text) return tl::unexpected(text.error());
    auto decoded = Unescaped(*text, 500);
    if (!decoded) return tl::unexpected(decoded.error());
    *out = *std::move(decoded);
  }
  auto name = Option(body, "range_name", 500);
  if (!name) return tl::unexpected(name.error());
  if (name->empty() || name->size() > kRangeNameBytesMax) {
    return tl::unexpected(
        ErrorResponse(400, fmt::format("range_name must have 1 to {} bytes", kRangeNameBytesMax)));
  }
  if (!config.range.end.empty() && config.range.start >= config.range.end) {
    return tl::unexpected(ErrorResponse(400, "start_key must be below end_key"));
  }
  config.range_name = *std::move(name);
  return config;
}

ParamOr<scheduler::GrantHotRegionConfig> ReadGrantHotRegion(const Json& body) {
  const auto leader = StringIn(body, "store-leader-id");
  if (!leader) return tl::unexpected(ErrorResponse(400, "missing leader id"));
  const auto stores = StringIn(body, "store-id");
  if (!stores) return tl::unexpected(ErrorResponse(400, "missing store id"));
  auto config = GrantOf(*leader, *stores);
  if (config) return *std::move(config);
  return tl::unexpected(
      ErrorResponse(400, "[PD:strconv:ErrStrconvParseUint]parse uint error: " + config.error()));
}

ParamOr<scheduler::GrantHotRegionConfig> ReadGrantHotRegionChange(const Json& body) {
  // The reference encodes its error object, format and all.
  const auto refuse = [](const char* message, const char* code) {
    return tl::unexpected(
        JsonV1(400, Json{{"code", 0}, {"class", 0}, {"message", message}, {"rfccode", code}}));
  };
  const auto leader = StringIn(body, "store-leader-id");
  const auto stores = StringIn(body, "store-id");
  if (!leader || !stores) {
    return refuse("wrong scheduler config %s", "PD:scheduler:ErrSchedulerConfig");
  }
  auto config = GrantOf(*leader, *stores);
  if (config) return *std::move(config);
  return refuse("invalid data, must 8 bytes, but %d", "PD:typeutil:ErrBytesToUint64");
}

ParamOr<void> HasRangeJob(const Json& body) {
  for (const char* key : {"rule", "engine", "alias", "start-key", "end-key"}) {
    const auto text = Option(body, key, 400);
    if (!text) return tl::unexpected(text.error());
  }
  return {};
}

ParamOr<scheduler::RangeJob> ReadRangeJob(const Json& body) {
  const auto refuse = [](const std::string& text) {
    return tl::unexpected(ErrorResponse(400, text));
  };
  scheduler::RangeJob job;
  const auto engine = StringIn(body, "engine");
  if (!engine) return refuse("engine is required and must be a string");
  const auto known_engine = pd::RangeJobEngineOf(*engine);
  if (!known_engine) return refuse("engine:" + *engine + " must be tikv or tiflash");
  const auto rule = StringIn(body, "rule");
  if (!rule) return refuse("rule is required and must be a string");
  const auto known_rule = pd::RangeJobRuleOf(*rule);
  if (!known_rule) {
    return refuse("rule:" + *rule + " must be leader-scatter, learner-scatter or peer-scatter");
  }
  auto alias = StringIn(body, "alias");
  if (!alias) return refuse("alias is required and must be a string");
  const auto timeout = TimeoutOf(body);
  if (!timeout) return tl::unexpected(timeout.error());
  auto ranges = RangesOf(body);
  if (!ranges) return tl::unexpected(ranges.error());
  job.engine = *known_engine;
  job.rule = *known_rule;
  job.alias = *std::move(alias);
  job.timeout = *timeout;
  job.ranges = *std::move(ranges);
  return job;
}

}  // namespace api

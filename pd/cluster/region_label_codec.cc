#include "pd/cluster/region_label_codec.h"

#include <array>
#include <ctime>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pd/config/values.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::LabelRange;
using scheduler::LabelRule;
using scheduler::RegionLabel;

constexpr const char* kKeyRangeType = "key-range";
constexpr int64_t kNanosPerSecond = 1'000'000'000;

tl::unexpected<Error> BadContent(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument,
              "[PD:region:ErrRegionRuleContent]invalid region rule content, " + why);
}

/// What the reference calls the type of a value that may be anything.
const char* TypeName(const Json& json) {
  if (json.is_null()) return "<nil>";
  if (json.is_object()) return "map[string]interface {}";
  if (json.is_array()) return "[]interface {}";
  if (json.is_string()) return "string";
  return json.is_number() ? "float64" : "bool";
}

/// The member, or null where there is none.
const Json& Member(const Json& object, const char* name) {
  static const Json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

// ---- Times: "Mon Nov 23 15:59:08 UTC 2026"

std::string StartText(int64_t unix_ns) {
  const std::time_t seconds = unix_ns / kNanosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> buffer{};
  const size_t length =
      std::strftime(buffer.data(), buffer.size(), "%a %b %e %H:%M:%S UTC %Y", &parts);
  return {buffer.data(), length};
}

/// Unix seconds. Zones count as UTC, as they do in the reference unless they are the server's own.
std::optional<int64_t> ParseStart(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%a %b %e %H:%M:%S ", &parts);
  if (rest == nullptr) return {};
  const char* zone = rest;
  while (*rest >= 'A' && *rest <= 'Z') ++rest;
  if (rest == zone) return {};
  rest = strptime(rest, " %Y", &parts);
  if (rest == nullptr || *rest != '\0') return {};
  return timegm(&parts);
}

/// Fills in the start, when there is none, and the end. Saturates: the end of time is never.
Result<void> SetExpiry(RegionLabel& label, int64_t unix_ns) {
  if (label.ttl.empty()) return {};
  const auto refuse = [](const std::string& why) {
    return BadContent("region label with invalid ttl info " + why);
  };
  const Result<Nanos> ttl = ParseDuration(label.ttl);
  if (!ttl) return refuse(ttl.error().context);
  int64_t start_ns = unix_ns;
  if (label.start_at.empty()) {
    label.start_at = StartText(unix_ns);
  } else {
    const std::optional<int64_t> start_s = ParseStart(label.start_at);
    if (!start_s) {
      return refuse(fmt::format("parsing time \"{}\" as \"Mon Jan _2 15:04:05 MST 2006\" failed",
                                label.start_at));
    }
    constexpr int64_t kLatest = std::numeric_limits<int64_t>::max() / kNanosPerSecond;
    if (*start_s > kLatest || *start_s < 0) {
      return refuse(fmt::format("start \"{}\" is out of range", label.start_at));
    }
    start_ns = *start_s * kNanosPerSecond;
  }
  label.expires_unix_ns =
      ttl->count() > RegionLabel::kNever - start_ns ? RegionLabel::kNever : start_ns + ttl->count();
  return {};
}

// ---- Labels and ranges

JsonResult<RegionLabel> ReadLabel(const Json& json) {
  RegionLabel label;
  JsonMembers members(json, "RegionLabel", "labeler.RegionLabel");
  members.Read("key", label.key);
  members.Read("value", label.value);
  members.Read("ttl", label.ttl);
  members.Read("start_at", label.start_at);
  return members.Result(std::move(label));
}

Result<void> CheckLabels(std::vector<RegionLabel>& labels, int64_t unix_ns) {
  if (labels.empty()) return BadContent("no region labels");
  for (RegionLabel& label : labels) {
    if (label.key.empty()) return BadContent("empty region label key");
    if (label.value.empty()) return BadContent("empty region label value");
    if (auto set = SetExpiry(label, unix_ns); !set) return set;
  }
  return {};
}

/// A bound must be text. The type in the error is the reference's slip: it names the type of the type.
Result<std::string> BoundOf(const Json& range, const char* member, const char* what) {
  const Json& bound = Member(range, member);
  if (bound.is_string()) return bound.get<std::string>();
  return BadContent(
      fmt::format("invalid {} type: {}", what, bound.is_null() ? "<nil>" : "*reflect.rtype"));
}

Result<LabelRange> ReadRange(const Json& json) {
  if (!json.is_object()) return BadContent(fmt::format("invalid range type: {}", TypeName(json)));
  auto start_hex = BoundOf(json, "start_key", "startKey");
  if (!start_hex) return tl::unexpected(start_hex.error());
  auto end_hex = BoundOf(json, "end_key", "endKey");
  if (!end_hex) return tl::unexpected(end_hex.error());
  auto start = BytesOfHex(*start_hex);
  if (!start) return tl::unexpected(start.error());
  auto end = BytesOfHex(*end_hex);
  if (!end) return tl::unexpected(end.error());
  if (!end->empty() && *end <= *start) {
    return BadContent("endKey should be greater than startKey");
  }
  return LabelRange{
      {*std::move(start), *std::move(end)}, *std::move(start_hex), *std::move(end_hex)};
}

Result<std::vector<LabelRange>> ReadRanges(const Json& data) {
  if (!data.is_array()) return BadContent(fmt::format("invalid rule type: {}", TypeName(data)));
  if (data.empty()) return BadContent("no key ranges");
  std::vector<LabelRange> ranges;
  for (const Json& item : data) {
    auto range = ReadRange(item);
    if (!range) return tl::unexpected(range.error());
    ranges.push_back(*std::move(range));
  }
  return ranges;
}

}  // namespace

nlohmann::ordered_json LabelRuleToJson(const LabelRule& rule) {
  Json labels = Json::array();
  for (const RegionLabel& label : rule.labels) {
    Json& item = labels.emplace_back(Json{{"key", label.key}, {"value", label.value}});
    if (!label.ttl.empty()) item["ttl"] = label.ttl;
    if (!label.start_at.empty()) item["start_at"] = label.start_at;
  }
  Json data = Json::array();
  for (const LabelRange& range : rule.ranges) {
    data.push_back(Json{{"start_key", range.start_hex}, {"end_key", range.end_hex}});
  }
  return Json{{"id", rule.id},
              {"index", rule.index},
              {"labels", std::move(labels)},
              {"rule_type", kKeyRangeType},
              {"data", std::move(data)}};
}

JsonResult<LabelRuleDraft> ReadLabelRuleDraft(const nlohmann::ordered_json& json) {
  LabelRuleDraft draft;
  JsonMembers members(json, "LabelRule", "labeler.LabelRule");
  members.Read("id", draft.id);
  members.Read("index", draft.index);
  members.ReadList("labels", draft.labels, "labeler.RegionLabel", ReadLabel);
  members.Read("rule_type", draft.type);
  if (json.is_object()) draft.data = Member(json, "data");
  return members.Result(std::move(draft));
}

Result<LabelRule> MakeLabelRule(LabelRuleDraft draft, int64_t unix_ns) {
  if (draft.id.empty()) return BadContent("empty rule id");
  if (auto checked = CheckLabels(draft.labels, unix_ns); !checked) {
    return tl::unexpected(checked.error());
  }
  if (draft.type != kKeyRangeType) return BadContent("invalid rule type: " + draft.type);
  auto ranges = ReadRanges(draft.data);
  if (!ranges) return tl::unexpected(ranges.error());
  return LabelRule{std::move(draft.id), draft.index, std::move(draft.labels), *std::move(ranges)};
}

LabelRule DefaultKeyspaceRule() {
  // The keys of transactions of keyspace 0, as stores encode them: 'x' and three bytes of id, padded to eight.
  constexpr std::string_view kPadding("\0\0\0\0\xfb", 5);
  const auto bound = [&](char id) { return std::string{'x', '\0', '\0', id}.append(kPadding); };
  LabelRule rule;
  rule.id = "keyspaces/0";
  rule.labels.push_back({.key = "id", .value = "0", .ttl = "", .start_at = ""});
  rule.ranges.push_back({{bound(0), bound(1)}, "7800000000000000fb", "7800000100000000fb"});
  return rule;
}

}  // namespace pd

#include "pd/cluster/placement_codec.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "pd/codec/key_codec.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::ConstraintOp;
using scheduler::Rule;
using scheduler::RuleGroup;
using scheduler::RuleRole;

template <class T>
struct Name {
  const char* text;
  T value;
};
constexpr std::array<Name<RuleRole>, 4> kRoles = {{{"voter", RuleRole::kVoter},
                                                   {"leader", RuleRole::kLeader},
                                                   {"follower", RuleRole::kFollower},
                                                   {"learner", RuleRole::kLearner}}};
constexpr std::array<Name<ConstraintOp>, 4> kOps = {{{"in", ConstraintOp::kIn},
                                                     {"notIn", ConstraintOp::kNotIn},
                                                     {"exists", ConstraintOp::kExists},
                                                     {"notExists", ConstraintOp::kNotExists}}};

template <class Names>
auto Find(const Names& names, std::string_view text) {
  using T = decltype(names[0].value);
  const auto found =
      std::ranges::find_if(names, [&](const auto& name) { return text == name.text; });
  return found == names.end() ? std::optional<T>() : std::optional<T>(found->value);
}

template <class Names, class T>
const char* TextOf(const Names& names, T value) {
  return std::ranges::find_if(names, [&](const auto& name) { return name.value == value; })->text;
}

JsonResult<RuleDraft::Constraint> ReadConstraint(const Json& json) {
  RuleDraft::Constraint constraint;
  JsonMembers reader(json, "LabelConstraint", "placement.LabelConstraint");
  reader.Read("key", constraint.key);
  reader.Read("op", constraint.op);
  reader.Read("values", constraint.values);
  return reader.Result(std::move(constraint));
}

tl::unexpected<Error> BadContent(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument,
              "[PD:placement:ErrRuleContent]invalid rule content, " + why);
}

Result<void> DecodeRange(RuleDraft& draft, Rule& rule) {
  for (const auto& [digits, bytes] : {std::pair{&draft.start_hex, &rule.range.start},
                                      std::pair{&draft.end_hex, &rule.range.end}}) {
    auto decoded = BytesOfHex(*digits);
    if (!decoded) return tl::unexpected(decoded.error());
    *bytes = *std::move(decoded);
  }
  if (!rule.range.end.empty() && rule.range.end <= rule.range.start) {
    return BadContent("endKey should be greater than startKey");
  }
  rule.start_hex = std::move(draft.start_hex);
  rule.end_hex = std::move(draft.end_hex);
  return {};
}

Result<void> CheckKeys(const scheduler::KeyRange& range, const std::string& key_type) {
  if (key_type == "raw") return {};
  for (const auto& [name, key] : {std::pair{"start", &range.start}, std::pair{"end", &range.end}}) {
    const std::string fault = key->empty() ? std::string() : EncodedKeyFault(*key);
    if (!fault.empty()) {
      return BadContent(
          fmt::format("{} key should be encoded in {} mode: {}", name, key_type, fault));
    }
  }
  return {};
}

Result<void> MoveConstraints(std::vector<RuleDraft::Constraint> drafts, Rule& rule) {
  for (RuleDraft::Constraint& draft : drafts) {
    const auto op = Find(kOps, draft.op);
    if (!op) return BadContent("invalid op " + draft.op);
    if (rule.witness && draft.key == scheduler::kEngineLabel &&
        std::ranges::find(draft.values, scheduler::kEngineTiFlash) != draft.values.end()) {
      return BadContent("witness can't combine with tiflash");
    }
    rule.constraints.push_back({std::move(draft.key), *op, std::move(draft.values)});
  }
  return {};
}

/// All but the range, which comes first.
Result<void> MoveRest(RuleDraft draft, uint64_t witnesses_max, Rule& rule) {
  if (draft.group_id.empty()) return BadContent("group ID should not be empty");
  if (draft.id.empty()) return BadContent("ID should not be empty");
  const auto role = Find(kRoles, draft.role);
  if (!role) return BadContent("invalid role " + draft.role);
  if (draft.count <= 0) return BadContent(fmt::format("invalid count {}", draft.count));
  if (*role == RuleRole::kLeader && draft.count > 1) {
    return BadContent(fmt::format("define multiple leaders by count {}", draft.count));
  }
  if (draft.witness && *role == RuleRole::kLeader) return BadContent("witness can't be the leader");
  if (draft.witness && static_cast<uint64_t>(draft.count) > witnesses_max) {
    return BadContent(fmt::format("define too many witness by count {}", draft.count));
  }
  rule.group_id = std::move(draft.group_id);
  rule.id = std::move(draft.id);
  rule.index = draft.index;
  rule.overrides = draft.overrides;
  rule.role = *role;
  rule.witness = draft.witness;
  rule.count = static_cast<uint64_t>(draft.count);
  rule.location_labels = std::move(draft.location_labels);
  rule.isolation_level = std::move(draft.isolation_level);
  return MoveConstraints(std::move(draft.constraints), rule);
}

}  // namespace

JsonResult<RuleDraft> ReadRuleDraft(const Json& json) {
  RuleDraft draft;
  JsonMembers reader(json, "Rule", "placement.Rule");
  reader.Read("group_id", draft.group_id);
  reader.Read("id", draft.id);
  reader.Read("index", draft.index);
  reader.Read("override", draft.overrides);
  reader.Read("start_key", draft.start_hex);
  reader.Read("end_key", draft.end_hex);
  reader.Read("role", draft.role);
  reader.Read("is_witness", draft.witness);
  reader.Read("count", draft.count);
  reader.ReadList("label_constraints", draft.constraints, "placement.LabelConstraint",
                  ReadConstraint);
  reader.Read("location_labels", draft.location_labels);
  reader.Read("isolation_level", draft.isolation_level);
  reader.Read("version", draft.version);
  reader.Read("create_timestamp", draft.create_timestamp);
  reader.Read("action", draft.action);
  reader.Read("delete_by_id_prefix", draft.delete_by_id_prefix);
  return reader.Result(std::move(draft));
}

JsonResult<std::vector<RuleDraft>> ReadRuleDrafts(const Json& json) {
  return ReadJsonList(json, "[]*placement.Rule", ReadRuleDraft);
}

JsonResult<BundleDraft> ReadBundleDraft(const Json& json) {
  BundleDraft draft;
  JsonMembers reader(json, "GroupBundle", "placement.GroupBundle");
  reader.Read("group_id", draft.group_id);
  reader.Read("group_index", draft.index);
  reader.Read("group_override", draft.overrides);
  reader.ReadList("rules", draft.rules, "*placement.Rule", ReadRuleDraft);
  return reader.Result(std::move(draft));
}

JsonResult<std::vector<BundleDraft>> ReadBundleDrafts(const Json& json) {
  return ReadJsonList(json, "[]placement.GroupBundle", ReadBundleDraft);
}

JsonResult<RuleGroup> ReadRuleGroup(const Json& json) {
  RuleGroup group;
  JsonMembers reader(json, "RuleGroup", "placement.RuleGroup");
  reader.Read("id", group.id);
  reader.Read("index", group.index);
  reader.Read("override", group.overrides);
  return reader.Result(std::move(group));
}

Result<Rule> MakeRule(RuleDraft draft, const RuleChecks& checks, const std::string& group) {
  Rule rule;
  if (auto decoded = DecodeRange(draft, rule); !decoded) return tl::unexpected(decoded.error());
  if (auto keys = CheckKeys(rule.range, checks.key_type); !keys) {
    return tl::unexpected(keys.error());
  }
  if (!group.empty()) {
    if (draft.group_id.empty()) draft.group_id = group;
    if (draft.group_id != group) {
      return BadContent(
          fmt::format("rule group {} does not match group ID {}", draft.group_id, group));
    }
  }
  if (auto moved = MoveRest(std::move(draft), checks.max_replicas / 2, rule); !moved) {
    return tl::unexpected(moved.error());
  }
  if (checks.fits_some_store && !checks.fits_some_store(rule)) {
    return BadContent(fmt::format("rule '{}' from rule group '{}' can not match any store", rule.id,
                                  rule.group_id));
  }
  return rule;
}

Result<Rule> RuleFromStored(const std::string& text) {
  auto draft = ReadStored(text, ReadRuleDraft);
  if (!draft) return tl::unexpected(draft.error());
  Rule rule;
  rule.version = draft->version;
  rule.create_timestamp = draft->create_timestamp;
  auto moved = DecodeRange(*draft, rule);
  if (moved) moved = MoveRest(*std::move(draft), std::numeric_limits<uint64_t>::max(), rule);
  if (!moved) return Fail(ErrorCode::kCorrupt, moved.error().context);
  return rule;
}

Result<RuleGroup> RuleGroupFromStored(const std::string& text) {
  return ReadStored(text, ReadRuleGroup);
}

Json RuleToJson(const Rule& rule) {
  Json json{{"group_id", rule.group_id}, {"id", rule.id}};
  if (rule.index != 0) json["index"] = rule.index;
  if (rule.overrides) json["override"] = true;
  json["start_key"] = rule.start_hex;
  json["end_key"] = rule.end_hex;
  json["role"] = TextOf(kRoles, rule.role);
  json["is_witness"] = rule.witness;
  json["count"] = rule.count;
  for (const scheduler::LabelConstraint& constraint : rule.constraints) {
    Json item = Json::object();
    if (!constraint.key.empty()) item["key"] = constraint.key;
    item["op"] = TextOf(kOps, constraint.op);
    if (!constraint.values.empty()) item["values"] = constraint.values;
    json["label_constraints"].push_back(std::move(item));
  }
  if (!rule.location_labels.empty()) json["location_labels"] = rule.location_labels;
  if (!rule.isolation_level.empty()) json["isolation_level"] = rule.isolation_level;
  if (rule.version != 0) json["version"] = rule.version;
  if (rule.create_timestamp != 0) json["create_timestamp"] = rule.create_timestamp;
  return json;
}

Json RuleGroupToJson(const RuleGroup& group) {
  Json json = Json::object();
  if (!group.id.empty()) json["id"] = group.id;
  if (group.index != 0) json["index"] = group.index;
  if (group.overrides) json["override"] = true;
  return json;
}

}  // namespace pd

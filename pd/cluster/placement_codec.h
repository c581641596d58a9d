#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/codec/json_members.h"
#include "pd/result.h"
#include "scheduler/rules/rule.h"

// Placement rules as JSON: the form of the HTTP routes, and of what is stored.

namespace pd {

/// A rule as it was written, before anybody has looked at what it says.
struct RuleDraft {
  struct Constraint {
    std::string key;
    std::string op;
    std::vector<std::string> values;
  };
  std::string group_id;
  std::string id;
  int64_t index = 0;
  bool overrides = false;
  std::string start_hex;
  std::string end_hex;
  std::string role;
  bool witness = false;
  int64_t count = 0;
  std::vector<Constraint> constraints;
  std::vector<std::string> location_labels;
  std::string isolation_level;
  uint64_t version = 0;
  uint64_t create_timestamp = 0;
  std::string action;                // Of one in a batch: "add", "del".
  bool delete_by_id_prefix = false;  // The same.
};

/// A group and all its rules.
struct BundleDraft {
  std::string group_id;
  int64_t index = 0;
  bool overrides = false;
  std::vector<RuleDraft> rules;
};

/// Members that are absent or null keep their default. A null in the place of an object is one without members.
JsonResult<RuleDraft> ReadRuleDraft(const nlohmann::ordered_json& json);
JsonResult<std::vector<RuleDraft>> ReadRuleDrafts(const nlohmann::ordered_json& json);
JsonResult<BundleDraft> ReadBundleDraft(const nlohmann::ordered_json& json);
JsonResult<std::vector<BundleDraft>> ReadBundleDrafts(const nlohmann::ordered_json& json);
JsonResult<scheduler::RuleGroup> ReadRuleGroup(const nlohmann::ordered_json& json);

/// What a rule is held against.
struct RuleChecks {
  std::string key_type;  // "table", "txn": keys are encoded; "raw": they are not.
  uint64_t max_replicas = 0;
  std::function<bool(const scheduler::Rule&)> fits_some_store;
};

/// Checks in the reference's order, with its texts (kInvalidArgument). Not empty, `group` is the rule's group whether
/// the rule names it or not; naming another one is an error.
Result<scheduler::Rule> MakeRule(RuleDraft draft, const RuleChecks& checks,
                                 const std::string& group = "");
/// A stored rule: whatever it said when it was accepted, it is what was accepted. kCorrupt.
Result<scheduler::Rule> RuleFromStored(const std::string& text);
/// kCorrupt.
Result<scheduler::RuleGroup> RuleGroupFromStored(const std::string& text);

nlohmann::ordered_json RuleToJson(const scheduler::Rule& rule);
nlohmann::ordered_json RuleGroupToJson(const scheduler::RuleGroup& group);

}  // namespace pd

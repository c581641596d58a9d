#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/codec/json_members.h"
#include "pd/result.h"
#include "scheduler/rules/region_label.h"

namespace pd {

/// A region label rule as JSON: what is kept under /pd/{cid}/region_label/{id} and what people send and see
/// (as in the reference).
nlohmann::ordered_json LabelRuleToJson(const scheduler::LabelRule& rule);

/// A rule as it was written, before anybody has looked at what it says.
struct LabelRuleDraft {
  std::string id;
  int64_t index = 0;
  std::vector<scheduler::RegionLabel> labels;  // Without the moment at which they expire.
  std::string type;
  nlohmann::ordered_json data;  // Of a kind that the type tells.
};
JsonResult<LabelRuleDraft> ReadLabelRuleDraft(const nlohmann::ordered_json& json);

/// Checks it in the reference's order, with its texts (kInvalidArgument). A label with a ttl but without a start begins
/// at `unix_ns`, and says so.
Result<scheduler::LabelRule> MakeLabelRule(LabelRuleDraft draft, int64_t unix_ns);

/// The rule that each cluster begins with: the regions of keyspace 0 are labelled with its id.
scheduler::LabelRule DefaultKeyspaceRule();

}  // namespace pd

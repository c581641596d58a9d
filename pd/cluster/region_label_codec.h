#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "pd/result.h"
#include "scheduler/rules/region_label.h"

namespace pd {

/// A region label rule as JSON: what is kept under /pd/{cid}/region_label/{id} and what people send and see
/// (as in the reference).
nlohmann::ordered_json LabelRuleToJson(const scheduler::LabelRule& rule);

/// Reads a rule and checks it. A label with a ttl but without a start begins at `unix_ns`, and says so. Errors:
/// kInvalidArgument with the reference's texts; one that begins with "json: " is about a member of the wrong type.
Result<scheduler::LabelRule> LabelRuleFromJson(const nlohmann::ordered_json& json, int64_t unix_ns);

/// The rule that each cluster begins with: the regions of keyspace 0 are labelled with its id.
scheduler::LabelRule DefaultKeyspaceRule();

}  // namespace pd

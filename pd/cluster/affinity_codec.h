#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/codec/json_members.h"
#include "pd/result.h"
#include "scheduler/affinity/affinity_group.h"

namespace pd {

/// What is kept of a group under /pd/{cid}/affinity_groups/{id}; its ranges are a region label rule.
struct AffinityRecord {
  uint64_t created_s = 0;  // Unix seconds.
  scheduler::AffinityStores stores;

  friend bool operator==(const AffinityRecord&, const AffinityRecord&) = default;
};
/// As the reference keeps and shows it.
nlohmann::ordered_json AffinityRecordToJson(std::string_view id, const AffinityRecord& record);
JsonResult<AffinityRecord> ReadAffinityRecord(const nlohmann::ordered_json& json);

/// Ranges for one group.
struct AffinityRanges {
  std::string group;
  std::vector<scheduler::KeyRange> ranges;
};
/// The ranges of new groups, by id.
JsonResult<std::vector<AffinityRanges>> ReadNewAffinityGroups(const nlohmann::ordered_json& json);

/// Ranges that groups get and lose, in the order of the request.
struct AffinityRangeChanges {
  std::vector<AffinityRanges> add;
  std::vector<AffinityRanges> remove;
};
JsonResult<AffinityRangeChanges> ReadAffinityRangeChanges(const nlohmann::ordered_json& json);

/// Groups to delete; `force`: also those that have ranges, and no matter whether they exist.
struct AffinityDeletion {
  std::vector<std::string> ids;
  bool force = false;
};
JsonResult<AffinityDeletion> ReadAffinityDeletion(const nlohmann::ordered_json& json);

/// As they were sent, in any order.
JsonResult<scheduler::AffinityStores> ReadAffinityStores(const nlohmann::ordered_json& json);

// What the reference says, with its texts. kInvalidArgument unless there is another name.
tl::unexpected<Error> BadAffinityContent(const std::string& why);
tl::unexpected<Error> NoAffinityGroup(const std::string& id);      // kNotFound
tl::unexpected<Error> AffinityGroupExists(const std::string& id);  // kAlreadyExists
Result<void> CheckAffinityGroupId(const std::string& id);
/// Both bounds or neither, in order.
Result<void> CheckAffinityRanges(const std::vector<scheduler::KeyRange>& ranges);

}  // namespace pd

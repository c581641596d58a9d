#include "pd/cluster/affinity_codec.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::AffinityStores;
using scheduler::KeyRange;
using scheduler::StoreId;

constexpr const char* kRangeType = "handlers.AffinityKeyRange";

JsonResult<KeyRange> ReadRange(const Json& json) {
  KeyRange range;
  JsonMembers members(json, "AffinityKeyRange", kRangeType);
  members.ReadBytes("start_key", range.start);
  members.ReadBytes("end_key", range.end);
  return members.Result(std::move(range));
}

JsonResult<AffinityRanges> ReadNewGroup(const Json& json) {
  AffinityRanges group;
  JsonMembers members(json, "CreateAffinityGroupInput", "handlers.CreateAffinityGroupInput");
  members.ReadList("ranges", group.ranges, kRangeType, ReadRange);
  return members.Result(std::move(group));
}

JsonResult<AffinityRanges> ReadRangesOfGroup(const Json& json) {
  AffinityRanges group;
  JsonMembers members(json, "GroupRangesModification", "handlers.GroupRangesModification");
  members.Read("id", group.group);
  members.ReadList("ranges", group.ranges, kRangeType, ReadRange);
  return members.Result(std::move(group));
}

JsonResult<StoreId> ReadStore(const Json& json) {
  if (json.is_null()) return StoreId{};
  if (json.is_number_unsigned()) return StoreId{json.get<uint64_t>()};
  std::string value = JsonKind(json);
  if (json.is_number()) value += " " + json.dump();
  return tl::unexpected(JsonFault{std::move(value), "", {}, "uint64", {}});
}

AffinityStores ReadStores(JsonMembers& members) {
  AffinityStores stores;
  members.Read("leader_store_id", stores.leader.value);
  members.ReadList("voter_store_ids", stores.voters, "uint64", ReadStore);
  return stores;
}

}  // namespace

nlohmann::ordered_json AffinityRecordToJson(std::string_view id, const AffinityRecord& record) {
  Json json{{"id", id}, {"create_timestamp", record.created_s}};
  if (record.stores.empty()) return json;
  json["leader_store_id"] = record.stores.leader.value;
  Json& voters = json["voter_store_ids"] = Json::array();
  for (const StoreId store : record.stores.voters) voters.push_back(store.value);
  return json;
}

JsonResult<AffinityRecord> ReadAffinityRecord(const nlohmann::ordered_json& json) {
  AffinityRecord record;
  JsonMembers members(json, "Group", "affinity.Group");
  members.Read("create_timestamp", record.created_s);
  record.stores = ReadStores(members);
  std::ranges::sort(record.stores.voters);
  return members.Result(std::move(record));
}

JsonResult<std::vector<AffinityRanges>> ReadNewAffinityGroups(const nlohmann::ordered_json& json) {
  std::map<std::string, AffinityRanges> by_id;
  JsonMembers members(json, "CreateAffinityGroupsRequest", "handlers.CreateAffinityGroupsRequest");
  members.ReadMap("affinity_groups", by_id, "map[string]handlers.CreateAffinityGroupInput",
                  ReadNewGroup);
  std::vector<AffinityRanges> groups;
  groups.reserve(by_id.size());
  for (auto& [id, group] : by_id) groups.push_back({id, std::move(group.ranges)});
  return members.Result(std::move(groups));
}

JsonResult<AffinityRangeChanges> ReadAffinityRangeChanges(const nlohmann::ordered_json& json) {
  AffinityRangeChanges changes;
  JsonMembers members(json, "BatchModifyAffinityGroupsRequest",
                      "handlers.BatchModifyAffinityGroupsRequest");
  constexpr const char* kType = "handlers.GroupRangesModification";
  members.ReadList("add", changes.add, kType, ReadRangesOfGroup);
  members.ReadList("remove", changes.remove, kType, ReadRangesOfGroup);
  return members.Result(std::move(changes));
}

JsonResult<AffinityDeletion> ReadAffinityDeletion(const nlohmann::ordered_json& json) {
  AffinityDeletion deletion;
  JsonMembers members(json, "BatchDeleteAffinityGroupsRequest",
                      "handlers.BatchDeleteAffinityGroupsRequest");
  members.Read("ids", deletion.ids);
  members.Read("force", deletion.force);
  return members.Result(std::move(deletion));
}

JsonResult<AffinityStores> ReadAffinityStores(const nlohmann::ordered_json& json) {
  JsonMembers members(json, "UpdateAffinityGroupPeersRequest",
                      "handlers.UpdateAffinityGroupPeersRequest");
  AffinityStores stores = ReadStores(members);
  return members.Result(std::move(stores));
}

tl::unexpected<Error> BadAffinityContent(const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument,
              "[PD:affinity:ErrAffinityGroupContent]invalid affinity group content, " + why);
}

tl::unexpected<Error> NoAffinityGroup(const std::string& id) {
  return Fail(ErrorCode::kNotFound,
              fmt::format("[PD:affinity:ErrAffinityGroupNotFound]affinity group {} not found", id));
}

tl::unexpected<Error> AffinityGroupExists(const std::string& id) {
  return Fail(
      ErrorCode::kAlreadyExists,
      fmt::format("[PD:affinity:ErrAffinityGroupExist]affinity group {} already exists", id));
}

Result<void> CheckAffinityGroupId(const std::string& id) {
  if (scheduler::IsAffinityGroupId(id)) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("[PD:affinity:ErrInvalidGroupID]invalid group id {}: should contain only "
                          "letters (a-z, A-Z), numbers (0-9), hyphens (-) and underscores (_), and "
                          "be 1-64 characters long",
                          id));
}

Result<void> CheckAffinityRanges(const std::vector<KeyRange>& ranges) {
  for (const KeyRange& range : ranges) {
    if (range.start.empty() && range.end.empty()) continue;
    if (range.start.empty() || range.end.empty()) {
      return BadAffinityContent(
          "key range must have both start_key and end_key, or both empty for entire key space");
    }
    if (range.start >= range.end) return BadAffinityContent("start_key must be less than end_key");
  }
  return {};
}

}  // namespace pd

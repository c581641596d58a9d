// What affinity groups look like as JSON.
#include "pd/cluster/affinity_codec.h"

#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(const char* json) {
  const auto record = ReadAffinityRecord(Json::parse(json));
  return record ? AffinityRecordToJson("g", *record).dump() : record.error().Text();
}

TEST_CASE("a record comes back as it was", "[affinity]") {
  const char* plain = R"({"id":"g","create_timestamp":1790000000})";
  CHECK(Text(plain) == plain);
  const char* placed =
      R"({"id":"g","create_timestamp":1790000000,"leader_store_id":3,"voter_store_ids":[1,2,3]})";
  CHECK(Text(placed) == placed);
  CHECK(Text(R"({"leader_store_id":3,"voter_store_ids":[3,1]})") ==
        R"({"id":"g","create_timestamp":0,"leader_store_id":3,"voter_store_ids":[1,3]})");
  CHECK(Text("[]") == "json: cannot unmarshal array into Go value of type affinity.Group");
  CHECK(
      Text(R"({"voter_store_ids":[1,-1]})") ==
      "json: cannot unmarshal number -1 into Go struct field Group.voter_store_ids of type uint64");
}

TEST_CASE("requests are read whole, or their fault is named", "[affinity]") {
  const auto groups = ReadNewAffinityGroups(Json::parse(
      R"({"affinity_groups":{"b":{"ranges":[{"start_key":"YQ==","end_key":"Yg=="}]},"a":{}}})"));
  REQUIRE(groups);
  REQUIRE(groups->size() == 2);
  CHECK(groups->front().group == "a");
  CHECK(groups->front().ranges.empty());
  CHECK(groups->back().ranges == std::vector<scheduler::KeyRange>{{"a", "b"}});

  const auto changes = ReadAffinityRangeChanges(Json::parse(
      R"({"add":[{"id":"a","ranges":[{"start_key":"YQ==","end_key":"Yg=="}]}],"remove":[{"id":"b"}]})"));
  REQUIRE(changes);
  CHECK(changes->add.front().ranges.front().end == "b");
  CHECK(changes->remove.front().group == "b");
  CHECK(ReadAffinityRangeChanges(Json::parse(R"({"add":[{"id":1}]})")).error().Text() ==
        "json: cannot unmarshal number into Go struct field GroupRangesModification.add.id of type "
        "string");

  const auto deletion = ReadAffinityDeletion(Json::parse(R"({"ids":["a"],"force":true})"));
  REQUIRE(deletion);
  CHECK(deletion->ids == std::vector<std::string>{"a"});
  CHECK(deletion->force);
  CHECK_FALSE(ReadAffinityDeletion(Json::parse(R"({"ids":"a"})")));

  const auto stores =
      ReadAffinityStores(Json::parse(R"({"leader_store_id":3,"voter_store_ids":[3,1]})"));
  REQUIRE(stores);
  CHECK(*stores == scheduler::AffinityStores{{3}, {{3}, {1}}});
  CHECK_FALSE(ReadAffinityStores(Json::parse(R"({"leader_store_id":"3"})")));
}

TEST_CASE("ranges have both bounds or none, in order", "[affinity]") {
  CHECK(CheckAffinityRanges({{"a", "b"}, {"", ""}}));
  for (const scheduler::KeyRange& range : {scheduler::KeyRange{"a", ""}, {"", "b"}}) {
    CHECK(
        CheckAffinityRanges({range}).error().context ==
        "[PD:affinity:ErrAffinityGroupContent]invalid affinity group content, key range must have "
        "both start_key and end_key, or both empty for entire key space");
  }
  CHECK_FALSE(CheckAffinityRanges({{"a", "b"}, {"b", "b"}}));
  CHECK_FALSE(CheckAffinityRanges({{"c", "b"}}));
}

}  // namespace
}  // namespace pd

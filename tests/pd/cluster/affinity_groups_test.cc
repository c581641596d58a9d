// Affinity groups: what lasts, what a leader remembers, and who may change what.
#include "pd/cluster/affinity_groups.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pd/cluster/one_member.h"
#include "tests/scheduler/world.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using harness::Eventually;
using scheduler::AffinityPhase;
using scheduler::AffinityStores;
using scheduler::Availability;
using test::FirstRegion;
using test::FirstStore;
using test::OneMember;

using Existing = AffinityGroups::Existing;
using Force = AffinityGroups::Force;

const AffinityStores kStores{{1}, {{1}, {2}, {3}}};

struct Running {
  explicit Running(test::FakeDatabase& database) : server(database) {
    if (server.cluster().running()) return;
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    for (const uint64_t id : {2U, 3U}) {
      REQUIRE(server.cluster().stores().Put(test::MakeStore(id)));
    }
  }
  AffinityGroups& groups() { return server.cluster().affinity(); }
  std::string Stored(const std::string& key) {
    const auto found = server.meta().Get(key).value();
    return found ? found->value : std::string();
  }
  Availability AvailabilityOf(const std::string& id) {
    return groups().groups()->at(id).availability;
  }
  scheduler::AffinityFinding Offer(const std::string& id, const AffinityStores& stores) {
    return {id, groups().groups()->at(id).assignment, false, stores};
  }
  OneMember server;
};

/// Three stores in whatever state, as planning sees them.
class Seen {
 public:
  explicit Seen(AffinityGroups& groups) {
    for (const uint64_t id : {1U, 2U, 3U}) world_.AddStore(id);
    Look(groups);
  }
  void Silence(uint64_t store, scheduler::Seconds time) {
    world_.MutableStore(store)->last_heartbeat = world_.now - time;
  }
  void Look(AffinityGroups& groups) {
    world_.affinity = *groups.groups();
    groups.LookAtStores(world_.Context());
  }

 private:
  scheduler::test::World world_;
};

std::vector<AffinityRanges> One(const std::string& id, const std::string& start,
                                const std::string& end) {
  return {{id, {{start, end}}}};
}

TEST_CASE("groups, their ranges and their stores last", "[affinity]") {
  test::FakeDatabase database;
  {
    Running running(database);
    REQUIRE(running.groups().Create(One("g", "a", "c"), Existing::kRefused));
    CHECK(running.Stored("/pd/7/region_label/affinity_group/g") ==
          R"({"id":"affinity_group/g","index":0,"labels":[{"key":"affinity_group","value":"g"}],)"
          R"("rule_type":"key-range","data":[{"start_key":"61","end_key":"63"}]})");
    REQUIRE(running.groups().Assign("g", {{1}, {{3}, {1}, {2}}}));
    REQUIRE(running.groups().ChangeRanges({One("g", "m", "n"), {}}));
    const auto shown = running.groups().Find("g");
    REQUIRE(shown);
    CHECK(shown->record.stores == kStores);
    CHECK(shown->record.created_s > 1'700'000'000);
    CHECK(shown->range_count == 2);
    CHECK(shown->phase == AffinityPhase::kPreparing);
    CHECK(running.Stored("/pd/7/affinity_groups/g") ==
          R"({"id":"g","create_timestamp":)" + std::to_string(shown->record.created_s) +
              R"(,"leader_store_id":1,"voter_store_ids":[1,2,3]})");
    running.server.cluster().OnLeaderStop();
    CHECK(running.groups().All().empty());
    CHECK(running.groups().groups()->empty());
    CHECK(running.groups().Assign("g", kStores).error().code == ErrorCode::kNotLeader);
    CHECK(running.groups().Delete({"g"}, Force::kNo).error().code == ErrorCode::kNotLeader);
  }
  Running running(database);
  const auto shown = running.groups().Find("g");
  REQUIRE(shown);
  CHECK(shown->record.stores == kStores);
  CHECK(shown->range_count == 2);
  // Nobody has looked at the stores since: they are not relied on yet.
  CHECK(running.AvailabilityOf("g") == Availability::kDegraded);
  CHECK(shown->phase == AffinityPhase::kPending);
  const Seen seen(running.groups());
  CHECK(running.AvailabilityOf("g") == Availability::kAvailable);
  CHECK(running.groups().Find("g")->phase == AffinityPhase::kPreparing);

  REQUIRE(running.groups().Delete({"g"}, Force::kYes));
  CHECK(running.Stored("/pd/7/region_label/affinity_group/g").empty());
  CHECK(running.Stored("/pd/7/affinity_groups/g").empty());
  CHECK(running.groups().groups()->empty());
}

TEST_CASE("what a change is refused for changes nothing", "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  AffinityGroups& groups = running.groups();
  REQUIRE(groups.Create(One("g", "a", "c"), Existing::kRefused));
  const std::string before = running.Stored("/pd/7/affinity_groups/g");
  const uint64_t wishes = groups.wishes_version();
  const auto refused = [](const Result<void>& done, ErrorCode code, const std::string& text) {
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
    INFO(done.error().context);
    CHECK(done.error().context.find(text) != std::string::npos);
  };
  const auto kInvalid = ErrorCode::kInvalidArgument;
  refused(groups.Create({}, Existing::kRefused), kInvalid, "no affinity groups provided");
  refused(groups.Create(One("g", "x", "y"), Existing::kRefused), ErrorCode::kAlreadyExists,
          "affinity group g already exists");
  refused(groups.Create({{"h", {}}}, Existing::kRefused), kInvalid,
          "no key ranges provided for group");
  refused(groups.Create({{"h", {{"x", "y"}}}, {"i", {{"b", "d"}}}}, Existing::kRefused), kInvalid,
          "key range overlaps between groups: g and i");
  refused(groups.Create({{"h", {{"x", "z"}, {"y", "zz"}}}}, Existing::kRefused), kInvalid,
          "key ranges overlap within group h");
  refused(groups.Create({{"a/b", {{"x", "y"}}}}, Existing::kRefused), kInvalid,
          "ErrInvalidGroupID");
  refused(groups.Delete({}, Force::kNo), kInvalid, "no group ids provided");
  refused(groups.Delete({"a/b"}, Force::kYes), kInvalid, "ErrInvalidGroupID");
  refused(groups.Delete({"h"}, Force::kNo), ErrorCode::kNotFound, "group h not found");
  refused(groups.Delete({"h", "g"}, Force::kNo), kInvalid, "group g has key ranges");
  refused(groups.ChangeRanges({}), kInvalid, "no add or remove operations provided");
  refused(groups.ChangeRanges({One("g", "x", "y"), One("g", "a", "c")}), kInvalid,
          "cannot appear in both");
  refused(groups.ChangeRanges({One("h", "x", "y"), {}}), ErrorCode::kNotFound, "h not found");
  refused(groups.ChangeRanges({{{"g", {}}}, {}}), kInvalid, "no key ranges provided");
  refused(groups.ChangeRanges({One("g", "b", "bb"), {}}), kInvalid, "overlap within group g");
  refused(groups.ChangeRanges({{}, One("g", "a", "b")}), ErrorCode::kNotFound, "g not found");
  refused(groups.ChangeRanges({{}, {{"g", {{"a", "c"}, {"a", "c"}}}}}), ErrorCode::kAlreadyExists,
          "group g already exists");
  refused(groups.Assign("g", {}), kInvalid, "leader_store_id and voter_store_ids are required");
  refused(groups.Assign("g", {{1}, {{1}, {1}}}), kInvalid, "duplicate voter store ID");
  refused(groups.Assign("g", {{1}, {{2}, {3}}}), kInvalid, "leader must be in voter stores");
  refused(groups.Assign("g", {{1}, {{1}, {9}}}), kInvalid, "store 9 does not exist");
  refused(groups.Assign("h", kStores), ErrorCode::kNotFound, "affinity group h not found");
  CHECK(running.Stored("/pd/7/affinity_groups/g") == before);
  CHECK(groups.All().size() == 1);
  CHECK(running.server.cluster().labels().All().size() == 2);  // With that of the keyspace.

  // What is too much for the labels is not written either.
  const std::string long_key(size_t{17} << 10U, 'x');
  refused(groups.Create(One("h", "m", long_key), Existing::kRefused), kInvalid,
          "a key of more than");
  CHECK(groups.All().size() == 1);
  CHECK(running.Stored("/pd/7/affinity_groups/h").empty());

  // Nor is it news to who plans; what is as it was neither.
  REQUIRE(groups.Create(One("g", "x", "y"), Existing::kPassedOver));
  REQUIRE(groups.Delete({"h"}, Force::kYes));
  CHECK(groups.wishes_version() == wishes + 1);  // A change that was given up may still be done.
  REQUIRE(groups.Delete({"g"}, Force::kYes));
  CHECK(groups.wishes_version() > wishes + 1);
}

TEST_CASE("others are passed over where that is asked for", "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  AffinityGroups& groups = running.groups();
  REQUIRE(groups.Create(One("g", "a", "c"), Existing::kRefused));
  REQUIRE(groups.Create({{"g", {{"x", "y"}}}, {"h", {{"c", "d"}}}}, Existing::kPassedOver));
  CHECK(groups.Find("g")->range_count == 1);
  CHECK(groups.All().size() == 2);
  // A range goes from one group to another in one step.
  REQUIRE(groups.ChangeRanges({One("h", "a", "c"), One("g", "a", "c")}));
  CHECK(groups.Find("g")->range_count == 0);
  CHECK(groups.Find("h")->range_count == 2);
  CHECK(running.Stored("/pd/7/region_label/affinity_group/g").empty());
  REQUIRE(groups.Delete({"g"}, Force::kNo));
  REQUIRE(groups.Delete({"g", "h"}, Force::kYes));
  CHECK(groups.All().empty());
}

TEST_CASE("a group learns from the first region that is offered, as long as it wants to",
          "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  AffinityGroups& groups = running.groups();
  REQUIRE(groups.Create(One("g", "a", "c"), Existing::kRefused));
  const auto early = running.Offer("g", kStores);
  groups.Take(early);
  groups.Take(running.Offer("g", {{2}, {{2}, {3}}}));
  CHECK(Eventually([&] { return groups.Find("g")->record.stores == kStores; }));
  CHECK(running.AvailabilityOf("g") == Availability::kAvailable);
  CHECK(running.Stored("/pd/7/affinity_groups/g").find("leader_store_id") != std::string::npos);

  // Somebody has assigned stores since the region was looked at; and a group that has stores wants no others.
  const AffinityStores two{{2}, {{2}, {3}}};
  REQUIRE(groups.Assign("g", two));
  groups.Take(early);
  groups.Take(running.Offer("g", kStores));
  REQUIRE(groups.KeepUp());
  REQUIRE(groups.KeepUp());
  CHECK(groups.Find("g")->record.stores == two);

  // It does once its stores have expired. What was found of other stores does not make it expire.
  auto expired = running.Offer("g", kStores);
  expired.expires = true;
  --expired.assignment;
  groups.Take(expired);
  CHECK(running.AvailabilityOf("g") == Availability::kAvailable);
  REQUIRE(groups.KeepUp());
  ++expired.assignment;
  groups.Take(expired);
  CHECK(Eventually([&] { return groups.Find("g")->record.stores == kStores; }));
  CHECK(running.AvailabilityOf("g") == Availability::kAvailable);
  groups.Take({"none", 1, true, kStores});
  CHECK(groups.KeepUp());
}

TEST_CASE("stores in trouble take a group down, new stores bring it back", "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  AffinityGroups& groups = running.groups();
  REQUIRE(groups.Create({{"g", {{"a", "c"}}}, {"empty", {{"m", "n"}}}}, Existing::kRefused));
  REQUIRE(groups.Assign("g", kStores));
  Seen seen(groups);
  seen.Silence(3, 30s);
  seen.Look(groups);
  CHECK(running.AvailabilityOf("g") == Availability::kDegraded);
  CHECK(running.AvailabilityOf("empty") == Availability::kAvailable);
  CHECK(groups.Find("g")->phase == AffinityPhase::kPending);
  seen.Silence(3, 601s);
  seen.Look(groups);
  CHECK(running.AvailabilityOf("g") == Availability::kExpired);
  seen.Silence(3, 0s);
  seen.Look(groups);
  CHECK(running.AvailabilityOf("g") == Availability::kExpired);
  REQUIRE(groups.ChangeRanges({One("g", "x", "y"), {}}));  // This alone does not.
  CHECK(running.AvailabilityOf("g") == Availability::kExpired);
  REQUIRE(groups.Assign("g", kStores));  // The same ones count as new.
  CHECK(running.AvailabilityOf("g") == Availability::kAvailable);
}

TEST_CASE("counts are of the stores that a group had then", "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  AffinityGroups& groups = running.groups();
  REQUIRE(groups.Create(One("g", "a", "c"), Existing::kRefused));
  REQUIRE(groups.Assign("g", kStores));
  groups.SetCounts({{"g", {groups.groups()->at("g").assignment, 4, 4}}});
  CHECK(groups.Find("g")->counts.in_place == 4);
  CHECK(groups.Find("g")->phase == AffinityPhase::kStable);
  REQUIRE(groups.Assign("g", {{2}, {{2}, {3}}}));
  CHECK(groups.Find("g")->counts.regions == 4);
  CHECK(groups.Find("g")->counts.in_place == 0);
  CHECK(groups.Find("g")->phase == AffinityPhase::kPreparing);
}

TEST_CASE("a change whose answer was lost is seen, and its group goes on as it was", "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  AffinityGroups& groups = running.groups();
  REQUIRE(groups.Create(One("g", "a", "c"), Existing::kRefused));
  REQUIRE(groups.Assign("g", kStores));
  {
    test::StalledDisk stalled(database);
    CHECK(groups.Create(One("h", "m", "n"), Existing::kRefused).error().code ==
          ErrorCode::kTimeout);
  }
  CHECK(Eventually([&] { return groups.Find("h").has_value(); }));
  CHECK(Eventually([&] { return groups.Find("h")->range_count == 1; }));
  CHECK(running.AvailabilityOf("g") == Availability::kAvailable);
}

TEST_CASE("records that make no sense are passed over", "[affinity]") {
  test::FakeDatabase database;
  {
    Running running(database);
    REQUIRE(running.groups().Create(One("good", "a", "c"), Existing::kRefused));
    const auto put = [&](const char* id, const char* text) {
      REQUIRE(running.server.meta().Put(std::string("/pd/7/affinity_groups/") + id, text, 3s));
    };
    put("text", "not JSON");
    put("kind", R"({"voter_store_ids":[1,"2"]})");
    put("a b", "{}");
    put("other-leader", R"({"leader_store_id":9,"voter_store_ids":[1,2]})");
  }
  Running running(database);
  std::vector<std::string> ids;
  for (const auto& group : running.groups().All()) ids.push_back(group.id);
  CHECK(ids == std::vector<std::string>{"good", "other-leader"});
  CHECK(running.groups().Find("other-leader")->record.stores.empty());
}

TEST_CASE("stores may not split what a group keeps together", "[affinity]") {
  test::FakeDatabase database;
  Running running(database);
  Cluster& cluster = running.server.cluster();
  const scheduler::Region region = test::Reported(2, "a", "c", 2);
  REQUIRE(cluster.HandleRegionReport(region));
  REQUIRE(running.groups().Create(One("g", "a", "c"), Existing::kRefused));
  const auto asked = [&](std::optional<scheduler::SplitReason> reason) {
    const auto ids = cluster.AskSplit(region, 1, reason);
    return ids ? std::string("granted") : ids.error().context;
  };
  using scheduler::SplitReason;
  CHECK(asked(SplitReason::kLoad) == "granted");
  REQUIRE(running.groups().Assign("g", kStores));
  CHECK(asked(SplitReason::kLoad) == "granted");  // Groups are turned off.
  REQUIRE(running.server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.schedule.affinity_schedule_limit = 4;
    return {};
  }));
  CHECK(asked(SplitReason::kLoad) == "cannot split affinity region");
  CHECK(asked(SplitReason::kSize) == "cannot split affinity region");
  CHECK(asked(SplitReason::kAdmin) == "granted");
  CHECK(asked({}) == "granted");
}

}  // namespace
}  // namespace pd

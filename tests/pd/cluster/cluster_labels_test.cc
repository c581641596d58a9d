// Region label rules of a cluster: what lasts, and what is bounded.
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/cluster/cluster.h"
#include "tests/harness/wait.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;
using test::FirstRegion;
using test::FirstStore;
using test::OneMember;
using test::Reported;

using namespace std::chrono_literals;
using scheduler::Region;

scheduler::LabelRule LabelAll(const std::string& id, int64_t expires_unix_ns, const char* ttl) {
  scheduler::LabelRule rule;
  rule.id = id;
  rule.labels = {{"k", id, "", "", scheduler::RegionLabel::kNever}};
  rule.ranges = {{{"", "m"}, "", "6d"}};
  if (*ttl != '\0') {
    rule.labels.front().ttl = ttl;
    rule.labels.front().start_at = "Mon Nov 23 15:59:08 UTC 2026";
    rule.labels.front().expires_unix_ns = expires_unix_ns;
  }
  return rule;
}

TEST_CASE("label rules outlast leaders and restarts, and are gone with the lead", "[cluster]") {
  test::FakeDatabase database;
  const auto region = Reported(9, "a", "b", 1);
  {
    OneMember server(database);
    RegionLabels& labels = server.cluster().labels();
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    REQUIRE(labels.All().size() == 1);
    CHECK(labels.All().front().id == "keyspaces/0");
    REQUIRE(labels.Apply({{LabelAll("a/1", 0, ""), LabelAll("b", 0, "")}, {}}));
    CHECK(labels.LabelsOf(region).at("k") == "a/1");
    REQUIRE(labels.Delete("keyspaces/0"));
    CHECK(labels.Delete("keyspaces/0").error().code == ErrorCode::kNotFound);
    // What is deleted and set is set.
    REQUIRE(labels.Apply({{LabelAll("c", 0, "")}, {"a/1", "c", "not there"}}));
    CHECK(labels.LabelsOf(region).at("k") == "b");

    server.cluster().OnLeaderStop();
    CHECK(labels.All().empty());
    CHECK(labels.LabelsOf(region).empty());
    CHECK(labels.Apply({{LabelAll("d", 0, "")}, {}}).error().code == ErrorCode::kNotLeader);
    REQUIRE(server.cluster().OnLeaderStart(server.term()));
    CHECK(labels.All().size() == 2);
    REQUIRE(server.meta().Put("/pd/7/region_label/broken", "{", 3s));
  }
  OneMember server(database);
  const RegionLabels& labels = server.cluster().labels();
  REQUIRE(labels.All().size() == 2);  // The deleted one does not come back either.
  CHECK(labels.Find("b") == LabelAll("b", 0, ""));
  CHECK(labels.Find("c") == LabelAll("c", 0, ""));
  CHECK_FALSE(labels.Find("a/1"));
  CHECK(server.meta().Get("/pd/7/region_label/broken").value());
}

TEST_CASE("a label rule whose write was given up is seen and can be deleted", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  test::StalledDisk disk(database);
  CHECK_FALSE(labels.Apply({{LabelAll("late", 0, "")}, {}}));
  disk.Release();
  const std::string key = "/pd/7/region_label/late";
  REQUIRE(Eventually([&] { return server.meta().Get(key).value().has_value(); }));
  SECTION("the job shows it") {
    REQUIRE(labels.RemoveExpired());
    CHECK(labels.Find("late"));
  }
  SECTION("so does the next change") {
    REQUIRE(labels.Apply({{LabelAll("next", 0, "")}, {}}));
    CHECK(labels.Find("late"));
    CHECK(labels.Find("next"));
  }
  SECTION("a patch deletes it") {
    REQUIRE(labels.Apply({{}, {"late"}}));
    CHECK_FALSE(server.meta().Get(key).value());
    CHECK_FALSE(labels.Find("late"));
  }
  SECTION("a deletion does") {
    CHECK(labels.Delete("late"));
    CHECK_FALSE(server.meta().Get(key).value());
  }
}

TEST_CASE("stored label rules beyond the bounds are not in force, and can be deleted",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const std::string key = "/pd/7/region_label/large";
  const std::string rule =
      R"({"id":"large","index":0,"labels":[{"key":"k","value":"v"}],"rule_type":"key-range","data":[)"
      R"({"start_key":")" +
      std::string(40'000, '6') + R"(","end_key":""}]})";
  REQUIRE(server.meta().Put(key, rule, 3s));
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  CHECK(labels.All().empty());
  REQUIRE(labels.Apply({{}, {"large"}}));
  CHECK_FALSE(server.meta().Get(key).value());
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  CHECK(labels.Find("keyspaces/0"));
}

TEST_CASE("many label rules that expire together go some at a time", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const int64_t end = server.moved.UnixNanos() + Nanos(10h).count();
  RegionLabels::Patch patch;
  for (int i = 0; i < 300; ++i) patch.sets.push_back(LabelAll(fmt::format("r{}", i), end, "10h"));
  REQUIRE(labels.Apply(std::move(patch)));
  server.moved.ahead = Nanos(11h);
  CHECK(Eventually([&] { return labels.book()->rules().size() == 1; }));
  CHECK(server.meta().GetPrefix("/pd/7/region_label/r").value().empty());
}

TEST_CASE("labels that expired count no more, and are taken off the disk", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const int64_t end = server.moved.UnixNanos() + Nanos(10h).count();
  scheduler::LabelRule half = LabelAll("half", end, "10h");
  half.labels.push_back({"stays", "v", "", "", scheduler::RegionLabel::kNever});
  REQUIRE(labels.Apply({{LabelAll("whole", end, "10h"), half}, {}}));
  CHECK(labels.Find("whole"));
  CHECK(labels.Find("half")->labels.size() == 2);
  const auto kept = [&](const std::string& id) {
    const auto found = server.meta().Get("/pd/7/region_label/" + id).value();
    return found ? found->value : std::string();
  };
  CHECK(kept("whole").find("\"ttl\":\"10h\"") != std::string::npos);

  server.moved.ahead = Nanos(11h);
  CHECK_FALSE(labels.Find("whole"));
  CHECK(labels.Find("half")->labels.size() == 1);
  CHECK(labels.LabelsOf(Reported(9, "a", "b", 1)).size() == 1);
  CHECK(Eventually([&] { return !labels.book()->rules().contains("whole"); }));
  CHECK(kept("whole").empty());
  CHECK(kept("half").find("ttl") == std::string::npos);
  CHECK(kept("half").find("stays") != std::string::npos);
}

}  // namespace
}  // namespace pd

// Region label rules on three members: they follow the lead, and a deposed leader cannot write.
#include "pd/cluster/region_labels.h"

#include <catch2/catch.hpp>

#include "tests/pd/server/server_bench.h"

namespace pd {
namespace {

scheduler::LabelRule Rule(const std::string& id) {
  scheduler::LabelRule rule;
  rule.id = id;
  rule.labels = {{"schedule", "deny", "", "", scheduler::RegionLabel::kNever}};
  rule.ranges = {{{"a", "b"}, "61", "62"}};
  return rule;
}

TEST_CASE("label rules follow the lead", "[server]") {
  Bench bench(3);
  const SystemClock clock;
  PdServer& first = bench.Leader();
  const ClusterPaths paths(first.cluster_id());
  RegionLabels before(first.meta(), clock);
  REQUIRE(before.Load(paths, first.serving_term()));
  REQUIRE(before.Apply({{Rule("a"), Rule("b")}, {}}));

  REQUIRE(first.TransferLeader(0));
  Bench::Until([&] { return &bench.Leader() != &first; });
  PdServer& second = bench.Leader();
  RegionLabels after(second.meta(), clock);
  REQUIRE(after.Load(paths, second.serving_term()));
  CHECK(after.Find("a") == Rule("a"));
  CHECK(after.Find("b") == Rule("b"));

  CHECK(before.Delete("a").error().code == ErrorCode::kNotLeader);
  CHECK(before.Find("a"));
  REQUIRE(after.Delete("b"));
  CHECK_FALSE(after.Find("b"));
  REQUIRE(after.Load(paths, second.serving_term()));
  CHECK(after.Find("a"));
  CHECK_FALSE(after.Find("b"));

  // The first one leads again, but what it knew is of an earlier term.
  const raft::NodeId id = first.members().self().id;
  Bench::Until([&] { return bench.Leader().TransferLeader(id).has_value(); });
  Bench::Until([&] { return &bench.Leader() == &first; });
  CHECK(before.Delete("a").error().code == ErrorCode::kNotLeader);
  CHECK(first.meta().Get(paths.RegionLabel("a")).value());
}

}  // namespace
}  // namespace pd

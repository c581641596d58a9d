#include <catch2/catch.hpp>

#include "tests/scheduler/script_runner.h"

namespace scheduler::test {
namespace {

void Play(const std::string& name) {
  ScriptRunner runner;
  pd::test::RunScript("tests/scheduler/testdata/" + name + ".txt",
                      [&](const auto& lines) { return runner.Run(lines); });
}

TEST_CASE("builder scripts", "[script]") {
  Play("builder_joint");
  Play("builder_single");
}

TEST_CASE("operator life cycle scripts", "[script]") { Play("operator"); }

TEST_CASE("checker scripts", "[script]") {
  Play("rule_checker");
  Play("rule_checker_location");
  Play("rule_checker_order");
  Play("departure");
  Play("orphans");
  Play("joint_state");
  Play("merge");
  Play("replica_checker");
  Play("replica_checker_location");
  Play("placement_rules");
  Play("witnesses");
  Play("witnesses_for_speed");
  Play("tiflash_first");
}

TEST_CASE("scheduler scripts", "[script]") {
  Play("balance_leader");
  Play("balance_region");
  Play("balance_settles");
  Play("balance_level");
  Play("balance_range");
  Play("balance_witness");
  Play("evict_leader");
  Play("evict_slow_store");
  Play("evict_slow_trend");
  Play("hot_schedulers");
  Play("label");
  Play("random_merge");
  Play("scatter_range");
  Play("shuffle_leader");
  Play("shuffle_region");
  Play("transfer_witness_leader");
  Play("region_labels");
}

TEST_CASE("hot region scripts", "[script]") {
  Play("hot_region");
  Play("hot_region_reads");
}

TEST_CASE("affinity script", "[script]") { Play("affinity"); }
TEST_CASE("affinity merge script", "[script]") { Play("affinity_merge"); }

TEST_CASE("scatter script", "[script]") {
  Play("scatter");
  Play("scatter_rules");
  Play("split_scatter");
  Play("split_scatter_leaders");
}

}  // namespace
}  // namespace scheduler::test

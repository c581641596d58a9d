// Which items of the configuration planning goes by: each is set to what is not its default.
#include "pd/dispatch/schedule_options.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::ScheduleOptions;

TEST_CASE("limits and bounds are those of the configuration", "[options]") {
  OnlineConfig config;
  ScheduleConfig& schedule = config.schedule;
  config.replication.max_replicas = 5;
  config.replication.location_labels = {"zone"};
  config.replication.isolation_level = "zone";
  schedule.leader_schedule_limit = 11;
  schedule.region_schedule_limit = 12;
  schedule.replica_schedule_limit = 13;
  schedule.merge_schedule_limit = 14;
  schedule.hot_region_schedule_limit = 15;
  schedule.witness_schedule_limit = 16;
  schedule.affinity_schedule_limit = 17;
  schedule.split_scatter_schedule_limit = 18;
  schedule.max_snapshot_count = 19;
  schedule.max_pending_peer_count = 20;
  schedule.max_merge_region_size = 21;
  schedule.max_merge_region_keys = 22;
  schedule.max_affinity_merge_region_size = 23;
  schedule.max_store_down_time = 24s;
  schedule.switch_witness_interval = 25s;
  schedule.patrol_region_interval = 26ms;
  schedule.split_merge_interval = 27s;
  schedule.tolerant_size_ratio = 2.5;
  schedule.slow_store_evicting_affected_store_ratio_threshold = 0.4;
  schedule.low_space_ratio = 0.9;
  schedule.high_space_ratio = 0.6;
  schedule.leader_schedule_policy = "size";
  schedule.region_score_formula_version = "v1";
  config.label_property["reject-leader"] = {{"disk", "slow"}};
  StoreConfig stores;
  stores.bounds = {400, 300, 200, 100};

  const ScheduleOptions options = MakeScheduleOptions(config, stores);
  CHECK(options.max_replicas == 5);
  CHECK(options.location_labels == std::vector<std::string>{"zone"});
  CHECK(options.isolation_level == "zone");
  CHECK(options.leader_schedule_limit == 11);
  CHECK(options.region_schedule_limit == 12);
  CHECK(options.replica_schedule_limit == 13);
  CHECK(options.merge_schedule_limit == 14);
  CHECK(options.hot_region_schedule_limit == 15);
  CHECK(options.witness_schedule_limit == 16);
  CHECK(options.affinity_schedule_limit == 17);
  CHECK(options.split_scatter_schedule_limit == 18);
  CHECK(options.max_snapshot_count == 19);
  CHECK(options.max_pending_peer_count == 20);
  CHECK(options.max_merge_region_size_mib == 21);
  CHECK(options.max_merge_region_keys == 22);
  CHECK(options.max_affinity_merge_region_size_mib == 23);
  CHECK(options.max_store_down_time == 24s);
  CHECK(options.switch_witness_interval == 25s);
  CHECK(options.patrol_region_interval == 26ms);
  CHECK(options.split_merge_interval == 27s);
  CHECK(options.tolerant_size_ratio == 2.5);
  CHECK(options.slow_trend_falling_share == 0.4);
  CHECK_FALSE(options.stores_run_raft_kv2);
  CHECK(options.low_space_ratio == 0.9);
  CHECK(options.high_space_ratio == 0.6);
  CHECK(options.leader_policy == scheduler::LeaderPolicy::kSize);
  CHECK(options.region_score_version == scheduler::RegionScoreVersion::kV1);
  REQUIRE(options.reject_leader_labels.size() == 1);
  CHECK(options.reject_leader_labels.front().key == "disk");
  CHECK(options.region_bounds == stores.bounds);
}

TEST_CASE("switches are those of the configuration", "[options]") {
  using Flag = bool ScheduleOptions::*;
  struct Switch {
    const char* name;
    void (*turn)(OnlineConfig&);
    Flag shown;
  };
  const Switch switches[] = {
      {"rules", [](OnlineConfig& c) { c.replication.enable_placement_rules = false; },
       &ScheduleOptions::enable_placement_rules},
      {"witness", [](OnlineConfig& c) { c.schedule.enable_witness = true; },
       &ScheduleOptions::enable_witness},
      {"split", [](OnlineConfig& c) { c.schedule.enable_tikv_split_region = false; },
       &ScheduleOptions::enable_tikv_split_region},
      {"one way", [](OnlineConfig& c) { c.schedule.enable_one_way_merge = true; },
       &ScheduleOptions::enable_one_way_merge},
      {"tables", [](OnlineConfig& c) { c.schedule.enable_cross_table_merge = false; },
       &ScheduleOptions::merge_within_table},
      {"down", [](OnlineConfig& c) { c.schedule.enable_remove_down_replica = false; },
       &ScheduleOptions::enable_remove_down_replica},
      {"offline", [](OnlineConfig& c) { c.schedule.enable_replace_offline_replica = false; },
       &ScheduleOptions::enable_replace_offline_replica},
      {"make up", [](OnlineConfig& c) { c.schedule.enable_make_up_replica = false; },
       &ScheduleOptions::enable_make_up_replica},
      {"extra", [](OnlineConfig& c) { c.schedule.enable_remove_extra_replica = false; },
       &ScheduleOptions::enable_remove_extra_replica},
      {"location", [](OnlineConfig& c) { c.schedule.enable_location_replacement = false; },
       &ScheduleOptions::enable_location_replacement},
      {"joint", [](OnlineConfig& c) { c.schedule.enable_joint_consensus = false; },
       &ScheduleOptions::enable_joint_consensus},
      {"version", [](OnlineConfig& c) { c.cluster_version = "4.0.0"; },
       &ScheduleOptions::cluster_supports_joint_consensus},
      {"diagnostic", [](OnlineConfig& c) { c.schedule.enable_diagnostic = false; },
       &ScheduleOptions::enable_diagnostic},
      {"halt", [](OnlineConfig& c) { c.schedule.halt_scheduling = true; },
       &ScheduleOptions::halt_scheduling},
  };
  OnlineConfig usual;
  usual.cluster_version = "8.5.0";
  usual.pd_server.key_type = "table";
  for (const Switch& one : switches) {
    CAPTURE(one.name);
    OnlineConfig turned = usual;
    one.turn(turned);
    const ScheduleOptions before = MakeScheduleOptions(usual, {});
    const ScheduleOptions after = MakeScheduleOptions(turned, {});
    CHECK(before.*one.shown != after.*one.shown);
  }
}

TEST_CASE("what stores measure follows from their version and what they say", "[options]") {
  OnlineConfig config;
  const auto queries = [&](const char* version) {
    config.cluster_version = version;
    return MakeScheduleOptions(config, {}).stores_count_queries;
  };
  CHECK_FALSE(queries("5.1.9"));
  CHECK(queries("5.2.0"));
  const auto cpu = [&](const char* version) {
    config.cluster_version = version;
    return MakeScheduleOptions(config, {}).stores_measure_read_cpu;
  };
  CHECK_FALSE(cpu("8.5.6"));
  CHECK(cpu("8.5.7"));
  CHECK(cpu("9.0.0"));
  CHECK_FALSE(cpu("nonsense"));
  StoreConfig stores;
  CHECK_FALSE(MakeScheduleOptions(config, stores).stores_have_buckets);
  stores.region_buckets = true;
  CHECK(MakeScheduleOptions(config, stores).stores_have_buckets);
  config.schedule.max_movable_hot_peer_size = 77;
  config.pd_server.flow_round_by_digit = 6;
  CHECK(MakeScheduleOptions(config, stores).max_movable_hot_peer_size_mib == 77);
  CHECK_FALSE(MakeScheduleOptions(config, stores).trace_region_flow);
}

}  // namespace
}  // namespace pd

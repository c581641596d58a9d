// The metrics page of a cluster.
#include "pd/cluster/cluster_metrics.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/cluster/cluster.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using test::FirstRegion;
using test::FirstStore;
using test::OneMember;
using test::Reported;

using scheduler::Store;
using scheduler::StoreId;

TEST_CASE("the metrics page shows stores and regions as long as the member leads", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  MetricsRegistry registry;
  ClusterMetrics metrics(server.cluster(), registry);
  metrics.ShowSnapshots([](StoreId store) -> std::optional<ClusterMetrics::SnapshotUse> {
    if (store != StoreId{1}) return {};
    return ClusterMetrics::SnapshotUse{200, {96, 0, 0, 5}};
  });
  CHECK(registry.Render().empty());
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  Store second = FirstStore();
  second.id = StoreId{2};
  second.address = "tiflash\"2";
  second.labels = {{"engine", "tiflash"}};
  REQUIRE(server.cluster().stores().Put(second));
  scheduler::StoreStats stats;
  stats.capacity_bytes = 1000;
  stats.available_bytes = 10;
  stats.used_bytes = 200;
  stats.bytes_written = 50;
  stats.interval_start_s = 100;
  stats.interval_end_s = 110;
  stats.slow_score = 80;
  stats.read_io_rates = {{"a", 3}, {"b", 4}};
  REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, stats, ""}));
  REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "m", 2)));
  REQUIRE(server.cluster().HandleRegionReport(Reported(3, "m", "", 2)));
  REQUIRE(server.cluster().HandleRegionReport(Reported(3, "m", "", 2)));  // No news.
  REQUIRE(server.cluster().safe_points().AdvanceTxn(9));
  REQUIRE(server.cluster().safe_points().AdvanceGc(7));
  REQUIRE(server.cluster().affinity().Create({{"g", {{"a", "b"}}}, {"h", {{"c", "d"}}}},
                                             AffinityGroups::Existing::kRefused));
  server.cluster().affinity().SetCounts({{"g", {0, 3, 0}}, {"h", {0, 4, 0}}});

  const std::string page = registry.Render();
  for (
      const std::string_view line : {
          R"(pd_cluster_status{type="store_slow_count",engine="tikv",store="1"} 1)",
          R"(pd_cluster_status{type="store_up_count",engine="tikv",store="1"} 0)",
          R"(pd_cluster_status{type="store_down_count",engine="tiflash",store="2"} 1)",
          R"(pd_cluster_status{type="storage_capacity",engine="tikv",store="1"} 1000)",
          R"(pd_cluster_status{type="leader_count",engine="tikv",store="1"} 2)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="region_count"} 2)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="leader_score"} 2)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="store_available"} 10)",
          R"(pd_scheduler_store_status{address="tiflash\"2",store="2",type="region_count"} 0)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="windows_size"} 200)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="windows_used_level_low"} 96)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="windows_used_level_urgent"} 5)",
          R"(pd_cluster_store_limit{store="2",type="remove-peer"} 30)",
          R"(pd_cluster_store_limit{store="2",type="add-peer"} 30)",
          R"(pd_config_status{type="max-replicas"} 3)",
          R"(pd_config_status{type="max-merge-region-keys"} 540000)",
          R"(pd_config_status{type="enable-remove-down-replica"} 1)",
          R"(pd_cluster_region_event{event="update_cache"} 2)",
          R"(pd_cluster_region_event{event="update_kv"} 2)",
          R"(pd_gc_gc_safepoint{type="gc_safepoint"} 7)",
          R"(pd_affinity_status{type="group-count"} 2)",
          R"(pd_affinity_status{type="region-count"} 7)",
          R"(pd_affinity_status{type="affinity-region-count"} 0)",
      }) {
    INFO(line);
    CHECK(page.find(std::string(line) + "\n") != std::string::npos);
  }
  for (const char* type : {"store_write_rate_bytes", "store_write_rate_bytes_instant"}) {
    const std::string line =
        R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type=")" + std::string(type);
    CHECK(page.find(line + "\"} 5\n") != std::string::npos);
  }
  CHECK(page.find(R"(type="store_disk_read_rate"} 7)") != std::string::npos);
  const std::string next =
      fmt::format("{}", static_cast<double>(server.cluster().feed().next_index()));
  CHECK(page.find(R"(pd_region_syncer_status{type="last_index"} )" + next) != std::string::npos);

  server.cluster().OnLeaderStop();
  const std::string after = registry.Render();
  CHECK(after.find("pd_cluster_status") == std::string::npos);
  CHECK(after.find("pd_scheduler_store_status") == std::string::npos);
  CHECK(after.find("pd_config_status") == std::string::npos);
  CHECK(after.find("pd_region_syncer_status") == std::string::npos);
  CHECK(after.find("pd_gc_gc_safepoint") == std::string::npos);
  CHECK(after.find("pd_affinity_status") == std::string::npos);
  CHECK(after.find(R"(pd_cluster_region_event{event="update_kv"} 2)") != std::string::npos);
}

}  // namespace
}  // namespace pd

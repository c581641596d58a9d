// What heartbeats make of hot peers, in the statistics and over a cluster.
#include "pd/cluster/hot_statistics.h"

#include <filesystem>
#include <fstream>
#include <limits>

#include <catch2/catch.hpp>

#include "pd/cluster/hot_metrics.h"
#include "pd/dispatch/live_view.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"
#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

using scheduler::Access;
using scheduler::Instant;
using scheduler::LoadDim;
using scheduler::Region;
using scheduler::StoreId;

constexpr uint64_t kHits = 3;

Region MakeRegion(uint64_t id, uint64_t bytes_written) {
  Region region;
  region.id = {id};
  region.epoch = {1, 2};
  region.start_key = "a";
  region.end_key = "b";
  for (uint64_t store = 1; store <= 3; ++store) {
    region.peers.push_back({{id * 10 + store}, {store}, scheduler::PeerRole::kVoter, false});
  }
  region.leader = region.peers.front();
  region.flow.bytes_written = bytes_written;
  region.flow.interval_start_s = 1000;
  region.flow.interval_end_s = 1060;
  return region;
}

scheduler::StoreStats StatsOver(uint64_t seconds) {
  scheduler::StoreStats stats;
  stats.bytes_read = 1000 * seconds;
  stats.interval_start_s = 1000;
  stats.interval_end_s = 1000 + seconds;
  return stats;
}

TEST_CASE("writes count for every peer of a region, reads for that of the store that reports") {
  HotStatistics hot;
  const Region region = MakeRegion(7, 60 * 5000);
  const auto find = [&](scheduler::RegionId id) {
    return id == region.id ? std::optional(region) : std::nullopt;
  };
  const std::vector<PeerReads> reads{{region.id, 10 * 50'000, 0, 0, 30}, {{8}, 1'000'000, 0, 0, 0}};
  for (int64_t i = 1; i <= 20; ++i) {
    const Instant now{scheduler::Seconds{10 * i}};
    if (i % 6 == 0) hot.OnRegionReported(region, now);
    hot.OnStoreReported({2}, StatsOver(10), reads, find, now);
  }
  const Instant now{scheduler::Seconds{200}};
  for (uint64_t store = 1; store <= 3; ++store) {
    const auto written = hot.PeersOn(Access::kWrite, {store}, kHits, now);
    REQUIRE(written.size() == 1);
    CHECK(written[0].load[LoadDim::kByte] == 5000);
    CHECK(written[0].leads == (store == 1));
    const auto read = hot.PeersOn(Access::kRead, {store}, kHits, now);
    REQUIRE(read.size() == (store == 2 ? 1 : 0));
    if (store != 2) continue;
    CHECK(read[0].load[LoadDim::kByte] == 50'000);
    CHECK(read[0].load[LoadDim::kCpu] == 30);  // A usage is a rate already.
  }
  CHECK(hot.IsHot(region.id, kHits));
  CHECK_FALSE(hot.IsHot({8}, 0));  // Of an unknown region nothing is kept.
  CHECK(hot.LoadsOf({2})->read[LoadDim::kByte] == 1000);
  CHECK_FALSE(hot.LoadsOf({1}).has_value());

  // One that left the store is forgotten there.
  Region moved = region;
  moved.peers.erase(moved.peers.begin() + 1);
  hot.OnRegionReported(moved, now);
  CHECK(hot.PeersOn(Access::kRead, {2}, 0, now).empty());
  CHECK(hot.PeersOn(Access::kWrite, {2}, 0, now).empty());
  CHECK(hot.PeersOn(Access::kWrite, {3}, kHits, now).size() == 1);

  hot.Clear();
  CHECK_FALSE(hot.IsHot(region.id, 0));
  CHECK_FALSE(hot.LoadsOf({2}).has_value());
}

TEST_CASE("reads show after six times as many reports as writes") {
  HotStatistics hot;
  const Region region = MakeRegion(7, 0);
  const auto find = [&](scheduler::RegionId) { return std::optional(region); };
  const std::vector<PeerReads> reads{{region.id, 10 * 50'000, 0, 0, 0}};
  for (int64_t i = 1; i <= 18; ++i) {
    const Instant now{scheduler::Seconds{10 * i}};
    CHECK(hot.PeersOn(Access::kRead, {1}, kHits, now).empty());
    hot.OnStoreReported({1}, StatsOver(10), reads, find, now);
    CHECK(hot.IsHot(region.id, kHits) == (i >= 3));
  }
  CHECK(hot.PeersOn(Access::kRead, {1}, kHits, {scheduler::Seconds{180}}).size() == 1);
}

TEST_CASE("a cluster feeds them, planning sees them, and they go with the lead") {
  test::FakeDatabase database;
  test::OneMember member(database);
  Cluster& cluster = member.cluster();
  scheduler::Store store;
  store.id = {1};
  store.address = "tikv1:20160";
  store.version = "8.5.0";
  Region first;
  first.id = {7};
  first.epoch = {1, 1};
  first.peers = {{{71}, {1}, scheduler::PeerRole::kVoter, false}};
  REQUIRE(cluster.Bootstrap(store, first));
  first.leader = first.peers.front();
  first.flow.bytes_written = 60 * 5000;
  first.flow.interval_end_s = 1060;
  first.flow.interval_start_s = 1000;
  const std::vector<PeerReads> reads{{{7}, 10 * 50'000, 0, 0, 0}};
  for (int i = 0; i < 18; ++i) {
    first.flow.interval_start_s += 60;
    first.flow.interval_end_s += 60;
    REQUIRE(cluster.HandleRegionReport(first));
    REQUIRE(cluster.HandleStoreReport({StoreId{1}, StatsOver(10), ""}, reads));
  }
  scheduler::Buckets buckets;
  buckets.version = 1;
  buckets.keys = {"", "m", ""};
  buckets.write_bytes = {50'000, 10};
  for (int i = 0; i < 3; ++i) cluster.HandleBuckets({7}, buckets);
  buckets.write_bytes = {0, 0};
  buckets.version = 0;
  cluster.HandleBuckets({7}, buckets);  // Older: dropped.
  cluster.HandleBuckets({99}, buckets);

  StoreLimits limits(cluster.config());
  const LiveView view(cluster, limits, InstantOf(cluster.clock().Monotonic()));
  CHECK(view.IsHot(first));
  REQUIRE(view.HotPeers(Access::kWrite, {1}).size() == 1);
  CHECK(view.HotPeers(Access::kRead, {1}).size() == 1);
  CHECK(view.LoadsOf({1}).read[LoadDim::kByte] == 1000);
  CHECK(view.LoadsOf({1}).regions_write[LoadDim::kByte] == 5000);
  REQUIRE(view.HotBucketsOf(first).size() == 1);
  CHECK(view.HotBucketsOf(first)[0].degree == 3);

  MetricsRegistry registry;
  const HotMetrics metrics(cluster, registry);
  const std::string page = registry.Render();
  CAPTURE(page);
  for (
      const char* line :
      {R"(pd_hotspot_status{address="tikv1:20160",store="1",type="total_write_bytes_as_leader"} 5000)",
       R"(pd_hotspot_status{address="tikv1:20160",store="1",type="hot_read_region_as_peer"} 1)",
       R"(pd_hotcache_status{name="byte-rate-threshold",store="store-1",type="write"} 1024)",
       R"(pd_hotcache_status{name="total_length",store="store-1",type="read"} 1)"}) {
    CAPTURE(line);
    CHECK(page.find(line) != std::string::npos);
  }

  cluster.OnLeaderStop();
  CHECK(registry.Render().find("pd_hotspot_status{") == std::string::npos);
  CHECK_FALSE(cluster.hot().IsHot({7}, 0));
  CHECK(cluster.HotPeersOn(Access::kWrite, {1}).empty());
  CHECK(cluster.hot().BucketsIn({}, 0, InstantOf(cluster.clock().Monotonic())).empty());
}

TEST_CASE("every interval what is hot is written down, for as long as it is wanted") {
  const test::TemporaryFolder folder;
  test::FakeDatabase database;
  test::MemberSetup setup;
  setup.drive = Cluster::Drive::kByHand;
  setup.hot_folder = folder.path() + "/hot-region";
  test::OneMember member(database, nullptr, setup);
  Cluster& cluster = member.cluster();
  REQUIRE(cluster.Bootstrap(test::FirstStore(), test::FirstRegion()));
  Region region = test::FirstRegion();
  region.leader = region.peers.front();
  region.flow.bytes_written = 60 * 5000;
  const auto heat = [&] {
    for (int i = 0; i < 3; ++i) {
      region.flow.interval_start_s += 60;
      region.flow.interval_end_s = region.flow.interval_start_s + 60;
      REQUIRE(cluster.HandleRegionReport(region));
    }
  };
  const auto found = [&] {
    return cluster.hot_history()
        .Read(0, std::numeric_limits<int64_t>::max(), [](const HotRecord&) { return true; })
        .records;
  };
  cluster.DoDue();
  heat();
  cluster.DoDue();
  CHECK(found().empty());
  member.moved.ahead = std::chrono::minutes(11);
  heat();
  cluster.DoDue();
  REQUIRE(found().size() == 1);
  CHECK(found()[0].region == region.id);
  CHECK(found()[0].peer == region.leader.id);
  CHECK(found()[0].leader);
  CHECK(found()[0].load[LoadDim::kByte] == 5000);
  CHECK(found()[0].access == Access::kWrite);
  REQUIRE(member.config().SetItem("schedule.hot-regions-reserved-days", "0"));
  member.moved.ahead = std::chrono::minutes(22);
  heat();
  cluster.DoDue();
  CHECK(found().empty());
}

TEST_CASE("files of what was hot go by their age on members that do not lead, too") {
  const test::TemporaryFolder folder;
  test::FakeDatabase database;
  test::MemberSetup setup;
  setup.drive = Cluster::Drive::kByHand;
  setup.hot_folder = folder.path();
  std::ofstream(folder.path() + "/2001-01-01.jsonl") << "\n";
  test::OneMember member(database, nullptr, setup);
  member.cluster().DoDue();
  CHECK_FALSE(std::filesystem::is_empty(folder.path()));  // The settings may not have come yet.
  member.cluster().OnLeaderStop();
  REQUIRE_FALSE(member.cluster().running());
  member.moved.ahead = std::chrono::minutes(11);
  member.cluster().DoDue();
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("heat on stores that are gone or that nobody knows is forgotten") {
  test::FakeDatabase database;
  test::MemberSetup setup;
  setup.drive = Cluster::Drive::kByHand;
  test::OneMember member(database, nullptr, setup);
  Cluster& cluster = member.cluster();
  REQUIRE(cluster.Bootstrap(test::FirstStore(), test::FirstRegion()));
  Region region = test::FirstRegion();
  region.leader = region.peers.front();
  region.peers.push_back({{999}, {99}, scheduler::PeerRole::kVoter, false});
  region.epoch.conf_ver += 1;
  region.flow.bytes_written = 60 * 5000;
  for (int i = 0; i < 3; ++i) {
    region.flow.interval_start_s += 60;
    region.flow.interval_end_s = region.flow.interval_start_s + 60;
    REQUIRE(cluster.HandleRegionReport(region));
  }
  cluster.DoDue();
  CHECK(cluster.hot().StatusOf(Access::kWrite).size() == 2);
  member.moved.ahead = std::chrono::seconds(11);
  cluster.DoDue();
  CHECK(cluster.hot().StatusOf(Access::kWrite).size() == 1);
  CHECK(cluster.hot().StatusOf(Access::kWrite).contains(region.leader.store));
}

}  // namespace
}  // namespace pd

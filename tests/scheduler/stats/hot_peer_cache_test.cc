#include "scheduler/stats/hot_peer_cache.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

constexpr Instant At(int64_t seconds) { return {Seconds{seconds}}; }

Region MakeRegion(uint64_t id, std::vector<uint64_t> stores, uint64_t leader) {
  Region region;
  region.id = {id};
  for (const uint64_t store : stores) {
    region.peers.push_back({{id * 100 + store}, {store}, PeerRole::kVoter, false});
    if (store == leader) region.leader = region.peers.back();
  }
  return region;
}

std::vector<StoreId> StoresOf(const Region& region) {
  std::vector<StoreId> stores;
  for (const Peer& peer : region.peers) stores.push_back(peer.store);
  return stores;
}

/// One minute of writes, so many bytes a second.
void Write(HotPeerCache& cache, const Region& region, double bytes_per_s, int64_t at_s) {
  cache.Report(region, StoresOf(region), Load{{bytes_per_s * 60, 0, 0, 0}}, 60, At(at_s));
}

/// Ten seconds of reads on one store.
void Read(HotPeerCache& cache, const Region& region, uint64_t store, double bytes_per_s,
          int64_t at_s) {
  const std::vector<StoreId> stores{{store}};
  cache.Report(region, stores, Load{{bytes_per_s * 10, 0, 0, 0}}, 10, At(at_s));
}

int DegreeOf(const HotPeerCache& cache, uint64_t region, uint64_t store, int64_t at_s) {
  for (const HotPeer& peer : cache.PeersOf({region}, At(at_s))) {
    if (peer.store == StoreId{store}) return peer.degree;
  }
  return -100;
}

bool IsEmpty(const HotPeerCache& cache) {
  const auto status = cache.Status();
  return std::ranges::all_of(status, [](const auto& entry) { return entry.second.peers == 0; });
}

TEST_CASE("a peer gains a degree with each hot minute and is shown from the third on") {
  HotPeerCache cache(Access::kWrite);
  const Region region = MakeRegion(7, {1, 2, 3}, 1);
  Write(cache, region, 500, 0);
  CHECK(IsEmpty(cache));  // 1 KiB/s is the least.
  for (int minute = 1; minute <= 3; ++minute) {
    CHECK(cache.PeersOn({1}, 3, At(60 * minute)).empty());
    Write(cache, region, 2000, 60 * minute);
    CHECK(DegreeOf(cache, 7, 2, 60 * minute) == minute);
  }
  const std::vector<HotPeer> peers = cache.PeersOn({2}, 3, At(180));
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].load[LoadDim::kByte] == 2000);
  CHECK_FALSE(peers[0].leads);
  CHECK(peers[0].stores == StoresOf(region));
  CHECK(cache.PeersOn({1}, 3, At(180))[0].leads);
  CHECK(cache.IsHot({7}, 3));
  CHECK_FALSE(cache.IsHot({7}, 4));
}

TEST_CASE("a peer that cools down is hidden at once, and forgotten after its anti count") {
  HotPeerCache cache(Access::kWrite);
  const Region region = MakeRegion(7, {1}, 1);
  for (int minute = 1; minute <= 5; ++minute) Write(cache, region, 2000, 60 * minute);
  Write(cache, region, 10, 360);
  CHECK(DegreeOf(cache, 7, 1, 360) == 4);
  CHECK(cache.PeersOn({1}, 3, At(360)).empty());
  SECTION("hot again") {
    Write(cache, region, 2000, 420);
    CHECK(DegreeOf(cache, 7, 1, 420) == 5);
    CHECK(cache.PeersOn({1}, 3, At(420)).size() == 1);
  }
  SECTION("cold again") {
    Write(cache, region, 10, 420);
    CHECK(IsEmpty(cache));
  }
  SECTION("not reported any more") {
    CHECK_FALSE(cache.PeersOf({7}, At(360 + 180)).empty());
    CHECK(cache.PeersOf({7}, At(360 + 181)).empty());
    CHECK(cache.PeersOn({1}, 0, At(360 + 181)).empty());
  }
}

TEST_CASE("reports over less than 3 s or more than 300 s do not count") {
  HotPeerCache cache(Access::kWrite);
  const Region region = MakeRegion(7, {1}, 1);
  const std::vector<StoreId> stores{{1}};
  for (const uint64_t interval_s : {uint64_t{0}, uint64_t{2}, uint64_t{301}}) {
    cache.Report(region, stores, Load{{1e9, 0, 0, 0}}, interval_s, At(1));
  }
  CHECK(IsEmpty(cache));
  cache.Report(region, stores, Load{{1e9, 0, 0, 0}}, 3, At(1));
  // In the cache, but its first minute is not over.
  CHECK(DegreeOf(cache, 7, 1, 1) == 0);
  for (int i = 1; i < 20; ++i) cache.Report(region, stores, Load{{1e9, 0, 0, 0}}, 3, At(1 + 3 * i));
  CHECK(DegreeOf(cache, 7, 1, 60) == 1);
}

TEST_CASE("any dimension makes a peer hot") {
  constexpr Load least{{8 * 1024, 128, 128, 1}};
  for (size_t dim = 0; dim < kLoadDimCount; ++dim) {
    HotPeerCache cache(Access::kRead);
    Load amount;
    amount.of[dim] = least.of[dim] * 10;
    const Region region = MakeRegion(7, {1}, 1);
    const std::vector<StoreId> stores{{1}};
    cache.Report(region, stores, amount, 10, At(0));
    CHECK(DegreeOf(cache, 7, 1, 0) == 1);
  }
}

TEST_CASE("what a new leader says was written does not count, and the change is noted") {
  HotPeerCache cache(Access::kWrite);
  Region region = MakeRegion(7, {1, 2}, 1);
  for (int minute = 1; minute <= 3; ++minute) Write(cache, region, 2000, 60 * minute);
  region.leader = region.peers[1];
  Write(cache, region, 1e9, 240);
  for (const HotPeer& peer : cache.PeersOf({7}, At(240))) {
    CAPTURE(peer.store.value);
    CHECK(peer.degree == 3);
    CHECK(peer.load[LoadDim::kByte] == 2000);
    CHECK(peer.leads == (peer.store == StoreId{2}));
    CHECK(peer.leader_moved == At(240));
  }
  Write(cache, region, 2000, 300);
  CHECK(DegreeOf(cache, 7, 1, 300) == 4);
}

TEST_CASE("a peer that is new to its region takes over, with statistics of its own") {
  HotPeerCache cache(Access::kWrite);
  Region region = MakeRegion(7, {1, 2, 3}, 1);
  for (int minute = 1; minute <= 4; ++minute) Write(cache, region, 2000, 60 * minute);
  region = MakeRegion(7, {1, 2, 4}, 1);
  cache.KeepPeersOf(region);
  CHECK(DegreeOf(cache, 7, 3, 240) == -100);
  Write(cache, region, 2000, 300);
  CHECK(DegreeOf(cache, 7, 4, 300) == 5);
  Write(cache, region, 2000, 360);
  CHECK(DegreeOf(cache, 7, 4, 360) == 6);
  CHECK(DegreeOf(cache, 7, 1, 360) == 6);
}

TEST_CASE("a peer that was there and cold takes over nothing") {
  HotPeerCache cache(Access::kRead);
  const Region region = MakeRegion(7, {1, 2}, 1);
  for (int i = 1; i <= 20; ++i) Read(cache, region, 1, 1e6, 10 * i);
  Read(cache, region, 2, 10, 201);
  CHECK(DegreeOf(cache, 7, 2, 201) == -100);
  Read(cache, region, 2, 1e6, 211);
  CHECK(DegreeOf(cache, 7, 2, 211) == 1);
  CHECK(DegreeOf(cache, 7, 1, 211) == 20);
}

TEST_CASE("silence cools the peers of a store down, for two minutes of reads") {
  HotPeerCache cache(Access::kRead);
  const Region region = MakeRegion(7, {1}, 1);
  const Region other = MakeRegion(8, {1}, 1);
  const std::vector<RegionId> reported{{8}};
  for (int i = 1; i <= 20; ++i) {
    Read(cache, region, 1, 1e6, 10 * i);
    Read(cache, other, 1, 1e6, 10 * i);
  }
  CHECK(cache.PeersOn({1}, HotDegreeMin(Access::kRead, 3), At(200)).size() == 2);
  for (int i = 21; i <= 31; ++i) {
    Read(cache, other, 1, 1e6, 10 * i);
    cache.ReportSilence({1}, reported, 10, At(10 * i));
    CHECK(DegreeOf(cache, 7, 1, 10 * i) == 40 - i);
    CHECK(cache.PeersOn({1}, 0, At(10 * i)).size() == 1);
  }
  // By then it is taken to have less than is worth a report.
  CHECK(cache.PeersOf({7}, At(310))[0].load[LoadDim::kByte] == 8 * 1024);
  cache.ReportSilence({1}, reported, 10, At(320));
  CHECK(cache.PeersOf({7}, At(320)).empty());
}

TEST_CASE("where many peers are hot the threshold follows the 60th") {
  HotPeerCache cache(Access::kWrite);
  for (int minute = 0; minute < 3; ++minute) {
    for (uint64_t id = 1; id <= 80; ++id) {
      Write(cache, MakeRegion(id, {1}, 1), 2000.0 * static_cast<double>(id), 60 * minute);
    }
  }
  // The 60th highest of 1..80 is 21.
  CHECK(cache.Status().at({1}).thresholds[LoadDim::kByte] == Approx(0.8 * 21 * 2000));
  Write(cache, MakeRegion(100, {1}, 1), 30'000, 121);
  CHECK(cache.PeersOf({100}, At(121)).empty());
  Write(cache, MakeRegion(101, {1}, 1), 40'000, 121);
  CHECK(cache.PeersOf({101}, At(121)).size() == 1);
  // Another store has its own.
  Write(cache, MakeRegion(102, {2}, 2), 30'000, 121);
  CHECK(cache.PeersOf({102}, At(121)).size() == 1);
}

TEST_CASE("a store keeps a bounded number of hot peers, the hottest") {
  HotPeerCache cache(Access::kWrite);
  const auto max = static_cast<uint64_t>(HotPeerCache::kPeersMax);
  for (int64_t minute = 0; minute < 2; ++minute) {
    for (uint64_t id = 1; id <= max + 500; ++id) {
      Write(cache, MakeRegion(id, {1}, 1), 2000, 60 * minute);
    }
  }
  CHECK(cache.Status().at({1}).peers == max);
  CHECK(cache.PeersOf({max + 1}, At(60)).empty());  // No hotter than the others.
  Write(cache, MakeRegion(9999, {1}, 1), 5000, 130);
  CHECK(cache.Status().at({1}).peers == max);
  CHECK(cache.PeersOf({9999}, At(130)).size() == 1);
}

TEST_CASE("peers of stores that report no more go as well") {
  HotPeerCache cache(Access::kWrite);
  Write(cache, MakeRegion(1, {1}, 1), 2000, 0);
  for (int minute = 1; minute <= 6; ++minute)
    Write(cache, MakeRegion(2, {2}, 2), 2000, 60 * minute);
  CHECK(cache.Status().at({1}).peers == 0);
}

TEST_CASE("what is on stores that are no more is forgotten") {
  HotPeerCache cache(Access::kWrite);
  for (int minute = 1; minute <= 3; ++minute) {
    Write(cache, MakeRegion(7, {1, 2, 99}, 1), 2000, 60 * minute);
    Write(cache, MakeRegion(8, {2}, 2), 2000, 60 * minute);
  }
  const std::vector<StoreId> there{{1}};
  cache.KeepStores(there);
  CHECK(cache.Status().size() == 1);
  CHECK(cache.PeersOf({7}, At(180)).size() == 1);
  CHECK(cache.PeersOn({2}, 0, At(180)).empty());
  CHECK(cache.PeersOf({8}, At(180)).empty());
  Write(cache, MakeRegion(7, {1, 2}, 1), 2000, 240);
  CHECK(cache.PeersOf({7}, At(240)).size() == 2);
}

}  // namespace
}  // namespace scheduler

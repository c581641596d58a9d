#include "scheduler/model/region_slab.h"

#include <limits>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

Region Usual() {
  Region region;
  region.id = RegionId{42};
  region.start_key = "start";
  region.end_key = "stop";
  region.epoch = {3, 4};
  region.peers = {{PeerId{1}, StoreId{11}},
                  {PeerId{2}, StoreId{12}, PeerRole::kDemotingVoter, true},
                  {PeerId{std::numeric_limits<uint64_t>::max()}, StoreId{13}, PeerRole::kLearner}};
  region.leader = region.peers[1];
  region.term = 9;
  region.size_mib = 96;
  region.keys = 100000;
  region.kv_size_mib = 90;
  region.flow = {.bytes_written = 1,
                 .keys_written = 2,
                 .bytes_read = 3,
                 .keys_read = 4,
                 .write_queries = 5,
                 .read_queries = 6,
                 .cpu_usage = 7,
                 .interval_start_s = 1000,
                 .interval_end_s = 1060};
  region.replication = {ReplicationState::kIntegrityOverLabel, 12};
  region.source = RegionSource::kHeartbeat;
  return region;
}

TEST_CASE("the slab gives back what was stored", "[region_slab]") {
  constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();
  std::vector<Region> regions(19, Usual());
  regions[1].down_peers = {{regions[1].peers[0], 30}};
  regions[2].pending_peers = {regions[2].peers[0]};
  regions[3].peers.push_back({PeerId{5}, StoreId{14}});
  regions[4].buckets.version = 2;
  regions[4].buckets.keys = {"start", "stop"};
  regions[5].flow.bytes_written = kHuge;
  regions[6].epoch = {kHuge, kHuge};
  regions[7].leader = {PeerId{99}, StoreId{99}};
  regions[8].leader = {};
  regions[9].peers.clear();
  regions[10].flow.interval_start_s = 2000;  // Ends before it starts.
  regions[11].flow.interval_end_s = 100000;
  regions[12].in_flashback = true;
  regions[13].start_key.clear();
  regions[13].end_key.clear();
  regions[14].end_key = "starter";
  regions[15].start_key = std::string(300, 'x');
  regions[15].end_key = std::string(300, 'x') + "y";
  regions[16].encryption_meta = "key";
  regions[17].on_leaving_store = true;
  regions[18].on_leaving_store = true;
  regions[18].pending_peers = {regions[18].peers[0]};

  RegionSlab slab;
  for (const Region& region : regions) {
    const Slot slot = slab.Allocate(region);
    CHECK(slab.Load(slot) == region);
    CHECK(slab.EpochOf(slot) == region.epoch);
    CHECK(slab.TermOf(slot) == region.term);
    CHECK(slab.StartKey(slot) == region.start_key);
    CHECK(slab.Keys(slot).Equals(region.start_key, region.end_key));
  }
  // From any form into any other.
  const Slot slot = slab.Allocate(Usual());
  for (const Region& a : regions) {
    for (const Region& b : regions) {
      slab.Store(slot, a);
      slab.Store(slot, b);
      CHECK(slab.Load(slot) == b);
    }
  }
}

TEST_CASE("a released slot is used again and holds nothing of before", "[region_slab]") {
  RegionSlab slab;
  Region region = Usual();
  region.down_peers = {{region.peers[0], 30}};
  const Slot slot = slab.Allocate(region);
  slab.Release(slot);
  CHECK(slab.Allocate(Usual()) == slot);
  CHECK(slab.Load(slot) == Usual());
}

TEST_CASE("end keys compare without being put together", "[region_slab]") {
  const PackedKeys keys("prefix/a", "prefix/b");
  CHECK(keys.CompareEnd("prefix/a") > 0);
  CHECK(keys.CompareEnd("prefix/b") == 0);
  CHECK(keys.CompareEnd("prefix/c") < 0);
  CHECK(keys.CompareEnd("prefix") > 0);
  CHECK(keys.CompareEnd("pre") > 0);
  CHECK(keys.CompareEnd("z") < 0);
  CHECK(PackedKeys("a", "").CompareEnd("zzz") > 0);
  CHECK(PackedKeys("a", "ab").end() == "ab");
}

TEST_CASE("reports that name more stores than can be numbered do no harm", "[region_slab]") {
  RegionSlab slab;
  for (uint64_t i = 1; i <= 70000; ++i) slab.NumberOf(StoreId{i});
  Region region = Usual();
  region.peers[0].store = StoreId{80000};
  region.leader = region.peers[0];
  const Slot slot = slab.Allocate(region);
  CHECK(slab.Load(slot) == region);
  std::vector<Membership> memberships;
  slab.MembershipsOf(slot, memberships);
  CHECK(memberships.size() == 4);
}

}  // namespace
}  // namespace scheduler

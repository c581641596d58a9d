#include "scheduler/model/region_index.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace scheduler {
namespace {

/// Sorted, distinct keys that share prefixes of many lengths, hold zero bytes and are prefixes of
/// each other: what the slices of tree nodes could get wrong.
std::vector<std::string> MakeKeys(size_t count) {
  std::set<std::string> keys;
  Rng rng(7);
  while (keys.size() < count) {
    std::string key;
    const uint64_t parts = rng.Below(6);
    for (uint64_t i = 0; i < parts; ++i) {
      switch (rng.Below(5)) {
        case 0:
          key += std::string(1 + rng.Below(3), '\0');
          break;
        case 1:
          key += "table_with_a_long_name_";
          break;
        case 2:
          key += static_cast<char>('a' + rng.Below(4));
          break;
        case 3:
          key += std::string(8, static_cast<char>(0xff));
          break;
        default:
          key += std::to_string(rng.Below(1000));
          break;
      }
    }
    if (!key.empty()) keys.insert(key);
  }
  return {keys.begin(), keys.end()};
}

/// The index as anybody would write it first: a list of regions, looked through from end to end.
class DumbIndex {
 public:
  void Put(const Region& region) {
    std::erase_if(regions_, [&](const auto& entry) {
      return entry.second.id == region.id ||
             Overlap(entry.second, region.start_key, region.end_key);
    });
    regions_[region.start_key] = region;
  }
  bool Remove(RegionId id) {
    return std::erase_if(regions_, [&](const auto& entry) { return entry.second.id == id; }) > 0;
  }
  [[nodiscard]] std::vector<Region> Scan(const KeyRange& range) const {
    std::vector<Region> found;
    for (const auto& [start, region] : regions_) {
      if (Overlap(region, range.start, range.end)) found.push_back(region);
    }
    return found;
  }
  [[nodiscard]] RegionIndex::StoreSums SumsOf(StoreId store) const {
    RegionIndex::StoreSums sums;
    StoreCounts& counts = sums.counts;
    for (const auto& [start, region] : regions_) {
      for (const Peer& pending : region.pending_peers) counts.pending += pending.store == store;
      const Peer* peer = region.PeerOnStore(store);
      if (peer == nullptr) continue;
      const bool leads = peer->id == region.leader.id;
      (leads ? counts.leaders : IsLearner(*peer) ? counts.learners : counts.followers) += 1;
      (leads              ? counts.leader_size_mib
       : IsLearner(*peer) ? counts.learner_size_mib
                          : counts.follower_size_mib) += region.size_mib;
      counts.witnesses += peer->witness;
      sums.refreshed += region.source == RegionSource::kHeartbeat;
      const uint64_t interval_s = region.flow.interval_s();
      if (interval_s < 3 || interval_s > 300) continue;
      sums.write_bytes_per_s += region.flow.bytes_written / interval_s;
      sums.write_keys_per_s += region.flow.keys_written / interval_s;
    }
    return sums;
  }
  void ForgetReports() {
    for (auto& [start, region] : regions_) {
      if (region.source == RegionSource::kHeartbeat) region.source = RegionSource::kSync;
    }
  }
  [[nodiscard]] const std::map<std::string, Region>& regions() const { return regions_; }

 private:
  static bool Overlap(const Region& region, const std::string& start, const std::string& end) {
    return (end.empty() || region.start_key < end) &&
           (region.end_key.empty() || start < region.end_key);
  }
  std::map<std::string, Region> regions_;
};

constexpr uint64_t kStores = 6;

Region RandomReport(Rng& rng, const std::vector<std::string>& keys, uint64_t ids,
                    size_t width_max) {
  Region region;
  region.id = RegionId{1 + rng.Below(ids)};
  const size_t first = rng.Below(keys.size());
  const size_t last = first + 1 + rng.Below(width_max);
  region.start_key = rng.Below(50) == 0 ? "" : keys[first];
  region.end_key = last < keys.size() ? keys[last] : "";
  region.epoch = {1 + rng.Below(3), 1 + rng.Below(3)};
  const uint64_t peers = 1 + rng.Below(5);
  const uint64_t first_store = rng.Below(kStores);
  for (uint64_t i = 0; i < peers; ++i) {
    region.peers.push_back({PeerId{region.id.value * 10 + i},
                            StoreId{1 + (first_store + i) % kStores},
                            static_cast<PeerRole>(rng.Below(4)), rng.Below(5) == 0});
  }
  if (rng.Below(8) != 0) region.leader = region.peers[rng.Below(peers)];
  if (rng.Below(6) == 0) region.pending_peers.push_back(region.peers[rng.Below(peers)]);
  if (rng.Below(6) == 0) region.down_peers.push_back({region.peers[rng.Below(peers)], 77});
  region.size_mib = rng.Below(200);
  region.keys = rng.Below(20) == 0 ? uint64_t{1} << 40 : rng.Below(100000);
  region.flow = {.bytes_written = rng.Below(1 << 20),
                 .keys_written = rng.Below(1000),
                 .interval_start_s = 1000,
                 .interval_end_s = 1000 + rng.Below(400)};
  region.source = rng.Below(3) == 0 ? RegionSource::kStorage : RegionSource::kHeartbeat;
  return region;
}

bool IsReversed(const Region& region) {
  return !region.end_key.empty() && region.end_key <= region.start_key;
}

void CompareLookups(const RegionIndex& index, const DumbIndex& dumb,
                    const std::vector<std::string>& keys) {
  RC_ASSERT(index.size() == dumb.regions().size());
  for (const auto& [start, region] : dumb.regions()) RC_ASSERT(index.Find(region.id) == region);
  for (const std::string& key : keys) {
    const auto found = index.FindByKey(key);
    const auto expected = dumb.Scan({key, key + '\0'});
    RC_ASSERT(found.has_value() == !expected.empty());
    if (!found) continue;
    RC_ASSERT(*found == expected[0]);
    const auto next = index.Next(*found);
    const auto it = dumb.regions().find(found->end_key);
    const bool has_next = !found->end_key.empty() && it != dumb.regions().end();
    RC_ASSERT(next.has_value() == has_next);
    if (next) {
      RC_ASSERT(*next == it->second);
      RC_ASSERT(index.Previous(*next) == *found);
    }
  }
}

void CompareSums(const RegionIndex& index, const DumbIndex& dumb) {
  uint64_t size_mib = 0;
  size_t refreshed = 0;
  for (const auto& [start, region] : dumb.regions()) {
    size_mib += region.size_mib;
    refreshed += region.source == RegionSource::kHeartbeat;
  }
  RC_ASSERT(index.total_size_mib() == size_mib);
  RC_ASSERT(index.refreshed() == refreshed);
  for (uint64_t store = 1; store <= kStores; ++store) {
    RC_ASSERT(index.SumsOf(StoreId{store}) == dumb.SumsOf(StoreId{store}));
  }
}

void CompareWitnessLed(const RegionIndex& index, const DumbIndex& dumb) {
  std::set<RegionId> expected;
  for (const auto& [start, region] : dumb.regions()) {
    const Peer* leader = region.HasLeader() ? region.PeerOnStore(region.leader.store) : nullptr;
    if (leader != nullptr && leader->witness) expected.insert(region.id);
  }
  std::set<RegionId> found;
  for (const Region& region : index.WitnessLed(1000)) found.insert(region.id);
  RC_ASSERT(found == expected);
  RC_ASSERT(index.WitnessLed(1).size() == std::min<size_t>(1, expected.size()));
}

bool IsLedBy(const Region& region, StoreId store) {
  return region.HasLeader() && region.leader.store == store;
}

void CompareRanges(const RegionIndex& index, const DumbIndex& dumb,
                   const std::vector<std::string>& keys, Rng& rng) {
  for (int i = 0; i < 8; ++i) {
    KeyRange range{keys[rng.Below(keys.size())], keys[rng.Below(keys.size())]};
    if (range.end < range.start) std::swap(range.start, range.end);
    if (rng.Below(4) == 0) range.end.clear();
    if (!range.end.empty() && range.start == range.end) continue;
    const auto expected = dumb.Scan(range);
    RC_ASSERT(index.Scan(range, 100000) == expected);
    RC_ASSERT(index.Count(range) == expected.size());
    const StoreId store{1 + rng.Below(kStores)};
    std::vector<Region> led;
    std::vector<RegionId> inside;
    for (const Region& region : expected) {
      if (!IsLedBy(region, store)) continue;
      led.push_back(region);
      if (region.start_key >= range.start && !EndsAfter(region.end_key, range.end)) {
        inside.push_back(region.id);
      }
    }
    RC_ASSERT(index.ScanStore(store, HeldAs::kLeader, range, 100000) == led);
    RC_ASSERT(index.CountStore(store, HeldAs::kLeader, range) == led.size());
    const auto drawn = index.Random(store, HeldAs::kLeader, std::span(&range, 1), rng);
    RC_ASSERT(drawn.has_value() == !inside.empty());
    if (drawn) RC_ASSERT(std::ranges::count(inside, drawn->id) == 1);
  }
}

TEST_CASE("the region index answers like a plain list", "[region_index]") {
  static const std::vector<std::string> keys = MakeKeys(60);
  const bool ok = rc::check("small indexes, compared in all answers", [] {
    const auto seeds = *rc::gen::container<std::vector<uint64_t>>(rc::gen::arbitrary<uint64_t>());
    RegionIndex index;
    DumbIndex dumb;
    for (const uint64_t seed : seeds) {
      Rng rng(seed);
      if (rng.Below(6) == 0) {
        const RegionId id{1 + rng.Below(30)};
        RC_ASSERT(index.Remove(id) == dumb.Remove(id));
      } else if (rng.Below(20) == 0) {
        index.ForgetReports();
        dumb.ForgetReports();
      } else {
        const Region region = RandomReport(rng, keys, 30, 6);
        if (IsReversed(region)) continue;
        index.Put(region);
        dumb.Put(region);
      }
      CompareSums(index, dumb);
      CompareWitnessLed(index, dumb);
    }
    Rng rng(seeds.size());
    CompareLookups(index, dumb, keys);
    CompareRanges(index, dumb, keys, rng);
  });
  REQUIRE(ok);
}

TEST_CASE("the region index stays right over many nodes and levels", "[region_index]") {
  const std::vector<std::string> keys = MakeKeys(6000);
  Rng rng(2026);
  RegionIndex index;
  DumbIndex dumb;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    Region region = RandomReport(rng, keys, 1, 1);
    region.id = RegionId{i + 1};
    region.start_key = keys[i];
    region.end_key = keys[i + 1];
    index.Put(region);
    dumb.Put(region);
  }
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 300; ++i) {
      const Region region = RandomReport(rng, keys, 6000, round % 2 == 0 ? 2 : 40);
      if (IsReversed(region)) continue;
      index.Put(region);
      dumb.Put(region);
    }
    CompareSums(index, dumb);
    CompareRanges(index, dumb, keys, rng);
    REQUIRE(index.Scan({}, 100000) == dumb.Scan({}));
  }
  for (uint64_t id = 1; id <= 6000; id += 1 + rng.Below(2)) {
    REQUIRE(index.Remove(RegionId{id}) == dumb.Remove(RegionId{id}));
  }
  CompareSums(index, dumb);
  REQUIRE(index.Scan({}, 100000) == dumb.Scan({}));
  index.Clear();
  REQUIRE(index.size() == 0);
  REQUIRE(index.SumsOf(StoreId{1}) == RegionIndex::StoreSums{});
}

Region Simple(uint64_t id, std::string start, std::string end, RegionEpoch epoch) {
  Region region;
  region.id = RegionId{id};
  region.start_key = std::move(start);
  region.end_key = std::move(end);
  region.epoch = epoch;
  region.peers = {{PeerId{id * 10}, StoreId{1}}};
  return region;
}

TEST_CASE("stale reports are refused", "[region_index]") {
  RegionIndex index;
  Region known = Simple(1, "b", "d", {5, 5});
  known.term = 7;
  index.Put(known);
  index.Put(Simple(2, "d", "f", {3, 9}));

  struct Case {
    const char* what;
    Region report;
    bool stale;
  };
  Region older_term = known;
  older_term.term = 6;
  Region no_term = known;
  no_term.term = 0;
  const std::vector<Case> cases = {
      {"same again", known, false},
      {"version below", Simple(1, "b", "d", {5, 4}), true},
      {"conf_ver below", Simple(1, "b", "d", {4, 5}), true},
      {"term below", older_term, true},
      {"term unknown", no_term, false},
      {"grown over a newer neighbour", Simple(1, "b", "f", {5, 8}), true},
      {"grown over a neighbour of equal version", Simple(1, "b", "f", {5, 9}), false},
      {"unknown id over a newer region", Simple(3, "a", "c", {9, 4}), true},
      {"unknown id over a region of equal version", Simple(3, "a", "c", {1, 5}), false},
      {"unknown id in a hole", Simple(3, "f", "g", {1, 1}), false},
      {"re-created by unsafe recovery", Simple(1, "b", "d", {1, 1}), false},
      {"first epoch over the whole key space", Simple(1, "", "", {1, 1}), true},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    const Result<void> result = index.Check(c.report, nullptr);
    CHECK(result.has_value() == !c.stale);
    if (!result) CHECK(result.error().code == ErrorCode::kStaleEpoch);
  }
  RegionId newer;
  REQUIRE_FALSE(index.Check(Simple(3, "c", "", {1, 6}), &newer));
  CHECK(newer == RegionId{2});
  REQUIRE_FALSE(index.Check(Simple(1, "b", "d", {5, 4}), &newer));
  CHECK(newer == RegionId{1});
}

TEST_CASE("a range that ends before it starts breaks nothing", "[region_index]") {
  RegionIndex index;
  index.Put(Simple(1, "", "", {1, 1}));
  CHECK(index.Put(Simple(1, "z", "a", {9, 9})).empty());
  CHECK(index.size() == 1);
  CHECK(index.Find(RegionId{1})->start_key == "z");
  CHECK_FALSE(index.FindByKey("z"));
  CHECK(index.Put(Simple(2, "z", "z", {9, 9})).size() == 1);
  CHECK(index.Put(Simple(3, "z", "b", {9, 9})).size() == 1);
  CHECK(index.Put(Simple(4, "y", "", {9, 9})).size() == 1);
  CHECK(index.size() == 1);
  CHECK(index.Remove(RegionId{4}));
}

TEST_CASE("random picks are spread evenly", "[region_index]") {
  RegionIndex index;
  for (uint64_t i = 0; i < 100; ++i) {
    Region region = Simple(i + 1, std::to_string(1000 + i), std::to_string(1001 + i), {1, 1});
    region.leader = region.peers[0];
    index.Put(region);
  }
  Rng rng(3);
  std::map<uint64_t, int> picks;
  const std::vector<KeyRange> ranges = {{"1010", "1020"}, {"1050", "1060"}};
  for (int i = 0; i < 20000; ++i) {
    const auto region = index.Random(StoreId{1}, HeldAs::kLeader, ranges, rng);
    REQUIRE(region);
    ++picks[region->id.value];
  }
  REQUIRE(picks.size() == 20);
  for (const auto& [id, count] : picks) CHECK(std::abs(count - 1000) < 200);
}

}  // namespace
}  // namespace scheduler

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/model/cluster_view.h"
#include "scheduler/model/region_index.h"
#include "scheduler/operator/operator.h"

namespace scheduler::test {

/// A cluster in memory for planning tests. Counts of stores follow the regions unless they are set.
class World final : public ClusterView {
 public:
  Store& AddStore(uint64_t id);
  /// Replaces a region of the same id.
  void PutRegion(const Region& region);
  /// Fixed counts for a store, whatever regions there are.
  void SetCounts(uint64_t store, const StoreCounts& counts);
  /// Brings the counts of all stores up to date; call before planning.
  void Refresh();
  /// The average region size instead of the real one.
  void SetAverageSize(uint64_t size_mib) { average_size_mib_ = size_mib; }
  /// Both clocks go on together.
  void SetNow(Seconds seconds) {
    unix_ns += std::chrono::nanoseconds(Instant{seconds} - now).count();
    now = Instant{seconds};
  }

  [[nodiscard]] const std::vector<Store>& stores() const override { return stores_; }
  [[nodiscard]] const Store* FindStore(StoreId id) const override;
  [[nodiscard]] std::optional<Region> FindRegion(RegionId id) const override;
  [[nodiscard]] std::optional<Region> FindRegionByKey(std::string_view key) const override;
  [[nodiscard]] std::optional<Region> PreviousRegion(const Region& region) const override;
  [[nodiscard]] std::optional<Region> NextRegion(const Region& region) const override;
  [[nodiscard]] std::vector<Region> ScanRegions(const KeyRange& range,
                                                size_t limit_max) const override;
  [[nodiscard]] std::optional<Region> RandomRegion(StoreId store, HeldAs held_as,
                                                   std::span<const KeyRange> ranges,
                                                   Rng& rng) const override;
  [[nodiscard]] std::optional<Region> RandomRegion(std::span<const KeyRange> ranges,
                                                   Rng& rng) const override;
  [[nodiscard]] std::vector<Region> WitnessLedRegions(size_t limit_max) const override {
    return index_.WitnessLed(limit_max);
  }
  [[nodiscard]] uint64_t CountRegions(const KeyRange& range) const override;
  [[nodiscard]] uint64_t CountStoreRegions(StoreId store, HeldAs held_as,
                                           const KeyRange& range) const override;
  [[nodiscard]] uint64_t AverageRegionSizeMib() const override;
  [[nodiscard]] Instant KnownSince() const override { return known_since; }
  [[nodiscard]] std::optional<Instant> LastSplit(RegionId id) const override;
  [[nodiscard]] std::optional<Instant> LastMerge(RegionId id) const override;
  [[nodiscard]] bool IsHot(const Region& region) const override { return hot.contains(region.id); }
  [[nodiscard]] std::vector<HotPeer> HotPeers(Access access, StoreId store) const override;
  [[nodiscard]] StoreLoads LoadsOf(StoreId store) const override;
  [[nodiscard]] std::vector<HotBucket> HotBucketsOf(const Region& region) const override;

  Store* MutableStore(uint64_t id);

  /// What planning reads beside the view.
  ScheduleOptions options;
  RuleBook rules{{DefaultRule(3, {}, "")}};
  Influence influence;
  std::set<RegionId> busy;
  RegionLabelBook labels;
  AffinityGroups affinity;
  MoveHistory moved;
  Instant now{Seconds{1000}};
  Instant known_since{Seconds{-100'000}};
  std::map<RegionId, Instant> splits;  // See LastSplit.
  std::map<RegionId, Instant> merges;  // See LastMerge.
  std::set<RegionId> hot;
  /// What is written to each peer of a region, and read from its leader, or from one store. Stores have the sum, and
  /// what `loads` says beside.
  struct RegionLoad {
    Load write;
    Load read;
    std::optional<StoreId> read_from;
    std::optional<Instant> leader_moved;
  };
  std::map<RegionId, RegionLoad> region_loads;
  std::map<StoreId, StoreLoads> loads;
  std::map<RegionId, std::vector<HotBucket>> buckets;
  /// What stores have last reported, instead of what they have now.
  std::optional<std::map<StoreId, StoreLoads>> measured;
  [[nodiscard]] StoreLoads TrueLoadsOf(StoreId store) const;
  int64_t unix_ns = 1'700'000'000'000'000'000;

  [[nodiscard]] PlanContext Context() const {
    return {*this, options, rules, influence, busy, labels, affinity, moved, now, unix_ns};
  }

 private:
  [[nodiscard]] static std::vector<HotPeer> HotPeersOf(const Region& region, const RegionLoad& load,
                                                       Access access);

  std::vector<Store> stores_;  // By ascending id.
  std::map<StoreId, StoreCounts> fixed_counts_;
  RegionIndex index_;
  std::optional<uint64_t> average_size_mib_;
};

/// What may be wrong with a store.
enum class Trouble : uint8_t {
  kLeaves,
  kDown,
  kDisconnected,
  kBusy,
  kTakesNoLeaders,
  kAddLimit,
  kBuried,
  kNone,
};
void Afflict(const World& world, Store& store, Trouble trouble);

/// What the stores would do with a step that they obey at once: the region afterwards, with conf_ver moved on.
Region Applied(const Region& region, const Step& step);

}  // namespace scheduler::test

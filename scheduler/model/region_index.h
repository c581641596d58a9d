#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "scheduler/model/cluster_view.h"
#include "scheduler/model/id_table.h"
#include "scheduler/model/region.h"
#include "scheduler/model/region_slab.h"
#include "scheduler/model/result.h"
#include "scheduler/model/slot_tree.h"

namespace scheduler {

/// Every known region, by id, by key, and by store and role. Ranges never overlap; holes are
/// allowed.
///
/// Costs, measured with 10 million regions of three peers (decisions/0001-region-index.md): some
/// 230 bytes a region, look-ups in microseconds. Changing numbers of a region (sizes, flow) touches
/// its record and its stores' sums only; the trees change when its start key, its peers or its
/// leader do. Counts of stores are kept, never scanned for.
///
/// Not thread-safe: the owner holds its lock shared for const calls and exclusively for others.
class RegionIndex {
 public:
  RegionIndex() = default;
  RegionIndex(const RegionIndex&) = delete;
  RegionIndex& operator=(const RegionIndex&) = delete;

  /// May `region` be put in? kStaleEpoch if the known region of its id has a higher version, conf_ver
  /// or (when the report names one) term, or if another region in its way has a higher version; `newer`,
  /// unless null, then gets the id of the one that is. Regions re-created by unsafe recovery (epoch
  /// 1/1 and a limited range) are exempt.
  Result<void> Check(const Region& region, RegionId* newer) const;

  /// Takes `region` in, replacing what is known of its id, and removes other regions that overlap its
  /// range. Returns those removed. Does not check: the caller called Check() under the same lock. id
  /// must not be 0. Stores have been seen to report ranges that end before they start: such a region
  /// is kept and found by its id, holds no key, and is in nobody's way but that of the next region
  /// with its start key.
  std::vector<Region> Put(const Region& region);

  /// False when unknown.
  bool Remove(RegionId id);
  void Clear();
  /// Regions that their stores have reported count as received from the PD leader from here on, until they are reported
  /// again: refreshed() is 0, of every store as well. One pass over the records, no tree is touched.
  void ForgetReports();

  [[nodiscard]] size_t size() const { return ids_.size(); }
  /// Sum of approximate sizes.
  [[nodiscard]] uint64_t total_size_mib() const { return total_size_mib_; }
  /// Regions reported by their stores: what came from disk or the PD leader's feed lacks sizes.
  [[nodiscard]] size_t refreshed() const { return refreshed_; }

  [[nodiscard]] std::optional<Region> Find(RegionId id) const;
  [[nodiscard]] bool Contains(RegionId id) const { return ids_.Find(id).has_value(); }
  [[nodiscard]] std::optional<Region> FindByKey(std::string_view key) const;
  /// The region that ends exactly where `region` starts, or starts where it ends.
  [[nodiscard]] std::optional<Region> Previous(const Region& region) const;
  [[nodiscard]] std::optional<Region> Next(const Region& region) const;
  /// Overlapping `range`, in key order, at most `limit_max`.
  [[nodiscard]] std::vector<Region> Scan(const KeyRange& range, size_t limit_max) const;
  /// The same among the regions that `store` holds as `held_as`.
  [[nodiscard]] std::vector<Region> ScanStore(StoreId store, HeldAs held_as, const KeyRange& range,
                                              size_t limit_max) const;

  /// Regions whose leader is a witness, at most `limit_max`. Kept, never scanned for.
  [[nodiscard]] std::vector<Region> WitnessLed(size_t limit_max) const;

  /// As in ClusterView.
  [[nodiscard]] std::optional<Region> Random(StoreId store, HeldAs held_as,
                                             std::span<const KeyRange> ranges, Rng& rng) const;
  [[nodiscard]] std::optional<Region> Random(std::span<const KeyRange> ranges, Rng& rng) const;
  [[nodiscard]] uint64_t Count(const KeyRange& range) const;
  [[nodiscard]] uint64_t CountStore(StoreId store, HeldAs held_as, const KeyRange& range) const;

  /// What the index knows of one store; zeros for a store without regions.
  struct StoreSums {
    StoreCounts counts;
    uint64_t refreshed = 0;          // Of its leaders, followers and learners.
    uint64_t write_bytes_per_s = 0;  // By the regions' last reports; the same peers.
    uint64_t write_keys_per_s = 0;

    friend bool operator==(const StoreSums&, const StoreSums&) = default;
  };
  [[nodiscard]] StoreSums SumsOf(StoreId store) const;

 private:
  struct StoreTrees {
    explicit StoreTrees(const RegionSlab& slab)
        : trees{SlotTree(slab), SlotTree(slab), SlotTree(slab), SlotTree(slab), SlotTree(slab)} {}

    std::array<SlotTree, kHeldAsCount> trees;  // By HeldAs.
    std::array<uint64_t, kHeldAsCount> sizes_mib{};
    uint64_t refreshed = 0;
    uint64_t write_bytes_per_s = 0;
    uint64_t write_keys_per_s = 0;
  };
  enum class Sign : uint8_t { kAdd, kSubtract };

  StoreTrees& TreesOf(StoreSlot store);
  [[nodiscard]] const SlotTree* FindTree(StoreId store, HeldAs held_as) const;
  /// Rank in `tree` of the first slot that overlaps a range starting at `start`.
  [[nodiscard]] size_t FirstOverlap(const SlotTree& tree, std::string_view start) const;
  [[nodiscard]] uint64_t CountIn(const SlotTree& tree, const KeyRange& range) const;
  [[nodiscard]] std::vector<Region> ScanTree(const SlotTree& tree, const KeyRange& range,
                                             size_t limit_max) const;
  [[nodiscard]] std::optional<Region> RandomIn(const SlotTree& tree,
                                               std::span<const KeyRange> ranges, Rng& rng) const;
  [[nodiscard]] std::optional<Region> DrawIn(const SlotTree& tree, const KeyRange& range,
                                             Rng& rng) const;
  [[nodiscard]] std::vector<Slot> Overlaps(const Region& region) const;
  void Link(Slot slot);
  void Unlink(Slot slot);
  void UpdateTrees(Slot slot, const std::vector<Membership>& from,
                   const std::vector<Membership>& to);
  void Weigh(const std::vector<Membership>& memberships, const RegionWeight& weight, Sign sign);
  void RemoveSlot(Slot slot);

  RegionSlab slab_;
  IdTable ids_{slab_};
  SlotTree by_key_{slab_};
  std::vector<StoreTrees> stores_;  // By the slab's store number.
  std::set<Slot> witness_led_;      // Next to none, and never for long: see WitnessLed().
  uint64_t total_size_mib_ = 0;
  size_t refreshed_ = 0;
  // Scratch of Put, kept to allocate nothing a heartbeat.
  std::vector<Membership> before_;
  std::vector<Membership> after_;
};

}  // namespace scheduler

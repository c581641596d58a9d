#pragma once

#include <vector>

#include "scheduler/model/cluster_view.h"

namespace scheduler {

/// A view in which the stores hold nothing but what lies in one key range: their counts, sizes, used and free space are
/// those of the range. Look-ups of single regions are those of the whole. Cost O(stores * log regions) to make; the
/// view that it is made of must outlive it.
class RangeView final : public ClusterView {
 public:
  RangeView(const ClusterView& whole, KeyRange range);

  [[nodiscard]] const std::vector<Store>& stores() const override { return stores_; }
  [[nodiscard]] const Store* FindStore(StoreId id) const override;
  [[nodiscard]] std::optional<Region> FindRegion(RegionId id) const override {
    return whole_.FindRegion(id);
  }
  [[nodiscard]] std::optional<Region> FindRegionByKey(std::string_view key) const override {
    return whole_.FindRegionByKey(key);
  }
  [[nodiscard]] std::optional<Region> PreviousRegion(const Region& region) const override {
    return whole_.PreviousRegion(region);
  }
  [[nodiscard]] std::optional<Region> NextRegion(const Region& region) const override {
    return whole_.NextRegion(region);
  }
  [[nodiscard]] std::vector<Region> ScanRegions(const KeyRange& range,
                                                size_t limit_max) const override {
    return whole_.ScanRegions(range, limit_max);
  }
  [[nodiscard]] std::optional<Region> RandomRegion(StoreId store, HeldAs held_as,
                                                   std::span<const KeyRange> ranges,
                                                   Rng& rng) const override;
  [[nodiscard]] std::optional<Region> RandomRegion(std::span<const KeyRange> ranges,
                                                   Rng& rng) const override;
  [[nodiscard]] std::vector<Region> WitnessLedRegions(size_t limit_max) const override {
    return whole_.WitnessLedRegions(limit_max);
  }
  [[nodiscard]] Instant KnownSince() const override { return whole_.KnownSince(); }
  [[nodiscard]] std::optional<Instant> LastSplit(RegionId id) const override {
    return whole_.LastSplit(id);
  }
  [[nodiscard]] std::optional<Instant> LastMerge(RegionId id) const override {
    return whole_.LastMerge(id);
  }
  [[nodiscard]] bool IsHot(const Region& region) const override { return whole_.IsHot(region); }
  [[nodiscard]] std::vector<HotPeer> HotPeers(Access access, StoreId store) const override {
    return whole_.HotPeers(access, store);
  }
  [[nodiscard]] StoreLoads LoadsOf(StoreId store) const override { return whole_.LoadsOf(store); }
  [[nodiscard]] std::vector<HotBucket> HotBucketsOf(const Region& region) const override {
    return whole_.HotBucketsOf(region);
  }
  [[nodiscard]] uint64_t CountRegions(const KeyRange& range) const override;
  [[nodiscard]] uint64_t CountStoreRegions(StoreId store, HeldAs held_as,
                                           const KeyRange& range) const override;
  [[nodiscard]] uint64_t AverageRegionSizeMib() const override {
    return whole_.AverageRegionSizeMib();
  }

 private:
  void Shrink(Store& store) const;
  [[nodiscard]] std::vector<KeyRange> Inside(std::span<const KeyRange> ranges) const;

  const ClusterView& whole_;
  const KeyRange range_;
  std::vector<Store> stores_;  // By ascending id.
};

}  // namespace scheduler

#pragma once

#include <utility>
#include <vector>

#include "pd/cluster/cluster.h"
#include "pd/dispatch/store_limits.h"
#include "scheduler/model/cluster_view.h"

namespace pd {

/// The memory of views that are gone, for the next ones: a thread that plans all the time copies all stores in every
/// turn. For one thread.
class ViewMemory {
 public:
  [[nodiscard]] std::vector<scheduler::Store> Take() {
    if (free_.empty()) return {};
    std::vector<scheduler::Store> stores = std::move(free_.back());
    free_.pop_back();
    return stores;
  }
  void GiveBack(std::vector<scheduler::Store> stores) { free_.push_back(std::move(stores)); }

 private:
  std::vector<std::vector<scheduler::Store>> free_;  // As many as there were views at a time.
};

/// What planning sees of a running cluster: stores as they are now, with what is left in their limits, and regions read
/// from the live table. For one thread; made for a plan and thrown away.
class LiveView final : public scheduler::ClusterView {
 public:
  /// `memory`, unless null, is that of the thread, and outlives the view.
  LiveView(const Cluster& cluster, StoreLimits& limits, scheduler::Instant now,
           ViewMemory* memory = nullptr);
  ~LiveView() override;
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  [[nodiscard]] const std::vector<scheduler::Store>& stores() const override { return stores_; }
  [[nodiscard]] const scheduler::Store* FindStore(scheduler::StoreId id) const override;
  [[nodiscard]] std::optional<scheduler::Region> FindRegion(scheduler::RegionId id) const override {
    return regions_.Find(id);
  }
  [[nodiscard]] std::optional<scheduler::Region> FindRegionByKey(
      std::string_view key) const override {
    return regions_.FindByKey(key);
  }
  [[nodiscard]] std::optional<scheduler::Region> PreviousRegion(
      const scheduler::Region& region) const override {
    return regions_.Previous(region);
  }
  [[nodiscard]] std::optional<scheduler::Region> NextRegion(
      const scheduler::Region& region) const override {
    return regions_.Next(region);
  }
  [[nodiscard]] std::vector<scheduler::Region> ScanRegions(const scheduler::KeyRange& range,
                                                           size_t limit_max) const override {
    return regions_.Scan(range, limit_max);
  }
  [[nodiscard]] std::optional<scheduler::Region> RandomRegion(
      scheduler::StoreId store, scheduler::HeldAs held_as,
      std::span<const scheduler::KeyRange> ranges, scheduler::Rng& rng) const override {
    return regions_.Random(store, held_as, ranges, rng);
  }
  [[nodiscard]] std::optional<scheduler::Region> RandomRegion(
      std::span<const scheduler::KeyRange> ranges, scheduler::Rng& rng) const override {
    return regions_.Random(ranges, rng);
  }
  [[nodiscard]] std::vector<scheduler::Region> WitnessLedRegions(size_t limit_max) const override {
    return regions_.WitnessLed(limit_max);
  }
  [[nodiscard]] uint64_t CountRegions(const scheduler::KeyRange& range) const override {
    return regions_.Count(range);
  }
  [[nodiscard]] uint64_t CountStoreRegions(scheduler::StoreId store, scheduler::HeldAs held_as,
                                           const scheduler::KeyRange& range) const override {
    return regions_.CountStore(store, held_as, range);
  }
  [[nodiscard]] uint64_t AverageRegionSizeMib() const override;
  [[nodiscard]] scheduler::Instant KnownSince() const override;
  [[nodiscard]] std::optional<scheduler::Instant> LastSplit(scheduler::RegionId id) const override;
  [[nodiscard]] std::optional<scheduler::Instant> LastMerge(scheduler::RegionId id) const override;
  [[nodiscard]] bool IsHot(const scheduler::Region& region) const override {
    return cluster_.hot().IsHot(region.id, hits_);
  }
  [[nodiscard]] std::vector<scheduler::HotPeer> HotPeers(scheduler::Access access,
                                                         scheduler::StoreId store) const override {
    return cluster_.hot().PeersOn(access, store, hits_, now_);
  }
  [[nodiscard]] scheduler::StoreLoads LoadsOf(scheduler::StoreId store) const override {
    return cluster_.LoadsOf(store);
  }
  [[nodiscard]] std::vector<scheduler::HotBucket> HotBucketsOf(
      const scheduler::Region& region) const override {
    return cluster_.hot().BucketsIn({region.start_key, region.end_key}, hits_, now_);
  }

 private:
  const Cluster& cluster_;
  const uint64_t hits_;  // hot-region-cache-hits-threshold.
  const scheduler::Instant now_;
  const RegionTable& regions_;
  const RangeHistory& ranges_;
  ViewMemory* const memory_;
  std::vector<scheduler::Store> stores_;  // By ascending id.
  /// Theirs, close together: a patrol looks up a dozen for each region.
  std::vector<scheduler::StoreId> ids_;
};

}  // namespace pd

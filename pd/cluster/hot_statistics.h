#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "pd/runtime/mutex.h"
#include "scheduler/model/load.h"
#include "scheduler/model/region.h"
#include "scheduler/model/store.h"
#include "scheduler/stats/hot_buckets.h"
#include "scheduler/stats/hot_peer_cache.h"
#include "scheduler/stats/store_load.h"

namespace pd {

/// What was read on one peer, as its store reports it: amounts in the report's interval; CPU time as a usage.
struct PeerReads {
  scheduler::RegionId region;
  uint64_t bytes = 0;
  uint64_t keys = 0;
  uint64_t queries = 0;
  uint64_t cpu_percent = 0;
};

/// Hot peers of one kind behind a mutex that is held for a look-up or two, and by a store's report for each of its
/// peers anew. Thread-safe.
class GuardedHotPeers {
 public:
  explicit GuardedHotPeers(scheduler::Access access) : access_(access) { Clear(); }

  /// Runs `use` on the cache.
  template <class Use>
  auto With(Use use) const PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return use(*cache_);
  }
  void Clear() PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    cache_.emplace(access_);
  }

 private:
  const scheduler::Access access_;
  mutable Mutex mutex_;
  mutable std::optional<scheduler::HotPeerCache> cache_ PD_GUARDED_BY(mutex_);
};

/// Which peers and buckets are hot, and the loads of the stores, from what heartbeats bring: writes from those of
/// regions, for all peers of a region; reads from those of stores. Memory of the leadership; at most some MiB a store
/// (HotPeerCache) and what HotBuckets keeps.
///
/// A region heartbeat without enough flow of a region that is not known as hot costs two look-ups among the hot ones.
/// Thread-safe.
class HotStatistics {
 public:
  using FindRegion = std::function<std::optional<scheduler::Region>(scheduler::RegionId)>;

  void OnRegionReported(const scheduler::Region& region, scheduler::Instant now);
  /// `reads` of peers that are not known are dropped.
  void OnStoreReported(scheduler::StoreId store, const scheduler::StoreStats& stats,
                       std::span<const PeerReads> reads, const FindRegion& find,
                       scheduler::Instant now);
  void OnBucketsReported(scheduler::RegionId region, const scheduler::Buckets& buckets,
                         scheduler::Instant now);
  /// Forgets the loads and peers of all stores but these, which are in ascending order: others were removed, or peers
  /// were said to be on stores that nobody knows.
  void KeepStores(std::span<const scheduler::StoreId> stores);
  void Clear();

  /// `hits` here and below: hot-region-cache-hits-threshold.
  [[nodiscard]] bool IsHot(scheduler::RegionId region, uint64_t hits) const;
  /// See HotPeerCache::PeersOn.
  [[nodiscard]] std::vector<scheduler::HotPeer> PeersOn(scheduler::Access access,
                                                        scheduler::StoreId store, uint64_t hits,
                                                        scheduler::Instant now) const;
  /// Without regions_write. Nothing of a store that was not heard.
  [[nodiscard]] std::optional<scheduler::StoreLoads> LoadsOf(scheduler::StoreId store) const;
  [[nodiscard]] std::vector<scheduler::HotBucket> BucketsIn(const scheduler::KeyRange& range,
                                                            uint64_t hits,
                                                            scheduler::Instant now) const;
  using CacheStatus = std::map<scheduler::StoreId, scheduler::HotPeerCache::StoreStatus>;
  [[nodiscard]] CacheStatus StatusOf(scheduler::Access access) const;

 private:
  [[nodiscard]] const GuardedHotPeers& Of(scheduler::Access access) const {
    return access == scheduler::Access::kRead ? reads_ : writes_;
  }

  GuardedHotPeers writes_{scheduler::Access::kWrite};
  GuardedHotPeers reads_{scheduler::Access::kRead};
  mutable Mutex mutex_;
  std::map<scheduler::StoreId, scheduler::RollingStoreLoad> stores_ PD_GUARDED_BY(mutex_);
  scheduler::HotBuckets buckets_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

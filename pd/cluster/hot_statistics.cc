#include "pd/cluster/hot_statistics.h"

#include <algorithm>
#include <array>

#include "scheduler/stats/sane_amount.h"

namespace pd {
namespace {

using scheduler::Access;
using scheduler::HotPeerCache;
using scheduler::Instant;
using scheduler::Load;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::SaneAmount;
using scheduler::StoreId;

constexpr uint64_t kPeersMax =
    16;  // Of a region whose writes are looked at; usual ones have three to seven.
constexpr uint64_t kHitsMax = 1'000'000;

Load WrittenIn(const scheduler::RegionFlow& flow) {
  return {{static_cast<double>(flow.bytes_written), static_cast<double>(flow.keys_written),
           static_cast<double>(flow.write_queries), 0}};
}

/// Usages are rates already.
Load ReadIn(const PeerReads& reads, uint64_t interval_s) {
  return {{SaneAmount(reads.bytes), SaneAmount(reads.keys), SaneAmount(reads.queries),
           SaneAmount(reads.cpu_percent) * static_cast<double>(interval_s)}};
}

int DegreeMin(Access access, uint64_t hits) {
  return scheduler::HotDegreeMin(access, static_cast<int>(std::min(hits, kHitsMax)));
}

}  // namespace

void HotStatistics::OnRegionReported(const Region& region, Instant now) {
  std::array<StoreId, kPeersMax> stores;
  const size_t count = std::min<size_t>(region.peers.size(), kPeersMax);
  for (size_t i = 0; i < count; ++i) stores[i] = region.peers[i].store;
  const Load amount = WrittenIn(region.flow);
  writes_.With([&](HotPeerCache& cache) {
    cache.KeepPeersOf(region);
    cache.Report(region, std::span(stores).first(count), amount, region.flow.interval_s(), now);
  });
  reads_.With([&](HotPeerCache& cache) { cache.KeepPeersOf(region); });
}

void HotStatistics::OnStoreReported(StoreId store, const scheduler::StoreStats& stats,
                                    std::span<const PeerReads> reads, const FindRegion& find,
                                    Instant now) {
  {
    const MutexLock lock(mutex_);
    stores_[store].Report(stats);
  }
  if (stats.interval_end_s <= stats.interval_start_s) return;
  const uint64_t interval_s = stats.interval_end_s - stats.interval_start_s;
  const std::array<StoreId, 1> there{store};
  std::vector<RegionId> reported;
  reported.reserve(reads.size());
  for (const PeerReads& one : reads) {
    reported.push_back(one.region);
    const std::optional<Region> region = find(one.region);
    if (!region || region->PeerOnStore(store) == nullptr) continue;
    const Load amount = ReadIn(one, interval_s);
    reads_.With(
        [&](HotPeerCache& cache) { cache.Report(*region, there, amount, interval_s, now); });
  }
  std::ranges::sort(reported);
  reads_.With([&](HotPeerCache& cache) { cache.ReportSilence(store, reported, interval_s, now); });
}

void HotStatistics::OnBucketsReported(RegionId region, const scheduler::Buckets& buckets,
                                      Instant now) {
  const MutexLock lock(mutex_);
  buckets_.Report(region, buckets, now);
}

void HotStatistics::KeepStores(std::span<const StoreId> stores) {
  const auto keep = [&](HotPeerCache& cache) { cache.KeepStores(stores); };
  writes_.With(keep);
  reads_.With(keep);
  const MutexLock lock(mutex_);
  std::erase_if(
      stores_, [&](const auto& entry) { return !std::ranges::binary_search(stores, entry.first); });
}

void HotStatistics::Clear() {
  writes_.Clear();
  reads_.Clear();
  const MutexLock lock(mutex_);
  stores_.clear();
  buckets_.Clear();
}

bool HotStatistics::IsHot(RegionId region, uint64_t hits) const {
  // Not six times as many for reads: a region that is only left alone may be so early (as in the reference).
  const int degree_min = DegreeMin(Access::kWrite, hits);
  const auto is_hot = [&](const HotPeerCache& cache) { return cache.IsHot(region, degree_min); };
  return writes_.With(is_hot) || reads_.With(is_hot);
}

std::vector<scheduler::HotPeer> HotStatistics::PeersOn(Access access, StoreId store, uint64_t hits,
                                                       Instant now) const {
  return Of(access).With([&](const HotPeerCache& cache) {
    return cache.PeersOn(store, DegreeMin(access, hits), now);
  });
}

std::optional<scheduler::StoreLoads> HotStatistics::LoadsOf(StoreId store) const {
  const MutexLock lock(mutex_);
  const auto known = stores_.find(store);
  if (known == stores_.end()) return {};
  return known->second.Value();
}

std::vector<scheduler::HotBucket> HotStatistics::BucketsIn(const scheduler::KeyRange& range,
                                                           uint64_t hits, Instant now) const {
  const MutexLock lock(mutex_);
  return buckets_.In(range, static_cast<int>(std::min(hits, kHitsMax)), now);
}

HotStatistics::CacheStatus HotStatistics::StatusOf(Access access) const {
  return Of(access).With([](const HotPeerCache& cache) { return cache.Status(); });
}

}  // namespace pd

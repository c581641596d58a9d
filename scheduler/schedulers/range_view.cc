#include "scheduler/schedulers/range_view.h"

#include <algorithm>
#include <utility>

#include "scheduler/model/key_ranges.h"

namespace scheduler {

RangeView::RangeView(const ClusterView& whole, KeyRange range)
    : whole_(whole), range_(std::move(range)), stores_(whole.stores()) {
  for (Store& store : stores_) Shrink(store);
}

void RangeView::Shrink(Store& store) const {
  const uint64_t average_mib = whole_.AverageRegionSizeMib();
  const auto count = [&](HeldAs held_as) {
    return whole_.CountStoreRegions(store.id, held_as, range_);
  };
  const uint64_t whole_mib = store.counts.region_size_mib();
  StoreCounts& counts = store.counts;
  counts = {.leaders = count(HeldAs::kLeader),
            .followers = count(HeldAs::kFollower),
            .learners = count(HeldAs::kLearner),
            .witnesses = count(HeldAs::kWitness),
            .pending = counts.pending};  // Of the store: it bounds what it may take.
  counts.leader_size_mib = counts.leaders * average_mib;
  counts.follower_size_mib = counts.followers * average_mib;
  counts.learner_size_mib = counts.learners * average_mib;
  store.smoothed_region_size_mib = -1;  // Of the whole.
  StoreStats& stats = store.stats;
  if (whole_mib == 0 || stats.used_bytes == 0) return;
  const double share =
      static_cast<double>(counts.region_size_mib()) / static_cast<double>(whole_mib);
  const double used = static_cast<double>(stats.used_bytes) * share;
  stats.used_bytes = static_cast<uint64_t>(used);
  stats.available_bytes = stats.capacity_bytes - std::min(stats.used_bytes, stats.capacity_bytes);
  store.smoothed_available_bytes = static_cast<double>(stats.available_bytes);
}

const Store* RangeView::FindStore(StoreId id) const {
  const auto it = std::ranges::lower_bound(stores_, id, {}, &Store::id);
  return it == stores_.end() || it->id != id ? nullptr : &*it;
}

std::vector<KeyRange> RangeView::Inside(std::span<const KeyRange> ranges) const {
  if (ranges.empty()) return {range_};
  std::vector<KeyRange> inside;
  for (const KeyRange& range : ranges) {
    if (auto both = Intersection(range, range_)) inside.push_back(*std::move(both));
  }
  return inside;
}

std::optional<Region> RangeView::RandomRegion(StoreId store, HeldAs held_as,
                                              std::span<const KeyRange> ranges, Rng& rng) const {
  const std::vector<KeyRange> inside = Inside(ranges);
  if (inside.empty()) return {};
  return whole_.RandomRegion(store, held_as, inside, rng);
}

std::optional<Region> RangeView::RandomRegion(std::span<const KeyRange> ranges, Rng& rng) const {
  const std::vector<KeyRange> inside = Inside(ranges);
  if (inside.empty()) return {};
  return whole_.RandomRegion(inside, rng);
}

uint64_t RangeView::CountRegions(const KeyRange& range) const {
  const auto both = Intersection(range, range_);
  return both ? whole_.CountRegions(*both) : 0;
}

uint64_t RangeView::CountStoreRegions(StoreId store, HeldAs held_as, const KeyRange& range) const {
  const auto both = Intersection(range, range_);
  return both ? whole_.CountStoreRegions(store, held_as, *both) : 0;
}

}  // namespace scheduler

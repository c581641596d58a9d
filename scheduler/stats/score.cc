#include "scheduler/stats/score.h"

#include <algorithm>
#include <cmath>

namespace scheduler {
namespace {

constexpr double kWeightMin = 1e-6;
constexpr double kMib = 1024.0 * 1024.0;
constexpr double kGib = kMib * 1024.0;

double Divide(double score, double weight) { return score / std::max(weight, kWeightMin); }

double RegionSize(const Store& store) {
  return static_cast<double>(store.counts.region_size_mib());
}

}  // namespace

double LeaderScoreByCount(const Store& store, int64_t delta) {
  return Divide(static_cast<double>(store.counts.leaders) + static_cast<double>(delta),
                store.leader_weight);
}

double LeaderScoreBySize(const Store& store, int64_t delta_mib) {
  return Divide(static_cast<double>(store.counts.leader_size_mib) + static_cast<double>(delta_mib),
                store.leader_weight);
}

double RegionScoreV1(const Store& store, RegionScoreRatios ratios, int64_t delta_mib) {
  constexpr double kNoSpaceScore = 1 << 30;
  const double capacity = static_cast<double>(store.stats.capacity_bytes) / kMib;
  const double used = static_cast<double>(store.stats.used_bytes) / kMib;
  const double available = static_cast<double>(store.stats.available_bytes) / kMib;
  const double size = RegionSize(store);
  const double delta = static_cast<double>(delta_mib);
  // Compression makes a region's files smaller than its approximate size.
  const double amplification = size == 0 || used == 0 ? 1 : size / used;

  const double high = (1 - ratios.high_space) * capacity;
  const double low = (1 - ratios.low_space) * capacity;
  const double room = available - delta / amplification;
  double score = 0;
  if (room >= high) {
    score = size + delta;
  } else if (room <= low) {
    score = kNoSpaceScore - room;
  } else {
    const double x1 = (used + available - high) * amplification;
    const double x2 = (used + available - low) * amplification;
    const double y1 = x1;
    const double y2 = kNoSpaceScore - low;
    const double slope = (y2 - y1) / (x2 - x1);
    score = slope * (size + delta) + y1 - slope * x1;
  }
  return Divide(score, store.region_weight);
}

double AvailableBytesNow(const Store& store) {
  const double size = RegionSize(store);
  if (store.smoothed_region_size_mib < 0 || size == 0) return store.smoothed_available_bytes;
  const double used_per_mib = static_cast<double>(store.stats.used_bytes) / size;
  const double now =
      store.smoothed_available_bytes + (store.smoothed_region_size_mib - size) * used_per_mib;
  return std::clamp(now, 0.0, static_cast<double>(store.stats.capacity_bytes));
}

double RegionScoreV2(const Store& store, double low_space_ratio, int64_t delta_mib,
                     double available_bytes) {
  constexpr double kBase = 1;
  constexpr double kGrowth = 256;
  constexpr double kNoSpace = 1e10;
  constexpr double kLowSpaceMinGib = 50;
  const double capacity = static_cast<double>(store.stats.capacity_bytes) / kGib;
  double used = static_cast<double>(store.stats.used_bytes) / kGib;
  double available = available_bytes / kGib;
  const double other = capacity - available - used;  // Space that is not the store's own.
  const double size = RegionSize(store);
  const double delta = static_cast<double>(delta_mib);
  const double new_size = size + delta < 0 ? size : size + delta;

  if (size != 0) {
    const double new_used = used + used * delta / size;
    if (new_used > used / 2 && new_used < used * 2) used = new_used;
    const double new_available = capacity - used - other;
    if (new_available > 0 && new_available < capacity) available = new_available;
  }
  const double reserve = std::max(kLowSpaceMinGib, capacity * (1 - low_space_ratio));
  double score = 0;
  if (available >= capacity || capacity < 1) {
    score = new_size;
  } else if (available > reserve) {
    score = (kBase + kGrowth * (std::log(capacity) - std::log(available - reserve + 1)) /
                         (capacity - available + reserve - 1)) *
            new_size;
  } else {
    score = (kBase + kGrowth * std::log(capacity) / capacity) * new_size +
            kNoSpace * (reserve - available) / reserve;
  }
  return Divide(score, store.region_weight);
}

}  // namespace scheduler

#include "scheduler/stats/hot_buckets.h"

#include <algorithm>
#include <utility>

namespace scheduler {
namespace {

constexpr uint64_t kPeriodMsDefault = 10'000;
// Those of HotPeerCache; CPU time is not known of buckets.
constexpr Load kReadMin{{8 * 1024, 128, 128, 1}};
constexpr Load kWriteMin{{1024, 32, 32, 1}};

/// `end` as in KeyRange: an empty one is the highest.
bool EndsBehind(const std::string& end, const std::string& key) { return end.empty() || end > key; }

double At(const std::vector<uint64_t>& list, size_t index) {
  return index < list.size() ? static_cast<double>(list[index]) : 0;
}

}  // namespace

HotBuckets::ByStart::const_iterator HotBuckets::FirstOverlap(const std::string& start) const {
  auto it = buckets_.upper_bound(start);
  if (it == buckets_.begin()) return it;
  const auto before = std::prev(it);
  return EndsBehind(before->second.end_key, start) ? before : it;
}

void HotBuckets::Report(RegionId region, const Buckets& buckets) {
  const uint64_t period_ms = buckets.period_ms == 0 ? kPeriodMsDefault : buckets.period_ms;
  const double per_second = 1000 / static_cast<double>(period_ms);
  for (size_t i = 0; i + 1 < buckets.keys.size(); ++i) {
    HotBucket bucket;
    bucket.region = region;
    bucket.start_key = buckets.keys[i];
    bucket.end_key = buckets.keys[i + 1];
    if (!EndsBehind(bucket.end_key, bucket.start_key)) continue;  // Nonsense off the wire.
    bucket.read =
        Load{{At(buckets.read_bytes, i), At(buckets.read_keys, i), At(buckets.read_qps, i), 0}} *
        per_second;
    bucket.write =
        Load{{At(buckets.write_bytes, i), At(buckets.write_keys, i), At(buckets.write_qps, i), 0}} *
        per_second;
    int degree = 0;
    for (auto it = FirstOverlap(bucket.start_key);
         it != buckets_.end() && EndsBehind(bucket.end_key, it->first);) {
      degree = std::max(degree, it->second.degree);
      it = buckets_.erase(it);
    }
    const bool hot = bucket.read.ReachesAny(kReadMin) || bucket.write.ReachesAny(kWriteMin);
    bucket.degree = std::min(degree + (hot ? 1 : -1), kDegreeMax);
    if (bucket.degree <= 0 || buckets_.size() >= kBucketsMax) continue;
    std::string start = bucket.start_key;
    buckets_.insert_or_assign(std::move(start), std::move(bucket));
  }
}

std::vector<HotBucket> HotBuckets::In(const KeyRange& range, int degree_min) const {
  std::vector<HotBucket> found;
  for (auto it = FirstOverlap(range.start); it != buckets_.end(); ++it) {
    if (!EndsBehind(range.end, it->first)) break;
    if (it->second.degree >= degree_min) found.push_back(it->second);
  }
  return found;
}

}  // namespace scheduler

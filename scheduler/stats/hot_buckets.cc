#include "scheduler/stats/hot_buckets.h"

#include <algorithm>
#include <utility>

#include "scheduler/stats/sane_amount.h"

namespace scheduler {
namespace {

constexpr uint64_t kPeriodMsDefault = 10'000;
constexpr uint64_t kPeriodMsMax = 300'000;  // Of peers, longer ones do not count.
constexpr int kPeriodsLast = 3;
// Those of HotPeerCache; CPU time is not known of buckets.
constexpr Load kReadMin{{8 * 1024, 128, 128, 1}};
constexpr Load kWriteMin{{1024, 32, 32, 1}};

/// `end` as in KeyRange: an empty one is the highest.
bool EndsBehind(const std::string& end, const std::string& key) { return end.empty() || end > key; }

double At(const std::vector<uint64_t>& list, size_t index) {
  return index < list.size() ? SaneAmount(list[index]) : 0;
}

}  // namespace

HotBuckets::ByStart::const_iterator HotBuckets::FirstOverlap(const std::string& start) const {
  auto it = buckets_.upper_bound(start);
  if (it == buckets_.begin()) return it;
  const auto before = std::prev(it);
  return EndsBehind(before->second.bucket.end_key, start) ? before : it;
}

HotBuckets::ByStart::const_iterator HotBuckets::Remove(ByStart::const_iterator it) {
  by_number_.erase(it->second.number);
  return buckets_.erase(it);
}

int HotBuckets::DegreeAmong(const HotBucket& bucket, Instant now) const {
  int degree = 0;
  for (auto it = FirstOverlap(bucket.start_key);
       it != buckets_.end() && EndsBehind(bucket.end_key, it->first); ++it) {
    if (it->second.expires > now) degree = std::max(degree, it->second.bucket.degree);
  }
  return degree;
}

void HotBuckets::Put(HotBucket bucket, Instant expires) {
  for (auto it = FirstOverlap(bucket.start_key);
       it != buckets_.end() && EndsBehind(bucket.end_key, it->first);) {
    it = Remove(it);
  }
  if (bucket.degree <= 0 || buckets_.size() >= buckets_max_) return;
  std::string start = bucket.start_key;
  const auto at =
      buckets_.emplace(std::move(start), Entry{std::move(bucket), expires, ++last_number_}).first;
  by_number_.emplace(last_number_, at);
}

void HotBuckets::Clear() {
  buckets_.clear();
  by_number_.clear();
}

void HotBuckets::Report(RegionId region, const Buckets& buckets, Instant now) {
  const uint64_t period_ms = buckets.period_ms == 0 ? kPeriodMsDefault : buckets.period_ms;
  const double per_second = 1000 / static_cast<double>(period_ms);
  const uint64_t counted_ms = std::clamp(period_ms, kPeriodMsDefault, kPeriodMsMax);
  const Instant expires = now + kPeriodsLast * Millis{static_cast<int64_t>(counted_ms)};
  while (!by_number_.empty() && by_number_.begin()->second->second.expires <= now) {
    Remove(by_number_.begin()->second);
  }
  // All degrees before the first goes in: the parts of an older one all go on from it.
  std::vector<HotBucket> reported;
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
    const bool hot = bucket.read.ReachesAny(kReadMin) || bucket.write.ReachesAny(kWriteMin);
    bucket.degree = std::min(DegreeAmong(bucket, now) + (hot ? 1 : -1), kDegreeMax);
    reported.push_back(std::move(bucket));
  }
  for (HotBucket& bucket : reported) Put(std::move(bucket), expires);
}

std::vector<HotBucket> HotBuckets::In(const KeyRange& range, int degree_min, Instant now) const {
  std::vector<HotBucket> found;
  for (auto it = FirstOverlap(range.start); it != buckets_.end(); ++it) {
    if (!EndsBehind(range.end, it->first)) break;
    const HotBucket& bucket = it->second.bucket;
    if (bucket.degree >= degree_min && it->second.expires > now) found.push_back(bucket);
  }
  return found;
}

}  // namespace scheduler

#include "scheduler/schedulers/hot_region_split.h"

namespace scheduler {
namespace {

bool IsInside(const Region& region, const std::string& key) {
  return !key.empty() && key > region.start_key && region.Covers(key);
}

}  // namespace

std::optional<std::string> LoadSplitKey(const ClusterView& view, const Region& region,
                                        Access access, LoadDim dim) {
  const std::vector<HotBucket> buckets = view.HotBucketsOf(region);
  if (buckets.size() < 2) return {};
  LoadDim by = dim == LoadDim::kCpu ? LoadDim::kByte : dim;
  const auto load_of = [&](const HotBucket& bucket) {
    return access == Access::kRead ? bucket.read[by] : bucket.write[by];
  };
  const auto sum_of_all = [&] {
    double sum = 0;
    for (const HotBucket& bucket : buckets) sum += load_of(bucket);
    return sum;
  };
  double total = sum_of_all();
  if (total <= 0) {  // Stores need not report all of it by bucket.
    by = LoadDim::kByte;
    total = sum_of_all();
  }
  if (total <= 0) return {};
  double sum = 0;
  for (const HotBucket& bucket : buckets) {
    sum += load_of(bucket);
    if (sum * 2 < total) continue;
    if (IsInside(region, bucket.end_key)) return bucket.end_key;
    if (IsInside(region, bucket.start_key)) return bucket.start_key;
    return {};
  }
  return {};
}

std::optional<std::string> MiddleBucketKey(const Region& region) {
  if (region.buckets.keys.size() < 3) return {};
  const std::string& key = region.buckets.keys[region.buckets.keys.size() / 2];
  if (!IsInside(region, key)) return {};
  return key;
}

}  // namespace scheduler

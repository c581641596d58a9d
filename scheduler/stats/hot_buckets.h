#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/model/load.h"
#include "scheduler/model/region.h"

namespace scheduler {

/// Which buckets of regions are hot by their reports (as in the reference). A bucket is hot when its reads or writes
/// reach the least that makes a peer hot, in bytes, keys or, other than in the reference, queries. With each report it
/// gains a degree while it is hot, up to kDegreeMax, and loses one when it is not. A bucket that overlaps older ones,
/// be it of another region after a split, goes on from the highest degree among them.
///
/// What has no degree is not kept (the reference remembers the cold as well, and lets them pay for it when they turn
/// hot). At most kBucketsMax are, of some hundred bytes each; beyond, new ones do not come in. Works on one thread.
class HotBuckets {
 public:
  static constexpr int kDegreeMax = 20;
  static constexpr size_t kBucketsMax = 65'536;

  void Report(RegionId region, const Buckets& buckets);
  /// Those that overlap `range`, of at least this degree, by key.
  [[nodiscard]] std::vector<HotBucket> In(const KeyRange& range, int degree_min) const;
  /// All, by key.
  [[nodiscard]] std::vector<HotBucket> All(int degree_min) const { return In({}, degree_min); }
  void Clear() { buckets_.clear(); }

 private:
  using ByStart = std::map<std::string, HotBucket>;  // They do not overlap.

  [[nodiscard]] ByStart::const_iterator FirstOverlap(const std::string& start) const;

  ByStart buckets_;
};

}  // namespace scheduler

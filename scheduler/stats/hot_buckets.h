#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/model/load.h"
#include "scheduler/model/region.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// Which buckets of regions are hot by their reports (as in the reference). A bucket is hot when its reads or writes
/// reach the least that makes a peer hot, in bytes, keys or, other than in the reference, queries. With each report it
/// gains a degree while it is hot, up to kDegreeMax, and loses one when it is not. A bucket that overlaps older ones,
/// be it of another region after a split, goes on from the highest degree among them.
///
/// What has no degree is not kept (the reference remembers the cold as well, and lets them pay for it when they turn
/// hot). As hot peers are, a bucket is forgotten when nothing was heard of it for three times as long as its last
/// report counted, which is ten seconds at least; the reference keeps it for good. At most kBucketsMax are kept, of
/// some hundred bytes each; beyond, new ones wait until others have gone: those that are kept are worth more than all
/// of them in turn. Works on one thread.
class HotBuckets {
 public:
  static constexpr int kDegreeMax = 20;
  static constexpr size_t kBucketsMax = 65'536;

  explicit HotBuckets(size_t buckets_max = kBucketsMax) : buckets_max_(buckets_max) {}

  void Report(RegionId region, const Buckets& buckets, Instant now);
  /// Those that overlap `range`, of at least this degree, by key.
  [[nodiscard]] std::vector<HotBucket> In(const KeyRange& range, int degree_min, Instant now) const;
  /// All, by key.
  [[nodiscard]] std::vector<HotBucket> All(int degree_min, Instant now) const {
    return In({}, degree_min, now);
  }
  void Clear();

 private:
  struct Entry {
    HotBucket bucket;
    Instant expires;
    uint64_t number = 0;  // Larger than that of all which were reported before.
  };
  using ByStart = std::map<std::string, Entry>;  // They do not overlap.

  [[nodiscard]] ByStart::const_iterator FirstOverlap(const std::string& start) const;
  /// The highest degree among what overlaps the bucket.
  [[nodiscard]] int DegreeAmong(const HotBucket& bucket, Instant now) const;
  /// In the place of what it overlaps, if it has a degree and there is room.
  void Put(HotBucket bucket, Instant expires);
  ByStart::const_iterator Remove(ByStart::const_iterator it);

  size_t buckets_max_;
  ByStart buckets_;
  std::map<uint64_t, ByStart::const_iterator> by_number_;  // The same, the longest unheard first.
  uint64_t last_number_ = 0;
};

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "scheduler/model/ids.h"
#include "scheduler/model/load.h"
#include "scheduler/model/region.h"
#include "scheduler/model/rng.h"
#include "scheduler/model/store.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// Which peers of a store a question is about. A follower is any voter but the leader; witnesses
/// and pending peers are also counted in their role.
enum class HeldAs : uint8_t { kLeader, kFollower, kLearner, kPending, kWitness };
inline constexpr size_t kHeldAsCount = 5;

/// What planning may see. Read-only, not frozen: stores are copies taken when the view was made,
/// regions are copied out one by one (or in chunks) from the live index, so two answers may belong
/// to different moments. A proposal carries the epoch it saw; admission checks again. One view
/// belongs to one thread.
class ClusterView {
 public:
  virtual ~ClusterView() = default;

  /// All known stores, tombstones included, by ascending id.
  [[nodiscard]] virtual const std::vector<Store>& stores() const = 0;
  /// Null when unknown. Valid as long as the view. O(log stores).
  [[nodiscard]] virtual const Store* FindStore(StoreId id) const = 0;

  [[nodiscard]] virtual std::optional<Region> FindRegion(RegionId id) const = 0;
  [[nodiscard]] virtual std::optional<Region> FindRegionByKey(std::string_view key) const = 0;
  /// The neighbours that share a boundary key with `region`; none over a hole or at the ends of the
  /// key space.
  [[nodiscard]] virtual std::optional<Region> PreviousRegion(const Region& region) const = 0;
  [[nodiscard]] virtual std::optional<Region> NextRegion(const Region& region) const = 0;
  /// Regions that overlap `range` in key order, at most `limit_max` of them. Walk on from the last
  /// one's end key.
  [[nodiscard]] virtual std::vector<Region> ScanRegions(const KeyRange& range,
                                                        size_t limit_max) const = 0;

  /// A random region that `store` holds as `held_as` and that lies entirely inside one of
  /// `ranges` (none given: the whole key space). Several ranges are tried in random order, one draw
  /// each. None: no draw fell inside.
  [[nodiscard]] virtual std::optional<Region> RandomRegion(StoreId store, HeldAs held_as,
                                                           std::span<const KeyRange> ranges,
                                                           Rng& rng) const = 0;
  /// A random region whatever its stores, otherwise as above.
  [[nodiscard]] virtual std::optional<Region> RandomRegion(std::span<const KeyRange> ranges,
                                                           Rng& rng) const = 0;

  /// Regions whose leader is a witness, which answers no reads and takes no writes: at most
  /// `limit_max`, without a scan.
  [[nodiscard]] virtual std::vector<Region> WitnessLedRegions(size_t limit_max) const = 0;

  /// From when on splits and merges are known.
  [[nodiscard]] virtual Instant KnownSince() const = 0;
  /// When the region was last seen to lose keys to others, or to come into being; none if not since KnownSince(), or
  /// before too many others.
  [[nodiscard]] virtual std::optional<Instant> LastSplit(RegionId id) const = 0;
  /// The same of when it took in a neighbour.
  [[nodiscard]] virtual std::optional<Instant> LastMerge(RegionId id) const = 0;
  /// Whether reads or writes make the region a hot one.
  [[nodiscard]] virtual bool IsHot(const Region& region) const = 0;
  /// The peers on `store` that reads or writes have made hot for long enough to plan with, by region id. As last
  /// reported: the region may be another by now.
  [[nodiscard]] virtual std::vector<HotPeer> HotPeers(Access access, StoreId store) const = 0;
  /// Zeros of a store that was not heard.
  [[nodiscard]] virtual StoreLoads LoadsOf(StoreId store) const = 0;
  /// The hot buckets that overlap the region, by key.
  [[nodiscard]] virtual std::vector<HotBucket> HotBucketsOf(const Region& region) const = 0;

  /// How many regions overlap `range`; by order statistics, without a scan. Whole key space: `{}`.
  [[nodiscard]] virtual uint64_t CountRegions(const KeyRange& range) const = 0;
  /// The same for the regions that `store` holds as `held_as`.
  [[nodiscard]] virtual uint64_t CountStoreRegions(StoreId store, HeldAs held_as,
                                                   const KeyRange& range) const = 0;
  /// Total size / region count, in MiB; 0 without regions.
  [[nodiscard]] virtual uint64_t AverageRegionSizeMib() const = 0;
};

}  // namespace scheduler

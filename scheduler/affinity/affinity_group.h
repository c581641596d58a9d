#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model/ids.h"
#include "scheduler/model/region.h"
#include "scheduler/rules/region_label.h"

// Affinity groups: key ranges whose regions are to be led on one store and to have their voters on the same stores, so
// that what is read together is served together. A group's ranges are a region label rule, as in the reference: a
// region belongs to the group that its label names.

namespace scheduler {

/// The key of the label; its value is the id of the group.
inline constexpr std::string_view kAffinityLabel = "affinity_group";

/// The id of the label rule that holds the ranges of a group.
[[nodiscard]] std::string AffinityRuleId(std::string_view group);
/// The ranges of a group; empty if it has none.
[[nodiscard]] std::span<const LabelRange> AffinityRangesOf(const RegionLabelBook& labels,
                                                           std::string_view group);

/// Letters, digits, hyphens and underscores; 1 to 64 of them.
[[nodiscard]] bool IsAffinityGroupId(std::string_view id);

/// How far the stores of a group can be relied on.
enum class Availability : uint8_t {
  kAvailable,
  kDegraded,  // They are expected back: regions stay as they are meanwhile.
  kExpired,   // For good: regions are anybody's until the group gets other stores.
};
const char* AvailabilityText(Availability availability);

/// Where the regions of a group belong.
struct AffinityStores {
  StoreId leader;
  std::vector<StoreId> voters;  // Ascending, each once, the leader's among them.

  [[nodiscard]] bool empty() const { return voters.empty(); }
  friend bool operator==(const AffinityStores&, const AffinityStores&) = default;
};

/// Where a region is led and has its voters, joint states included.
[[nodiscard]] AffinityStores PlacesOf(const Region& region);

/// One group as planning sees it.
struct AffinityGroup {
  AffinityStores stores;    // Empty: none were given or learned yet.
  uint64_t assignment = 0;  // Another number each time the group gets stores.
  Availability availability = Availability::kAvailable;

  /// Regions are moved to the group's stores.
  [[nodiscard]] bool AllowsAffinity() const {
    return availability == Availability::kAvailable && !stores.empty();
  }
  /// Regions are balanced like those of no group. A degraded group allows neither.
  [[nodiscard]] bool AllowsBalance() const {
    return availability == Availability::kExpired || stores.empty();
  }
  [[nodiscard]] bool Holds(const Region& region) const { return PlacesOf(region) == stores; }

  friend bool operator==(const AffinityGroup&, const AffinityGroup&) = default;
};

using AffinityGroups = std::map<std::string, AffinityGroup, std::less<>>;  // By id.

/// The group that the region belongs to, or null.
[[nodiscard]] const AffinityGroups::value_type* FindAffinityGroup(const AffinityGroups& groups,
                                                                  const RegionLabelBook& labels,
                                                                  const Region& region,
                                                                  int64_t unix_ns);

/// How many regions of a group are known, and how many of them are where they belong.
struct AffinityCounts {
  uint64_t assignment = 0;  // What "where they belong" was when they were counted.
  uint64_t regions = 0;
  uint64_t in_place = 0;

  friend bool operator==(const AffinityCounts&, const AffinityCounts&) = default;
};

/// How far a group has come, for people.
enum class AffinityPhase : uint8_t {
  kPending,    // Regions are not moved: there are no ranges, no stores, or these are not available.
  kPreparing,  // Regions are being moved, or none is known yet.
  kStable,     // All known regions are where they belong.
};
const char* AffinityPhaseText(AffinityPhase phase);
[[nodiscard]] AffinityPhase PhaseOf(const AffinityGroup& group, size_t range_count,
                                    const AffinityCounts& counts);

/// A range with the group it is for.
struct AffinityRange {
  KeyRange keys;  // start < end, or no end.
  std::string group;
};
/// The groups of two ranges that overlap, the lower one first; none if no two do. O(n log n).
struct AffinityOverlap {
  std::string first;
  std::string second;
};
[[nodiscard]] std::optional<AffinityOverlap> FindOverlap(std::vector<AffinityRange> ranges);

/// Settings bound the regions of a group in MiB; in keys by as many times this (as in the reference).
inline constexpr uint64_t kAffinityKeysPerMib = 10'000;

/// Why a store asks for a split.
enum class SplitReason : uint8_t { kAdmin, kSize, kLoad };

/// The settings that say how large a region of a group may grow in one piece.
struct AffinitySplitOptions {
  uint64_t schedule_limit = 0;      // affinity-schedule-limit; 0: groups are turned off.
  uint64_t merge_size_max_mib = 0;  // max-affinity-merge-region-size; 0: nothing is merged.
};

/// Whether a store's wish to split a region of the group is to be refused (as in the reference): what is kept together
/// is not cut for load or a little size, but people may cut it, and so may the store once the region has grown to four
/// times what affinity merges could make, with a margin.
[[nodiscard]] bool RefusesSplit(const AffinityGroup& group, const Region& region,
                                SplitReason reason, const AffinitySplitOptions& options);

}  // namespace scheduler

#include "scheduler/affinity/affinity_group.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace scheduler {
namespace {

constexpr std::string_view kRulePrefix = "affinity_group/";
constexpr size_t kIdBytesMax = 64;
constexpr uint64_t kSplitMarginMib = 10;
constexpr uint64_t kSplitFactor = 4;

/// Saturates: settings may be as large as they please.
uint64_t Times(uint64_t a, uint64_t b) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  return a > kMost / b ? kMost : a * b;
}

}  // namespace

std::string AffinityRuleId(std::string_view group) {
  return std::string(kRulePrefix).append(group);
}

std::span<const LabelRange> AffinityRangesOf(const RegionLabelBook& labels,
                                             std::string_view group) {
  const auto found = labels.rules().find(AffinityRuleId(group));
  if (found == labels.rules().end()) return {};
  return found->second.ranges;
}

bool IsAffinityGroupId(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !id.empty() && id.size() <= kIdBytesMax && std::ranges::all_of(id, allowed);
}

const char* AvailabilityText(Availability availability) {
  switch (availability) {
    case Availability::kAvailable:
      return "available";
    case Availability::kDegraded:
      return "degraded";
    case Availability::kExpired:
      return "expired";
  }
  return "";
}

AffinityStores PlacesOf(const Region& region) {
  AffinityStores places;
  places.leader = region.leader.store;
  for (const Peer& peer : region.peers) {
    if (IsVoter(peer)) places.voters.push_back(peer.store);
  }
  std::ranges::sort(places.voters);
  return places;
}

const AffinityGroups::value_type* FindAffinityGroup(const AffinityGroups& groups,
                                                    const RegionLabelBook& labels,
                                                    const Region& region, int64_t unix_ns) {
  if (groups.empty()) return nullptr;
  const auto id = labels.LabelOf(region, kAffinityLabel, unix_ns);
  if (!id) return nullptr;
  const auto found = groups.find(*id);
  return found == groups.end() ? nullptr : &*found;
}

const char* AffinityPhaseText(AffinityPhase phase) {
  switch (phase) {
    case AffinityPhase::kPending:
      return "pending";
    case AffinityPhase::kPreparing:
      return "preparing";
    case AffinityPhase::kStable:
      return "stable";
  }
  return "";
}

AffinityPhase PhaseOf(const AffinityGroup& group, size_t range_count,
                      const AffinityCounts& counts) {
  if (!group.AllowsAffinity() || range_count == 0) return AffinityPhase::kPending;
  const bool current = counts.assignment == group.assignment;
  return current && counts.regions > 0 && counts.in_place == counts.regions
             ? AffinityPhase::kStable
             : AffinityPhase::kPreparing;
}

std::optional<AffinityOverlap> FindOverlap(std::vector<AffinityRange> ranges) {
  std::ranges::sort(ranges, {}, [](const AffinityRange& range) {
    return std::tie(range.keys.start, range.group);
  });
  for (size_t i = 1; i < ranges.size(); ++i) {
    // Those before it end before this one begins, or they would have been found.
    const AffinityRange& before = ranges[i - 1];
    if (EndsAfter(before.keys.end, ranges[i].keys.start) || ranges[i].keys.start.empty()) {
      return AffinityOverlap{before.group, ranges[i].group};
    }
  }
  return {};
}

bool RefusesSplit(const AffinityGroup& group, const Region& region, SplitReason reason,
                  const AffinitySplitOptions& options) {
  if (reason == SplitReason::kAdmin || group.AllowsBalance()) return false;
  if (options.schedule_limit == 0 || options.merge_size_max_mib == 0) return false;
  const uint64_t largest_mib = Times(
      std::min(options.merge_size_max_mib, std::numeric_limits<uint64_t>::max() - kSplitMarginMib) +
          kSplitMarginMib,
      kSplitFactor);
  return region.size_mib < largest_mib && region.keys < Times(largest_mib, kAffinityKeysPerMib);
}

}  // namespace scheduler

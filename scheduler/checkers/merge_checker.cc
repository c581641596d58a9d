#include "scheduler/checkers/merge_checker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "scheduler/checkers/checkers.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/model/table_key.h"
#include "scheduler/operator/merge.h"

namespace scheduler {
namespace {

constexpr const char* kMergeLabel = "merge_option";
constexpr const char* kDeny = "deny";
constexpr uint64_t kTargetSizeMinMib = 500;  // A target of up to this size is never too large.
constexpr uint64_t kTargetRegionsMax = 4;    // Otherwise it is up to so many regions of full size.

Refusal Refuse(Reason reason, const Region& region, double value = 0, double bound = 0) {
  return {reason, StoreId{}, region.id, value, bound, {}};
}

Region Joined(const Region& region, const Region& neighbour) {
  Region joined = region;
  if (region.end_key == neighbour.start_key) {
    joined.end_key = neighbour.end_key;
  } else {
    joined.start_key = neighbour.start_key;
  }
  return joined;
}

/// Whether the stores would split a region of `sum` into parts of which the last is small enough to be merged again.
struct SplitBounds {
  uint64_t max = 0;    // Split from here on ...
  uint64_t part = 0;   // ... into parts of this.
  uint64_t small = 0;  // What counts as small.

  [[nodiscard]] bool WouldSplitAgain(uint64_t sum) const {
    if (sum < max) return false;
    const uint64_t rest = sum % part;
    return rest > 0 && rest <= small;
  }
};

class MergeChecker {
 public:
  MergeChecker(const PlanContext& context, const Region& region, Decision& decision)
      : context_(context), options_(context.options), region_(region), decision_(decision) {}

  void Check() {
    if (auto refusal = RefuseRegion()) return decision_.Refuse(*std::move(refusal));
    std::optional<Region> target = Candidate(context_.view.NextRegion(region_));
    if (!options_.enable_one_way_merge) {
      std::optional<Region> previous = Candidate(context_.view.PreviousRegion(region_));
      if (previous && (!target || previous->size_mib < target->size_mib)) target = previous;
    }
    if (!target) return;
    if (auto refusal = RefuseSize(*target)) return decision_.Refuse(*std::move(refusal));
    Result<Proposal> merge =
        ProposeMerge(context_, MergeWish::kOfChecker, "merge-region", region_, *target);
    if (merge) {
      merge->why = std::to_string(region_.size_mib) + " MiB and " + std::to_string(region_.keys) +
                   " keys are small, the neighbour has " + std::to_string(target->size_mib) +
                   " MiB";
    }
    decision_.Take(region_.id, std::move(merge));
  }

 private:
  [[nodiscard]] std::optional<Refusal> RefuseRegion() const {
    if (auto refusal = RefuseUnhealthyRegion(region_)) return refusal;
    const Millis known = context_.now - context_.view.KnownSince();
    if (known < options_.split_merge_interval) {
      return Refuse(Reason::kKnownTooShort, region_, SecondsOf(known),
                    SecondsOf(options_.split_merge_interval));
    }
    if (auto refusal = RefuseRecentSplit(region_)) return refusal;
    if (!context_.Fit(region_).IsSatisfied()) return Refuse(Reason::kRegionNotReplicated, region_);
    if (context_.view.IsHot(region_)) return Refuse(Reason::kRegionHot, region_);
    return {};
  }

  [[nodiscard]] std::optional<Refusal> RefuseRecentSplit(const Region& region) const {
    const std::optional<Instant> split = context_.view.LastSplit(region.id);
    if (!split) return {};
    const Millis age = context_.now - *split;
    if (age >= options_.split_merge_interval) return {};
    return Refuse(Reason::kRegionSplitRecently, region, SecondsOf(age),
                  SecondsOf(options_.split_merge_interval));
  }

  /// The neighbour if the region may go into it.
  std::optional<Region> Candidate(std::optional<Region> neighbour) {
    if (!neighbour) return {};
    auto refusal = RefuseNeighbour(*neighbour);
    if (!refusal) return neighbour;
    decision_.Refuse(*std::move(refusal));
    return {};
  }

  [[nodiscard]] std::optional<Refusal> RefuseNeighbour(const Region& neighbour) const {
    if (auto refusal = RefuseUnhealthyRegion(neighbour)) return refusal;
    if (auto refusal = RefuseRecentSplit(neighbour)) return refusal;
    if (auto refusal = RefuseMerge(context_, region_, neighbour)) return refusal;
    if (WitnessesDiffer(region_, neighbour)) return Refuse(Reason::kRegionWitness, neighbour);
    if (LeavesGroup(neighbour)) return Refuse(Reason::kRegionAffinity, neighbour);
    for (const Peer& peer : neighbour.peers) {
      if (region_.PeerOnStore(peer.store) != nullptr) continue;
      // Where the region has to go first. A store that is only not heard counts too: the move would be given up half
      // way, and begun again.
      const Store* store = context_.view.FindStore(peer.store);
      if (store == nullptr) {
        return Refusal{Reason::kStoreUnknown, peer.store, neighbour.id, 0, 0, "of the neighbour"};
      }
      auto refusal = RefuseBasicTarget(context_, *store);
      if (!refusal) continue;
      refusal->region = neighbour.id;
      refusal->detail = "of the neighbour";
      return refusal;
    }
    if (!context_.Fit(neighbour).IsSatisfied()) {
      return Refuse(Reason::kRegionNotReplicated, neighbour);
    }
    if (context_.view.IsHot(neighbour)) return Refuse(Reason::kRegionHot, neighbour);
    if (context_.busy_regions.contains(neighbour.id)) {
      return Refuse(Reason::kOperatorExists, neighbour);
    }
    // Else the region would follow it to places that it is about to leave.
    if (!RepairRegion(context_, neighbour).proposals.empty()) {
      Refusal refusal = Refuse(Reason::kRegionNotReplicated, neighbour);
      refusal.detail = "it is about to move";
      return refusal;
    }
    return {};
  }

  /// The region is where its affinity group wants it, the neighbour is not yet.
  [[nodiscard]] bool LeavesGroup(const Region& neighbour) const {
    if (options_.affinity_schedule_limit == 0) return false;  // Nothing brings it there.
    const AffinityGroups::value_type* group = context_.AffinityOf(region_);
    return group != nullptr && group->second.AllowsAffinity() && group->second.Holds(region_) &&
           !group->second.Holds(neighbour);
  }

  [[nodiscard]] std::optional<Refusal> RefuseSize(const Region& target) const {
    const uint64_t target_max =
        std::max(kTargetSizeMinMib, kTargetRegionsMax * options_.region_max_size_mib);
    if (target.size_mib > target_max) {
      return Refuse(Reason::kRegionTooLarge, target, static_cast<double>(target.size_mib),
                    static_cast<double>(target_max));
    }
    const SplitBounds by_size{options_.region_max_size_mib, options_.region_split_size_mib,
                              options_.max_merge_region_size_mib};
    const uint64_t size = region_.size_mib + target.size_mib;
    if (by_size.WouldSplitAgain(size)) {
      return Refuse(Reason::kRegionTooLarge, target, static_cast<double>(size),
                    static_cast<double>(options_.region_max_size_mib));
    }
    const SplitBounds by_keys{options_.region_max_keys, options_.region_split_keys,
                              options_.max_merge_region_keys};
    const uint64_t keys = region_.keys + target.keys;
    if (!by_keys.WouldSplitAgain(keys)) return {};
    Refusal refusal = Refuse(Reason::kRegionTooLarge, target, static_cast<double>(keys),
                             static_cast<double>(options_.region_max_keys));
    refusal.detail = "keys";
    return refusal;
  }

  const PlanContext& context_;
  const ScheduleOptions& options_;
  const Region& region_;
  Decision& decision_;
};

}  // namespace

std::optional<Refusal> RefuseMerge(const PlanContext& context, const Region& region,
                                   const Region& neighbour) {
  const auto refuse = [&](const char* why) {
    Refusal refusal = Refuse(Reason::kMergeBoundary, region);
    refusal.detail = "region " + std::to_string(neighbour.id.value) + ": " + why;
    return refusal;
  };
  const Region joined = Joined(region, neighbour);
  if (!context.rules.BoundsInside(joined, 1).empty()) return refuse("placement rules differ");
  if (!context.labels.BoundsInside(joined, 1).empty()) return refuse("labels differ");
  for (const Region* one : {&region, &neighbour}) {
    if (context.labels.LabelOf(*one, kMergeLabel, context.unix_ns) == kDeny) {
      return refuse("labelled merge_option=deny");
    }
  }
  if (context.options.merge_within_table &&
      TableOfKey(region.start_key) != TableOfKey(neighbour.start_key)) {
    return refuse("another table");
  }
  return {};
}

Decision CheckMerge(const PlanContext& context, const Region& region) {
  Decision decision;
  if (region.HasLeader()) MergeChecker(context, region, decision).Check();
  return decision;
}

}  // namespace scheduler

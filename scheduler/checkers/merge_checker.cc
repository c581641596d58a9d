#include "scheduler/checkers/merge_checker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "scheduler/checkers/merge_target.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/merge.h"

namespace scheduler {
namespace {

constexpr uint64_t kTargetSizeMinMib = 500;  // A target of up to this size is never too large.
constexpr uint64_t kTargetRegionsMax = 4;    // Otherwise it is up to so many regions of full size.

Refusal Refuse(Reason reason, const Region& region, double value = 0, double bound = 0) {
  return {reason, StoreId{}, region.id, value, bound, {}};
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
    const std::optional<Region> target =
        ChooseMergeTarget(MergeCandidates(context_, region_), decision_,
                          [&](const Region& neighbour) { return RefuseNeighbour(neighbour); });
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
    if (auto refusal = RefuseSooner(context_, Reason::kKnownTooShort, region_.id,
                                    context_.view.KnownSince(), options_.split_merge_interval)) {
      return refusal;
    }
    if (auto refusal = RefuseRecentSplit(region_)) return refusal;
    if (!context_.Fit(region_).IsSatisfied()) return Refuse(Reason::kRegionNotReplicated, region_);
    return RefuseHotRegion(context_, region_);
  }

  [[nodiscard]] std::optional<Refusal> RefuseRecentSplit(const Region& region) const {
    return RefuseSooner(context_, Reason::kRegionSplitRecently, region.id,
                        context_.view.LastSplit(region.id), options_.split_merge_interval);
  }

  [[nodiscard]] std::optional<Refusal> RefuseNeighbour(const Region& neighbour) const {
    if (auto refusal = RefuseRecentSplit(neighbour)) return refusal;
    if (LeavesGroup(neighbour)) return Refuse(Reason::kRegionAffinity, neighbour);
    if (auto hot = RefuseHotRegion(context_, neighbour)) return hot;
    return RefuseMergeTarget(context_, region_, neighbour);
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
        std::max(kTargetSizeMinMib, kTargetRegionsMax * options_.region_bounds.max_size_mib);
    if (target.size_mib > target_max) {
      return Refuse(Reason::kRegionTooLarge, target, static_cast<double>(target.size_mib),
                    static_cast<double>(target_max));
    }
    const SplitBounds by_size{options_.region_bounds.max_size_mib,
                              options_.region_bounds.split_size_mib,
                              options_.max_merge_region_size_mib};
    const uint64_t size = region_.size_mib + target.size_mib;
    if (by_size.WouldSplitAgain(size)) {
      return Refuse(Reason::kRegionTooLarge, target, static_cast<double>(size),
                    static_cast<double>(options_.region_bounds.max_size_mib));
    }
    const SplitBounds by_keys{options_.region_bounds.max_keys, options_.region_bounds.split_keys,
                              options_.max_merge_region_keys};
    const uint64_t keys = region_.keys + target.keys;
    if (!by_keys.WouldSplitAgain(keys)) return {};
    Refusal refusal = Refuse(Reason::kRegionTooLarge, target, static_cast<double>(keys),
                             static_cast<double>(options_.region_bounds.max_keys));
    refusal.detail = "keys";
    return refusal;
  }

  const PlanContext& context_;
  const ScheduleOptions& options_;
  const Region& region_;
  Decision& decision_;
};

}  // namespace

Decision CheckMerge(const PlanContext& context, const Region& region) {
  Decision decision;
  if (region.HasLeader()) MergeChecker(context, region, decision).Check();
  return decision;
}

}  // namespace scheduler

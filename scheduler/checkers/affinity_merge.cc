#include "scheduler/checkers/affinity_merge.h"

#include <string>
#include <utility>
#include <vector>

#include "scheduler/checkers/merge_target.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/merge.h"

namespace scheduler {
namespace {

constexpr Millis kRest = Seconds{60};

class AffinityMerger {
 public:
  AffinityMerger(const PlanContext& context, const Region& region,
                 const AffinityGroups::value_type& group)
      : context_(context),
        region_(region),
        group_(group),
        size_max_mib_(context.options.max_affinity_merge_region_size_mib) {}

  Decision Run() {
    if (!Fits(region_.size_mib, region_.keys)) return {};
    if (auto refusal = RefuseYoungServer()) {
      decision_.Refuse(*std::move(refusal));
    } else if (auto recent = RefuseRecentMerge(region_)) {
      decision_.Refuse(*std::move(recent));
    } else if (const auto target = ChooseMergeTarget(
                   Siblings(), decision_,
                   [&](const Region& neighbour) { return RefuseNeighbour(neighbour); })) {
      Propose(*target);
    }
    return std::move(decision_);
  }

 private:
  [[nodiscard]] bool Fits(uint64_t size_mib, uint64_t keys) const {
    return size_mib <= size_max_mib_ &&
           (keys + kAffinityKeysPerMib - 1) / kAffinityKeysPerMib <= size_max_mib_;
  }

  [[nodiscard]] std::optional<Refusal> RefuseYoungServer() const {
    return RefuseSooner(context_, Reason::kKnownTooShort, region_.id, context_.view.KnownSince(),
                        kRest);
  }
  [[nodiscard]] std::optional<Refusal> RefuseRecentMerge(const Region& region) const {
    return RefuseSooner(context_, Reason::kRegionMergedRecently, region.id,
                        context_.view.LastMerge(region.id), kRest);
  }

  /// The neighbours that are of the group too, and where it wants them. That others are not is nothing to speak of.
  [[nodiscard]] std::vector<Region> Siblings() const {
    std::vector<Region> siblings = MergeCandidates(context_, region_);
    std::erase_if(siblings, [&](const Region& neighbour) {
      const AffinityGroups::value_type* group = context_.AffinityOf(neighbour);
      return group == nullptr || group->first != group_.first || !group_.second.Holds(neighbour);
    });
    return siblings;
  }

  [[nodiscard]] std::optional<Refusal> RefuseNeighbour(const Region& neighbour) const {
    if (auto refusal = RefuseSum(neighbour)) return refusal;
    if (auto refusal = RefuseRecentMerge(neighbour)) return refusal;
    return RefuseMergeTarget(context_, region_, neighbour);
  }

  [[nodiscard]] std::optional<Refusal> RefuseSum(const Region& neighbour) const {
    const uint64_t size = region_.size_mib + neighbour.size_mib;
    const uint64_t keys = region_.keys + neighbour.keys;
    if (Fits(size, keys)) return {};
    Refusal refusal{Reason::kRegionTooLarge, {}, neighbour.id, 0, 0, {}};
    if (size > size_max_mib_) {
      refusal.value = static_cast<double>(size);
      refusal.bound = static_cast<double>(size_max_mib_);
    } else {
      refusal.value = static_cast<double>(keys);
      refusal.bound = static_cast<double>(size_max_mib_ * kAffinityKeysPerMib);
      refusal.detail = "keys";
    }
    return refusal;
  }

  void Propose(const Region& target) {
    Result<Proposal> merge =
        ProposeMerge(context_, MergeWish::kOfAffinity, "affinity-merge-region", region_, target);
    if (merge) {
      merge->why = "both are of group " + group_.first + ", " +
                   std::to_string(region_.size_mib + target.size_mib) + " of at most " +
                   std::to_string(size_max_mib_) + " MiB";
    }
    decision_.Take(region_.id, std::move(merge));
  }

  const PlanContext& context_;
  const Region& region_;
  const AffinityGroups::value_type& group_;
  const uint64_t size_max_mib_;
  Decision decision_;
};

}  // namespace

Decision CheckAffinityMerge(const PlanContext& context, const Region& region,
                            const AffinityGroups::value_type& group) {
  const ScheduleOptions& options = context.options;
  if (options.max_affinity_merge_region_size_mib == 0 || options.max_merge_region_size_mib == 0 ||
      options.merge_schedule_limit == 0) {
    return {};
  }
  return AffinityMerger(context, region, group).Run();
}

}  // namespace scheduler

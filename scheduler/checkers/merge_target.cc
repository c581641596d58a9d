#include "scheduler/checkers/merge_target.h"

#include <string>
#include <utility>

#include "scheduler/checkers/checkers.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/model/table_key.h"

namespace scheduler {
namespace {

constexpr const char* kMergeLabel = "merge_option";
constexpr const char* kDeny = "deny";

Refusal Refuse(Reason reason, const Region& region) {
  return {reason, StoreId{}, region.id, 0, 0, {}};
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

/// Of the neighbour's stores that the region has to go to first. A store that is only not heard counts too: the move
/// would be given up half way, and begun again.
std::optional<Refusal> RefuseStores(const PlanContext& context, const Region& region,
                                    const Region& neighbour) {
  for (const Peer& peer : neighbour.peers) {
    if (region.PeerOnStore(peer.store) != nullptr) continue;
    const Store* store = context.view.FindStore(peer.store);
    auto refusal = store == nullptr ? Refusal{Reason::kStoreUnknown, peer.store, {}, 0, 0, {}}
                                    : RefuseBasicTarget(context, *store);
    if (!refusal) continue;
    refusal->region = neighbour.id;
    refusal->detail = "of the neighbour";
    return refusal;
  }
  return {};
}

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

std::optional<Refusal> RefuseMergeTarget(const PlanContext& context, const Region& region,
                                         const Region& neighbour) {
  if (auto refusal = RefuseUnhealthyRegion(neighbour)) return refusal;
  if (auto refusal = RefuseMerge(context, region, neighbour)) return refusal;
  if (auto refusal = RefuseStores(context, region, neighbour)) return refusal;
  if (!context.Fit(neighbour).IsSatisfied()) {
    return Refuse(Reason::kRegionNotReplicated, neighbour);
  }
  if (context.busy_regions.contains(neighbour.id)) {
    return Refuse(Reason::kOperatorExists, neighbour);
  }
  // Else the region would follow it to places that it is about to leave.
  if (!RepairRegion(context, neighbour).proposals.empty()) {
    Refusal refusal = Refuse(Reason::kRegionNotReplicated, neighbour);
    refusal.detail = "it is about to move";
    return refusal;
  }
  return {};
}

std::vector<Region> MergeCandidates(const PlanContext& context, const Region& region) {
  std::vector<Region> candidates;
  if (auto next = context.view.NextRegion(region)) candidates.push_back(*std::move(next));
  if (context.options.enable_one_way_merge) return candidates;
  if (auto previous = context.view.PreviousRegion(region)) {
    candidates.push_back(*std::move(previous));
  }
  return candidates;
}

std::optional<Region> ChooseMergeTarget(
    std::vector<Region> candidates, Decision& decision,
    const std::function<std::optional<Refusal>(const Region&)>& refuse) {
  std::optional<Region> target;
  for (Region& candidate : candidates) {
    if (auto refusal = refuse(candidate)) {
      decision.Refuse(*std::move(refusal));
    } else if (!target || candidate.size_mib < target->size_mib) {
      target = std::move(candidate);
    }
  }
  return target;
}

}  // namespace scheduler

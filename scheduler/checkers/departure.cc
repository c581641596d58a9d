#include "scheduler/checkers/departure.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "scheduler/checkers/checkers.h"
#include "scheduler/checkers/peer_state.h"
#include "scheduler/checkers/store_selector.h"
#include "scheduler/filters/store_filter.h"

namespace scheduler {
namespace {

constexpr std::array<const char*, kDepartureStateCount> kTexts = {"under-way", "ready", "waiting",
                                                                  "blocked"};

/// Heartbeats bring an end to these, or checkers do.
bool Passes(Reason reason) {
  switch (reason) {
    case Reason::kTargetsBusy:
    case Reason::kRegionPendingPeers:
    case Reason::kRegionDownPeers:
    case Reason::kRegionJointState:
    case Reason::kRegionNotReplicated:
      return true;
    default:
      return false;
  }
}

/// The rule that the peer serves finds no store in its place, or lacks another peer and finds none for that.
std::optional<Departure> WithoutTarget(const PlanContext& context, const Region& region,
                                       StoreId store) {
  const RegionFit fit = context.Fit(region);
  const RuleFit* own = fit.FitOf(region.PeerOnStore(store)->id);
  if (own == nullptr) return std::nullopt;
  const std::vector<const Store*> others = StoresOf(context.view, own->peers);
  const StoreSelector selector(context, region, *own->rule,
                               NewPeerLike(WantsWitness(context, *own->rule)));
  Selection selection = own->peers.size() < own->rule->count ? selector.ToAdd(others)
                                                             : selector.ToReplace(others, store);
  if (selection.store != nullptr) return std::nullopt;
  Departure departure;
  departure.cause = Refusal{selection.blocked_for_now ? Reason::kTargetsBusy : Reason::kNoTarget,
                            StoreId{},
                            region.id,
                            static_cast<double>(own->peers.size()),
                            static_cast<double>(own->rule->count),
                            own->rule->group_id + "/" + own->rule->id};
  departure.rule = own->rule;
  departure.passed_over = std::move(selection.refusals);
  return departure;
}

/// What keeps the region from being repaired at all.
Refusal CauseOf(const Region& region, const Decision& decision) {
  for (const Refusal& refusal : decision.refusals) {
    if (!refusal.store) return refusal;
  }
  if (auto unhealthy = RefuseUnhealthyRegion(region)) return *unhealthy;
  if (!decision.refusals.empty()) return decision.refusals.front();
  return {Reason::kRegionNotReplicated, StoreId{}, region.id, 0, 0, {}};
}

}  // namespace

const char* DepartureText(DepartureState state) { return kTexts[static_cast<size_t>(state)]; }

Departure ExplainDeparture(const PlanContext& context, const Region& region, StoreId store) {
  Departure departure;
  if (context.busy_regions.contains(region.id)) {
    departure.state = DepartureState::kUnderWay;
    return departure;
  }
  const Decision decision = RepairRegion(context, region);
  if (!decision.proposals.empty()) return departure;
  const bool checked = region.HasLeader() && !region.InJointState();
  if (auto stuck = checked ? WithoutTarget(context, region, store) : std::nullopt) {
    departure = *std::move(stuck);
  } else {
    departure.cause = CauseOf(region, decision);
  }
  departure.state =
      Passes(departure.cause->reason) ? DepartureState::kWaiting : DepartureState::kBlocked;
  return departure;
}

}  // namespace scheduler

#include "scheduler/checkers/store_selector.h"

#include <utility>

#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

constexpr double kNothingToBeat = -1;

std::vector<const Store*> Without(std::span<const Store* const> stores, StoreId left_out) {
  std::vector<const Store*> rest;
  for (const Store* store : stores) {
    if (store->id != left_out) rest.push_back(store);
  }
  return rest;
}

}  // namespace

std::optional<Refusal> StoreSelector::RefuseAtAnyTime(const Store& store,
                                                      std::span<const Store* const> others) const {
  const auto refuse = [&](Reason reason) {
    return Refusal{reason, store.id, region_.id, 0, 0, {}};
  };
  if (region_.PeerOnStore(store.id) != nullptr) return refuse(Reason::kStoreHoldsPeer);
  if (!MatchesConstraints(store, rule_.constraints)) return refuse(Reason::kStoreLabels);
  if (auto refusal = RefuseRegionTarget(context_, store, Patience::kMayWait)) {
    return refusal;
  }
  if (auto refusal = RefuseLowSpace(context_, store)) return refusal;
  if (auto refusal = RefuseSpecialUse(store)) return refusal;
  return RefuseIsolation(rule_, others, store);
}

std::optional<Refusal> StoreSelector::RefuseNow(const Store& store) const {
  if (new_peer_ == NewPeer::kWitness) return RefuseBasicTarget(context_, store);
  return RefuseRegionTarget(context_, store);
}

Selection StoreSelector::Select(std::span<const Store* const> others, double score_to_beat) const {
  Selection selection;
  std::vector<const Store*> best;
  double best_score = score_to_beat;
  for (const Store& store : context_.view.stores()) {
    if (auto refusal = RefuseAtAnyTime(store, others)) {
      selection.refusals.push_back(std::move(*refusal));
      continue;
    }
    const double score = DistinctScore(rule_.location_labels, others, store);
    if (score <= score_to_beat || score < best_score) {
      selection.refusals.push_back(
          {Reason::kStoreWorseLocation, store.id, region_.id, score, best_score, {}});
      continue;
    }
    if (score > best_score) best.clear();
    best_score = score;
    best.push_back(&store);
  }
  double lowest = 0;
  for (const Store* store : best) {
    if (auto refusal = RefuseNow(*store)) {
      selection.refusals.push_back(std::move(*refusal));
      continue;
    }
    const double score = context_.RegionScore(*store, 0);
    if (selection.store == nullptr || score < lowest) {
      selection.store = store;
      lowest = score;
    }
  }
  selection.blocked_for_now = selection.store == nullptr && !best.empty();
  return selection;
}

Selection StoreSelector::ToAdd(std::span<const Store* const> others) const {
  return Select(others, kNothingToBeat);
}

Selection StoreSelector::ToReplace(std::span<const Store* const> others, StoreId old_store) const {
  return Select(Without(others, old_store), kNothingToBeat);
}

Selection StoreSelector::ToImprove(std::span<const Store* const> others,
                                   const Store& old_store) const {
  const std::vector<const Store*> rest = Without(others, old_store.id);
  return Select(rest, DistinctScore(rule_.location_labels, rest, old_store));
}

const Store* StoreSelector::Take(Selection selection, size_t have, Decision& decision) const {
  if (selection.store != nullptr) return selection.store;
  for (Refusal& refusal : selection.refusals) decision.Refuse(std::move(refusal));
  decision.Refuse({selection.blocked_for_now ? Reason::kTargetsBusy : Reason::kNoTarget, StoreId{},
                   region_.id, static_cast<double>(have), static_cast<double>(rule_.count),
                   rule_.group_id + "/" + rule_.id});
  decision.look_again_soon |= selection.blocked_for_now;
  return nullptr;
}

const Store* SelectStoreToLeave(const PlanContext& context, const Rule& rule,
                                std::span<const Store* const> stores) {
  const Store* worst = nullptr;
  std::pair<double, double> worst_rank;
  for (const Store* store : stores) {
    if (RefuseRegionSource(context, *store)) continue;
    const std::pair rank(DistinctScore(rule.location_labels, stores, *store),
                         -context.RegionScore(*store, 0));
    if (worst == nullptr || rank < worst_rank) {
      worst = store;
      worst_rank = rank;
    }
  }
  return worst;
}

void RefuseToLeave(const PlanContext& context, std::span<const Store* const> stores,
                   Decision& decision) {
  for (const Store* store : stores) {
    if (auto refusal = RefuseRegionSource(context, *store)) decision.Refuse(*std::move(refusal));
  }
}

}  // namespace scheduler

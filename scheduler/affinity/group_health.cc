#include "scheduler/affinity/group_health.h"

#include <utility>

#include "scheduler/filters/store_filter.h"

namespace scheduler {
namespace {

std::optional<Refusal> FindEnd(const PlanContext& context, StoreId id) {
  const auto because = [&](Reason reason) { return Refusal{reason, id, RegionId{}, 0, 0, {}}; };
  const Store* store = context.view.FindStore(id);
  if (store == nullptr) return because(Reason::kStoreUnknown);
  if (store->state == StoreState::kTombstone || store->IsRemoved()) {
    return because(Reason::kStoreTombstone);
  }
  if (store->IsRemoving() || store->physically_destroyed) return because(Reason::kStoreRemoving);
  if (!store->has_stats || !store->IsUnhealthy(context.now)) return {};
  Refusal silent = because(Reason::kStoreDown);
  silent.value = SecondsOf(store->DownTime(context.now));
  silent.bound = SecondsOf(kStoreUnhealthy);
  return silent;
}

std::optional<Refusal> FindDelay(const PlanContext& context, const Store& store) {
  if (store.IsDisconnected(context.now)) {
    Refusal silent{Reason::kStoreNotConnected, store.id, RegionId{}, 0, 0, {}};
    if (store.last_heartbeat) silent.value = SecondsOf(store.DownTime(context.now));
    silent.bound = SecondsOf(kStoreDisconnected);
    return silent;
  }
  if (store.IsPreparing()) return Refusal{Reason::kStorePreparing, store.id, RegionId{}, 0, 0, {}};
  return RefuseLowSpace(context, store);
}

}  // namespace

std::optional<StoreTrouble> WorstTrouble(const PlanContext& context, const AffinityStores& stores) {
  std::optional<StoreTrouble> worst;
  for (const StoreId id : stores.voters) {
    if (auto end = FindEnd(context, id)) {
      return StoreTrouble{Availability::kExpired, *std::move(end)};
    }
    if (worst) continue;
    const Store& store = *context.view.FindStore(id);
    auto delay = FindDelay(context, store);
    if (!delay && id == stores.leader) delay = RefuseLeaderTarget(context, store);
    if (delay) worst = StoreTrouble{Availability::kDegraded, *std::move(delay)};
  }
  return worst;
}

GroupHealth AfterLook(const GroupHealth& before, const std::optional<StoreTrouble>& trouble,
                      Instant now) {
  if (before.availability == Availability::kExpired) return before;
  const bool degraded = before.availability == Availability::kDegraded;
  const bool too_long = degraded && now - before.degraded_since >= kDegradedMax;
  if (too_long || (trouble && trouble->leads_to == Availability::kExpired)) {
    return {Availability::kExpired, {}};
  }
  if (!trouble) return {};
  return degraded ? before : GroupHealth{Availability::kDegraded, now};
}

}  // namespace scheduler

#include "scheduler/filters/store_filter.h"

#include <algorithm>
#include <string_view>

#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

using Verdict = std::optional<Refusal>;

Refusal Refuse(Reason reason, const Store& store, double value = 0, double bound = 0) {
  return Refusal{reason, store.id, RegionId{}, value, bound, {}};
}

Verdict IfTombstone(const Store& store) {
  if (store.state == StoreState::kTombstone) return Refuse(Reason::kStoreTombstone, store);
  return {};
}

Verdict IfRemoving(const Store& store) {
  if (store.IsRemoving() || store.IsRemoved()) return Refuse(Reason::kStoreRemoving, store);
  return {};
}

Verdict IfDown(const PlanContext& context, const Store& store) {
  const Millis age = store.DownTime(context.now);
  if (age <= context.options.max_store_down_time) return {};
  return Refuse(Reason::kStoreDown, store, SecondsOf(age),
                SecondsOf(context.options.max_store_down_time));
}

Verdict IfDisconnected(const PlanContext& context, const Store& store) {
  if (!store.IsDisconnected(context.now)) return {};
  return Refuse(Reason::kStoreNotConnected, store, SecondsOf(store.DownTime(context.now)),
                SecondsOf(kStoreDisconnected));
}

Verdict IfBusy(const Store& store) {
  if (store.stats.busy) return Refuse(Reason::kStoreBusy, store);
  return {};
}

Verdict IfSnapshots(const PlanContext& context, const Store& store) {
  const uint64_t bound = context.options.max_snapshot_count;
  const uint64_t most = std::max(store.stats.sending_snapshots, store.stats.receiving_snapshots);
  if (most <= bound) return {};
  return Refuse(Reason::kStoreSnapshots, store, static_cast<double>(most),
                static_cast<double>(bound));
}

Verdict IfPendingPeers(const PlanContext& context, const Store& store) {
  const uint64_t bound = context.options.max_pending_peer_count;
  if (bound == 0 || store.counts.pending <= bound) return {};
  return Refuse(Reason::kStorePendingPeers, store, static_cast<double>(store.counts.pending),
                static_cast<double>(bound));
}

Verdict IfNoRoom(Reason reason, const Store& store, int64_t room) {
  if (room >= kNormalRegionCost) return {};
  return Refuse(reason, store, static_cast<double>(room), static_cast<double>(kNormalRegionCost));
}

Verdict IfEvicted(const Store& store) {
  if (store.pauses.slow_evicted > 0) return Refuse(Reason::kStoreSlow, store);
  if (store.pauses.stopping_evicted > 0) return Refuse(Reason::kStoreStopping, store);
  if (store.pauses.slow_trend_evicted > 0) return Refuse(Reason::kStoreSlowTrend, store);
  return {};
}

}  // namespace

bool RejectsLeaders(const PlanContext& context, const Store& store) {
  return std::ranges::any_of(context.options.reject_leader_labels, [&](const StoreLabel& label) {
    return store.Label(label.key) == label.value && !label.value.empty();
  });
}

Verdict RefuseLeaderSource(const PlanContext& context, const Store& store) {
  if (auto refusal = IfTombstone(store)) return refusal;
  if (auto refusal = IfDown(context, store)) return refusal;
  if (store.pauses.leader_transfer_out > 0) return Refuse(Reason::kStoreTransferOutPaused, store);
  return IfDisconnected(context, store);
}

Verdict RefuseLeaderTarget(const PlanContext& context, const Store& store) {
  if (auto refusal = IfTombstone(store)) return refusal;
  if (auto refusal = IfRemoving(store)) return refusal;
  if (auto refusal = IfDown(context, store)) return refusal;
  if (store.pauses.leader_transfer_in > 0) return Refuse(Reason::kStoreTransferInPaused, store);
  if (auto refusal = IfEvicted(store)) return refusal;
  if (auto refusal = IfDisconnected(context, store)) return refusal;
  if (auto refusal = IfBusy(store)) return refusal;
  if (RejectsLeaders(context, store)) return Refuse(Reason::kStoreRejectsLeaders, store);
  return {};
}

std::optional<Refusal> RefuseLeaderByRules(const PlanContext& context, const Region& region,
                                           const Store& store) {
  if (AllowLeader(context.rules.RulesFor(region), store)) return {};
  return Refusal{Reason::kStorePlacement, store.id, region.id, 0, 0, {}};
}

std::optional<Refusal> RefuseLeaderMove(const PlanContext& context, const Region& region,
                                        const Store& to) {
  if (auto refusal = RefuseLeaderByRules(context, region, to)) return refusal;
  const bool indifferent =
      std::ranges::all_of(context.rules.RulesFor(region), [](const Rule* rule) {
        return rule->role == RuleRole::kVoter || rule->role == RuleRole::kLearner;
      });
  const Peer* peer = region.PeerOnStore(to.id);
  if (indifferent || peer == nullptr) return {};
  Region moved = region;
  moved.leader = *peer;
  const auto misfits = [&](const Region& one) {
    size_t count = 0;
    for (const RuleFit& fit : context.Fit(one).rule_fits) count += fit.different_role.size();
    return count;
  };
  const size_t before = misfits(region);
  const size_t after = misfits(moved);
  if (after <= before) return {};
  return Refusal{Reason::kStorePlacement,
                 to.id,
                 region.id,
                 static_cast<double>(after),
                 static_cast<double>(before),
                 "peers of another role than their rules want"};
}

Verdict RefuseRegionSource(const PlanContext& context, const Store& store) {
  if (auto refusal = IfBusy(store)) return refusal;
  if (auto refusal = IfNoRoom(Reason::kStoreRemoveLimit, store, store.room.remove_peer)) {
    return refusal;
  }
  return IfSnapshots(context, store);
}

Verdict RefuseRegionTarget(const PlanContext& context, const Store& store, Patience patience) {
  if (auto refusal = IfTombstone(store)) return refusal;
  if (auto refusal = IfRemoving(store)) return refusal;
  if (auto refusal = IfDown(context, store)) return refusal;
  if (patience == Patience::kMayWait) return {};
  if (auto refusal = IfDisconnected(context, store)) return refusal;
  if (auto refusal = IfBusy(store)) return refusal;
  if (auto refusal = IfNoRoom(Reason::kStoreAddLimit, store, store.room.add_peer)) return refusal;
  if (auto refusal = IfSnapshots(context, store)) return refusal;
  return IfPendingPeers(context, store);
}

Verdict RefuseBasicTarget(const PlanContext& context, const Store& store) {
  if (auto refusal = IfTombstone(store)) return refusal;
  if (auto refusal = IfRemoving(store)) return refusal;
  if (auto refusal = IfDown(context, store)) return refusal;
  if (auto refusal = IfDisconnected(context, store)) return refusal;
  return IfBusy(store);
}

Verdict RefuseLowSpace(const PlanContext& context, const Store& store) {
  const double ratio = context.options.low_space_ratio;
  if (!IsLowSpace(store, ratio)) return {};
  const double used = 1 - static_cast<double>(store.stats.available_bytes) /
                              static_cast<double>(store.stats.capacity_bytes);
  return Refuse(Reason::kStoreLowSpace, store, used, ratio);
}

Verdict RefuseSpecialUse(const Store& store) {
  const std::string_view use = store.Label("specialUse");
  if (use != "hotRegion" && use != "reserved") return {};
  return Refuse(Reason::kStoreSpecialUse, store);
}

Verdict RefuseIsolation(const Rule& rule, std::span<const Store* const> others,
                        const Store& store) {
  if (rule.isolation_level.empty() || rule.location_labels.empty()) return {};
  if (!others.empty() &&
      !SharesIsolationLevel(rule.location_labels, rule.isolation_level, others, store)) {
    return {};
  }
  return Refuse(Reason::kStoreIsolation, store);
}

Verdict RefuseSnapshotSender(const PlanContext& context, const Store& store, Priority priority,
                             int64_t planned_mib) {
  if (auto refusal = IfBusy(store)) return refusal;
  const int64_t room = store.room.send_snapshot[static_cast<size_t>(priority)] - planned_mib;
  if (room < kSnapshotRoomMinMib) {
    return Refuse(Reason::kStoreSendLimit, store, static_cast<double>(std::max<int64_t>(room, 0)),
                  static_cast<double>(kSnapshotRoomMinMib));
  }
  return IfSnapshots(context, store);
}

Verdict RefuseRemoval(const PlanContext& context, const Region& region, StoreId store_id,
                      uint64_t wanted) {
  uint64_t healthy = 0;
  bool removes_healthy = false;
  for (const Peer& peer : region.peers) {
    const Store* store = context.view.FindStore(peer.store);
    const bool alive = store != nullptr && !store->IsDisconnected(context.now) &&
                       store->state != StoreState::kTombstone && !region.IsDown(peer.id);
    const bool well = alive && !region.IsPending(peer.id) && !peer.witness;
    if (peer.store == store_id) {
      removes_healthy = well;
      continue;
    }
    if (well) ++healthy;
  }
  if (!removes_healthy || healthy >= wanted) return {};
  return Refusal{Reason::kRegionTooFewCopies, store_id, region.id, static_cast<double>(healthy),
                 static_cast<double>(wanted), {}};
}

Verdict RefuseRegionMove(const Region& region) {
  const auto refuse = [&](Reason reason, size_t value) {
    return Refusal{reason, StoreId{}, region.id, static_cast<double>(value), 0, {}};
  };
  if (!region.HasLeader()) return refuse(Reason::kRegionNoLeader, 0);
  if (region.InJointState()) return refuse(Reason::kRegionJointState, 0);
  if (!region.down_peers.empty()) {
    return refuse(Reason::kRegionDownPeers, region.down_peers.size());
  }
  return {};
}

Verdict RefuseUnhealthyRegion(const Region& region) {
  if (auto refusal = RefuseRegionMove(region)) return refusal;
  if (region.pending_peers.empty()) return {};
  return Refusal{Reason::kRegionPendingPeers,
                 StoreId{},
                 region.id,
                 static_cast<double>(region.pending_peers.size()),
                 0,
                 {}};
}

Verdict RefuseHotRegion(const PlanContext& context, const Region& region) {
  if (!context.view.IsHot(region)) return {};
  return Refusal{Reason::kRegionHot, StoreId{}, region.id, 0, 0, {}};
}

Verdict RefuseBusyRegion(const PlanContext& context, const Region& region) {
  if (!context.busy_regions.contains(region.id)) return {};
  return Refusal{Reason::kOperatorExists, StoreId{}, region.id, 0, 0, {}};
}

Verdict RefuseAffinityRegion(const PlanContext& context, const Region& region) {
  const auto* group = context.AffinityOf(region);
  if (group == nullptr || group->second.AllowsBalance()) return {};
  return Refusal{Reason::kRegionAffinity, StoreId{}, region.id, 0, 0, "group " + group->first};
}

std::optional<Refusal> RefuseSooner(const PlanContext& context, Reason reason, RegionId region,
                                    std::optional<Instant> happened, Millis rest) {
  if (!happened || context.now - *happened >= rest) return {};
  return Refusal{reason,          StoreId{}, region, SecondsOf(context.now - *happened),
                 SecondsOf(rest), {}};
}

std::optional<Refusal> RefuseMovedBack(const PlanContext& context, MovedThing what, RegionId region,
                                       StoreId target) {
  const auto away = context.moved.AwayFrom(what, region, target, context.now);
  if (!away) return {};
  return Refusal{Reason::kMovedRecently, target, region, SecondsOf(away->since),
                 SecondsOf(away->until), {}};
}

}  // namespace scheduler

// The part of StoreTable that moves stores through their states (as in the reference).
#include <algorithm>

#include <fmt/format.h>

#include "pd/cluster/store_rules.h"
#include "pd/cluster/store_table.h"

namespace pd {
namespace {

using scheduler::NodeState;
using scheduler::Store;
using scheduler::StoreId;
using scheduler::StoreState;

constexpr Millis kWriteTimeout{3000};
/// A cluster with fewer regions than this takes new stores as ready at once.
constexpr size_t kFewRegions = 100;
constexpr scheduler::Millis kTombstoneKept = std::chrono::hours(24 * 30);
/// A new store is ready with this part of what it would hold if all were even.
constexpr double kReadyShare = 0.9;
/// Regions that one round looks at to tell the sizes of ranges, and the least in each.
constexpr size_t kSizedRegions = 262'144;
constexpr size_t kSizedRegionsMin = 64;

void SetState(Store& store, StoreState state, NodeState node_state) {
  store.state = state;
  store.node_state = node_state;
}

constexpr double kUnlimitedRate = scheduler::StoreLimitRates::kUnlimitedRate;

bool IsLifted(const StoreLimitConfig& limit) { return limit.remove_peer == kUnlimitedRate; }

/// Neither buried nor destroyed.
Result<void> CheckPresent(const Store& store) {
  if (store.IsRemoved()) {
    return Fail(ErrorCode::kConflict,
                fmt::format("[PD:core:ErrStoreRemoved]store {} has been removed", store.id.value));
  }
  if (store.physically_destroyed) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("[PD:core:ErrStoreDestroyed]store {} has been physically destroyed",
                            store.id.value));
  }
  return {};
}

/// The size of the regions in a range; where there are more than `regions_max`, as if the others were like those.
uint64_t SizeMibOf(const RegionTable& regions, const scheduler::KeyRange& range,
                   size_t regions_max) {
  if (range.start.empty() && range.end.empty()) return regions.total_size_mib();
  uint64_t seen = 0;
  uint64_t size_mib = 0;
  regions.Visit(range, [&](const scheduler::Region& region) {
    size_mib += region.size_mib;
    return ++seen < regions_max;
  });
  const uint64_t all = seen < regions_max ? seen : regions.Count(range);
  return all <= seen ? size_mib : size_mib * all / seen;
}

std::vector<scheduler::RuleLoad> LoadsOf(const RegionTable& regions,
                                         const scheduler::RuleBook& rules) {
  const size_t regions_max = std::max(kSizedRegionsMin, kSizedRegions / rules.Ranges().size());
  return scheduler::LoadsOf(rules, [&](const scheduler::KeyRange& range) {
    return SizeMibOf(regions, range, regions_max);
  });
}

}  // namespace

Result<void> StoreTable::CheckRemove(const Store& store) const {
  if (store.IsTiFlash() || store.physically_destroyed) return {};
  const auto config = deps_.config.online();
  uint64_t up = 0;
  bool leaders_welcome = false;
  for (const Store& other : All()) {
    if (!other.IsUp() || other.IsTiFlash() || other.id == store.id) continue;
    ++up;
    leaders_welcome |= other.pauses.leader_transfer_in == 0;
  }
  if (up < config->replication.max_replicas) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("[PD:core:ErrStoresNotEnough]can not remove store {} since the number of "
                    "up stores would be {} while need {}",
                    store.id.value, up, config->replication.max_replicas));
  }
  if (!leaders_welcome) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("[PD:core:ErrNoStoreForRegionLeader]can not remove store {} since there "
                    "are no extra up store to store the leader",
                    store.id.value));
  }
  return {};
}

Result<void> StoreTable::Remove(StoreId id, Destroyed destroyed) {
  bool left = false;
  auto changed = Change(id, [&](Store& store) -> Result<void> {
    const bool physically = destroyed == Destroyed::kPhysically;
    if (store.IsRemoving() && store.physically_destroyed == physically) return {};
    if (auto checked = CheckPresent(store); !checked) return checked;
    store.physically_destroyed = physically;
    if (auto checked = CheckRemove(store); !checked) return checked;
    left = store.IsUp();
    SetState(store, StoreState::kOffline, NodeState::kRemoving);
    return {};
  });
  if (!changed) return changed;
  if (left) progress_.Forget(id);                          // It takes its share no more.
  if (NodeStateOf(id) != NodeState::kRemoving) return {};  // Buried already.
  return LiftRemoveLimit(id, left ? Lift::kNow : Lift::kAgain);
}

/// A store on its way out gives its peers away as fast as it can; what the limits were is kept for a return. Where they
/// were lifted before, another limit is what somebody has set since.
Result<void> StoreTable::LiftRemoveLimit(StoreId id, Lift lift) {
  {
    const ReadLock lock(mutex_);
    const auto entry = stores_.find(id);
    if (entry == stores_.end() || entry->second.limit_before_removal) return {};
  }
  std::optional<StoreLimitConfig> before;
  auto lifted = deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    const auto limit = config.schedule.store_limit.find(id.value);
    if (limit == config.schedule.store_limit.end()) return {};
    // Without a limit before, it has none after a return either; done again, it was lifted by an earlier leader.
    if (lift == Lift::kAgain && IsLifted(limit->second)) return {};
    before = limit->second;
    limit->second.remove_peer = kUnlimitedRate;
    return {};
  });
  if (!lifted || !before) return lifted;
  const WriteLock lock(mutex_);
  const auto entry = stores_.find(id);
  if (entry != stores_.end()) entry->second.limit_before_removal = before;
  return {};
}

Result<void> StoreTable::Restore(StoreId id) {
  bool returned = false;
  auto changed = Change(id, [&](Store& store) -> Result<void> {
    if (auto checked = CheckPresent(store); !checked) return checked;
    returned = !store.IsUp();
    if (returned) SetState(store, StoreState::kUp, NodeState::kServing);
    return {};
  });
  if (!changed) return changed;
  if (returned) progress_.Forget(id);
  std::optional<StoreLimitConfig> before;
  {
    const ReadLock lock(mutex_);
    const auto entry = stores_.find(id);
    if (entry != stores_.end()) before = entry->second.limit_before_removal;
  }
  // Kept still: the limits of an earlier return could not be written.
  if (!returned && !before) return {};
  auto restored = deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    const auto limit = config.schedule.store_limit.find(id.value);
    if (limit == config.schedule.store_limit.end()) return {};
    // An earlier leader may have lifted the limit. What it was went with that leader's memory.
    if (!before && !IsLifted(limit->second)) return {};
    limit->second.remove_peer =
        before ? before->remove_peer : config.schedule.default_store_limit.remove_peer;
    if (before) limit->second.add_peer = before->add_peer;
    return {};
  });
  if (!restored) return restored;
  const WriteLock lock(mutex_);
  const auto entry = stores_.find(id);
  if (entry != stores_.end()) entry->second.limit_before_removal.reset();
  return {};
}

Result<void> StoreTable::Bury(StoreId id, Force force) {
  auto changed = Change(id, [&](Store& store) -> Result<void> {
    if (store.IsRemoved()) return {};
    if (store.IsUp() && (force == Force::kNo || !store.IsDisconnected(Now()))) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("[PD:core:ErrStoreIsUp]store {} is still up, please remove store gracefully",
                      id.value));
    }
    SetState(store, StoreState::kTombstone, NodeState::kRemoved);
    return {};
  });
  if (!changed) return changed;
  if (auto followed = FollowVersions(); !followed) return followed;
  return deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    config.schedule.store_limit.erase(id.value);
    return {};
  });
}

Result<void> StoreTable::Delete(StoreId id) {
  const MutexLock change(change_mutex_);
  std::optional<ClusterPaths> paths;
  uint64_t term = 0;
  {
    const ReadLock lock(mutex_);
    paths = paths_;
    term = term_;
  }
  if (!paths) return Fail(ErrorCode::kNotBootstrapped, "cluster is not bootstrapped");
  KvTxn txn;
  for (const std::string& key :
       {paths->Store(id.value), paths->LeaderWeight(id.value), paths->RegionWeight(id.value)}) {
    txn.then.emplace_back(DeleteRequest{key, {}, false});
  }
  const auto written = deps_.meta.Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected<Error>(written.error());
  const WriteLock lock(mutex_);
  stores_.erase(id);
  return {};
}

Result<std::vector<StoreId>> StoreTable::RemoveTombstones() {
  std::vector<StoreId> failed;
  for (const Store& store : All()) {
    if (!store.IsRemoved()) continue;
    if (store.counts.regions() > 0) {
      failed.push_back(store.id);
    } else if (auto deleted = Delete(store.id); !deleted) {
      return tl::unexpected<Error>(deleted.error());
    }
  }
  return failed;
}

/// A person may have turned the store round since the round of the job began.
void StoreTable::ForgetProgressUnless(StoreId id, NodeState state) {
  if (NodeStateOf(id) != state) progress_.Forget(id);
}

Result<void> StoreTable::UpdatePreparing(const Store& store, Round& round) {
  const Nanos uptime{store.last_heartbeat_unix_ns - store.start_timestamp_s * 1'000'000'000};
  bool ready = deps_.regions.size() < kFewRegions ||
               uptime >= deps_.config.online()->schedule.max_store_preparing_time;
  if (!ready) {
    if (!round.knows_peers) return {};
    if (!round.loads) round.loads = LoadsOf(deps_.regions, *deps_.rules());
    const double target_mib =
        kReadyShare * scheduler::FairShareMib(store, round.stores, *round.loads);
    const uint64_t size_mib = store.counts.region_size_mib();
    ready = static_cast<double>(size_mib) >= target_mib;
    if (!ready) {
      progress_.NotePreparing(store.id, size_mib, target_mib);
      ForgetProgressUnless(store.id, NodeState::kPreparing);
      return {};
    }
  }
  auto moved = Change(store.id, [](Store& changed) -> Result<void> {
    if (changed.IsPreparing()) changed.node_state = NodeState::kServing;
    return {};
  });
  if (moved) progress_.Complete(store.id, StoreProgress::Action::kPreparing);
  return moved;
}

Result<void> StoreTable::UpdateRemoving(const Store& store, const Round& round) {
  // A peer of this store may be unknown as yet.
  if (!round.knows_peers) return {};
  // Peers count, too: a region may be known without its size.
  if (store.counts.region_size_mib() != 0 || store.counts.regions() != 0) {
    progress_.NoteRemoving(store.id, store.counts.region_size_mib());
    ForgetProgressUnless(store.id, NodeState::kRemoving);
    return {};
  }
  auto buried = Bury(store.id, Force::kNo);
  if (buried) progress_.Complete(store.id, StoreProgress::Action::kRemoving);
  return buried;
}

Result<void> StoreTable::UpdateState(const Store& store, Round& round) {
  if (store.IsPreparing() && store.IsUp()) return UpdatePreparing(store, round);
  if (store.IsRemoving()) return UpdateRemoving(store, round);
  progress_.Forget(store.id);
  const bool old = store.last_heartbeat && store.DownTime(Now()) > kTombstoneKept;
  if (store.IsRemoved() && old && store.counts.regions() == 0) return Delete(store.id);
  return {};
}

void StoreTable::UpdateStates() {
  Round round{All(), deps_.knows_peers(), {}};
  for (const Store& store : round.stores) {
    const Result<void> updated = UpdateState(store, round);
    // A failure here means that this member leads no more, or Raft is slow: the next round tries again.
    if (!updated && updated.error().code == ErrorCode::kNotLeader) return;
  }
}

}  // namespace pd

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

void SetState(Store& store, StoreState state, NodeState node_state) {
  store.state = state;
  store.node_state = node_state;
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
  bool removing = false;
  auto changed = Change(id, [&](Store& store) -> Result<void> {
    const bool physically = destroyed == Destroyed::kPhysically;
    if (store.IsRemoving() && store.physically_destroyed == physically) return {};
    if (store.IsRemoved()) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("[PD:core:ErrStoreRemoved]store {} has been removed", id.value));
    }
    if (store.physically_destroyed) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("[PD:core:ErrStoreDestroyed]store {} has been physically destroyed",
                              id.value));
    }
    store.physically_destroyed = physically;
    if (auto checked = CheckRemove(store); !checked) return checked;
    SetState(store, StoreState::kOffline, NodeState::kRemoving);
    removing = true;
    return {};
  });
  if (!changed || !removing) return changed;
  return LiftRemoveLimit(id);
}

/// A store on its way out gives its peers away as fast as it can; what the limits were is kept for a return.
Result<void> StoreTable::LiftRemoveLimit(StoreId id) {
  return deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    const auto limit = config.schedule.store_limit.find(id.value);
    if (limit == config.schedule.store_limit.end()) return {};
    {
      const WriteLock lock(mutex_);
      const auto entry = stores_.find(id);
      if (entry != stores_.end()) entry->second.limit_before_removal = limit->second;
    }
    limit->second.remove_peer = scheduler::StoreLimitRates::kUnlimitedRate;
    return {};
  });
}

Result<void> StoreTable::Restore(StoreId id) {
  auto changed = Change(id, [&](Store& store) -> Result<void> {
    if (store.IsRemoved()) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("[PD:core:ErrStoreRemoved]store {} has been removed", id.value));
    }
    if (store.physically_destroyed) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("[PD:core:ErrStoreDestroyed]store {} has been physically destroyed",
                              id.value));
    }
    if (!store.IsUp()) SetState(store, StoreState::kUp, NodeState::kServing);
    return {};
  });
  if (!changed) return changed;
  std::optional<StoreLimitConfig> before;
  {
    const WriteLock lock(mutex_);
    const auto entry = stores_.find(id);
    if (entry != stores_.end()) before = std::exchange(entry->second.limit_before_removal, {});
  }
  if (!before) return {};
  return deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    config.schedule.store_limit[id.value] = *before;
    return {};
  });
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

bool StoreTable::IsReady(const Store& store) const {
  if (deps_.regions.size() < kFewRegions) return true;
  const auto config = deps_.config.online();
  const Nanos uptime{store.last_heartbeat_unix_ns - store.start_timestamp_s * 1'000'000'000};
  if (uptime >= config->schedule.max_store_preparing_time) return true;
  if (!deps_.knows_peers()) return false;
  // The share that the store would hold if all were even, less a tenth.
  uint64_t up = 0;
  for (const Store& other : All()) {
    if (other.IsUp() && !other.IsTiFlash()) ++up;
  }
  const uint64_t replicas = std::min<uint64_t>(config->replication.max_replicas, up);
  const uint64_t share = up == 0 ? 0 : deps_.regions.total_size_mib() * replicas / up;
  return store.counts.region_size_mib() >= share * 9 / 10;
}

void StoreTable::UpdateStates() {
  for (const Store& store : All()) {
    Result<void> moved;
    if (store.IsPreparing() && store.IsUp() && IsReady(store)) {
      moved = Change(store.id, [](Store& changed) -> Result<void> {
        if (changed.IsPreparing()) changed.node_state = NodeState::kServing;
        return {};
      });
    } else if (store.IsRemoving() && store.counts.region_size_mib() == 0 &&
               store.counts.regions() == 0 && deps_.knows_peers()) {
      // Peers count, too: a region may be known without its size. And one of this store may be unknown as yet.
      moved = Bury(store.id, Force::kNo);
    } else if (store.IsRemoved() && store.counts.regions() == 0 && store.last_heartbeat &&
               store.DownTime(Now()) > kTombstoneKept) {
      moved = Delete(store.id);
    }
    // A failure here means that this member leads no more, or Raft is slow: the next round tries again.
    if (!moved && moved.error().code == ErrorCode::kNotLeader) return;
  }
}

}  // namespace pd

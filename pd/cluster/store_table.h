#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pd/cluster/paths.h"
#include "pd/cluster/region_table.h"
#include "pd/cluster/store_progress.h"
#include "pd/config/config_store.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/region.h"
#include "scheduler/model/store.h"
#include "scheduler/rules/fair_share.h"
#include "scheduler/rules/rule_book.h"
#include "scheduler/stats/hull_average.h"

namespace pd {

/// The PD leader's stores: their lasting part through Raft, their statistics in memory. Thread-safe;
/// changes that last are made one after the other and wait for Raft, reads and heartbeats do not.
/// Errors carry the reference's texts.
class StoreTable {
 public:
  struct Deps {
    MetaStore& meta;
    ConfigStore& config;
    const RegionTable& regions;
    const Clock& clock;
    std::function<bool()> knows_peers;  // No region that an earlier leader knew is still missing.
    std::function<std::shared_ptr<const scheduler::RuleBook>()> rules;  // In force.
  };
  explicit StoreTable(Deps deps) : deps_(std::move(deps)), progress_(deps_.clock) {}

  /// Reads all stores of `paths`. Writes are bound to `term` from here on.
  Result<void> Load(const ClusterPaths& paths, uint64_t term);
  void Clear();

  /// Copies with the counts of now. By ascending id.
  [[nodiscard]] std::vector<scheduler::Store> All() const;
  /// The same into `stores`, whose memory is used again.
  void ReadAll(std::vector<scheduler::Store>& stores) const;
  [[nodiscard]] std::optional<scheduler::Store> Find(scheduler::StoreId id) const;
  [[nodiscard]] bool Contains(scheduler::StoreId id) const;
  /// None when unknown. Cheaper than Find(): for the path of heartbeats.
  [[nodiscard]] std::optional<scheduler::NodeState> NodeStateOf(scheduler::StoreId id) const;
  /// Whether a store of one of these peers is leaving, or gone.
  [[nodiscard]] bool AnyLeaving(std::span<const scheduler::Peer> peers) const;
  /// Empty when unknown.
  [[nodiscard]] std::string AddressOf(scheduler::StoreId id) const;

  /// PutStore. kConflict `store is tombstone`; kInvalidArgument.
  Result<void> Put(const scheduler::Store& incoming);

  /// The answer to a store heartbeat: the state before it. kNotFound `store N not found`. `raw` is the
  /// message as it came, for GetStore.
  struct Heartbeat {
    scheduler::StoreId id;
    scheduler::StoreStats stats;
    std::string raw;
  };
  struct HeartbeatAnswer {
    scheduler::NodeState node_state = scheduler::NodeState::kServing;
    bool save_due = false;  // SaveHeartbeats has something to do.
  };
  Result<HeartbeatAnswer> OnHeartbeat(Heartbeat heartbeat);
  /// The job that runs all the time: writes down when stores were last heard, each once in minutes, so that a change of
  /// leader does not make them look unheard. What fails stays due for the next run. Waits for Raft.
  void SaveHeartbeats();
  /// The slow stores that a store about to be heard should wake its hibernated regions for; regions led by a slow
  /// store find a new leader only once they are awake. Empty most of the time: when no other store is slow, when this
  /// one is slow itself, unknown, or was told so within the last ten minutes (as in the reference).
  std::vector<scheduler::StoreId> WakeFor(scheduler::StoreId id);
  /// The last statistics as they came; empty before the first.
  [[nodiscard]] std::string RawStats(scheduler::StoreId id) const;

  enum class Labels : uint8_t { kMerge, kReplace };
  Result<void> SetLabels(scheduler::StoreId id, const std::vector<scheduler::StoreLabel>& labels,
                         Labels how);
  Result<void> DeleteLabel(scheduler::StoreId id, const std::string& key);
  Result<void> SetWeights(scheduler::StoreId id, double leader, double region);

  /// Up -> Offline (Removing): its regions are to go elsewhere, as fast as they can. Idempotent. Refused where fewer
  /// TiKV stores than `max-replicas` would stay up, or none that takes leaders; but not for a store that is destroyed,
  /// which keeps nothing either way: that cannot be taken back, and frees the store's address.
  enum class Destroyed : uint8_t { kNo, kPhysically };
  Result<void> Remove(scheduler::StoreId id, Destroyed destroyed);
  /// Offline -> Up again, with the limits that it had.
  Result<void> Restore(scheduler::StoreId id);
  /// -> Tombstone. A store that is up is refused unless it is forced and disconnected.
  enum class Force : uint8_t { kNo, kYes };
  Result<void> Bury(scheduler::StoreId id, Force force);
  /// Deletes tombstones without regions. The ids that still hold some.
  Result<std::vector<scheduler::StoreId>> RemoveTombstones();
  /// The ten-second job: Preparing stores become Serving, empty Removing ones Removed, old tombstones go; and the
  /// progress of the others. What a store holds counts only once enough regions have reported to this leader, unless
  /// the cluster began under it.
  void UpdateStates();
  [[nodiscard]] StoreProgress& progress() { return progress_; }
  [[nodiscard]] const StoreProgress& progress() const { return progress_; }

  /// Changes what planners and the slow-store logic keep on a store (pauses, smoothing); memory only.
  /// False when unknown.
  bool Modify(scheduler::StoreId id, const std::function<void(scheduler::Store&)>& change);

  /// Lowest version among stores that are not removed; none without stores.
  [[nodiscard]] std::optional<Version> LowestVersion() const;

 private:
  /// A store's last heartbeat is written down this often; in between it is in memory only.
  static constexpr int64_t kPersistHeartbeatNs = int64_t{5} * 60 * 1'000'000'000;

  struct Entry {
    scheduler::Store store;
    std::string raw_stats;
    int64_t persisted_heartbeat_unix_ns = 0;  // As the last write that was done has it.
    std::optional<StoreLimitConfig> limit_before_removal;
    scheduler::HullAverage available;  // Over the heartbeats.
    scheduler::HullAverage region_size;
    std::optional<scheduler::Instant> woken;

    [[nodiscard]] bool SaveDue() const {
      return store.last_heartbeat_unix_ns - persisted_heartbeat_unix_ns >= kPersistHeartbeatNs;
    }
  };

  Result<void> CheckRemove(const scheduler::Store& store) const;
  Result<void> FollowVersions();
  Result<void> AddLimit(const scheduler::Store& store);
  Result<void> Save(const scheduler::Store& store);
  Result<void> Change(scheduler::StoreId id,
                      const std::function<Result<void>(scheduler::Store&)>& change);
  /// Of a store whose heartbeat has just come.
  void CountNetworkSlowness(scheduler::Store& store) PD_REQUIRES(mutex_);
  [[nodiscard]] std::vector<scheduler::StoreId> DueHeartbeats() const;
  bool SaveHeartbeatsOf(std::span<const scheduler::StoreId> due);
  void FillCounts(std::span<scheduler::Store> stores) const;
  /// What one round of the job works on.
  struct Round {
    std::vector<scheduler::Store> stores;
    bool knows_peers = false;
    std::optional<std::vector<scheduler::RuleLoad>> loads;  // Once a store asks for them.
  };
  Result<void> UpdateState(const scheduler::Store& store, Round& round);
  void ForgetProgressUnless(scheduler::StoreId id, scheduler::NodeState state);
  Result<void> UpdatePreparing(const scheduler::Store& store, Round& round);
  Result<void> UpdateRemoving(const scheduler::Store& store, const Round& round);
  enum class Lift : uint8_t { kNow, kAgain };  // The store leaves just now, or has been leaving.
  Result<void> LiftRemoveLimit(scheduler::StoreId id, Lift lift);
  Result<void> Delete(scheduler::StoreId id);
  [[nodiscard]] scheduler::Instant Now() const;
  [[nodiscard]] std::optional<scheduler::Store> Bare(scheduler::StoreId id) const;

  const Deps deps_;
  StoreProgress progress_;
  Mutex change_mutex_;  // Held over the whole of a lasting change, Raft included. Taken first.
  mutable SharedMutex mutex_;
  std::optional<ClusterPaths> paths_ PD_GUARDED_BY(mutex_);
  uint64_t term_ PD_GUARDED_BY(mutex_) = 0;
  std::map<scheduler::StoreId, Entry> stores_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

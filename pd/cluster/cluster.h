#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "pd/cluster/affinity_groups.h"
#include "pd/cluster/hot_history.h"
#include "pd/cluster/hot_statistics.h"
#include "pd/cluster/paths.h"
#include "pd/cluster/placement_rules.h"
#include "pd/cluster/region_feed.h"
#include "pd/cluster/region_labels.h"
#include "pd/cluster/region_table.h"
#include "pd/cluster/safe_points.h"
#include "pd/cluster/store_config.h"
#include "pd/cluster/store_table.h"
#include "pd/codec/cluster_codec.h"
#include "pd/config/config_store.h"
#include "pd/id/id_allocator.h"
#include "pd/meta/meta_store.h"
#include "pd/replication/raft_group.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "pd/server.h"

namespace pd {

/// A split for whose new regions a store was given ids, with a reason (pdpb AskBatchSplitRequest).
struct GrantedSplit {
  scheduler::RegionId source;  // The region that splits; it keeps its id.
  uint64_t version =
      0;  // Its version, of what the store says and what is known here the higher one.
  scheduler::KeyRange range;                 // What the parts will hold together.
  std::vector<scheduler::RegionId> regions;  // The new ones, ascending; at least one.
  scheduler::SplitReason reason = scheduler::SplitReason::kAdmin;
};

/// Told what stores say of regions: statistics, operators, checkers. On the thread that took it in, without a lock.
/// Must not block.
class RegionObserver {
 public:
  virtual ~RegionObserver() = default;
  /// A region heartbeat was taken in.
  virtual void OnRegionReported(const scheduler::Region& region,
                                const scheduler::RegionChange& change) = 0;
  /// The store that asks has no answer yet, and may still fail to split.
  virtual void OnSplitGranted(const GrantedSplit& /*split*/) {}
};

/// The cluster of stores: bootstrap, stores, regions.
///
/// Runs only on the PD leader, once the cluster is bootstrapped: running(). Region heartbeats are
/// taken in on the calling thread and never wait for Raft: what must last is marked, and one thread
/// writes the marked regions in batches. On every member the region table follows what the group
/// applies, so that a new leader has nothing to load; answers to clients from a follower come from
/// what the leader's feed brought (`synced`).
///
/// Thread-safe. Owned by PdServer; a service of the leader. Stop() joins
/// its threads.
class Cluster final : public LeaderService {
 public:
  struct Deps {
    MetaStore& meta;
    ConfigStore& config;
    IdAllocator& ids;
    const Clock& clock;
    std::function<uint64_t()> cluster_id;               // 0 as long as it is unknown.
    std::function<void(const std::string& text)> warn;  // A line for the log.
    std::string hot_folder{};                           // Of HotHistory; empty: none is kept.
  };

  explicit Cluster(Deps deps);
  ~Cluster() override;

  /// Who does what is due: threads of its own, or a caller who drives time, by DoDue().
  enum class Drive : uint8_t { kThreads, kByHand };
  /// Reads the replicated regions in and starts the threads. Errors: kIo, kCorrupt.
  Result<void> Start(Drive drive = Drive::kThreads);
  void Stop();
  /// Saves what is unsaved and runs the jobs whose time has come. For one thread, and not beside threads.
  void DoDue();

  // LeaderService.
  Result<void> OnLeaderStart(uint64_t term) override;
  void OnLeaderStop() override;

  /// What keeps the region table in step with what the group applies; for RaftGroup::AddListener.
  [[nodiscard]] GroupListener& listener() { return listener_; }

  /// This member leads and the cluster is bootstrapped.
  [[nodiscard]] bool running() const { return running_.load(std::memory_order_acquire); }
  /// Nine in ten regions have reported since this member leads, of all and of each store that is up, or five minutes
  /// have passed (as in the reference). What stores hold is not known well before. Beyond the reference, each store
  /// that an earlier leader has heard lately has spoken to this one too, or has had the time in which a store that
  /// lives would have: else the first plans would go by a store that only seems lost. Stays true as long as it leads.
  [[nodiscard]] bool IsPrepared();
  /// The first of what is still waited for, with the numbers compared; nothing when enough has come.
  [[nodiscard]] std::optional<scheduler::Refusal> RefuseUnprepared() const;
  /// kNotBootstrapped with the reference's long text unless running().
  [[nodiscard]] Result<void> CheckRunning() const;

  /// The first store and region, in one transaction. kAlreadyExists, kInvalidArgument,
  /// kConflict, each with the reference's text.
  Result<void> Bootstrap(const std::optional<scheduler::Store>& store,
                         const std::optional<scheduler::Region>& region);
  Result<ClusterMeta> Meta() const;
  Result<void> PutMeta(const ClusterMeta& meta);
  /// Unix nanoseconds; 0 before the bootstrap.
  [[nodiscard]] int64_t bootstrap_time_unix_ns() const { return bootstrap_time_unix_ns_.load(); }
  /// More than one region, or one with all its replicas in place.
  [[nodiscard]] bool IsInitialized() const;

  [[nodiscard]] StoreTable& stores() { return stores_; }
  [[nodiscard]] const StoreTable& stores() const { return stores_; }
  [[nodiscard]] RegionTable& regions() { return regions_; }
  [[nodiscard]] const RegionTable& regions() const { return regions_; }
  [[nodiscard]] const RangeHistory& ranges() const { return ranges_; }
  [[nodiscard]] RegionFeed& feed() { return feed_; }
  [[nodiscard]] SafePoints& safe_points() { return safe_points_; }
  [[nodiscard]] RegionLabels& labels() { return labels_; }
  [[nodiscard]] const RegionLabels& labels() const { return labels_; }

  [[nodiscard]] AffinityGroups& affinity() { return affinity_; }
  [[nodiscard]] const AffinityGroups& affinity() const { return affinity_; }

  [[nodiscard]] const HotStatistics& hot() const { return hot_; }
  [[nodiscard]] const HotHistory& hot_history() const { return hot_history_; }
  /// From the reports of its regions as well.
  [[nodiscard]] scheduler::StoreLoads LoadsOf(scheduler::StoreId store) const;
  /// The hot peers on a store that are shown and planned with.
  [[nodiscard]] std::vector<scheduler::HotPeer> HotPeersOn(scheduler::Access access,
                                                           scheduler::StoreId store) const;

  /// What the stores say of the sizes of their regions: the last that was learned, TiKV's defaults before. In this
  /// member's memory; a new leader asks the stores itself (StoreConfigWatch, which alone sets it).
  [[nodiscard]] StoreConfig store_config() const PD_EXCLUDES(mutex_);
  void SetStoreConfig(StoreConfig config) PD_EXCLUDES(mutex_);

  [[nodiscard]] PlacementRules& rules() { return rules_; }
  [[nodiscard]] const PlacementRules& rules() const { return rules_; }

  /// A region heartbeat. kStaleEpoch, kInvalidArgument; the texts are the reference's.
  Result<void> HandleRegionReport(scheduler::Region report);
  /// A store heartbeat, with what was read on its peers: the store's state before it. Waits until the time is written,
  /// when that is due, once in minutes; 100 ms at most.
  Result<scheduler::NodeState> HandleStoreReport(StoreTable::Heartbeat heartbeat,
                                                 std::span<const PeerReads> reads = {});
  /// The loads of a region's buckets. Those of unknown regions, and of older versions than known, are dropped.
  void HandleBuckets(scheduler::RegionId id, const scheduler::Buckets& buckets);

  /// Ids for `count` new regions split off the region at `region`'s start key, each with one id for
  /// every peer of `region`. With a reason, affinity groups may refuse (as in the reference), and observers hear of
  /// what was granted. Errors: kUnavailable, kInvalidArgument with the reference's texts.
  struct SplitIds {
    uint64_t region_id = 0;
    std::vector<uint64_t> peer_ids;
  };
  Result<std::vector<SplitIds>> AskSplit(const scheduler::Region& region, uint32_t count,
                                         std::optional<scheduler::SplitReason> reason = {});

  /// Whether this member may answer region queries from the leader's feed (follower reads).
  [[nodiscard]] bool synced() const { return synced_.load(std::memory_order_acquire); }
  void set_synced(bool synced) { synced_.store(synced, std::memory_order_release); }

  /// Smallest resolved timestamp reported by a store; kNotFound for an unknown one.
  Result<void> ReportMinResolvedTs(scheduler::StoreId store, uint64_t ts);
  /// Of the cluster, as saved; and of one store: 0 before its first report, the largest value for an unknown one.
  [[nodiscard]] uint64_t min_resolved_ts() const { return min_resolved_ts_.load(); }
  [[nodiscard]] uint64_t StoreMinResolvedTs(scheduler::StoreId store) const;

  /// 0 when not running, the largest value while not initialized.
  [[nodiscard]] uint64_t ExternalTimestamp() const;
  /// kInvalidArgument unless larger than the current one and at most `tso`.
  Result<void> SetExternalTimestamp(uint64_t ts, uint64_t tso);

  /// Before Start.
  void AddObserver(RegionObserver& observer) { region_observers_.push_back(&observer); }

  [[nodiscard]] uint64_t term() const { return term_.load(); }
  [[nodiscard]] const Clock& clock() const { return deps_.clock; }
  [[nodiscard]] ConfigStore& config() const { return deps_.config; }
  [[nodiscard]] uint64_t cluster_id() const { return deps_.cluster_id(); }
  /// The path table; only while the cluster id is known.
  [[nodiscard]] ClusterPaths paths() const { return ClusterPaths(deps_.cluster_id()); }

 private:
  /// Runs on the raft thread: queues, nothing more.
  class Listener final : public GroupListener {
   public:
    explicit Listener(Cluster& cluster) : cluster_(cluster) {}
    void OnLeaderStart(raft::Term) override { leads_ = true; }
    void OnLeaderStop(raft::Term) override { leads_ = false; }
    void OnApplied(raft::LogIndex, const AppliedChanges& changes) override {
      // A leader wrote them itself, from its table. Its services stop later than its lead does.
      if (!leads_) cluster_.QueueApplied(changes);
    }
    void OnStateReplaced(raft::LogIndex) override { cluster_.QueueReload(); }

   private:
    Cluster& cluster_;
    bool leads_ = false;
  };

  void QueueApplied(const AppliedChanges& changes);
  void QueueReload();
  Result<void> LoadRegions();
  void TakeLoaded(std::vector<RegionRecord>& records);
  Result<void> LoadRunning(uint64_t term) PD_EXCLUDES(loading_mutex_);
  Result<void> LoadTables(const ClusterPaths& paths, uint64_t term) PD_REQUIRES(loading_mutex_);
  Result<void> LoadFirstRegion(const ClusterPaths& paths);
  [[nodiscard]] bool KnowsPeers();
  [[nodiscard]] Millis ServingFor() const;
  Result<void> CheckBootstrap(const std::optional<scheduler::Store>& store,
                              const std::optional<scheduler::Region>& region) const;
  void SaveLoop();
  void RunJobs(Nanos now);
  void SaveHeartbeatSoon() PD_EXCLUDES(mutex_);
  void EndSaveRound() PD_EXCLUDES(mutex_);
  void JobLoop();
  void SaveSome();
  void TakeApplied() PD_EXCLUDES(taking_mutex_);
  [[nodiscard]] Result<void> StartRunning(uint64_t term) PD_EXCLUDES(leading_mutex_);
  void SaveMinResolvedTs();
  bool RemoveExpiredLabels();
  void KeepRules();
  void KeepAffinity();
  void KeepHotHistory(Nanos now);
  void PruneHotHistory(Nanos now);
  void ForgetHeatOfGoneStores();
  [[nodiscard]] std::vector<HotRecord> HotRecords(int64_t unix_ms) const;
  Result<void> CheckAffinity(const scheduler::Region& current, scheduler::SplitReason reason) const;
  void TellGranted(const scheduler::Region& asked, const scheduler::Region& current,
                   const std::vector<SplitIds>& splits, scheduler::SplitReason reason) const;
  [[nodiscard]] scheduler::ClassifyOptions Options() const;

  const Deps deps_;
  Listener listener_{*this};
  RegionFeed feed_;
  RangeHistory ranges_;
  RegionTable regions_{&feed_, &ranges_};
  StoreTable stores_;
  SafePoints safe_points_;
  RegionLabels labels_;
  AffinityGroups affinity_;
  PlacementRules rules_;
  HotStatistics hot_;
  HotHistory hot_history_;
  std::vector<RegionObserver*> region_observers_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> synced_ = false;
  std::atomic<uint64_t> term_ = 0;  // The last one that this member led in.
  std::atomic<int64_t> bootstrap_time_unix_ns_ = 0;
  std::atomic<uint64_t> min_resolved_ts_ = 0;
  std::atomic<uint64_t> external_ts_ = 0;

  /// When jobs are due; of whoever runs them.
  struct JobTimes {
    Nanos states{0};
    Nanos resolved{0};
    Nanos labels{0};
    Nanos hot{0};
    Nanos pruned{0};  // When old files of what was hot are looked for, whoever leads.
    bool was_running = false;
  };
  JobTimes job_times_;
  bool by_hand_ = false;  // Set by Start.

  Mutex
      taking_mutex_;  // One reader of what was applied at a time; the next one waits until all is in the table.
  // One load of what a leader needs at a time. Taken before leading_mutex_; held while it reads, never over a proposal.
  Mutex loading_mutex_;
  Mutex leading_mutex_;
  bool leading_ PD_GUARDED_BY(leading_mutex_) = false;  // Between OnLeaderStart and OnLeaderStop.
  Mutex external_mutex_;  // One change of the external timestamp at a time.
  mutable Mutex mutex_;
  CondVar wake_;
  CondVar jobs_wake_;
  CondVar heartbeats_saved_;
  uint64_t save_rounds_begun_ PD_GUARDED_BY(mutex_) = 0;
  uint64_t save_rounds_ended_ PD_GUARDED_BY(mutex_) = 0;
  bool heartbeats_due_ PD_GUARDED_BY(mutex_) = false;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  bool reload_ PD_GUARDED_BY(mutex_) = false;  // Applied batches were dropped: read all again.
  std::deque<PutRegions> applied_ PD_GUARDED_BY(mutex_);
  std::map<scheduler::StoreId, uint64_t> min_resolved_by_store_ PD_GUARDED_BY(mutex_);
  uint64_t leads_ PD_GUARDED_BY(mutex_) = 0;            // Counts the starts of leadership ...
  uint64_t prepared_ PD_GUARDED_BY(mutex_) = 0;         // ... and which of them had enough reports.
  uint64_t bootstrapped_in_ PD_GUARDED_BY(mutex_) = 0;  // Which of them made the cluster, if any.
  Nanos serving_since_ PD_GUARDED_BY(mutex_){0};        // Heartbeats were refused before.
  StoreConfig store_config_ PD_GUARDED_BY(mutex_);
  std::thread saver_;
  std::thread jobs_;
};

}  // namespace pd

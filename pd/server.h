#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pd/config/config.h"
#include "pd/config/config_store.h"
#include "pd/config/effects.h"
#include "pd/id/id_allocator.h"
#include "pd/members/identity.h"
#include "pd/members/members.h"
#include "pd/members/publish_schedule.h"
#include "pd/members/seed_transport.h"
#include "pd/meta/meta_store.h"
#include "pd/metrics/metrics.h"
#include "pd/replication/raft_group.h"
#include "pd/replication/transport.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "pd/storage/database.h"
#include "pd/tso/tso_oracle.h"

namespace pd {

/// What runs only on the PD leader, between the start and the stop of its services. PdServer calls both in a fixed
/// order on one thread of its own, never on the Raft thread, so a start may wait for Raft.
class LeaderService {
 public:
  virtual ~LeaderService() = default;

  /// This member leads in `term` and has applied everything that earlier leaders wrote. An error makes the member give
  /// its leadership up.
  [[nodiscard]] virtual Result<void> OnLeaderStart(uint64_t term) = 0;

  /// Leadership is lost or given up. Must drop what followed from it and must not wait for Raft.
  virtual void OnLeaderStop() = 0;
};

/// How a member reaches others outside Raft. Implemented by api; calls block for at most their timeout.
class PeerClient {
 public:
  virtual ~PeerClient() = default;

  /// Tells the leader at one of `leader_urls` (client URLs) what this member is called and where it is.
  virtual Result<void> Publish(const std::vector<std::string>& leader_urls,
                               const MemberDetail& self, Millis timeout) = 0;
  /// Whether the member at one of these client URLs answers.
  virtual bool Ping(const std::vector<std::string>& client_urls, Millis timeout) = 0;
};

/// One placement driver: owns and assembles all parts, starts and stops them in order, and runs what only a leader
/// does.
///
/// Order of a leader's start, on the leadership thread: read the state; write TSO window, id window and leader key in
/// one transaction; TSO and ids serve; configuration; leader services in the order they were added; then Serving().
/// The stop of TSO and ids happens on the Raft thread at the moment leadership is lost, the rest in reverse order
/// after it.
///
/// Thread-safe after Start(). Destroy only after Stop().
class PdServer final : private GroupListener {
 public:
  struct Parts {
    Config config;  // With FillDefaults() done.
    MemberIdentity identity;
    const Clock* clock = nullptr;
    Transport* transport = nullptr;
    PeerClient* peers = nullptr;
    std::unique_ptr<Database> database;
    /// This member was removed from the group, see GroupListener::OnRemoved. On the Raft thread: must not block, nor
    /// call Stop().
    std::function<void()> on_removed = nullptr;
  };

  /// Makes a new group's first state when the database has none and the identity did not join; starts nothing.
  /// Errors: kIo, kCorrupt, kInvalidArgument.
  static Result<std::unique_ptr<PdServer>> Open(Parts parts);
  ~PdServer() override;

  /// Adds what a leader runs; before Start(). Must outlive the server's Stop().
  void AddLeaderService(LeaderService& service) { leader_services_.push_back(&service); }

  void Start();
  /// Hands leadership over when it can, stops everything and joins all threads. May be called twice.
  void Stop() PD_EXCLUDES(mutex_);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] const Database& database() const { return *database_; }
  [[nodiscard]] MetricsRegistry& metrics() { return metrics_; }
  [[nodiscard]] RaftGroup& group() { return *group_; }
  [[nodiscard]] MetaStore& meta() { return *meta_; }
  [[nodiscard]] Members& members() { return *members_; }
  [[nodiscard]] IdAllocator& ids() { return *ids_; }
  [[nodiscard]] TsoOracle& tso() { return *tso_; }
  [[nodiscard]] ConfigStore& config_store() { return *config_store_; }
  [[nodiscard]] PeerClient& peers() { return peers_; }
  /// The id of the group, which a joining member must name.
  [[nodiscard]] uint64_t group_id() const { return group_id_; }

  /// 0 until the first leader of a new cluster has made it.
  [[nodiscard]] uint64_t cluster_id() const { return cluster_id_.load(std::memory_order_acquire); }
  /// "/pd/{cid}" + suffix, which begins with a slash.
  [[nodiscard]] std::string Key(std::string_view suffix) const;

  /// True between Start() and Stop().
  [[nodiscard]] bool started() const { return started_.load(std::memory_order_acquire); }
  /// This member is the PD leader: its services run and its lease holds now.
  [[nodiscard]] bool Serving() const;
  /// The term in which the services run, 0 when they do not: the fence for their proposals.
  [[nodiscard]] raft::Term serving_term() const {
    return serving_term_.load(std::memory_order_acquire);
  }
  /// Unix seconds of Start().
  [[nodiscard]] int64_t start_timestamp_s() const { return start_timestamp_s_; }

  /// Hands leadership to a member, or to any when `target` is 0: timestamps stop, their end is written down, Raft hands
  /// over. Waits for the outcome; on failure this member goes on. Errors: kNotLeader, kNotFound, kUnavailable,
  /// kTimeout.
  Result<void> TransferLeader(raft::NodeId target) PD_EXCLUDES(mutex_);

  /// Sets items of the schedule section for a time, on all members, until `ttl_s` has passed; 0 ends them at once.
  /// Checked already. Waits for Raft.
  Result<void> SetTemporaryConfig(const std::map<std::string, std::string>& items, int64_t ttl_s);

  /// Sets the end of the reserved ids (admin base-alloc-id), in either direction: the next id is base + 1.
  Result<void> SetIdBase(uint64_t base);

 private:
  explicit PdServer(Parts parts);
  Result<void> Assemble(const MemberIdentity& identity);
  [[nodiscard]] Result<void> CheckDashboardAddress(const std::string& address) const;

  // GroupListener, on the Raft thread.
  void OnLeaderStart(raft::Term term) override PD_EXCLUDES(mutex_);
  void OnLeaderStop(raft::Term term) override PD_EXCLUDES(mutex_);
  void OnApplied(raft::LogIndex index, const AppliedChanges& changes) override;
  void OnStateReplaced(raft::LogIndex index) override;
  void OnRemoved() override;

  // The leadership thread.
  void RunLeadership() PD_EXCLUDES(mutex_);
  Result<void> StartServices(raft::Term term) PD_EXCLUDES(mutex_);
  void StopServices() PD_EXCLUDES(mutex_);
  Result<void> BeginTerm(raft::Term term) PD_EXCLUDES(mutex_);
  Result<void> LoadConfig(raft::Term term);
  /// Takes an event of a temporary item; false when it is about something else.
  bool TakeTemporary(const Event& event);
  Result<void> PersistConfig(const OnlineConfig& online, raft::Term term);
  void ReloadReplicated();
  [[nodiscard]] std::string LocalValue(const std::string& key) const;

  // The timer thread: lets the oracle's time go on.
  void RunTimer() PD_EXCLUDES(mutex_);

  // The duties thread: what may wait for other members.
  void RunDuties() PD_EXCLUDES(mutex_);
  /// Lets the group know this member as it is now, when it is time for that.
  void PublishSelf(PublishSchedule& schedule, Nanos now);
  [[nodiscard]] MemberDetail SelfDetail() const;
  void CheckLeaderPriority();

  Result<void> HandOver(raft::NodeId target) PD_EXCLUDES(mutex_);
  Result<IdAllocator::Window> ReserveIds(uint64_t count);
  void SaveTsoEnd(int64_t end_ms, TsoOracle::SaveDone done);
  /// Writes the oracle's end, and the leader key or its absence, as one transaction of `term`.
  enum class LeaderKey { kWrite, kDelete };
  Result<void> WriteTsoEnd(raft::Term term, int64_t end_ms, LeaderKey leader_key);
  [[nodiscard]] raft::Term leading_term() const PD_EXCLUDES(mutex_);

  const Config config_;
  const Clock& clock_;
  SeedTransport transport_;
  PeerClient& peers_;
  const uint64_t group_id_;
  const std::function<void()> on_removed_;
  MetricsRegistry metrics_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<RaftGroup> group_;
  std::unique_ptr<MetaStore> meta_;
  std::unique_ptr<Members> members_;
  OnlineEffects online_effects_;
  std::unique_ptr<ConfigStore> config_store_;
  std::unique_ptr<IdAllocator> ids_;
  std::unique_ptr<TsoOracle> tso_;
  std::vector<LeaderService*> leader_services_;
  size_t services_started_ = 0;  // Leadership thread only: how many of leader_services_ run.

  std::atomic<uint64_t> cluster_id_{0};
  std::atomic<bool> started_{false};
  std::atomic<raft::Term> serving_term_{0};
  int64_t start_timestamp_s_ = 0;

  mutable Mutex mutex_;
  CondVar woken_;                                      // All three threads wait here.
  raft::Term leading_term_ PD_GUARDED_BY(mutex_) = 0;  // As the Raft thread told; 0: not leading.
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  bool handing_over_ PD_GUARDED_BY(mutex_) = false;  // One at a time.
  std::thread leadership_;
  std::thread timer_;
  std::thread duties_;
};

}  // namespace pd

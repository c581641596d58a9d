#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pd/fsm/command.h"
#include "pd/replication/raft_group.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/storage/database.h"

namespace pd {

struct WatchRequest {
  std::string key;
  std::string range_end;
  Revision start_revision = 0;  // First revision wanted; 0: from now on.
  bool prev_kv = false;
  bool no_put = false;
  bool no_delete = false;
};

/// Takes the events of one watch, on the watch thread. Must not block.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  /// Events of whole revisions, in order, none left out. `revision` is that of the space they bring
  /// the watcher to. False: not now; the same events are offered again after a short while, and
  /// memory stays bounded meanwhile.
  virtual bool OnEvents(const std::vector<Event>& events, Revision revision) = 0;
  /// The end, told once unless the watch was dropped by its owner. kCompacted when history the
  /// watcher still needed is gone (`compact_revision` tells how far), kNotStarted when the server
  /// stops.
  virtual void OnCanceled(const Error& error, Revision compact_revision) = 0;
};

/// Ends its watch when destroyed; afterwards the sink is not called any more.
class Watch {
 public:
  virtual ~Watch() = default;
};

struct LeaseInfo {
  LeaseId id = 0;
  int64_t granted_ttl_ms = 0;
  int64_t remaining_ms = 0;
  std::vector<std::string> keys;
};

enum class Consistency : uint8_t {
  kLeader,  // The newest state, by the lease: kNotLeader elsewhere.
  kLocal,   // What this member has applied; may be old.
};

struct MetaOptions {
  Millis compaction_period{300'000};       // How often history is looked at ...
  Millis compaction_retention{3'600'000};  // ... and how much of it is kept; 0 keeps all.
  Revision compaction_revisions = 0;       // Not 0: keeps so many revisions, however old.
  Millis checkpoint_period{60'000};        // How often what long leases have left is saved.
  // Keys and values of one Txn, Put or Delete; more is kInvalidArgument. As large as a command at most.
  uint64_t request_bytes_max = UINT64_MAX;
};

/// The replicated key-value space: everything of the server that lasts goes through it, under the reference's keys
/// (such as /pd/{cluster id}/config). Thread-safe. Calls that write block on Raft, at most `timeout` (kTimeout: it may
/// still be done), so never make them on the raft thread or from a listener; ProposeTxn does not block.
class MetaStore : public GroupListener {
 public:
  /// Registers itself with `group`; call before group.Start(), and before adding listeners that read through it.
  static std::unique_ptr<MetaStore> Create(RaftGroup& group, const Database& database,
                                           const Clock& clock, const MetaOptions& options = {});

  /// Starts the thread that feeds watches, revokes leases that ran out, and compacts history.
  virtual void Start() = 0;
  /// Joins it and cancels the watches (kNotStarted). Before the group stops.
  virtual void Stop() = 0;

  // Reads. Errors: kNotLeader, kCompacted, kInvalidArgument, kIo.
  virtual Result<RangeResult> Range(const RangeRequest& request,
                                    Consistency consistency = Consistency::kLeader) const = 0;
  /// The pair of one key, or none.
  Result<std::optional<KeyValue>> Get(const std::string& key,
                                      Consistency consistency = Consistency::kLeader) const;
  /// All pairs whose key begins with `prefix`, by key.
  Result<std::vector<KeyValue>> GetPrefix(const std::string& prefix,
                                          Consistency consistency = Consistency::kLeader) const;
  virtual Result<StateMark> Mark(Consistency consistency = Consistency::kLeader) const = 0;
  virtual Result<std::optional<RegionRecord>> Region(
      uint64_t id, Consistency consistency = Consistency::kLeader) const = 0;
  /// Every region in id order, off one frozen view of what is applied here, until `visit` returns false.
  virtual Result<void> VisitRegions(const std::function<bool(RegionRecord)>& visit) const = 0;

  // Writes. Errors: those of RaftGroup::Propose, kInvalidArgument. `fence`: see there; 0 for none.
  Result<TxnResult> Txn(KvTxn txn, Millis timeout, raft::Term fence = 0);
  Result<Revision> Put(std::string key, std::string value, Millis timeout, raft::Term fence = 0);
  Result<DeleteResult> Delete(std::string key, std::string range_end, Millis timeout,
                              raft::Term fence = 0);
  Result<Revision> PutRegionBatch(PutRegions regions, Millis timeout, raft::Term fence = 0);
  Result<void> CompactTo(Revision revision, Millis timeout);
  void ProposeTxn(KvTxn txn, raft::Term fence, RaftGroup::Done done);

  // Leases; leader only. `id` 0: chosen here. Errors: kAlreadyExists, kNotFound, kInvalidArgument (ttl <= 0),
  // kNotLeader.
  virtual Result<LeaseInfo> GrantLease(LeaseId id, int64_t ttl_ms, Millis timeout) = 0;
  virtual Result<void> RevokeLease(LeaseId id, Millis timeout) = 0;
  /// Starts the lease's time again; answers the time to live in ms. Waits for nothing.
  virtual Result<int64_t> KeepLeaseAlive(LeaseId id) = 0;
  virtual Result<LeaseInfo> GetLease(LeaseId id, bool with_keys) const = 0;
  virtual Result<std::vector<LeaseId>> Leases() const = 0;

  /// Any member serves watches. A start revision that is compacted ends the watch through the sink at once (with the
  /// reference's text). Errors: kQueueFull (too many watches), kInvalidArgument (no key), kIo.
  /// The watch must not be destroyed inside a call of its sink, nor outlive this.
  virtual Result<std::unique_ptr<Watch>> StartWatch(WatchRequest request,
                                                    std::shared_ptr<WatchSink> sink) = 0;

 protected:
  MetaStore(RaftGroup& group, uint64_t request_bytes_max)
      : group_(group), request_bytes_max_(request_bytes_max) {}
  [[nodiscard]] RaftGroup& group() const { return group_; }

 private:
  RaftGroup& group_;
  const uint64_t request_bytes_max_;
};

/// The end of the range of all keys that begin with `prefix`: "\0" when there is none.
std::string PrefixEnd(const std::string& prefix);

}  // namespace pd

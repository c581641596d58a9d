#include "pd/meta/meta_store.h"

#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <utility>

#include "pd/log/log.h"
#include "pd/meta/lease_keeper.h"
#include "pd/meta/watch_hub.h"
#include "pd/runtime/mutex.h"

namespace pd {
namespace {

constexpr const char* kNotLeaderText = "not leader";
constexpr Millis kIdle{50};  // Longest sleep of the thread: how late a lease may be revoked.
constexpr Millis kRevokeRetry{500};  // A proposal to revoke may get lost with a leader.
constexpr int64_t kCheckpointLongerMs =
    60'000;  // Shorter leases simply start again after a failover.
constexpr size_t kSamplesMax = 4096;

/// Revisions by the time they were seen, to find the one as old as history is kept.
class RevisionAges {
 public:
  void Sample(Nanos now, Revision revision) {
    samples_.emplace_back(now, revision);
    if (samples_.size() > kSamplesMax) samples_.pop_front();
  }
  /// The newest revision seen at or before `then`; 0 for none. Older samples go.
  Revision TakeSeenBefore(Nanos then) {
    Revision revision = 0;
    while (!samples_.empty() && samples_.front().first <= then) {
      revision = samples_.front().second;
      samples_.pop_front();
    }
    return revision;
  }

 private:
  std::deque<std::pair<Nanos, Revision>> samples_;
};

uint64_t BytesOf(const KvTxn& txn);

uint64_t BytesOf(const std::vector<TxnOp>& ops) {
  uint64_t bytes = 0;
  for (const TxnOp& op : ops) {
    if (const auto* put = std::get_if<PutRequest>(&op)) {
      bytes += put->key.size() + put->value.size();
    } else if (const auto* gone = std::get_if<DeleteRequest>(&op)) {
      bytes += gone->key.size() + gone->range_end.size();
    } else if (const auto* range = std::get_if<RangeRequest>(&op)) {
      bytes += range->key.size() + range->range_end.size();
    } else if (const auto* nested = std::get_if<std::vector<KvTxn>>(&op)) {
      for (const KvTxn& inner : *nested) bytes += BytesOf(inner);
    }
  }
  return bytes;
}

/// What a client sent: keys and values. Region records are the server's own.
uint64_t BytesOf(const KvTxn& txn) {
  uint64_t bytes = BytesOf(txn.then) + BytesOf(txn.otherwise);
  for (const Compare& compare : txn.compares) bytes += compare.key.size() + compare.value.size();
  return bytes;
}

class RaftMetaStore final : public MetaStore {
 public:
  RaftMetaStore(RaftGroup& group, const Database& database, const Clock& clock,
                const MetaOptions& options)
      : MetaStore(group, options.request_bytes_max),
        database_(database),
        clock_(clock),
        options_(options),
        hub_(database) {}
  ~RaftMetaStore() override { Stop(); }

  void Start() override {
    {
      const MutexLock lock(mutex_);
      running_ = true;
    }
    thread_ = std::thread([this] { Run(); });
  }

  void Stop() override {
    {
      const MutexLock lock(mutex_);
      running_ = false;
    }
    wake_.NotifyAll();
    if (thread_.joinable()) thread_.join();
    hub_.CancelAll({ErrorCode::kNotStarted, "the server is stopping"});
  }

  // What the group tells, on the raft thread.

  void OnLeaderStart(raft::Term term) override {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view);
    auto leases = reader ? reader->Leases() : tl::unexpected(reader.error());
    if (!leases) LogFatal("leases cannot be read", {{"error", leases.error()}});
    leases_.Start(term, *leases, clock_.Monotonic());
  }
  void OnLeaderStop(raft::Term term) override {
    static_cast<void>(term);
    leases_.Stop();
  }
  void OnApplied(raft::LogIndex index, const AppliedChanges& changes) override {
    static_cast<void>(index);
    for (const LeaseGrant& grant : changes.granted) leases_.Granted(grant, clock_.Monotonic());
    for (const LeaseId id : changes.revoked) leases_.Revoked(id);
    if (changes.events.empty()) return;
    hub_.Applied(changes.events);
    Wake();
  }
  void OnStateReplaced(raft::LogIndex index) override {
    static_cast<void>(index);
    hub_.Replaced();
    Wake();
  }

  // Reads: the value first, the lease after; then no other leader had answered a write before the read began.

  Result<RangeResult> Range(const RangeRequest& request, Consistency consistency) const override {
    return Read<RangeResult>(consistency,
                             [&](const StateReader& reader) { return reader.Range(request); });
  }
  Result<StateMark> Mark(Consistency consistency) const override {
    return Read<StateMark>(
        consistency, [](const StateReader& reader) -> Result<StateMark> { return reader.mark(); });
  }
  Result<std::optional<RegionRecord>> Region(uint64_t id, Consistency consistency) const override {
    return Read<std::optional<RegionRecord>>(
        consistency, [id](const StateReader& reader) { return reader.Region(id); });
  }
  Result<void> VisitRegions(const std::function<bool(RegionRecord)>& visit) const override {
    return Read<void>(Consistency::kLocal,
                      [&](const StateReader& reader) { return reader.VisitRegions(visit); });
  }

  // Leases.

  Result<LeaseInfo> GrantLease(LeaseId id, int64_t ttl_ms, Millis timeout) override {
    if (id == 0) id = NewLeaseId();
    auto granted = group().ProposeAndWait({LeaseGrant{id, ttl_ms}, 0}, timeout);
    if (!granted) return tl::unexpected(granted.error());
    return LeaseInfo{id, ttl_ms, ttl_ms, {}};
  }
  Result<void> RevokeLease(LeaseId id, Millis timeout) override {
    auto revoked = group().ProposeAndWait({LeaseRevoke{id}, 0}, timeout);
    if (!revoked) return tl::unexpected(revoked.error());
    return {};
  }
  Result<int64_t> KeepLeaseAlive(LeaseId id) override {
    const auto ttl = leases_.KeepAlive(id, clock_.Monotonic());
    if (!group().LeaseValid()) return Fail(ErrorCode::kNotLeader, kNotLeaderText);
    if (!ttl) return ttl;
    if (const auto term = leases_.TakeShortened(id)) {
      // Told on the raft thread, like all that listeners are told: this outlives it.
      group().Propose({LeaseCheckpoint{{{id, *ttl}}}, 0}, *term,
                      [this, id, term = *term](const Result<CommandResult>& saved) {
                        if (!saved) leases_.NotSaved(id, term);
                      });
    }
    return *ttl;
  }
  Result<LeaseInfo> GetLease(LeaseId id, bool with_keys) const override {
    const auto times = leases_.Get(id, clock_.Monotonic());
    std::vector<std::string> keys;
    if (with_keys && times) {
      auto attached = Read<std::vector<std::string>>(
          Consistency::kLeader, [id](const StateReader& reader) { return reader.LeaseKeys(id); });
      if (!attached) return tl::unexpected(attached.error());
      keys = *std::move(attached);
    }
    if (!group().LeaseValid()) return Fail(ErrorCode::kNotLeader, kNotLeaderText);
    if (!times) return tl::unexpected(times.error());
    return LeaseInfo{id, times->granted_ms, times->remaining_ms, std::move(keys)};
  }
  Result<std::vector<LeaseId>> Leases() const override {
    auto ids = leases_.Ids();
    if (!group().LeaseValid()) return Fail(ErrorCode::kNotLeader, kNotLeaderText);
    return ids;
  }

  Result<std::unique_ptr<Watch>> StartWatch(WatchRequest request,
                                            std::shared_ptr<WatchSink> sink) override {
    auto watch = hub_.Add(std::move(request), std::move(sink));
    if (watch) Wake();
    return watch;
  }

 private:
  template <class T, class Function>
  Result<T> Read(Consistency consistency, Function function) const {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view);
    if (!reader) return tl::unexpected(reader.error());
    Result<T> result = function(*reader);
    if (consistency == Consistency::kLeader && !group().LeaseValid()) {
      return Fail(ErrorCode::kNotLeader, kNotLeaderText);
    }
    return result;
  }

  LeaseId NewLeaseId() {
    const MutexLock lock(mutex_);
    return static_cast<LeaseId>(random_() >> 1U) | 1;
  }

  void Wake() {
    {
      const MutexLock lock(mutex_);
      woken_ = true;
    }
    wake_.NotifyOne();
  }

  void Run() {
    bool again = false;
    for (;;) {
      {
        const MutexLock lock(mutex_);
        if (running_ && !woken_) wake_.WaitFor(mutex_, again ? Millis(5) : kIdle);
        if (!running_) return;
        woken_ = false;
      }
      again = false;
      while (hub_.Deliver(clock_.Monotonic(), again)) {
      }
      RevokeExpired();
      SaveLeases();
      CompactHistory();
    }
  }

  void RevokeExpired() {
    const LeaseKeeper::Due due = leases_.TakeExpired(clock_.Monotonic(), kRevokeRetry);
    for (const LeaseId id : due.expired) {
      group().Propose({LeaseRevoke{id}, 0}, due.term, [](const Result<CommandResult>&) {});
    }
  }

  void SaveLeases() {
    const Nanos now = clock_.Monotonic();
    if (now < next_checkpoint_) return;
    next_checkpoint_ = now + options_.checkpoint_period;
    LeaseCheckpoint checkpoint = leases_.Remaining(now, kCheckpointLongerMs);
    if (checkpoint.leases.empty()) return;
    group().Propose({std::move(checkpoint), 0}, [](const Result<CommandResult>&) {});
  }

  /// Every member notes the revisions, so that a new leader knows their age; the leader compacts.
  void CompactHistory() {
    const Nanos now = clock_.Monotonic();
    const bool by_count = options_.compaction_revisions > 0;
    const bool by_age = options_.compaction_retention > Millis(0);
    if ((!by_count && !by_age) || now < next_compaction_) return;
    next_compaction_ = now + options_.compaction_period;
    const auto mark = Mark(Consistency::kLocal);
    if (!mark) return;
    Revision target = mark->revision - options_.compaction_revisions;
    if (!by_count) {
      ages_.Sample(now, mark->revision);
      target = ages_.TakeSeenBefore(now - options_.compaction_retention);
    }
    if (target <= mark->compact_revision || !group().LeaseValid()) return;
    group().Propose({Compact{target}, 0}, [](const Result<CommandResult>&) {});
  }

  const Database& database_;
  const Clock& clock_;
  const MetaOptions options_;
  WatchHub hub_;
  LeaseKeeper leases_;

  // The thread's own.
  Nanos next_checkpoint_{0};
  Nanos next_compaction_{0};
  RevisionAges ages_;

  mutable Mutex mutex_;
  CondVar wake_;
  bool running_ PD_GUARDED_BY(mutex_) = false;
  bool woken_ PD_GUARDED_BY(mutex_) = false;
  std::mt19937_64 random_ PD_GUARDED_BY(mutex_){std::random_device{}()};
  std::thread thread_;
};

}  // namespace

std::unique_ptr<MetaStore> MetaStore::Create(RaftGroup& group, const Database& database,
                                             const Clock& clock, const MetaOptions& options) {
  auto store = std::make_unique<RaftMetaStore>(group, database, clock, options);
  group.AddListener(*store);
  return store;
}

Result<std::optional<KeyValue>> MetaStore::Get(const std::string& key,
                                               Consistency consistency) const {
  RangeRequest request;
  request.key = key;
  auto range = Range(request, consistency);
  if (!range) return tl::unexpected(range.error());
  if (range->kvs.empty()) return std::optional<KeyValue>();
  return std::optional<KeyValue>(std::move(range->kvs.front()));
}

Result<std::vector<KeyValue>> MetaStore::GetPrefix(const std::string& prefix,
                                                   Consistency consistency) const {
  RangeRequest request;
  request.key = prefix;
  request.range_end = PrefixEnd(prefix);
  auto range = Range(request, consistency);
  if (!range) return tl::unexpected(range.error());
  return std::move(range->kvs);
}

Result<TxnResult> MetaStore::Txn(KvTxn txn, Millis timeout, raft::Term fence) {
  if (BytesOf(txn) > request_bytes_max_) {
    return Fail(ErrorCode::kInvalidArgument, "etcdserver: request is too large");
  }
  return group_.ProposeAndWait({std::move(txn), 0}, timeout, fence);
}

Result<Revision> MetaStore::Put(std::string key, std::string value, Millis timeout,
                                raft::Term fence) {
  KvTxn txn;
  txn.Put(std::move(key), std::move(value));
  auto result = Txn(std::move(txn), timeout, fence);
  if (!result) return tl::unexpected(result.error());
  return result->revision;
}

Result<DeleteResult> MetaStore::Delete(std::string key, std::string range_end, Millis timeout,
                                       raft::Term fence) {
  KvTxn txn;
  txn.Delete(std::move(key), std::move(range_end));
  auto result = Txn(std::move(txn), timeout, fence);
  if (!result) return tl::unexpected(result.error());
  return std::get<DeleteResult>(std::move(result->responses.front()));
}

Result<Revision> MetaStore::PutRegionBatch(PutRegions regions, Millis timeout, raft::Term fence) {
  auto result = group_.ProposeAndWait({std::move(regions), 0}, timeout, fence);
  if (!result) return tl::unexpected(result.error());
  return result->revision;
}

Result<void> MetaStore::CompactTo(Revision revision, Millis timeout) {
  auto result = group_.ProposeAndWait({Compact{revision}, 0}, timeout);
  if (!result) return tl::unexpected(result.error());
  return {};
}

void MetaStore::ProposeTxn(KvTxn txn, raft::Term fence, RaftGroup::Done done) {
  group_.Propose({std::move(txn), 0}, fence, std::move(done));
}

std::string PrefixEnd(const std::string& prefix) {
  std::string end = prefix;
  while (!end.empty()) {
    if (static_cast<unsigned char>(end.back()) < 0xFF) {
      ++end.back();
      return end;
    }
    end.pop_back();
  }
  return std::string(1, '\0');
}

}  // namespace pd

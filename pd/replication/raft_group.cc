#include "pd/replication/raft_group.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "pd/codec/command_codec.h"
#include "pd/fsm/layout.h"
#include "pd/replication/replica.h"
#include "pd/runtime/mutex.h"
#include "pd/storage/bytes.h"
#include "scheduler/model/assert.h"

namespace pd {
namespace {

// What one round takes, so that ticks are never late for long and one write to disk is never so large that a healthy
// disk looks slow.
constexpr size_t kTakenMax = 1024;            // Messages, and proposals.
constexpr size_t kTakenBytesMax = 4U << 20U;  // Proposals; one more may cross it.

/// The group whose raft thread this is, if any.
thread_local const RaftGroup* running_here = nullptr;

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32U | device();
}

/// Blocks on an answer that a callback gives. The callback may come after the waiting ended.
template <class T>
class Waiter {
 public:
  [[nodiscard]] std::function<void(Result<T>)> Callback() const {
    return [promise = promise_](Result<T> result) { promise->set_value(std::move(result)); };
  }
  [[nodiscard]] Result<T> Wait(Millis timeout) {
    if (future_.wait_for(timeout) != std::future_status::ready) {
      return Fail(ErrorCode::kTimeout, "no answer in time; it may still be done");
    }
    return future_.get();
  }

 private:
  std::shared_ptr<std::promise<Result<T>>> promise_ = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> future_ = promise_->get_future();
};

/// The replica on its thread, behind bounded queues.
class ThreadedGroup final : public RaftGroup {
 public:
  ThreadedGroup(const GroupOptions& options, const Clock& clock, std::unique_ptr<Replica> replica)
      : options_(options), clock_(clock), replica_(std::move(replica)) {}
  ~ThreadedGroup() override { Stop(); }

  void AddListener(GroupListener& listener) override { replica_->AddListener(listener); }

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
  }

  void Propose(Command command, raft::Term fence, Done done) override {
    if (command.leader_unix_ms == 0) command.leader_unix_ms = clock_.UnixNanos() / 1'000'000;
    Replica::Proposal proposal;
    proposal.id = next_proposal_.fetch_add(1, std::memory_order_relaxed);
    proposal.fence = fence;
    proposal.bytes = codec::EncodeCommand({replica_->proposer(), proposal.id, std::move(command)});
    proposal.done = std::move(done);
    if (proposal.bytes.size() > options_.command_bytes_max) {
      return proposal.done(Fail(ErrorCode::kInvalidArgument, "the command is too large"));
    }
    const auto refused = Enqueue(proposal);
    if (refused) proposal.done(tl::unexpected(*refused));
  }

  [[nodiscard]] LeaderStatus status() const override { return replica_->status(); }
  [[nodiscard]] bool LeaseValid() const override { return replica_->lease().Valid(); }
  [[nodiscard]] GroupStats stats() const override { return replica_->stats(); }
  [[nodiscard]] std::vector<Member> members() const override { return replica_->members(); }

  Result<void> TransferLeadership(raft::NodeId target, Millis timeout) override {
    const Nanos deadline = clock_.Monotonic() + timeout;
    return RunThere(timeout + options_.tick * 2, [=, this](Replica::Finished finished) {
      replica_->Transfer(target, deadline, std::move(finished));
    });
  }

  Result<void> CheckSuccessor(raft::NodeId target, Millis timeout) override {
    return RunThere(timeout, [=, this](const Replica::Finished& finished) {
      finished(replica_->CheckSuccessor(target));
    });
  }

  Result<void> AddMember(const Member& member, Millis timeout) override {
    const auto type =
        member.is_learner ? raft::ConfChangeType::kAddLearnerNode : raft::ConfChangeType::kAddNode;
    return Change(type, member, timeout);
  }
  Result<void> PromoteMember(raft::NodeId id, Millis timeout) override {
    for (const Member& member : members()) {
      if (member.id == id) return Change(raft::ConfChangeType::kAddNode, member, timeout);
    }
    return Fail(ErrorCode::kNotFound, "etcdserver: member not found");
  }
  Result<void> RemoveMember(raft::NodeId id, Millis timeout) override {
    Member member;
    member.id = id;
    return Change(raft::ConfChangeType::kRemoveNode, member, timeout);
  }

  Result<void> Receive(std::string bytes) override {
    auto envelope = codec::DecodeEnvelope(bytes);
    if (!envelope) return tl::unexpected(envelope.error());
    if (envelope->group_id != options_.group_id || envelope->to != options_.id) {
      return Fail(ErrorCode::kInvalidArgument, "the message is for another group or member");
    }
    if (!replica_->IsMember(envelope->from) && replica_->WasRemoved(envelope->from)) {
      return Fail(ErrorCode::kNotFound, "the sender was removed from the group");
    }
    {
      const MutexLock lock(mutex_);
      if (inbox_.size() >= options_.inbox_max ||
          inbox_bytes_ + bytes.size() > options_.inbox_bytes_max) {
        return Fail(ErrorCode::kQueueFull, "too many messages wait");
      }
      inbox_bytes_ += bytes.size();
      inbox_.push_back({*std::move(envelope), bytes.size()});
    }
    wake_.NotifyOne();
    return {};
  }

  void ReportUnreachable(raft::NodeId id) override {
    {
      const MutexLock lock(mutex_);
      unreachable_.insert(id);
    }
    wake_.NotifyOne();
  }

 private:
  struct Received {
    codec::Envelope envelope;
    size_t bytes = 0;
  };
  /// What one round takes from the queues.
  struct Work {
    bool stop = false;
    std::vector<Received> messages;
    std::vector<Replica::Proposal> proposals;
    std::vector<std::function<void()>> tasks;
    std::set<raft::NodeId> unreachable;
  };

  std::optional<Error> Enqueue(Replica::Proposal& proposal) {
    {
      const MutexLock lock(mutex_);
      if (!running_) return Error{ErrorCode::kNotStarted, "the server is stopping"};
      if (proposals_.size() >= options_.proposals_max ||
          proposal_bytes_ + proposal.bytes.size() > options_.proposal_bytes_max) {
        return Error{ErrorCode::kQueueFull, "too many proposals wait"};
      }
      proposal_bytes_ += proposal.bytes.size();
      proposals_.push_back(std::move(proposal));
    }
    wake_.NotifyOne();
    return std::nullopt;
  }

  Result<void> Change(raft::ConfChangeType type, const Member& member, Millis timeout) {
    return RunThere(timeout, [=, this](Replica::Finished finished) {
      replica_->Change({type, member, std::move(finished)});
    });
  }

  Result<void> RunThere(Millis timeout, std::function<void(Replica::Finished)> task) {
    PD_ASSERT(running_here != this);  // Else the raft thread waits for itself.
    Waiter<void> waiter;
    {
      const MutexLock lock(mutex_);
      if (!running_) return Fail(ErrorCode::kNotStarted, "the server is stopping");
      tasks_.push_back([task = std::move(task), done = waiter.Callback()] { task(done); });
    }
    wake_.NotifyOne();
    return waiter.Wait(timeout);
  }

  void Run() {
    running_here = this;
    replica_->Start();
    replica_->HandleReadies();
    Nanos next_tick = clock_.Monotonic() + options_.tick;
    for (;;) {
      Work work = Take(next_tick);
      if (work.stop) break;
      for (Received& received : work.messages) replica_->Step(std::move(received.envelope));
      for (const raft::NodeId id : work.unreachable) replica_->ReportUnreachable(id);
      for (const auto& task : work.tasks) task();
      if (!work.proposals.empty()) replica_->Propose(std::move(work.proposals));
      replica_->HandleReadies();
      if (clock_.Monotonic() < next_tick) continue;
      replica_->Tick();
      replica_->HandleReadies();
      // Ticks never come closer together than the interval, whatever the delays: a voter's count of ticks since the
      // last heartbeat may lag behind the time that passed, never run ahead. The lease stands on that.
      next_tick = clock_.Monotonic() + options_.tick;
    }
    replica_->Stop();
    for (Replica::Proposal& proposal : TakeAllProposals()) {
      proposal.done(Fail(ErrorCode::kNotStarted, "the server is stopping"));
    }
  }

  /// Waits for work or the next tick.
  Work Take(Nanos next_tick) {
    const MutexLock lock(mutex_);
    // Proposals wait while enough of them are under way: then the queue fills and pushes back.
    const bool room = replica_->in_flight() < options_.proposals_max &&
                      replica_->in_flight_bytes() < options_.proposal_bytes_max;
    while (running_ && inbox_.empty() && tasks_.empty() && unreachable_.empty() &&
           (proposals_.empty() || !room)) {
      const Nanos left = next_tick - clock_.Monotonic();
      if (left <= Nanos(0)) break;
      wake_.WaitFor(mutex_, left);
    }
    Work work;
    work.stop = !running_;
    if (work.stop) return work;
    while (!inbox_.empty() && work.messages.size() < kTakenMax) {
      inbox_bytes_ -= inbox_.front().bytes;
      work.messages.push_back(std::move(inbox_.front()));
      inbox_.pop_front();
    }
    size_t bytes = 0;
    while (room && !proposals_.empty() && work.proposals.size() < kTakenMax &&
           bytes < kTakenBytesMax) {
      bytes += proposals_.front().bytes.size();
      proposal_bytes_ -= proposals_.front().bytes.size();
      work.proposals.push_back(std::move(proposals_.front()));
      proposals_.pop_front();
    }
    work.tasks.swap(tasks_);
    work.unreachable.swap(unreachable_);
    return work;
  }

  std::deque<Replica::Proposal> TakeAllProposals() {
    const MutexLock lock(mutex_);
    proposal_bytes_ = 0;
    return std::exchange(proposals_, {});
  }

  const GroupOptions options_;
  const Clock& clock_;
  const std::unique_ptr<Replica> replica_;
  std::atomic<uint64_t> next_proposal_{1};

  Mutex mutex_;
  CondVar wake_;
  bool running_ PD_GUARDED_BY(mutex_) = false;
  std::deque<Received> inbox_ PD_GUARDED_BY(mutex_);
  size_t inbox_bytes_ PD_GUARDED_BY(mutex_) = 0;
  std::deque<Replica::Proposal> proposals_ PD_GUARDED_BY(mutex_);
  size_t proposal_bytes_ PD_GUARDED_BY(mutex_) = 0;
  std::vector<std::function<void()>> tasks_ PD_GUARDED_BY(mutex_);
  std::set<raft::NodeId> unreachable_ PD_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace

Result<void> RaftGroup::Bootstrap(Database& database, const std::vector<Member>& members) {
  const auto known = HasState(database);
  if (!known) return tl::unexpected(known.error());
  if (*known) return Fail(ErrorCode::kAlreadyExists, "the database holds a group already");
  auto state = MetaState::Open(database);
  if (!state) return tl::unexpected(state.error());
  raft::ConfState membership;
  WriteBatch batch;
  AppliedChanges ignored;
  for (const Member& member : members) {
    (member.is_learner ? membership.learners : membership.voters).push_back(member.id);
    state->PutMember(member, batch, ignored);
  }
  std::set<raft::NodeId> ids(membership.voters.begin(), membership.voters.end());
  ids.insert(membership.learners.begin(), membership.learners.end());
  if (membership.voters.empty() || ids.count(raft::kNoNode) != 0 || ids.size() != members.size()) {
    return Fail(ErrorCode::kInvalidArgument, "a group needs a voter and distinct member ids");
  }
  std::sort(membership.voters.begin(), membership.voters.end());
  std::sort(membership.learners.begin(), membership.learners.end());
  WriteInitialLog(membership, batch);
  state->MarkApplied(kInitialPlace.index, kInitialPlace.term, batch);
  return database.Write(batch, Durability::kSynced);
}

Result<bool> RaftGroup::HasState(const Database& database) {
  const auto mark = database.Get(Column::kRaftState, layout::kMarkKey);
  if (!mark) return tl::unexpected(mark.error());
  return mark->has_value();
}

Result<std::optional<raft::NodeId>> RaftGroup::StoredId(const Database& database) {
  const auto bytes = database.Get(Column::kRaftState, kOwnerKey);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return std::optional<raft::NodeId>();
  ByteReader in(**bytes);
  const raft::NodeId id = in.U64();
  if (!in.Complete()) return Fail(ErrorCode::kCorrupt, "stored member id does not decode");
  return std::optional<raft::NodeId>(id);
}

Result<std::unique_ptr<RaftGroup>> RaftGroup::Open(const GroupOptions& options, Database& database,
                                                   Transport& transport, const Clock& clock,
                                                   FatalHook fatal) {
  auto replica =
      Replica::Open(options, {database, transport, clock, std::move(fatal), RandomSeed()});
  if (!replica) return tl::unexpected(replica.error());
  return std::unique_ptr<RaftGroup>(
      std::make_unique<ThreadedGroup>(options, clock, *std::move(replica)));
}

Result<CommandResult> RaftGroup::ProposeAndWait(Command command, Millis timeout, raft::Term fence) {
  PD_ASSERT(running_here != this);  // Else the raft thread waits for itself.
  Waiter<CommandResult> waiter;
  Propose(std::move(command), fence, waiter.Callback());
  return waiter.Wait(timeout);
}

}  // namespace pd

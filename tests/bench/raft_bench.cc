// The Raft library alone, in the shapes in which etcd-io/raft and raft-rs measure themselves, so that figures compare.
// Nothing is written to disk; messages are passed by hand.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "raft/mem_storage.h"
#include "raft/raw_node.h"
#include "raft/src/tracker/progress.h"
#include "raft/src/tracker/tracker.h"
#include "tests/raft/storage_over.h"

namespace {

size_t allocations = 0;

void* Allocate(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace raft {
namespace {

constexpr int kCompactEvery = 1000;

struct Node {
  explicit Node(NodeId id, NodeId voters, NodeId learners = 0) {
    Snapshot snapshot;
    for (NodeId voter = 1; voter <= voters; ++voter) {
      snapshot.metadata.conf_state.voters.push_back(voter);
    }
    for (NodeId learner = 1; learner <= learners; ++learner) {
      snapshot.metadata.conf_state.learners.push_back(voters + learner);
    }
    snapshot.metadata.index = 1;
    snapshot.metadata.term = 1;
    if (!storage.ApplySnapshot(snapshot)) std::abort();
    storage.SetHardState({1, kNoNode, 1});
    config.id = id;
    config.election_tick = 10;
    config.heartbeat_tick = 1;
    config.storage = &storage;
    config.random = [](uint64_t) -> uint64_t { return 0; };
    config.max_size_per_msg = 1U << 20U;
    config.max_inflight_msgs = 256;
    Start();
  }

  void Start() { raw = std::move(*RawNode::Create(config)); }

  /// One Ready; the messages for others go to `out`.
  void RunReady(std::vector<Message>& out) {
    Ready& ready = raw->GetReady();
    if (ready.hard_state) storage.SetHardState(*ready.hard_state);
    if (ready.snapshot != nullptr && !storage.ApplySnapshot(*ready.snapshot)) std::abort();
    storage.Append(ready.entries);
    for (const Entry& entry : ready.committed_entries) {
      ++applied;
      if (entry.type == EntryType::kNormal) continue;
      if (!raw->ApplyConfChange(*DecodeConfChange(entry))) std::abort();
    }
    for (Message& message : ready.messages) out.push_back(std::move(message));
    raw->Advance();
    ++readies;
  }

  void Compact() {
    const LogIndex applied_index = raw->GetBasicStatus().applied;
    if (applied_index > storage.FirstIndex()) (void)storage.Compact(applied_index - 1);
  }

  MemStorage storage;
  Config config;
  std::unique_ptr<RawNode> raw;
  uint64_t applied = 0;
  uint64_t readies = 0;
};

struct Group {
  explicit Group(NodeId count) {
    for (NodeId id = 1; id <= count; ++id) nodes.push_back(std::make_unique<Node>(id, count));
    if (!leader().raw->Campaign()) std::abort();
    Pump();
  }

  Node& leader() { return *nodes.front(); }

  void Pump() {
    for (bool worked = true; worked;) {
      worked = false;
      for (auto& node : nodes) {
        while (node->raw->HasReady()) {
          worked = true;
          node->RunReady(messages);
          for (Message& message : messages)
            (void)nodes[message.to - 1]->raw->Step(std::move(message));
          messages.clear();
        }
      }
    }
  }

  void CompactAll() {
    for (auto& node : nodes) node->Compact();
  }

  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<Message> messages;
};

// Whoever proposes in whatever number at once, from propose to applied on every node.
void ClusterProposeApply(benchmark::State& state) {
  Group group(static_cast<NodeId>(state.range(0)));
  const std::vector<Payload> batch(static_cast<size_t>(state.range(1)),
                                   Payload::Copy(std::string(64, 'x')));
  int rounds = 0;
  const uint64_t readies = group.leader().readies;
  for (auto _ : state) {
    if (!group.leader().raw->ProposeBatch(batch)) std::abort();
    group.Pump();
    if (++rounds % kCompactEvery == 0) group.CompactAll();
  }
  const auto proposals = static_cast<double>(state.iterations() * state.range(1));
  state.SetItemsProcessed(state.iterations() * state.range(1));
  state.counters["leader_readies"] =
      static_cast<double>(group.leader().readies - readies) / proposals;
}
BENCHMARK(ClusterProposeApply)
    ->Name("cluster/propose_apply")
    ->ArgsProduct({{1, 3, 5}, {1, 16, 256}})
    ->ArgNames({"nodes", "batch"});

/// A log in memory that counts what it is asked.
class CountingStorage final : public StorageOver {
 public:
  using StorageOver::StorageOver;

  Result<void> GetEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                          std::vector<Entry>& out) const override {
    ++calls;
    return StorageOver::GetEntries(lo, hi, max_bytes, out);
  }
  Result<Term> GetTerm(LogIndex index) const override {
    ++calls;
    return StorageOver::GetTerm(index);
  }
  LogIndex FirstIndex() const override {
    ++calls;
    return StorageOver::FirstIndex();
  }
  LogIndex LastIndex() const override {
    ++calls;
    return StorageOver::LastIndex();
  }

  mutable uint64_t calls = 0;
};

// etcd's: a leader alone, whose appends are answered at once; from propose until there is nothing to do.
void ProposeApply(benchmark::State& state) {
  Node node(1, static_cast<NodeId>(state.range(0)));
  CountingStorage storage(node.storage);
  node.config.storage = &storage;
  node.Start();
  if (!node.raw->Campaign()) std::abort();
  std::vector<Message> sent;
  const auto settle = [&node, &sent] {
    while (node.raw->HasReady()) {
      node.RunReady(sent);
      for (const Message& message : sent) {
        Message answer;
        answer.from = message.to;
        answer.to = 1;
        answer.term = message.term;
        answer.index = message.index + message.entries.size();
        answer.type =
            message.type == MessageType::kVote ? MessageType::kVoteResp : MessageType::kAppResp;
        (void)node.raw->Step(std::move(answer));
      }
      sent.clear();
    }
  };
  settle();
  const uint64_t readies = node.readies;
  const uint64_t calls = storage.calls;
  const size_t allocated = allocations;
  int rounds = 0;
  for (auto _ : state) {
    if (!node.raw->Propose(Payload::Copy("foo"))) std::abort();
    settle();
    if (++rounds % kCompactEvery == 0) node.Compact();
  }
  const auto each = [&state](uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(state.iterations());
  };
  state.counters["allocations"] = each(allocations - allocated);
  state.counters["readies"] = each(node.readies - readies);
  state.counters["storage_calls"] = each(storage.calls - calls);
}
BENCHMARK(ProposeApply)->Name("raw_node/propose_apply")->Arg(1)->Arg(2)->ArgName("voters");

// Only the append path of a leader, without a Ready; the log grows all the while. The payloads are made before.
constexpr int64_t kProposedBytesMax = int64_t{1} << 29;
constexpr int64_t kProposedAtOnceMax = 1000;

void LeaderPropose(benchmark::State& state) {
  Group group(1);
  const std::string context(8, 'c');
  const std::string data(static_cast<size_t>(state.range(0)), 'x');
  const int64_t count = std::min(kProposedAtOnceMax, state.max_iterations);
  std::vector<Payload> payloads(static_cast<size_t>(count));
  while (state.KeepRunningBatch(count)) {
    state.PauseTiming();
    for (Payload& payload : payloads) payload = Payload::Concat(context, data);
    state.ResumeTiming();
    for (Payload& payload : payloads) {
      if (!group.leader().raw->Propose(std::move(payload))) std::abort();
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

const bool registered = [] {
  for (const int64_t size :
       {0, 32, 128, 512, 1 << 10, 4 << 10, 16 << 10, 128 << 10, 512 << 10, 1 << 20}) {
    benchmark::RegisterBenchmark("raw_node/leader_propose", LeaderPropose)
        ->Arg(size)
        ->Iterations(std::min<int64_t>(100 * kProposedAtOnceMax,
                                       kProposedBytesMax / std::max<int64_t>(size, 1)));
  }
  return true;
}();

// One Ready with 100 entries of 32 KiB to apply and 100 messages.
void TakeReady(benchmark::State& state) {
  constexpr int kCount = 100;
  const std::vector<Payload> batch(kCount, Payload::Copy(std::string(32 << 10, 'x')));
  for (auto _ : state) {
    Node node(1, 2);
    node.config.max_size_per_msg = 0;
    node.Start();
    std::vector<Message> sent;
    if (!node.raw->Campaign()) std::abort();
    node.RunReady(sent);
    Message answer;
    answer.type = MessageType::kVoteResp;
    answer.from = 2;
    answer.term = 2;
    if (!node.raw->Step(answer)) std::abort();
    node.RunReady(sent);
    answer.type = MessageType::kAppResp;
    answer.index = 2;
    if (!node.raw->Step(answer) || !node.raw->ProposeBatch(batch)) std::abort();
    node.RunReady(sent);
    answer.index = 2 + kCount;
    if (!node.raw->Step(answer)) std::abort();
    for (int i = 0; i < kCount; ++i) node.raw->Ping();
    const auto start = std::chrono::steady_clock::now();
    const Ready& ready = node.raw->GetReady();
    const auto end = std::chrono::steady_clock::now();
    if (ready.messages.size() < kCount) std::abort();
    state.SetIterationTime(std::chrono::duration<double>(end - start).count());
  }
}
BENCHMARK(TakeReady)->Name("raw_node/ready")->UseManualTime();
// A follower takes messages of 64 entries.
void FollowerAppend(benchmark::State& state) {
  Node node(2, 3);
  constexpr LogIndex kEntries = 64;
  Message append;
  append.type = MessageType::kApp;
  append.from = 1;
  append.to = 2;
  append.term = 1;
  append.log_term = 1;
  append.index = 1;
  append.entries.resize(kEntries);
  std::vector<Message> answers;
  int rounds = 0;
  for (auto _ : state) {
    for (LogIndex i = 0; i < kEntries; ++i) {
      append.entries[i].term = 1;
      append.entries[i].index = append.index + 1 + i;
    }
    append.commit = append.index;
    if (!node.raw->Step(append)) std::abort();
    append.index += kEntries;
    while (node.raw->HasReady()) node.RunReady(answers);
    answers.clear();
    if (++rounds % kCompactEvery == 0) node.Compact();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEntries));
}
BENCHMARK(FollowerAppend)->Name("follower/append_64");

// A follower that missed 100,000 entries catches up.
void CatchUp(benchmark::State& state) {
  constexpr int kMissed = 100000;
  const std::vector<Payload> batch(100, Payload::Copy(std::string(64, 'x')));
  for (auto _ : state) {
    state.PauseTiming();
    Group group(3);
    std::unique_ptr<Node> late = std::exchange(group.nodes.back(), std::make_unique<Node>(3, 3));
    group.leader().raw->ReportUnreachable(3);
    for (int i = 0; i < kMissed; i += 100) {
      if (!group.leader().raw->ProposeBatch(batch)) std::abort();
      std::vector<Message> messages;
      for (int side : {0, 1, 0, 1}) {
        Node& node = *group.nodes[static_cast<size_t>(side)];
        while (node.raw->HasReady()) node.RunReady(messages);
        for (Message& message : std::exchange(messages, {})) {
          if (message.to < 3) (void)group.nodes[message.to - 1]->raw->Step(std::move(message));
        }
      }
    }
    std::swap(group.nodes.back(), late);
    state.ResumeTiming();
    while (group.nodes.back()->applied < static_cast<uint64_t>(kMissed)) {
      group.leader().raw->Tick();
      group.Pump();
    }
  }
  state.SetItemsProcessed(state.iterations() * kMissed);
}
BENCHMARK(CatchUp)->Name("cluster/catch_up_100000")->Unit(benchmark::kMillisecond);

// A member is removed and added again through joint configurations, by all three nodes.
void JointChange(benchmark::State& state) {
  Group group(3);
  ConfChangeV2 change;
  change.transition = ConfChangeTransition::kJointImplicit;
  bool remove = true;
  for (auto _ : state) {
    const auto type = remove ? ConfChangeType::kAddLearnerNode : ConfChangeType::kAddNode;
    change.changes = {{type, 3}};
    remove = !remove;
    if (!group.leader().raw->ProposeConfChange(change)) std::abort();
    group.Pump();
  }
}
BENCHMARK(JointChange)->Name("cluster/joint_change");

void NewNode(benchmark::State& state) {
  Node node(1, static_cast<NodeId>(state.range(0)), static_cast<NodeId>(state.range(1)));
  for (auto _ : state) node.Start();
}
BENCHMARK(NewNode)
    ->Name("raft/new")
    ->Args({0, 0})
    ->Args({3, 1})
    ->Args({5, 2})
    ->Args({7, 3})
    ->ArgNames({"voters", "learners"});
BENCHMARK(NewNode)->Name("raw_node/new")->Args({1, 0});

enum CampaignKind : int64_t { kPreElection, kElection, kTransfer };

// A node is made and campaigns.
void CampaignOf(benchmark::State& state) {
  Node node(1, static_cast<NodeId>(state.range(0)), static_cast<NodeId>(state.range(1)));
  node.config.pre_vote = state.range(2) == kPreElection;
  Message take_over;
  take_over.type = MessageType::kTimeoutNow;
  take_over.from = 2;
  take_over.term = 1;
  for (auto _ : state) {
    node.Start();
    if (state.range(2) == kTransfer ? !node.raw->Step(take_over) : !node.raw->Campaign()) {
      std::abort();
    }
  }
}
BENCHMARK(CampaignOf)
    ->Name("raft/campaign")
    ->ArgsProduct({{3}, {1}, {kPreElection, kElection, kTransfer}})
    ->ArgsProduct({{5}, {2}, {kPreElection, kElection, kTransfer}})
    ->ArgsProduct({{7}, {3}, {kPreElection, kElection, kTransfer}})
    ->ArgNames({"voters", "learners", "kind"});

void NewProgress(benchmark::State& state) {
  const Inflights inflights(256, 0);
  for (auto _ : state) benchmark::DoNotOptimize(Progress(9, 10, inflights));
}
BENCHMARK(NewProgress)->Name("progress/new");

Node& LeaderOf(NodeId members) {
  static std::unique_ptr<Node> node;
  node = std::make_unique<Node>(1, 1, members - 1);
  std::vector<Message> lost;
  if (!node->raw->Campaign()) std::abort();
  while (node->raw->HasReady()) node->RunReady(lost);
  return *node;
}

void FullStatus(benchmark::State& state) {
  Node& node = LeaderOf(static_cast<NodeId>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(node.raw->GetStatus());
}
BENCHMARK(FullStatus)->Name("status/full")->Arg(1)->Arg(3)->Arg(5)->Arg(100);

void BasicStatusOnly(benchmark::State& state) {
  Node& node = LeaderOf(static_cast<NodeId>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(node.raw->GetBasicStatus());
}
BENCHMARK(BasicStatusOnly)->Name("status/basic")->Arg(1)->Arg(3)->Arg(5)->Arg(100);

void VisitOnly(benchmark::State& state) {
  Node& node = LeaderOf(static_cast<NodeId>(state.range(0)));
  LogIndex sum = 0;
  for (auto _ : state) {
    node.raw->VisitProgress([&sum](const ProgressStatus& progress) { sum += progress.match; });
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(VisitOnly)->Name("status/visitor")->Arg(1)->Arg(3)->Arg(5)->Arg(100);

// With the numbers looked up in the members' progress, as a leader does on every acknowledgement.
void CommittedIndex(benchmark::State& state) {
  const auto voters = static_cast<NodeId>(state.range(0));
  Tracker tracker(256, 0);
  ConfState membership;
  ProgressMap progress;
  for (NodeId id = 1; id <= voters; ++id) {
    membership.voters.push_back(id);
    progress.emplace_back(id, 1, tracker.inflight_prototype()).set_match(id * 7919 % 1000);
  }
  tracker.Replace(std::move(membership), std::move(progress));
  for (auto _ : state) benchmark::DoNotOptimize(tracker.Committed());
}
BENCHMARK(CommittedIndex)->Name("quorum/committed_index")->DenseRange(1, 11, 2);

}  // namespace
}  // namespace raft

BENCHMARK_MAIN();

// The Raft library alone, in the shapes in which etcd-io/raft and raft-rs measure themselves, so that figures compare.
// Nothing is written to disk; messages are passed by hand.
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "raft/mem_storage.h"
#include "raft/raw_node.h"
#include "raft/src/quorum/quorum.h"

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

// Proposals of some bytes and in some number at once, from propose to applied on every node.
void ProposeApply(benchmark::State& state) {
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
BENCHMARK(ProposeApply)->ArgsProduct({{1, 3, 5}, {1, 16, 256}})->ArgNames({"nodes", "batch"});

// Only the append path of a leader, without a Ready: how proposals of a size cost.
void LeaderPropose(benchmark::State& state) {
  Group group(1);
  const Payload payload = Payload::Copy(std::string(static_cast<size_t>(state.range(0)), 'x'));
  for (auto _ : state) {
    if (!group.leader().raw->Propose(payload)) std::abort();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(LeaderPropose)->Arg(0)->Arg(128)->Arg(4096)->Arg(1 << 20)->Iterations(100000);

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
BENCHMARK(FollowerAppend);

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
BENCHMARK(CatchUp)->Unit(benchmark::kMillisecond);

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
BENCHMARK(JointChange);

void NewNode(benchmark::State& state) {
  Node node(1, static_cast<NodeId>(state.range(0)), static_cast<NodeId>(state.range(1)));
  for (auto _ : state) node.Start();
}
BENCHMARK(NewNode)->Args({1, 0})->Args({3, 1})->Args({5, 2})->Args({7, 3});

void CampaignOf(benchmark::State& state) {
  Node node(1, static_cast<NodeId>(state.range(0)));
  node.config.pre_vote = state.range(1) != 0;
  for (auto _ : state) {
    node.Start();
    if (!node.raw->Campaign()) std::abort();
  }
}
BENCHMARK(CampaignOf)->ArgsProduct({{3, 5, 7}, {0, 1}})->ArgNames({"voters", "pre_vote"});

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
BENCHMARK(FullStatus)->Arg(1)->Arg(3)->Arg(5)->Arg(100);

void BasicStatusOnly(benchmark::State& state) {
  Node& node = LeaderOf(static_cast<NodeId>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(node.raw->GetBasicStatus());
}
BENCHMARK(BasicStatusOnly)->Arg(3)->Arg(100);

void VisitOnly(benchmark::State& state) {
  Node& node = LeaderOf(static_cast<NodeId>(state.range(0)));
  LogIndex sum = 0;
  for (auto _ : state) {
    node.raw->VisitProgress([&sum](const ProgressStatus& progress) { sum += progress.match; });
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(VisitOnly)->Arg(3)->Arg(100);

void CommittedIndex(benchmark::State& state) {
  const auto voters = static_cast<size_t>(state.range(0));
  std::vector<LogIndex> acked(voters);
  LogIndex next = 1;
  for (auto _ : state) {
    for (LogIndex& index : acked) index = (next += 7919) % 1000;
    benchmark::DoNotOptimize(MajorityCommitted(acked));
  }
}
BENCHMARK(CommittedIndex)->DenseRange(1, 11, 2);

}  // namespace
}  // namespace raft

BENCHMARK_MAIN();

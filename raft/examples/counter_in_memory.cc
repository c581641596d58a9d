// A replicated counter: three nodes in one process, a network in memory that loses every tenth message.
//
// What a host has to do is in Host::Work: carry out each Ready in its order (raft/ready.h). The state
// machine adds up the numbers 1, 2, 3 and so on, each once: a proposal may get lost, or be made again
// by a client that has not heard of it, and both must not matter.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "raft/mem_storage.h"
#include "raft/raw_node.h"

namespace {

constexpr int kNumbers = 100;
constexpr int kRoundsMax = 100'000;

std::mt19937_64 g_random(1);  // The same run each time.

/// One member: the node, its log, and the state machine.
class Host {
 public:
  explicit Host(raft::NodeId id) {
    // The founding members are in a first snapshot that all of them begin with.
    raft::Snapshot start;
    start.metadata.conf_state.voters = {1, 2, 3};
    start.metadata.index = 1;
    start.metadata.term = 1;
    if (!storage_.ApplySnapshot(start)) std::abort();
    storage_.SetHardState({.term = 1, .vote = raft::kNoNode, .commit = 1});

    raft::Config config;
    config.id = id;
    config.election_tick = 10;
    config.heartbeat_tick = 1;
    config.storage = &storage_;
    config.random = [](uint64_t bound) { return g_random() % bound; };
    config.max_size_per_msg = 64 << 10;
    config.max_inflight_msgs = 64;
    config.pre_vote = true;
    config.check_quorum = true;
    auto node = raft::RawNode::Create(config);
    if (!node) {
      std::fprintf(stderr, "%s\n", node.error().context.c_str());
      std::exit(1);
    }
    node_ = std::move(*node);
  }

  raft::RawNode& node() { return *node_; }
  int last() const { return last_; }
  int sum() const { return sum_; }
  bool leads() const { return node_->GetBasicStatus().soft_state.role == raft::Role::kLeader; }

  /// Carries out what the node wants done; its messages go into `network`.
  void Work(std::deque<raft::Message>& network) {
    while (node_->HasReady()) {
      raft::Ready& ready = node_->GetReady();
      // 1. Write. A real host makes this durable before it goes on, if must_sync says so.
      if (ready.hard_state) storage_.SetHardState(*ready.hard_state);
      storage_.Append(ready.entries);
      // 2. Send.
      for (raft::Message& message : ready.messages) network.push_back(std::move(message));
      // 3. Apply.
      for (const raft::Entry& entry : ready.committed_entries) Apply(entry);
      // 4. Tell the node.
      node_->Advance();
    }
  }

 private:
  void Apply(const raft::Entry& entry) {
    if (entry.data.empty()) return;  // Each leader begins with an empty entry.
    const int number = std::stoi(std::string(entry.data.view()));
    if (number != last_ + 1) return;  // Proposed twice.
    last_ = number;
    sum_ += number;
  }

  raft::MemStorage storage_;
  std::unique_ptr<raft::RawNode> node_;
  int last_ = 0;
  int sum_ = 0;
};

Host* LeaderOf(std::vector<std::unique_ptr<Host>>& hosts) {
  for (const auto& host : hosts) {
    if (host->leads()) return host.get();
  }
  return nullptr;
}

void Deliver(std::vector<std::unique_ptr<Host>>& hosts, std::deque<raft::Message>& network) {
  for (size_t left = network.size(); left > 0; --left) {
    raft::Message message = std::move(network.front());
    network.pop_front();
    if (g_random() % 10 == 0) continue;  // Lost. Raft sends again what matters.
    // A refused message changed nothing; a host may want to log it.
    (void)hosts[message.to - 1]->node().Step(std::move(message));
  }
}

}  // namespace

int main() {
  std::vector<std::unique_ptr<Host>> hosts;
  for (raft::NodeId id = 1; id <= 3; ++id) hosts.push_back(std::make_unique<Host>(id));
  std::deque<raft::Message> network;
  for (int round = 1; round <= kRoundsMax; ++round) {
    for (const auto& host : hosts) host->node().Tick();
    Host* const leader = LeaderOf(hosts);
    if (leader != nullptr && leader->last() < kNumbers) {
      // Dropped during a hand-over, say; the next round tries again.
      (void)leader->node().Propose(raft::Payload::Copy(std::to_string(leader->last() + 1)));
    }
    for (const auto& host : hosts) host->Work(network);
    Deliver(hosts, network);
    bool done = true;
    for (const auto& host : hosts) done = done && host->last() == kNumbers;
    if (!done) continue;
    for (const auto& host : hosts) {
      if (host->sum() != kNumbers * (kNumbers + 1) / 2) return 1;
    }
    std::printf("after %d rounds each of the 3 nodes counts %d\n", round, hosts[0]->sum());
    return 0;
  }
  std::fprintf(stderr, "the nodes do not agree\n");
  return 1;
}

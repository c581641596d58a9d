#include "tests/raft/sim/cluster.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "raft/describe.h"

namespace raft::sim {
namespace {

constexpr size_t kNetworkMax = 400;
constexpr LogIndex kLogKept = 12;
constexpr int kSettleRounds = 3000;
constexpr uint64_t kStepsATick = 40;  // Of a clock that goes right.
constexpr uint64_t kDriftPercent =
    12;  // 9 / 7 between the fastest and the slowest at most: margin 3 of 10.
constexpr uint64_t kDiskFullSteps = 600;

uint64_t Mix(uint64_t state, const Entry& entry) {
  uint64_t hash = state ^ (entry.index * 0x9e3779b97f4a7c15u);
  for (const char c : entry.data.view()) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  }
  return hash;
}

Payload Encoded(uint64_t number) { return Payload::Copy(std::to_string(number)); }

uint64_t Decoded(const Payload& payload) {
  return std::strtoull(std::string(payload.view()).c_str(), nullptr, 10);
}

bool Lists(const std::vector<NodeId>& ids, NodeId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool IsMember(const ConfState& members, NodeId id) {
  return Lists(members.voters, id) || Lists(members.voters_outgoing, id) ||
         Lists(members.learners, id);
}

}  // namespace

Plan Plan::FromSeed(uint64_t seed) {
  std::mt19937_64 rng(seed);
  const auto coin = [&rng] { return rng() % 2 == 0; };
  Plan plan;
  plan.seed = seed;
  plan.pre_vote = coin();
  plan.check_quorum = coin();
  plan.async_storage_writes = coin();
  plan.change_members = coin();
  plan.transfer = coin();
  plan.drop_percent = static_cast<uint32_t>(rng() % 30);
  plan.duplicate_percent = static_cast<uint32_t>(rng() % 10);
  plan.crash_percent = static_cast<uint32_t>(coin() ? rng() % 5 : rng() % 30);
  plan.nodes = 3 + rng() % 5;
  plan.founders = std::min<uint64_t>(plan.nodes, coin() ? 3 : 5);
  plan.clocks = coin();
  plan.lease_reads = plan.clocks && coin();
  plan.check_quorum |= plan.lease_reads;
  plan.no_snapshot_percent = coin() ? 0 : static_cast<uint32_t>(rng() % 80);
  plan.full_percent = coin() ? 0 : static_cast<uint32_t>(rng() % 20);
  plan.max_inflight_msgs = 1 + rng() % 8;
  plan.max_size_per_msg = coin() ? 0 : 64 + rng() % 256;
  return plan;
}

std::string Plan::Describe() const {
  return fmt::format(
      "seed {}: nodes={} founders={} pre_vote={} check_quorum={} async={} members={} transfer={} "
      "clocks={} lease={} drop={}% double={}% crash={}% full={}% no_snapshot={}% inflight={} "
      "message={}",
      seed, nodes, founders, pre_vote, check_quorum, async_storage_writes, change_members, transfer,
      clocks, lease_reads, drop_percent, duplicate_percent, crash_percent, full_percent,
      no_snapshot_percent, max_inflight_msgs, max_size_per_msg);
}

Cluster::Cluster(const Plan& plan) : plan_(plan), rng_(plan.seed) {
  for (NodeId id = 1; id <= plan.nodes; ++id) {
    Node& node = nodes_.emplace_back();
    node.id = id;
    node.tick_every = kStepsATick * (100 - kDriftPercent + Random(2 * kDriftPercent + 1)) / 100;
    if (id <= plan.founders) {
      node.durable.snapshot.metadata.index = 2;
      node.durable.snapshot.metadata.term = 1;
      for (NodeId voter = 1; voter <= plan.founders; ++voter) {
        node.durable.snapshot.metadata.conf_state.voters.push_back(voter);
      }
      node.durable.snapshot.data = Encoded(0);
      node.durable.hard_state = {1, 0, 2};
    }
  }
  for (Node& node : nodes_) Start(node);
}

Cluster::~Cluster() = default;

void Cluster::Require(bool holds, const std::string& what) const {
  if (!holds) throw Broken{fmt::format("{} (step {}, {})", what, step_, plan_.Describe())};
}

void Cluster::Start(Node& node) {
  const auto fatal = [this, id = node.id](std::string_view text) {
    fmt::print(stderr, "node {} is broken: {} (step {}, {})\n", id, text, step_, plan_.Describe());
  };
  const auto newest = [this, &node]() -> SnapshotPtr {
    return Percent(plan_.no_snapshot_percent) ? nullptr : NewestSnapshot(node);
  };
  node.storage = std::make_unique<SimStorage>(fatal, newest);
  if (!node.durable.snapshot.empty()) {
    Require(node.storage->log().ApplySnapshot(node.durable.snapshot).has_value(),
            "snapshot is refused");
  }
  node.storage->log().Append(node.durable.entries);
  node.storage->log().SetHardState(node.durable.hard_state);
  node.applied = node.durable.snapshot.metadata.index;
  node.state = Decoded(node.durable.snapshot.data);
  node.members = node.durable.snapshot.metadata.conf_state;
  node.restored = node.applied;
  node.next_tick = step_ + 1 + Random(node.tick_every);

  Config config;
  config.id = node.id;
  config.election_tick = 10;
  config.heartbeat_tick = 2;
  config.storage = node.storage.get();
  config.applied = node.applied;
  config.random = [this](uint64_t bound) { return Random(bound); };
  config.max_size_per_msg = plan_.max_size_per_msg;
  config.max_committed_size_per_ready = 128;
  config.max_uncommitted_entries_size = 256;
  config.max_inflight_msgs = plan_.max_inflight_msgs;
  config.check_quorum = plan_.check_quorum;
  config.pre_vote = plan_.pre_vote;
  if (plan_.lease_reads) {
    config.read_only_option = ReadOnlyOption::kLeaseBased;
    config.lease_margin = 3;
  }
  config.async_storage_writes = plan_.async_storage_writes;
  config.fatal = fatal;
  Result<std::unique_ptr<RawNode>> raw = RawNode::Create(config);
  Require(raw.has_value(), "node does not start");
  node.raw = std::move(*raw);
}

void Cluster::Crash(Node& node) {
  if (node.raw == nullptr) return;
  ++crashes_;
  node.raw = nullptr;
  node.append_work.clear();
  node.apply_work.clear();
}

void Cluster::MakeDurable(Node& node) {
  node.durable.hard_state = node.storage->log().hard_state();
  node.durable.snapshot = **node.storage->log().GetSnapshot(0, node.id);
  // The stored log begins behind the snapshot here: this storage is compacted up to it.
  node.durable.entries = StoredEntries(node);
}

SnapshotPtr Cluster::NewestSnapshot(const Node& node) const {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata.index = node.applied;
  snapshot->metadata.term = node.storage->GetTerm(node.applied).value_or(0);
  snapshot->metadata.conf_state = node.members;
  snapshot->data = Encoded(node.state);
  return snapshot;
}

std::vector<Entry> Cluster::StoredEntries(Node& node) const {
  std::vector<Entry> entries;
  const LogIndex first = node.storage->FirstIndex();
  const LogIndex last = node.storage->LastIndex();
  if (first <= last) (void)node.storage->GetEntries(first, last + 1, kNoLimit, entries);
  return entries;
}

Cluster::Node* Cluster::Leader() {
  Node* leader = nullptr;
  for (Node& node : nodes_) {
    if (node.raw == nullptr) continue;
    const BasicStatus status = node.raw->GetBasicStatus();
    if (status.soft_state.role != Role::kLeader) continue;
    if (leader == nullptr ||
        status.hard_state.term > leader->raw->GetBasicStatus().hard_state.term) {
      leader = &node;
    }
  }
  return leader;
}

void Cluster::Step() {
  ++step_;
  if (plan_.clocks) TickClocks();
  Node& node = AnyNode();
  const uint64_t dice = Random(100);
  if (dice < 42) {
    DeliverOne();
  } else if (node.raw == nullptr) {
    if (Percent(20)) Start(node);
  } else if (dice < 54) {
    if (!plan_.clocks) node.raw->Tick();
  } else if (dice < 74) {
    if (node.raw->HasReady()) RunReady(node);
  } else if (dice < 82) {
    RunAppend(node);
  } else if (dice < 88) {
    RunApply(node);
  } else if (dice < 94) {
    Propose(node);
  } else if (dice < 96) {
    AskRead(node);
  } else {
    Unusual();
  }
  for (Node& each : nodes_) CheckNode(each);
  if (step_ % 64 == 0) CheckLogs();
}

void Cluster::TickClocks() {
  for (Node& node : nodes_) {
    if (node.raw == nullptr || step_ < node.next_tick) continue;
    node.next_tick += node.tick_every;
    node.raw->Tick();
  }
}

void Cluster::Unusual() {
  Node& node = AnyNode();
  if (Percent(plan_.crash_percent)) Crash(node);
  if (node.raw == nullptr) return;
  if (Percent(plan_.full_percent)) node.disk_full_until = step_ + Random(kDiskFullSteps);
  const NodeId other = 1 + Random(nodes_.size());
  switch (Random(12)) {
    case 0:
    case 9:
    case 10:
      cut_.clear();
      break;
    case 1:
      Split();
      break;
    case 2:
      cut_.insert({node.id, other});
      break;
    case 3:
      Compact(node);
      break;
    case 4:
      if (plan_.change_members) ChangeMembers(node);
      break;
    case 5:
      if (plan_.transfer) node.raw->TransferLeader(other);
      break;
    case 6:
      node.raw->ReportUnreachable(other);
      break;
    case 7:
      IsolateLeader();
      break;
    case 8:
      (void)node.raw->Campaign();
      break;
    default:
      if (Percent(30)) node.raw->ForgetLeader();
      break;
  }
}

void Cluster::Cut(const std::function<bool(NodeId from, NodeId to)>& between) {
  for (NodeId from = 1; from <= nodes_.size(); ++from) {
    for (NodeId to = 1; to <= nodes_.size(); ++to) {
      if (between(from, to)) cut_.insert({from, to});
    }
  }
}

void Cluster::Split() {
  const uint64_t sides = Random(uint64_t{1} << nodes_.size());
  Cut([sides](NodeId from, NodeId to) {
    return ((sides >> (from - 1)) & 1) != ((sides >> (to - 1)) & 1);
  });
}

// Alone, or with one other: what it appends from now on is lost when it comes back.
void Cluster::IsolateLeader() {
  const Node* leader = Leader();
  if (leader == nullptr) return;
  const NodeId friendly = Percent(50) ? 1 + Random(nodes_.size()) : leader->id;
  const auto inside = [&](NodeId id) { return id == leader->id || id == friendly; };
  Cut([&](NodeId from, NodeId to) { return inside(from) != inside(to); });
}

void Cluster::ChangeMembers(Node& node) {
  ConfChangeV2 change;
  change.transition = static_cast<ConfChangeTransition>(Random(3));
  const uint64_t count = Random(3);
  for (uint64_t i = 0; i < count; ++i) {
    const auto type = static_cast<ConfChangeType>(Random(4));
    change.changes.push_back({type, 1 + Random(nodes_.size())});
  }
  (void)node.raw->ProposeConfChange(change);
  // A leader that goes away in the middle of a change is where mistakes show.
  if (Percent(30)) IsolateLeader();
}

void Cluster::Compact(Node& node) {
  const LogIndex snapshot = (*node.storage->log().GetSnapshot(0, node.id))->metadata.index;
  if (node.applied <= snapshot + kLogKept) return;
  Result<SnapshotPtr> made =
      node.storage->log().CreateSnapshot(node.applied, &node.members, Encoded(node.state));
  Require(made.has_value(), "no snapshot at the applied index");
  Require(node.storage->log().Compact(node.applied).has_value(), "log cannot be compacted");
  // The commit index must not be behind the log, and with asynchronous writes its own write may be.
  HardState state = node.storage->log().hard_state();
  state.commit = std::max(state.commit, node.applied);
  node.storage->log().SetHardState(state);
  MakeDurable(node);
}

void Cluster::Propose(Node& node) {
  const uint64_t number = ++proposals_;
  std::vector<Payload> data;
  for (uint64_t i = 0; i <= Random(3); ++i) data.push_back(Encoded(number * 10 + i));
  (void)node.raw->ProposeBatch(data);
}

void Cluster::AskRead(Node& node) {
  const uint64_t read = ++reads_;
  asked_reads_[read] = applied_.empty() ? 0 : applied_.rbegin()->first;
  node.raw->ReadIndex(Encoded(read));
}

void Cluster::RunReady(Node& node) {
  if (!plan_.async_storage_writes && DiskFull(node)) return;  // The host waits for room.
  Ready& ready = node.raw->GetReady();
  CheckReads(ready.read_states);
  if (plan_.async_storage_writes) {
    for (Message& message : ready.messages) Post(std::move(message));
    return;
  }
  // Some of the time a crash comes in the middle.
  for (size_t i = 0; i < ready.immediate_count; ++i) Post(ready.messages[i]);
  if (Percent(2) && Percent(plan_.crash_percent)) return Crash(node);
  Write(node, ready.hard_state.value_or(HardState()), ready.entries, ready.snapshot);
  if (ready.must_sync || ready.snapshot != nullptr || Percent(10)) MakeDurable(node);
  if (Percent(2) && Percent(plan_.crash_percent)) return Crash(node);
  for (size_t i = ready.immediate_count; i < ready.messages.size(); ++i) Post(ready.messages[i]);
  Apply(node, ready.committed_entries);
  node.raw->Advance();
  if (Percent(2) && Percent(plan_.crash_percent)) Crash(node);
}

void Cluster::Write(Node& node, const HardState& state, const std::vector<Entry>& entries,
                    const SnapshotPtr& snapshot) {
  if (!state.empty()) {
    // A compaction may have moved the commit index beyond that of a write which was under way.
    const LogIndex commit = std::max(state.commit, node.storage->log().hard_state().commit);
    node.storage->log().SetHardState({state.term, state.vote, commit});
  }
  if (snapshot != nullptr) {
    Require(node.storage->log().ApplySnapshot(*snapshot).has_value(),
            "received snapshot is refused");
    ApplySnapshot(node, *snapshot);
  }
  node.storage->log().Append(entries);
}

void Cluster::RunAppend(Node& node) {
  if (node.append_work.empty() || DiskFull(node)) return;
  const Message work = std::move(node.append_work.front());
  node.append_work.pop_front();
  Write(node, {work.term, work.vote, work.commit}, work.entries, work.snapshot);
  if (!work.responses.empty()) MakeDurable(node);
  for (const Message& response : work.responses) Post(response);
}

void Cluster::RunApply(Node& node) {
  if (node.apply_work.empty()) return;
  const Message work = std::move(node.apply_work.front());
  node.apply_work.pop_front();
  Apply(node, work.entries);
  for (const Message& response : work.responses) Post(response);
}

void Cluster::Apply(Node& node, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    // With asynchronous writes a snapshot may have overtaken what was handed out to apply.
    if (plan_.async_storage_writes && entry.index <= node.restored) continue;
    Require(entry.index == node.applied + 1,
            fmt::format("node {} applies {} behind {}", node.id, entry.index, node.applied));
    const uint64_t state = Mix(node.state, entry);
    const auto [known, first] = applied_.try_emplace(entry.index, Applied{entry.term, state});
    Require(first || (known->second.term == entry.term && known->second.state == state),
            fmt::format("node {} applies another entry at {}", node.id, entry.index));
    if (entry.type != EntryType::kNormal) {
      Result<ConfChangeV2> change = DecodeConfChange(entry);
      Require(change.has_value(), "membership entry does not decode");
      // Here a snapshot may be asked for; it must not be of a moment in between.
      Result<ConfState> members = node.raw->ApplyConfChange(*change);
      // A change that makes no sense any more is refused by all alike.
      if (members) node.members = *members;
    }
    node.applied = entry.index;
    node.state = state;
  }
}

void Cluster::ApplySnapshot(Node& node, const Snapshot& snapshot) {
  ++snapshots_;
  node.restored = snapshot.metadata.index;
  node.applied = snapshot.metadata.index;
  node.state = Decoded(snapshot.data);
  node.members = snapshot.metadata.conf_state;
  const auto known = applied_.find(node.applied);
  Require(known != applied_.end() && known->second.state == node.state,
          fmt::format("node {} restores another state at {}", node.id, node.applied));
}

void Cluster::Post(Message message) {
  CheckVote(message);
  if (message.type == MessageType::kApp) CheckCompleteness(message);
  if (message.to == kAppendThread || message.to == kApplyThread) {
    Node& node = nodes_[message.from - 1];
    (message.to == kAppendThread ? node.append_work : node.apply_work)
        .push_back(std::move(message));
    return;
  }
  const bool local = message.from == message.to || message.from >= kApplyThread;
  if (local) return Deliver(std::move(message));
  if (message.type == MessageType::kSnap) {
    Node& sender = nodes_[message.from - 1];
    // There is always a report, but it may be wrong.
    if (sender.raw != nullptr) {
      const auto status = Percent(50) ? SnapshotStatus::kFinish : SnapshotStatus::kFailure;
      sender.raw->ReportSnapshot(message.to, status);
    }
  }
  if (cut_.count({message.from, message.to}) > 0 || Percent(plan_.drop_percent)) return;
  if (network_.size() >= kNetworkMax) return;
  if (Percent(plan_.duplicate_percent)) network_.push_back(message);
  network_.push_back(std::move(message));
}

void Cluster::DeliverOne() {
  if (network_.empty()) return;
  // Mostly nearly in order, at times from anywhere.
  const size_t window = Percent(20) ? network_.size() : std::min<size_t>(network_.size(), 4);
  const auto at = network_.begin() + static_cast<std::ptrdiff_t>(Random(window));
  Message message = std::move(*at);
  network_.erase(at);
  Deliver(std::move(message));
}

void Cluster::Deliver(Message message) {
  Node& node = nodes_[message.to - 1];
  if (node.raw == nullptr) return;
  const MessageType type = message.type;
  Result<void> stepped = node.raw->Step(std::move(message));
  if (stepped) return;
  const ErrorCode code = stepped.error().code;
  Require(code == ErrorCode::kPeerNotFound || code == ErrorCode::kProposalDropped,
          fmt::format("{} fails: {}", Name(type), stepped.error().context));
}

void Cluster::RunAll(Node& node) {
  if (node.raw->HasReady()) RunReady(node);
  while (node.raw != nullptr && !node.append_work.empty()) RunAppend(node);
  while (node.raw != nullptr && !node.apply_work.empty()) RunApply(node);
}

void Cluster::Settle() {
  plan_.drop_percent = 0;
  plan_.duplicate_percent = 0;
  plan_.crash_percent = 0;
  plan_.no_snapshot_percent = 0;
  cut_.clear();
  network_.clear();
  for (Node& node : nodes_) {
    node.disk_full_until = 0;
    if (node.raw == nullptr) Start(node);
  }
  LogIndex goal = 0;
  for (int round = 0; round < kSettleRounds; ++round) {
    Node* leader = Leader();
    // Nodes that were removed do not know it, and could disturb the others for ever.
    const ConfState members = leader != nullptr ? leader->members : ConfState();
    size_t behind = 0;
    for (Node& node : nodes_) {
      if (leader != nullptr && round > kSettleRounds / 3 && !IsMember(members, node.id)) continue;
      node.raw->Tick();
      for (int i = 0; i < 4; ++i) RunAll(node);
      CheckNode(node);
      if (IsMember(members, node.id) && node.applied < goal) ++behind;
    }
    for (size_t i = network_.size(); i > 0 && !network_.empty(); --i) DeliverOne();
    if (goal == 0 && leader != nullptr && round > kSettleRounds / 2) {
      Propose(*leader);
      goal = applied_.rbegin()->first + 1;
    } else if (goal != 0 && behind == 0 && leader != nullptr) {
      CheckLogs();
      return;
    }
  }
  Require(false, "the healed cluster does not make progress");
}

void Cluster::CheckNode(Node& node) {
  if (node.raw == nullptr) return;
  const BasicStatus status = node.raw->GetBasicStatus();
  const Term term = status.hard_state.term;
  Require(term >= node.term_seen || term >= node.durable.hard_state.term, "a term went back");
  node.term_seen = term;
  if (status.soft_state.role != Role::kLeader) return;
  const auto [known, first] = leaders_.try_emplace(term, node.id);
  if (first) applied_before_[term] = applied_.empty() ? 0 : applied_.rbegin()->first;
  Require(first || known->second == node.id,
          fmt::format("term {} has leaders {} and {}", term, known->second, node.id));
}

void Cluster::CheckVote(const Message& message) {
  if (message.type != MessageType::kVoteResp || message.reject) return;
  const auto [known, first] = votes_.try_emplace({message.term, message.from}, message.to);
  Require(first || known->second == message.to,
          fmt::format("node {} votes twice in term {}", message.from, message.term));
}

// A leader's first own entry comes behind all that was applied before it was elected, and what it sends
// of that is what was applied.
void Cluster::CheckCompleteness(const Message& append) {
  const auto before = applied_before_.find(append.term);
  if (before == applied_before_.end()) return;
  const auto same = [this, &append](LogIndex index, Term term) {
    const auto known = applied_.find(index);
    Require(known == applied_.end() || known->second.term == term,
            fmt::format("the leader of term {} has an entry of term {} at {}, another was applied",
                        append.term, term, index));
  };
  if (append.index <= before->second) same(append.index, append.log_term);
  for (const Entry& entry : append.entries) {
    if (entry.index <= before->second) same(entry.index, entry.term);
  }
}

void Cluster::CheckReads(const std::vector<ReadState>& reads) {
  for (const ReadState& read : reads) {
    ++reads_confirmed_;
    const auto asked = asked_reads_.find(Decoded(read.context));
    Require(asked != asked_reads_.end(), "an answer to a read nobody asked");
    Require(read.index >= asked->second,
            fmt::format("a read sees {}, {} was applied before", read.index, asked->second));
  }
}

void Cluster::CheckLogs() {
  std::map<std::pair<LogIndex, Term>, std::pair<Term, std::string>> entries;
  for (Node& node : nodes_) {
    Term before = *node.storage->GetTerm(node.storage->FirstIndex() - 1);
    bool previous_known = node.storage->FirstIndex() > 1;
    for (const Entry& entry : StoredEntries(node)) {
      // Two entries of one index and term are the same, and so are those before them: then, one
      // after the other, so is all before.
      const auto value = std::make_pair(before, std::string(entry.data.view()));
      const auto [known, first] = entries.try_emplace({entry.index, entry.term}, value);
      Require(first || known->second.second == value.second,
              fmt::format("logs differ at {} of term {}", entry.index, entry.term));
      Require(first || !previous_known || known->second.first == before,
              fmt::format("logs differ before {} of term {}", entry.index, entry.term));
      before = entry.term;
      previous_known = true;
    }
  }
}

}  // namespace raft::sim

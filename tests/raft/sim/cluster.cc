#include "tests/raft/sim/cluster.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "raft/describe.h"

namespace raft::sim {
namespace {

constexpr size_t kNetworkMax = 400;
constexpr size_t kCrowdedNetwork = 40;
constexpr LogIndex kLogKept = 12;
constexpr int kSettleRounds = 3000;
constexpr uint64_t kStepsATick = 40;  // Of a clock that goes right.
constexpr uint64_t kDriftPercent =
    12;  // 9 / 7 between the fastest and the slowest at most: margin 3 of 10.
constexpr uint64_t kDiskTroubleSteps = 600;
constexpr uint64_t kSlowDiskPercent = 10;  // Of what it would do otherwise.
constexpr size_t kOldMessagesMax = 48;

uint64_t Mix(uint64_t state, const Entry& entry) {
  uint64_t hash = state ^ (entry.index * 0x9e3779b97f4a7c15u);
  for (const char c : entry.data.view()) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  }
  return hash;
}

bool Lists(const std::vector<NodeId>& ids, NodeId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool IsMember(const ConfState& members, NodeId id) {
  return Lists(members.voters, id) || Lists(members.voters_outgoing, id) ||
         Lists(members.learners, id);
}

}  // namespace

Payload Encoded(uint64_t number) { return Payload::Copy(std::to_string(number)); }

uint64_t Decoded(const Payload& payload) {
  return std::strtoull(std::string(payload.view()).c_str(), nullptr, 10);
}

namespace {

// Little else goes wrong then.
void MakeRoomForFocus(Plan& plan) {
  plan.unusual_permille = 5;
  plan.schedule_percent = 90;
  for (uint32_t* often : {&plan.drop_percent, &plan.crash_percent, &plan.full_percent,
                          &plan.slow_percent, &plan.no_snapshot_percent}) {
    *often /= 6;
  }
  plan.max_inflight_msgs += 3;
  if (plan.focus != Focus::kOverwrites) plan.max_size_per_msg += 128;
  if (plan.focus == Focus::kMembers) plan.change_members = true;
  if (plan.focus != Focus::kOverwrites) return;
  if (!plan.light_ready) plan.async_storage_writes = true;
  plan.shorten_percent += 10;
  plan.founders = 5;
  plan.nodes = std::max(plan.nodes, plan.founders);
}

}  // namespace

Plan Plan::FromSeed(uint64_t seed, std::optional<Focus> focus) {
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
  plan.slow_percent = coin() ? 0 : static_cast<uint32_t>(rng() % 20);
  plan.shorten_percent = coin() ? 0 : static_cast<uint32_t>(rng() % 10);
  // Where all goes wrong all the time nothing gets far enough to go wrong in an interesting way.
  plan.unusual_permille = coin() ? 40 : 2 + static_cast<uint32_t>(rng() % 10);
  plan.schedule_percent = coin() ? 5 : 50;
  plan.step_down_on_removal = coin();
  const auto drawn = coin() ? Focus::kAnything : static_cast<Focus>(1 + rng() % 3);
  plan.focus = focus.value_or(drawn);
  plan.light_ready = !plan.async_storage_writes && coin();
  plan.more_options = coin();
  if (plan.focus != Focus::kAnything) MakeRoomForFocus(plan);
  return plan;
}

std::string Plan::Describe() const {
  constexpr const char* kFocusNames[] = {"anything", "members", "reads", "overwrites"};
  return fmt::format(
      "seed {}: focus={} nodes={} founders={} pre_vote={} check_quorum={} async={} parts={} "
      "options={} members={} "
      "transfer={} step_down={} "
      "clocks={} lease={} unusual={}/1000 drop={}% double={}% crash={}% full={}% slow={}% "
      "shorten={}% "
      "schedule={}% no_snapshot={}% inflight={} message={}",
      seed, kFocusNames[static_cast<size_t>(focus)], nodes, founders, pre_vote, check_quorum,
      async_storage_writes, light_ready, more_options, change_members, transfer,
      step_down_on_removal, clocks, lease_reads, unusual_permille, drop_percent, duplicate_percent,
      crash_percent, full_percent, slow_percent, shorten_percent, schedule_percent,
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
  memberships_[0];
  memberships_[2] = nodes_.front().durable.snapshot.metadata.conf_state;
  for (Node& node : nodes_) Start(node);
}

Cluster::~Cluster() = default;

void Cluster::Start(Node& node) {
  const auto fatal = [this, id = node.id](std::string_view text) {
    fmt::print(stderr, "node {} is broken: {} (step {}, {})\n", id, text, step_, plan_.Describe());
  };
  const auto newest = [this, &node]() -> SnapshotPtr {
    return Percent(plan_.no_snapshot_percent) ? nullptr : NewestSnapshot(node);
  };
  const auto prepare = [this, &node](const FetchContext& context) {
    if (!plan_.more_options || !Percent(plan_.slow_percent)) return true;
    node.fetching.push_back(context);
    return false;
  };
  node.storage = std::make_unique<SimStorage>(fatal, newest, prepare);
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
  config.step_down_on_removal = plan_.step_down_on_removal;
  config.async_storage_writes = plan_.async_storage_writes;
  config.light_ready = plan_.light_ready;
  if (plan_.more_options) {
    config.commit_by_vote = true;
    config.skip_bcast_commit = true;
    config.batch_append = true;
    config.max_election_tick = 15;
    config.max_apply_unpersisted_log_limit = 3;
    config.priority = static_cast<int64_t>(Random(3));
  }
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
  node.append_answers.clear();
  node.apply_answers.clear();
  node.parts.clear();
  node.fetching.clear();
}

void Cluster::MakeDurable(Node& node) {
  node.durable.hard_state = node.storage->log().hard_state();
  node.durable.snapshot = **node.storage->log().GetSnapshot(0, node.id);
  // The stored log begins behind the snapshot here: this storage is compacted up to it.
  node.durable.entries = StoredEntries(node);
}

SnapshotPtr Cluster::NewestSnapshot(const Node& node) const {
  if (AppliedAhead(node)) return nullptr;
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
  if (Random(1000) >= plan_.unusual_permille) return OrdinaryStep();
  if (Percent(plan_.schedule_percent)) return RunSchedule();
  ++step_;
  Unusual();
  CheckAll();
}

void Cluster::OrdinaryStep() {
  ++step_;
  if (plan_.clocks) TickClocks();
  // Mostly the network keeps up with what is sent.
  const bool crowded = network_.size() > kCrowdedNetwork && Percent(80);
  Node& node = AnyNode();
  const uint64_t dice = Random(100);
  const bool in_steps = plan_.async_storage_writes || plan_.light_ready;
  if (crowded || dice < 42) {
    DeliverOne();
  } else if (dice < (in_steps ? 58 : 80)) {
    RunSomewhere([](const Node& n) { return n.raw->HasReady(); }, &Cluster::RunReady);
  } else if (plan_.light_ready && dice < 80) {
    RunSomewhere([](const Node& n) { return HasParts(n); }, &Cluster::RunPart);
  } else if (dice < 70) {
    RunSomewhere(
        [](const Node& n) { return !n.append_answers.empty() || !n.apply_answers.empty(); },
        &Cluster::RunAnswers);
  } else if (dice < 78) {
    RunSomewhere([](const Node& n) { return !n.append_work.empty(); }, &Cluster::RunAppend);
  } else if (dice < 84) {
    RunSomewhere([](const Node& n) { return !n.apply_work.empty(); }, &Cluster::RunApply);
  } else if (node.raw == nullptr) {
    if (Percent(40)) Start(node);
  } else if (!node.fetching.empty() && Percent(50)) {
    Fetched(node);
  } else if (dice < 95) {
    if (!plan_.clocks) node.raw->Tick();
  } else if (dice < 97) {
    Propose(node);
  } else {
    AskRead(node);
  }
  CheckAll();
}

void Cluster::RunSomewhere(bool (*has_work)(const Node&), void (Cluster::*run)(Node&)) {
  const size_t start = Random(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[(start + i) % nodes_.size()];
    if (node.raw != nullptr && has_work(node)) return (this->*run)(node);
  }
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
  if (Percent(plan_.full_percent)) node.disk_full_until = step_ + Random(kDiskTroubleSteps);
  if (plan_.more_options && Percent(20)) UseOptions(node);
  if (Percent(plan_.slow_percent)) node.disk_slow_until = step_ + Random(4 * kDiskTroubleSteps);
  const NodeId other = 1 + Random(nodes_.size());
  switch (Random(13)) {
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
    case 11:
      RepeatOldMessages();
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

bool Cluster::DiskBusy(const Node& node) {
  return step_ < node.disk_full_until ||
         (step_ < node.disk_slow_until && !Percent(kSlowDiskPercent));
}

void Cluster::Compact(Node& node) {
  const LogIndex snapshot = (*node.storage->log().GetSnapshot(0, node.id))->metadata.index;
  if (node.applied <= snapshot + kLogKept || AppliedAhead(node)) return;
  // What the library does not know to be applied it may still read.
  if (node.raw->GetBasicStatus().applied < node.applied) return;
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
  for (uint64_t i = 0; i <= Random(2); ++i) data.push_back(Encoded(number * 10 + i));
  (void)node.raw->ProposeBatch(data);
}

void Cluster::AskRead(Node& node) {
  const uint64_t read = ++reads_;
  asked_reads_[read] = AppliedAnywhere();
  node.raw->ReadIndex(Encoded(read));
}

void Cluster::RunReady(Node& node) {
  if (!plan_.async_storage_writes && DiskBusy(node)) return;  // The host waits for it.
  Ready& ready = node.raw->GetReady();
  CheckReads(ready.read_states);
  if (plan_.async_storage_writes) {
    for (Message& message : ready.messages) Post(std::move(message));
    return;
  }
  if (plan_.light_ready) return RunInParts(node, ready);
  const bool voted = ready.hard_state && ready.hard_state->vote != kNoNode;
  // Some of the time a crash comes in the middle.
  for (size_t i = 0; i < ready.immediate_count; ++i) Post(ready.messages[i]);
  if (Percent(2) && Percent(plan_.crash_percent)) return Crash(node);
  Write(node, ready.hard_state.value_or(HardState()), ready.entries, ready.snapshot);
  if (ready.must_sync || ready.snapshot != nullptr || Percent(10)) MakeDurable(node);
  if (Percent(2) && Percent(plan_.crash_percent)) return Crash(node);
  for (size_t i = ready.immediate_count; i < ready.messages.size(); ++i) Post(ready.messages[i]);
  Apply(node, ready.committed_entries);
  node.raw->Advance();
  // Who has just promised something forgets it most readily.
  if (Percent(voted ? 60 : 2) && Percent(plan_.crash_percent)) Crash(node);
}

void Cluster::Write(Node& node, const HardState& state, const std::vector<Entry>& entries,
                    const SnapshotPtr& snapshot) {
  if (!state.empty()) {
    // A compaction may have moved the commit index beyond that of a write which was under way.
    const LogIndex commit = std::max(state.commit, node.storage->log().hard_state().commit);
    node.storage->log().SetHardState({state.term, state.vote, commit});
  }
  if (snapshot != nullptr) {
    // One that was asked for may be the stored one.
    const LogIndex stored = (*node.storage->log().GetSnapshot(0, node.id))->metadata.index;
    Require(snapshot->metadata.index == stored ||
                node.storage->log().ApplySnapshot(*snapshot).has_value(),
            "received snapshot is refused");
    ApplySnapshot(node, *snapshot);
  }
  node.storage->log().Append(entries);
}

void Cluster::RunAppend(Node& node) {
  if (node.append_work.empty() || DiskBusy(node)) return;
  const Message work = std::move(node.append_work.front());
  node.append_work.pop_front();
  Write(node, {work.term, work.vote, work.commit}, work.entries, work.snapshot);
  if (!work.responses.empty()) MakeDurable(node);
  for (const Message& response : work.responses) {
    if (response.to == node.id) {
      node.append_answers.push_back(response);
    } else {
      Post(response);
    }
  }
}

void Cluster::RunApply(Node& node) {
  if (node.apply_work.empty() || step_ < node.apply_stuck_until) return;
  const Message work = std::move(node.apply_work.front());
  node.apply_work.pop_front();
  Apply(node, work.entries);
  node.apply_answers.insert(node.apply_answers.end(), work.responses.begin(), work.responses.end());
}

void Cluster::RunAnswers(Node& node) {
  if (step_ < node.answers_stuck_until) return;
  auto& answers =
      node.apply_answers.empty() || Percent(50) ? node.append_answers : node.apply_answers;
  if (answers.empty()) return;
  Message answer = std::move(answers.front());
  answers.pop_front();
  Post(std::move(answer));
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
      CheckSameMembership(entry.index, node);
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
  Require(Equivalent(node.members, MembershipAt(node.applied)),
          fmt::format("node {} restores another membership at {}", node.id, node.applied));
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
  if (Percent(plan_.duplicate_percent)) {
    network_.push_back(message);
    KeepOld(message);
  }
  // A leader may send any stretch of its log: this is what one with another limit would have sent.
  if (message.type == MessageType::kApp && Percent(plan_.shorten_percent)) {
    message.entries.resize(Random(message.entries.size() + 1));
  }
  network_.push_back(std::move(message));
}

// They come again much later, when terms and leaders are others.
void Cluster::KeepOld(const Message& message) {
  if (old_messages_.size() < kOldMessagesMax) {
    old_messages_.push_back(message);
  } else {
    old_messages_[Random(kOldMessagesMax)] = message;
  }
}

void Cluster::RepeatOldMessages() {
  for (const Message& message : old_messages_) {
    if (Percent(30) && network_.size() < kNetworkMax) network_.push_back(message);
  }
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
  while (plan_.light_ready && node.raw != nullptr && HasParts(node)) RunPart(node);
  while (node.raw != nullptr && !node.append_work.empty()) RunAppend(node);
  while (node.raw != nullptr && !node.apply_work.empty()) RunApply(node);
  while (!node.append_answers.empty() || !node.apply_answers.empty()) RunAnswers(node);
}

void Cluster::Calm() {
  plan_.drop_percent = 0;
  plan_.duplicate_percent = 0;
  plan_.shorten_percent = 0;
  plan_.crash_percent = 0;
  plan_.no_snapshot_percent = 0;
  cut_.clear();
  network_.clear();
  for (Node& node : nodes_) {
    node.disk_full_until = 0;
    node.disk_slow_until = 0;
    node.apply_stuck_until = 0;
    node.answers_stuck_until = 0;
    node.sync_stuck_until = 0;
    if (node.raw == nullptr) Start(node);
    node.raw->EnableGroupCommit(false);
  }
}

void Cluster::Settle() {
  Calm();
  LogIndex goal = 0;
  for (int round = 0; round < kSettleRounds; ++round) {
    // Nodes that were removed do not know it, and could disturb the others for ever.
    Round(round > kSettleRounds / 3 ? Among::kMembers : Among::kAll);
    Node* leader = Leader();
    // With commit by vote they tell each other, if they have the entries.
    const int patience = plan_.more_options ? kSettleRounds * 2 / 5 : kSettleRounds / 3;
    if (leader == nullptr && round == patience) TellCommitted();
    if (leader == nullptr) continue;
    if (goal == 0 && round > kSettleRounds / 2) {
      Propose(*leader);
      goal = AppliedAnywhere() + 1;
    }
    const bool joint = !leader->members.voters_outgoing.empty();
    // The library leaves by itself where it was told to.
    if (joint && !leader->members.auto_leave) (void)leader->raw->ProposeConfChange(ConfChangeV2());
    if (goal != 0 && !joint && AllHave(leader->members, goal)) {
      CheckLogs();
      CheckMemberships();
      if (plan_.check_quorum) CheckGivesWay(*leader);
      return;
    }
  }
  Require(Disturbed(), "the healed cluster does not make progress");
}

// Who was removed and is added again may have campaigned meanwhile. Its term then shuts out a leader
// whom it does not know, for ever: without pre-vote and check-quorum it does not tell it so.
bool Cluster::Disturbed() {
  const Node* leader = Leader();
  if (plan_.pre_vote || plan_.check_quorum || leader == nullptr) return false;
  return std::any_of(nodes_.begin(), nodes_.end(), [leader](const Node& node) {
    return IsMember(leader->members, node.id) && node.term_seen > leader->term_seen;
  });
}

// Voters that have not applied a change may be stranded by those who have: these lead no more, and
// their longer logs keep the others from being elected, who could do without them if they only knew
// that the change is committed. Raft has nothing against it; a host would have to tell them.
void Cluster::TellCommitted() {
  for (Node& node : nodes_) {
    LogIndex commit = node.durable.hard_state.commit;
    for (const Entry& entry : StoredEntries(node)) {
      const auto known = applied_.find(entry.index);
      if (known != applied_.end() && known->second.term == entry.term) commit = entry.index;
    }
    if (commit <= node.durable.hard_state.commit) continue;
    MakeDurable(node);
    node.durable.hard_state.commit = commit;
    Crash(node);
    Start(node);
    ++told_;
  }
}

void Cluster::Round(Among among) {
  const Node* leader = Leader();
  const ConfState members = leader != nullptr ? leader->members : ConfState();
  for (Node& node : nodes_) {
    if (leader != nullptr && among == Among::kMembers && !IsMember(members, node.id)) continue;
    node.raw->Tick();
    for (int i = 0; i < 4; ++i) RunAll(node);
    CheckNode(node);
  }
  for (size_t i = network_.size(); i > 0 && !network_.empty(); --i) DeliverOne();
}

bool Cluster::AllHave(const ConfState& members, LogIndex index) const {
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
    return !IsMember(members, node.id) || node.applied >= index;
  });
}

}  // namespace raft::sim

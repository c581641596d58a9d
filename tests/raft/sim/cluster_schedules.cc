#include <algorithm>
#include <iterator>

#include "tests/raft/sim/cluster.h"

// Chance alone seldom does the worst at the worst moment. A schedule sees the whole cluster, waits for
// the moment, and does it; what comes between is left to chance.

namespace raft::sim {
namespace {

constexpr uint64_t kPatienceSteps = 800;
constexpr uint64_t kQuarrelSteps = 700;
constexpr int kDrawsMax = 8;

bool Lists(const std::vector<NodeId>& ids, NodeId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool Leads(const std::unique_ptr<RawNode>& raw) {
  return raw != nullptr && raw->GetBasicStatus().soft_state.role == Role::kLeader;
}

// How many of `ids` are in `side`.
size_t CountIn(const std::vector<NodeId>& ids, const std::set<NodeId>& side) {
  return static_cast<size_t>(
      std::count_if(ids.begin(), ids.end(), [&side](NodeId id) { return side.count(id) > 0; }));
}

size_t Majority(const std::vector<NodeId>& ids) { return ids.size() / 2 + 1; }

}  // namespace

void Cluster::RunSchedule() {
  const bool anything = plan_.focus == Focus::kAnything;
  const Focus focus = anything ? static_cast<Focus>(1 + Random(3)) : plan_.focus;
  switch (focus) {
    case Focus::kReads:
      ReadAtDeposed();
      break;
    case Focus::kOverwrites:
      OverwriteTwice();
      break;
    default:
      if (!plan_.change_members) return OrdinaryStep();
      if (Percent(20)) {
        SnapshotOverTurn();
      } else {
        SplitTurn();
      }
      break;
  }
  if (Percent(80)) cut_.clear();
  Node& node = AnyNode();
  if (node.raw != nullptr && Percent(30)) Compact(node);
}

bool Cluster::RunUntil(const Condition& done, uint64_t steps_max) {
  for (uint64_t i = 0; i < steps_max; ++i) {
    if (done()) return true;
    OrdinaryStep();
  }
  return done();
}

void Cluster::RunFor(uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) OrdinaryStep();
}

// Nothing passes between the side and the rest any more, what is on its way neither.
void Cluster::Isolate(const std::set<NodeId>& side) {
  cut_.clear();
  Cut([&side](NodeId from, NodeId to) { return side.count(from) != side.count(to); });
  std::erase_if(network_, [this](const Message& message) {
    return cut_.count({message.from, message.to}) > 0;
  });
}

// One that a quorum follows, and that may propose.
Cluster::Node* Cluster::HealedLeader() {
  cut_.clear();
  for (Node& node : nodes_) {
    node.apply_stuck_until = 0;
    node.answers_stuck_until = 0;
  }
  const auto followed = [this] {
    const Node* leader = Leader();
    return leader != nullptr &&
           (Lists(leader->members.voters, leader->id) ||
            Lists(leader->members.voters_outgoing, leader->id)) &&
           leader->storage->GetTerm(leader->applied).value_or(0) ==
               leader->raw->GetBasicStatus().hard_state.term;
  };
  for (int tries = 0; tries < 6; ++tries) {
    if (RunUntil(followed, kPatienceSteps / 4)) return Leader();
    if (tries == 3) TellCommitted();
    const Node* leader = Leader();
    const std::vector<NodeId> voters =
        leader != nullptr ? leader->members.voters : AnyNode().members.voters;
    if (voters.empty()) continue;
    (void)Elect(nodes_[voters[Random(voters.size())] - 1], 1);
  }
  return nullptr;
}

// True if it leads on, and in no joint membership.
bool Cluster::LeavesJoint(Node& leader) {
  const auto joint = [&leader] { return !leader.members.voters_outgoing.empty(); };
  if (joint()) (void)ProposeChange(leader, ConfChangeV2());
  (void)RunUntil([&] { return !joint(); }, kPatienceSteps);
  return !joint() && Leads(leader.raw) && Lists(leader.members.voters, leader.id);
}

// False if it is dropped again and again.
bool Cluster::ProposeChange(Node& node, const ConfChangeV2& change) {
  const auto taken = [&] {
    return node.raw != nullptr && node.raw->ProposeConfChange(change).has_value();
  };
  return RunUntil(taken, kPatienceSteps / 8);
}

// Everybody whom it can reach helps.
bool Cluster::Elect(Node& node, uint64_t steps_max) {
  constexpr uint64_t kStepsATry = 150;
  const auto leads = [&node] { return Leads(node.raw); };
  for (uint64_t i = 0; i < steps_max; i += kStepsATry) {
    if (node.raw == nullptr) return false;
    for (Node& each : nodes_) {
      if (each.raw != nullptr && !Leads(each.raw)) each.raw->ForgetLeader();
    }
    if (!leads()) (void)node.raw->Campaign();
    if (RunUntil(leads, kStepsATry)) return true;
  }
  return false;
}

void Cluster::UseLeaders() {
  for (Node& node : nodes_) {
    if (!Leads(node.raw)) continue;
    Propose(node);
    AskRead(node);
  }
}

// All want to lead, but for some, and who leads does what it can.
void Cluster::Quarrel(uint64_t steps, const std::set<NodeId>& content) {
  for (Node& node : nodes_) {
    if (node.raw != nullptr && content.count(node.id) == 0) node.raw->ForgetLeader();
  }
  for (uint64_t i = 0; i < steps; ++i) {
    OrdinaryStep();
    if (Percent(5)) UseLeaders();
    Node& node = AnyNode();
    if (!Percent(2) || node.raw == nullptr || content.count(node.id) > 0) continue;
    (void)node.raw->Campaign();
    Node& voter = AnyNode();
    if (Percent(15)) Crash(voter);
  }
}

// New voters of whom a quorum needs no quorum of the old ones, if chance finds such.
Cluster::Turn Cluster::DrawTurn(const Node& leader) {
  Turn turn;
  turn.from = leader.members.voters;
  const bool singly = Percent(40);
  for (int draw = 0; draw < kDrawsMax; ++draw) {
    turn.to = turn.from;
    turn.changes.clear();
    std::vector<ConfChangeSingle> changes = DrawChanges(turn, singly ? 2 : nodes_.size());
    if (changes.empty() || turn.to.empty()) continue;
    if (singly) {
      for (const ConfChangeSingle& change : changes) {
        turn.changes.push_back({ConfChangeTransition::kAuto, {change}, {}});
      }
    } else {
      const auto joint = static_cast<ConfChangeTransition>(1 + Random(2));
      turn.changes.push_back({joint, std::move(changes), {}});
    }
    DrawSide(turn, leader.id);
    if (turn.from.size() - CountIn(turn.from, turn.side) >= Majority(turn.from)) break;
  }
  return turn;
}

std::vector<ConfChangeSingle> Cluster::DrawChanges(Turn& turn, size_t count_max) {
  std::vector<ConfChangeSingle> changes;
  for (const Node& node : nodes_) {
    if (changes.size() == count_max || Percent(55)) continue;
    if (!Lists(turn.from, node.id)) {
      turn.to.push_back(node.id);
      changes.push_back({ConfChangeType::kAddNode, node.id});
      continue;
    }
    std::erase(turn.to, node.id);
    const auto type = Percent(20) ? ConfChangeType::kAddLearnerNode : ConfChangeType::kRemoveNode;
    changes.push_back({type, node.id});
  }
  std::shuffle(changes.begin(), changes.end(), rng_);
  return changes;
}

// A quorum of the new voters: at times the leader, then new nodes before old ones.
void Cluster::DrawSide(Turn& turn, NodeId leader) {
  std::vector<NodeId> order = turn.to;
  std::shuffle(order.begin(), order.end(), rng_);
  const auto is_new = [&turn](NodeId id) { return !Lists(turn.from, id); };
  std::stable_partition(order.begin(), order.end(), is_new);
  if (Percent(50)) {
    std::stable_partition(order.begin(), order.end(), [=](NodeId id) { return id == leader; });
  }
  order.resize(Majority(turn.to));
  turn.side = {order.begin(), order.end()};
}

// Another node takes over while the change is in its log and not applied.
Cluster::Node* Cluster::ChangeHands(Node& leader) {
  const auto holds = [this, &leader](Node& node) {
    if (&node == &leader || node.raw == nullptr) return false;
    const std::vector<Entry> stored = StoredEntries(node);
    return std::any_of(stored.begin(), stored.end(), [&node](const Entry& entry) {
      return entry.index > node.applied && entry.type != EntryType::kNormal;
    });
  };
  Node* successor = nullptr;
  const auto found = [&] {
    for (Node& node : nodes_) {
      if (holds(node)) successor = &node;
    }
    return successor != nullptr;
  };
  if (!RunUntil(found, kPatienceSteps / 4)) return nullptr;
  Isolate({leader.id});
  if (!Elect(*successor, kPatienceSteps)) return nullptr;
  cut_.clear();
  return successor;
}

// Who leads when all changes are proposed; null if it does not come to that.
Cluster::Node* Cluster::ProposeTurn(const Turn& turn, Node& leader) {
  if (!ProposeChange(leader, turn.changes.front())) return nullptr;
  const bool singly = turn.changes.size() > 1;
  Node* last = Percent(singly ? 50 : 25) ? ChangeHands(leader) : &leader;
  if (last == nullptr) return nullptr;
  for (size_t i = 1; i < turn.changes.size(); ++i) {
    if (!ProposeChange(*last, turn.changes[i])) return nullptr;
  }
  return last;
}

// Until the first node has applied the change, or left it: the others do not know.
void Cluster::AwaitTurn(const Turn& turn, Node& leader) {
  const bool singly = turn.changes.size() > 1;
  const bool leave = !singly && Percent(50);
  const std::set<NodeId> to(turn.to.begin(), turn.to.end());
  const auto turned = [&](const Node& node) {
    const std::vector<NodeId>& voters = node.members.voters;
    const bool joint = !node.members.voters_outgoing.empty();
    return node.raw != nullptr && joint == (!singly && !leave) && voters.size() == to.size() &&
           CountIn(voters, to) == to.size();
  };
  (void)RunUntil(
      [&] {
        const ConfState& members = leader.members;
        if (leave && step_ % 16 == 0 && leader.raw != nullptr && !members.auto_leave &&
            !members.voters_outgoing.empty()) {
          (void)leader.raw->ProposeConfChange(ConfChangeV2());
        }
        return std::any_of(nodes_.begin(), nodes_.end(), turned);
      },
      kPatienceSteps);
}

// Cuts the network in the middle of a change so that a quorum of the old voters is on one side and
// one of the new voters on the other.
void Cluster::SplitTurn() {
  Node* leader = HealedLeader();
  if (leader == nullptr || !LeavesJoint(*leader)) return;
  const Turn turn = DrawTurn(*leader);
  if (turn.changes.empty() || turn.to.empty()) return;
  const bool stuck = Percent(50);  // Commits outrun applies.
  for (Node& node : nodes_) {
    if (!stuck || turn.side.count(node.id) > 0 || node.id == leader->id) continue;
    node.apply_stuck_until = step_ + 2 * kPatienceSteps;
  }
  leader = ProposeTurn(turn, *leader);
  if (leader == nullptr) return;
  AwaitTurn(turn, *leader);
  std::set<NodeId> side = turn.side;
  for (const Node& node : nodes_) {
    if (!Lists(turn.from, node.id) && Percent(50)) side.insert(node.id);
  }
  Isolate(side);
  std::set<NodeId> content;
  for (const Node& node : nodes_) {
    if (side.count(node.id) == side.count(leader->id)) content.insert(node.id);
  }
  if (Percent(50)) content.clear();
  Quarrel(kQuarrelSteps, content);
}

// A node that misses a change altogether learns of it by a snapshot, and then wants to lead.
void Cluster::SnapshotOverTurn() {
  Node* leader = HealedLeader();
  if (leader == nullptr || !LeavesJoint(*leader)) return;
  Node& late = AnyNode();
  if (late.id == leader->id) return;
  if (Percent(50)) late.apply_stuck_until = step_ + 2 * kPatienceSteps;
  Isolate({late.id});
  for (const ConfChangeV2& change : DrawTurn(*leader).changes) {
    (void)ProposeChange(*leader, change);
    RunFor(Random(kPatienceSteps));
  }
  for (Node& node : nodes_) {
    if (node.raw != nullptr && node.id != late.id) Compact(node);
  }
  cut_.clear();
  RunFor(Random(kPatienceSteps));
  Quarrel(kQuarrelSteps, {});
}

// A leader that was cut off is asked for reads, alone or with fewer than a quorum, while another
// leader writes; then it leads again.
void Cluster::ReadAtDeposed() {
  Node* deposed = HealedLeader();
  if (deposed == nullptr) return;
  std::set<NodeId> side = {deposed->id};
  const std::vector<NodeId>& voters = deposed->members.voters;
  while (CountIn(voters, side) + 1 < Majority(voters) && Percent(60)) {
    side.insert(1 + Random(nodes_.size()));
  }
  Isolate(side);
  const LogIndex before = AppliedAnywhere();
  const auto overtaken = [&] {
    const Node* leader = Leader();
    return leader != nullptr && leader != deposed && AppliedAnywhere() > before &&
           leader->applied > deposed->applied;
  };
  for (uint64_t i = 0; i < kPatienceSteps && !overtaken(); ++i) {
    OrdinaryStep();
    Node& node = AnyNode();
    if (!Percent(3) || node.raw == nullptr || side.count(node.id) > 0) continue;
    node.raw->ForgetLeader();
    (void)node.raw->Campaign();
  }
  for (int i = 0; i < 4; ++i) {
    if (deposed->raw != nullptr) AskRead(*deposed);
    RepeatOldMessages();
    RunFor(Random(kPatienceSteps / 8));
  }
  if (Percent(50)) return;
  cut_.clear();
  (void)RunUntil([deposed] { return !Leads(deposed->raw); }, kPatienceSteps);
  if (!Elect(*deposed, kPatienceSteps)) return;
  UseLeaders();
  RepeatOldMessages();
  RunFor(kPatienceSteps / 4);
}

// Two leaders lose each other's entries on the way to a follower; the first leads again.
void Cluster::OverwriteTwice() {
  if (plan_.light_ready) return CrashUnsynced();
  if (!plan_.async_storage_writes) return OrdinaryStep();
  Node* first = HealedLeader();
  if (first == nullptr) return;
  Node& follower = AnyNode();
  Node& second = AnyNode();
  if (&follower == first || &second == first || &follower == &second) return;
  const Term term = first->raw->GetBasicStatus().hard_state.term;
  const bool stuck = Percent(60);
  if (stuck) follower.answers_stuck_until = step_ + 8 * kPatienceSteps;
  Isolate({first->id, follower.id});
  Propose(*first);
  RunFor(kPatienceSteps / 4);

  Isolate({first->id});
  if (!Elect(second, kPatienceSteps)) return;
  Isolate(stuck ? std::set<NodeId>{second.id, follower.id} : std::set<NodeId>{second.id});
  RunFor(kPatienceSteps / 4);

  Isolate({second.id});
  if (!Elect(*first, kPatienceSteps)) return;
  if (stuck) {
    AcknowledgeLate(follower, term);
  } else {
    LoseWhatIsApplied(*first, second);
  }
}

// The follower has written the one, then the other, and takes the first again. Only now does it hear
// that its first write is done, while the last one is not.
void Cluster::AcknowledgeLate(Node& follower, Term term) {
  const auto taken_again = [&] {
    return std::any_of(follower.append_work.begin(), follower.append_work.end(),
                       [term](const Message& work) {
                         return !work.entries.empty() && work.entries.front().term == term;
                       });
  };
  if (!RunUntil(taken_again, kPatienceSteps)) return;
  follower.disk_full_until = step_ + kPatienceSteps / 2;
  follower.answers_stuck_until = 0;
  RunFor(kPatienceSteps / 2);
}

// A leader has applied something: no other, whatever it has, may win without it.
void Cluster::LoseWhatIsApplied(Node& leader, Node& other) {
  const LogIndex before = AppliedAnywhere();
  (void)RunUntil([this, before] { return AppliedAnywhere() > before; }, kPatienceSteps);
  Isolate({leader.id});
  if (Elect(other, kPatienceSteps)) RunFor(kPatienceSteps / 4);
}

// A leader, perhaps from its candidacy on, syncs nothing, and a bare majority with it hears of its entries. It
// crashes, and must not be able to go on, nor the others without it, as if it had had them.
void Cluster::CrashUnsynced() {
  Node* node = HealedLeader();
  if (node == nullptr) return;
  const std::vector<NodeId> voters = node->members.voters;
  if (Percent(50)) {
    node = &nodes_[voters[Random(voters.size())] - 1];
    node->sync_stuck_until = step_ + 2 * kPatienceSteps;
    (void)Elect(*node, kPatienceSteps / 2);
  }
  node->sync_stuck_until = step_ + 2 * kPatienceSteps;
  std::set<NodeId> side = {node->id};
  while (side.size() < Majority(voters)) side.insert(voters[Random(voters.size())]);
  Isolate(side);
  if (node->raw != nullptr) Propose(*node);
  RunFor(kPatienceSteps / 4);
  Crash(*node);
  node->sync_stuck_until = 0;
  side.erase(node->id);
  Isolate(side);
  Start(*node);
  (void)Elect(*node, kPatienceSteps / 2);
  UseLeaders();
  RunFor(kPatienceSteps / 4);
}

}  // namespace raft::sim

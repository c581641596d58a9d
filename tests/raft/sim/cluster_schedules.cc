#include <algorithm>
#include <iterator>

#include "tests/raft/sim/cluster.h"

// Chance alone seldom does the worst at the worst moment. A schedule sees the
// whole cluster, waits for the moment, and does it; what comes between is left
// to chance.

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

// Nothing passes between the side and the rest any more, what is on its way
// neither.
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
  }
}

Cluster::Turn Cluster::DrawTurn(const Node& leader) {
  const std::vector<NodeId>& voters = leader.members.voters;
  Turn turn;
  turn.from = voters;
  const bool singly = Percent(40);
  for (int draw = 0; draw < kDrawsMax; ++draw) {
    turn.changes.clear();
    turn.side.clear();
    turn.to = voters;
    std::vector<ConfChangeSingle> changes;
    for (const Node& node : nodes_) {
      const bool was = Lists(voters, node.id);
      if (singly ? changes.size() == 2 || !Percent(40) : Percent(50)) continue;
      if (was) {
        std::erase(turn.to, node.id);
        const bool stays = !singly && Percent(30);
        changes.push_back(
            {stays ? ConfChangeType::kAddLearnerNode : ConfChangeType::kRemoveNode, node.id});
      } else {
        turn.to.push_back(node.id);
        changes.push_back({ConfChangeType::kAddNode, node.id});
      }
    }
    if (changes.empty() || turn.to.empty()) continue;
    std::shuffle(changes.begin(), changes.end(), rng_);
    if (singly) {
      for (const ConfChangeSingle& change : changes) {
        turn.changes.push_back({ConfChangeTransition::kAuto, {change}, {}});
      }
    } else {
      const auto joint = static_cast<ConfChangeTransition>(1 + Random(2));
      turn.changes.push_back({joint, changes, {}});
    }
    // A quorum of the new voters, of new nodes if there are enough.
    std::vector<NodeId> order = turn.to;
    std::shuffle(order.begin(), order.end(), rng_);
    std::stable_partition(order.begin(), order.end(),
                          [&voters](NodeId id) { return !Lists(voters, id); });
    if (Percent(50)) {
      std::stable_partition(order.begin(), order.end(),
                            [&leader](NodeId id) { return id == leader.id; });
    }
    turn.side.insert(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(Majority(turn.to)));
    if (voters.size() - CountIn(voters, turn.side) >= Majority(voters)) break;
  }
  return turn;
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

// Cuts the network so that a quorum of the old voters is on one side and one of
// the new voters on the other, at the moment when the first node has applied
// the change, or left it: the others do not know.
void Cluster::SplitTurn() {
  Node* leader = HealedLeader();
  if (leader == nullptr) return;
  if (!LeavesJoint(*leader)) return;
  const Turn turn = DrawTurn(*leader);
  if (turn.changes.empty()) return;
  // Commits outrun applies.
  if (Percent(50)) {
    for (Node& node : nodes_) {
      if (turn.side.count(node.id) == 0 && node.id != leader->id) {
        node.apply_stuck_until = step_ + 2 * kPatienceSteps;
      }
    }
  }
  size_t proposed = 0;
  if (!ProposeChange(*leader, turn.changes[proposed++])) return;
  if (Percent(turn.changes.size() > 1 ? 50 : 25)) {
    leader = ChangeHands(*leader);
    if (leader == nullptr) return;
  }
  for (; proposed < turn.changes.size(); ++proposed) {
    if (!ProposeChange(*leader, turn.changes[proposed])) return;
  }
  const bool leave = Percent(50);
  const auto turned = [this, &turn, leave](const Node& node) {
    const ConfState& members = node.members;
    if (node.raw == nullptr || members.voters.size() != turn.to.size()) return false;
    if (leave != members.voters_outgoing.empty() && turn.changes.size() == 1) return false;
    return CountIn(members.voters, {turn.to.begin(), turn.to.end()}) == turn.to.size();
  };
  const auto anybody = [&] {
    if (leave && step_ % 16 == 0 && leader->raw != nullptr && !leader->members.auto_leave &&
        !leader->members.voters_outgoing.empty()) {
      (void)leader->raw->ProposeConfChange(ConfChangeV2());
    }
    return std::any_of(nodes_.begin(), nodes_.end(), turned);
  };
  (void)RunUntil(anybody, kPatienceSteps);
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

// A node that misses a change altogether learns of it by a snapshot, and then
// wants to lead.
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

// A leader that was cut off is asked for reads, alone or with fewer than a
// quorum, while another leader writes; then it leads again.
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

// A follower writes an entry, then another in its place, and takes the first again; only then does it
// hear that the first write is done, while the last one is not.
void Cluster::OverwriteTwice() {
  if (!plan_.async_storage_writes) return OrdinaryStep();
  Node* first = HealedLeader();
  if (first == nullptr) return;
  Node& follower = AnyNode();
  Node& second = AnyNode();
  if (&follower == first || &second == first || &follower == &second) return;
  const Term term = first->raw->GetBasicStatus().hard_state.term;
  follower.answers_stuck_until = step_ + 8 * kPatienceSteps;
  Isolate({first->id, follower.id});
  Propose(*first);
  RunFor(kPatienceSteps / 4);

  Isolate({first->id});
  if (!Elect(second, kPatienceSteps)) return;
  Isolate({second.id, follower.id});
  RunFor(kPatienceSteps / 4);

  Isolate({second.id});
  if (!Elect(*first, kPatienceSteps)) return;
  const auto taken_again = [&] {
    return std::any_of(follower.append_work.begin(), follower.append_work.end(),
                       [&](const Message& work) {
                         return !work.entries.empty() && work.entries.front().term == term;
                       });
  };
  if (!RunUntil(taken_again, kPatienceSteps)) return;
  follower.disk_full_until = step_ + kPatienceSteps / 2;
  follower.answers_stuck_until = 0;
  RunFor(kPatienceSteps / 2);
}

}  // namespace raft::sim

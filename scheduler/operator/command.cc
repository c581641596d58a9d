#include "scheduler/operator/command.h"

namespace scheduler {
namespace {

using Verdict = std::optional<StepCommand>;

struct Commands {
  const Region& region;
  ConfChange conf_change;

  Verdict operator()(const TransferLeader& step) const {
    TransferLeaderCommand command;
    const Peer* to = region.PeerOnStore(step.to);
    if (to != nullptr) command.peer = *to;
    for (const StoreId store : step.candidates) {
      const Peer* peer = region.PeerOnStore(store);
      if (peer != nullptr && !IsLearner(*peer)) command.peers.push_back(*peer);
    }
    if (to == nullptr && command.peers.empty()) return {};
    if (to == nullptr) command.peer = command.peers.front();
    return command;
  }
  Verdict operator()(const AddPeer& step) const {
    if (region.PeerOnStore(step.store) != nullptr) return {};
    return Change(
        {PeerChangeType::kAddNode, {step.peer, step.store, PeerRole::kVoter, step.witness}});
  }
  Verdict operator()(const AddLearner& step) const {
    if (region.PeerOnStore(step.store) != nullptr) return {};
    return Change({PeerChangeType::kAddLearnerNode,
                   {step.peer, step.store, PeerRole::kLearner, step.witness}});
  }
  Verdict operator()(const PromoteLearner& step) const { return Change(Promote(step)); }
  Verdict operator()(const RemovePeer& step) const {
    const Peer* peer = region.PeerOnStore(step.store);
    if (peer == nullptr) return {};
    return Change({PeerChangeType::kRemoveNode, *peer});
  }
  Verdict operator()(const ChangePeerV2Enter& step) const {
    if (conf_change == ConfChange::kV1) return {};
    ChangePeerV2Command command;
    for (const PromoteLearner& p : step.promotes) command.changes.push_back(Promote(p));
    for (const DemoteVoter& d : step.demotes) {
      command.changes.push_back(
          {PeerChangeType::kAddLearnerNode, {d.peer, d.store, PeerRole::kLearner, d.witness}});
    }
    return command;
  }
  Verdict operator()(const ChangePeerV2Leave&) const {
    if (conf_change == ConfChange::kV1) return {};
    return ChangePeerV2Command{};
  }
  Verdict operator()(const MergeRegion& step) const {
    if (step.passive) return {};
    return MergeCommand{step.to};
  }
  Verdict operator()(const SplitRegion& step) const { return SplitCommand{step.policy, step.keys}; }
  Verdict operator()(const BatchSwitchWitness& step) const {
    return SwitchWitnessCommand{step.switches};
  }

  static PeerChange Promote(const PromoteLearner& step) {
    return {PeerChangeType::kAddNode, {step.peer, step.store, PeerRole::kVoter, step.witness}};
  }
  [[nodiscard]] StepCommand Change(PeerChange change) const {
    if (conf_change == ConfChange::kV2) return ChangePeerV2Command{{change}};
    return ChangePeerCommand{change};
  }
};

const char* ChangeText(const PeerChange& change) {
  switch (change.type) {
    case PeerChangeType::kAddNode:
      return "add-peer";
    case PeerChangeType::kRemoveNode:
      return "remove-peer";
    case PeerChangeType::kAddLearnerNode:
      return "add-learner";
  }
  return "add-peer";
}

struct Texts {
  const char* operator()(const TransferLeaderCommand&) const { return "transfer-leader"; }
  const char* operator()(const ChangePeerCommand& command) const {
    return ChangeText(command.change);
  }
  const char* operator()(const ChangePeerV2Command& command) const {
    if (command.changes.empty()) return "change-peer-v2-leave";
    if (command.changes.size() == 1) return ChangeText(command.changes.front());
    return "change-peer-v2-enter";
  }
  const char* operator()(const MergeCommand&) const { return "merge"; }
  const char* operator()(const SplitCommand&) const { return "split-region"; }
  const char* operator()(const SwitchWitnessCommand&) const { return "switch-witness"; }
};

}  // namespace

std::optional<StepCommand> CommandFor(const Step& step, const Region& region,
                                      ConfChange conf_change) {
  return std::visit(Commands{region, conf_change}, step);
}

const char* CommandText(const StepCommand& command) { return std::visit(Texts{}, command); }

}  // namespace scheduler

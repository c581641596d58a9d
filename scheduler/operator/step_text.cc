#include <string_view>

#include "scheduler/operator/step.h"

namespace scheduler {
namespace {

std::string On(uint64_t peer, StoreId store) {
  return "peer " + std::to_string(peer) + " on store " + std::to_string(store.value);
}

std::string Promote(const PromoteLearner& step) {
  const std::string kind = step.witness ? "promote witness learner " : "promote learner ";
  return kind + On(step.peer.value, step.store) + " to voter";
}

std::string Demote(const DemoteVoter& step) {
  const std::string kind = step.witness ? "demote witness voter " : "demote voter ";
  return kind + On(step.peer.value, step.store) + " to learner";
}

template <class Joint>
std::string JointText(std::string text, const Joint& step) {
  for (const PromoteLearner& promote : step.promotes) text += ", " + Promote(promote);
  for (const DemoteVoter& demote : step.demotes) text += ", " + Demote(demote);
  return text;
}

std::string_view PolicyText(SplitPolicy policy) {
  switch (policy) {
    case SplitPolicy::kScan:
      return "SCAN";
    case SplitPolicy::kApproximate:
      return "APPROXIMATE";
    case SplitPolicy::kUseKey:
      return "USEKEY";
  }
  return "SCAN";
}

struct Texts {
  std::string operator()(const TransferLeader& step) const {
    return "transfer leader from store " + std::to_string(step.from.value) + " to store " +
           std::to_string(step.to.value);
  }
  std::string operator()(const AddPeer& step) const {
    return (step.witness ? "add witness " : "add ") + On(step.peer.value, step.store);
  }
  std::string operator()(const AddLearner& step) const {
    return (step.witness ? "add witness learner " : "add learner ") +
           On(step.peer.value, step.store);
  }
  std::string operator()(const PromoteLearner& step) const { return Promote(step); }
  std::string operator()(const RemovePeer& step) const {
    return "remove peer on store " + std::to_string(step.store.value);
  }
  std::string operator()(const ChangePeerV2Enter& step) const {
    return JointText("use joint consensus", step);
  }
  std::string operator()(const ChangePeerV2Leave& step) const {
    return JointText("leave joint state", step);
  }
  std::string operator()(const MergeRegion& step) const {
    return "merge region " + std::to_string(step.from.id.value) + " into region " +
           std::to_string(step.to.id.value);
  }
  std::string operator()(const SplitRegion& step) const {
    return "split region with policy " + std::string(PolicyText(step.policy));
  }
  std::string operator()(const BatchSwitchWitness& step) const {
    std::string text = "batch switch witness";
    for (const WitnessSwitch& one : step.switches) {
      text += ", switch " + On(one.peer.value, one.store) +
              (one.witness ? " to witness" : " to non-witness");
    }
    return text;
  }
};

}  // namespace

std::string StepText(const Step& step) { return std::visit(Texts{}, step); }

}  // namespace scheduler

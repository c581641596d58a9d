// Peers that become witnesses, or get their data, on the way of a Builder (as in the reference).
#include <utility>

#include "scheduler/operator/builder.h"

namespace scheduler {

void Builder::FindWitnessSwitch(const Peer& target) {
  if (target.witness) {
    to_witness_[target.store] = target;
    return;
  }
  to_data_[target.store] = target;
  if (IsVoter(target)) to_promote_after_[target.store] = target;
}

void Builder::DoSwitch(const PeersByStore& switched) {
  BatchSwitchWitness step;
  for (const auto& [store, peer] : switched) {
    step.switches.push_back({store, peer.id, peer.witness});
    current_[store].witness = peer.witness;
  }
  if (step.switches.empty()) return;
  proposal_.steps.emplace_back(std::move(step));
  proposal_.kind |= Kind::kRegion;
}

void Builder::DoBringData() {
  DoSwitch(to_data_);
  if (context_.options.UseJointConsensus()) {
    DoEnterAndLeave(to_promote_after_, {});
  } else {
    for (const auto& entry : to_promote_after_) DoPromote(entry.second);
  }
}

std::string Builder::SwitchBrief() const {
  std::string brief = "switch peer: ";
  if (!to_witness_.empty()) {
    brief += "store " + StoreListText(StoresIn(to_witness_)) + " to witness";
  }
  if (!to_witness_.empty() && !to_data_.empty()) brief += ", ";
  if (!to_data_.empty()) brief += "store " + StoreListText(StoresIn(to_data_)) + " to non-witness";
  return brief;
}

}  // namespace scheduler

// The verbs of the planning scripts that are about scattering.
#include <algorithm>

#include "tests/scheduler/script_runner.h"

namespace scheduler::test {

std::string ScriptRunner::DoScatter(const Line& line) {
  const std::string group = line.Get("group");
  ScatterCounts& counts = groups_[group];
  ScatterPlan plan = PlanScatter(world_.Context(), RegionOf(line), group, counts);
  Record(plan, counts);
  Decision decision;
  if (plan.proposal) decision.proposals.push_back(*std::move(plan.proposal));
  if (plan.refusal) decision.refusals.push_back(*std::move(plan.refusal));
  std::string out;
  if (plan.outcome == ScatterOutcome::kInPlace) {
    out = "in place\n";
  } else {
    out = Show(decision);
  }
  if (plan.stores.empty()) return out;
  return out + "recorded stores=" + StoreListText(plan.stores) +
         " leader=" + std::to_string(plan.leader.value) + '\n';
}

std::string ScriptRunner::ShowGroup(const Line& line) const {
  const auto found = groups_.find(line.Get("group"));
  if (found == groups_.end()) return "no counts\n";
  std::string out;
  for (const auto& [store, peers] : found->second.peers()) {
    out += "store=" + std::to_string(store.value) + " peers=" + std::to_string(peers) +
           " leaders=" + std::to_string(found->second.LeadersOn(store)) + '\n';
  }
  return out;
}

}  // namespace scheduler::test

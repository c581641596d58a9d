// The verbs of the planning scripts that are about scattering.
#include <algorithm>

#include "tests/scheduler/script_runner.h"

namespace scheduler::test {

std::string CountsText(const ScatterCounts& counts) {
  std::string out;
  for (const auto& [store, peers] : counts.peers()) {
    out += "store=" + std::to_string(store.value) + " peers=" + std::to_string(peers) +
           " leaders=" + std::to_string(counts.LeadersOn(store)) + '\n';
  }
  return out;
}

std::string ScriptRunner::ShowPlan(ScatterPlan plan) {
  if (plan.outcome == ScatterOutcome::kInPlace) return "in place\n";
  Decision decision;
  if (plan.proposal) decision.proposals.push_back(*std::move(plan.proposal));
  if (plan.refusal) decision.refusals.push_back(*std::move(plan.refusal));
  return Show(decision);
}

std::string ScriptRunner::DoScatter(const Line& line) {
  const std::string group = line.Get("group");
  ScatterCounts& counts = groups_[group];
  const Limits limits = line.Get("limits") == "passed" ? Limits::kPassed : Limits::kObeyed;
  const ScatterPlan plan = PlanScatter(world_.Context(), RegionOf(line), group, counts, limits);
  Record(plan, counts);
  const std::string out = ShowPlan(plan);
  if (plan.stores.empty()) return out;
  return out + "recorded stores=" + StoreListText(plan.stores) +
         " leader=" + std::to_string(plan.leader.value) + '\n';
}

std::string ScriptRunner::ShowGroup(const Line& line) const {
  const auto found = groups_.find(line.Get("group"));
  return found == groups_.end() ? "no counts\n" : CountsText(found->second);
}

ScatterCounts ScriptRunner::CountRange(const Line& line) const {
  const std::string range = line.Get("range");
  const size_t comma = range.find(',');
  std::vector<Proposal> running;
  for (const auto& [id, op] : operators_) {
    if (op.status() == Status::kStarted) running.push_back(op.plan());
  }
  return CountScattered(world_, {range.substr(0, comma), range.substr(comma + 1)}, running);
}

std::string ScriptRunner::DoSplitScatter(const Line& line) {
  return ShowPlan(PlanSplitScatter(world_.Context(), RegionOf(line), "g", CountRange(line)));
}

}  // namespace scheduler::test

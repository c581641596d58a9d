// The verbs of the planning scripts that are about affinity groups.
#include <algorithm>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/scheduler/script_runner.h"

namespace scheduler::test {
namespace {

std::string StoresText(const AffinityStores& stores) {
  return "leader=" + std::to_string(stores.leader.value) +
         " voters=" + StoreListText(stores.voters);
}

}  // namespace

void ScriptRunner::DoAffinity(const Line& line) {
  const std::string& id = line.Word(0);
  REQUIRE(IsAffinityGroupId(id));
  if (line.words.back() == "gone") {
    world_.affinity.erase(id);
    health_.erase(id);
    return;
  }
  AffinityGroup group;
  std::istringstream stores(line.Get("stores"));
  for (std::string text; std::getline(stores, text, ',');) {
    group.stores.voters.push_back({std::stoull(text)});
    if (text.ends_with('*')) group.stores.leader = group.stores.voters.back();
  }
  std::ranges::sort(group.stores.voters);
  group.assignment = ++assignments_;
  world_.affinity[id] = group;
  health_[id] = {};
  if (!line.Has("range")) return;
  Line label;
  label.verb = "label";
  label.words = {AffinityRuleId(id)};
  label.options = {{"range", line.Get("range")}, {"set", std::string(kAffinityLabel) + ":" + id}};
  DoLabel(label);
}

std::string ScriptRunner::DoLook() {
  std::string out;
  for (auto& [id, group] : world_.affinity) {
    if (group.stores.empty()) continue;
    const auto trouble = WorstTrouble(world_.Context(), group.stores);
    health_[id] = AfterLook(health_[id], trouble, world_.now);
    group.availability = health_[id].availability;
    out += "group " + id + " " + AvailabilityText(group.availability);
    if (trouble) out += ": " + RefusalText(trouble->why);
    out += '\n';
  }
  return out;
}

std::string ScriptRunner::DoCensus(const Line& line) {
  const bool ended =
      census_.Step(world_.Context(), static_cast<size_t>(line.Number("count", 1000)));
  std::string out;
  for (const auto& [id, counts] : census_.counts()) {
    const auto group = world_.affinity.find(id);
    const std::string phase =
        group == world_.affinity.end()
            ? "gone"
            : AffinityPhaseText(
                  PhaseOf(group->second, AffinityRangesOf(world_.labels, id).size(), counts));
    out += "group " + id + " regions=" + std::to_string(counts.regions) +
           " in-place=" + std::to_string(counts.in_place) + " " + phase + '\n';
  }
  return out + (ended ? "round ends\n" : "goes on\n");
}

std::string ScriptRunner::DoAskSplit(const Line& line) {
  const Region region = RegionOf(line);
  const PlanContext context = world_.Context();
  const auto* group = context.AffinityOf(region);
  const std::string reason = line.Get("reason");
  const SplitReason why = reason == "admin"  ? SplitReason::kAdmin
                          : reason == "size" ? SplitReason::kSize
                                             : SplitReason::kLoad;
  const AffinitySplitOptions options{context.options.affinity_schedule_limit,
                                     static_cast<uint64_t>(line.Number("merge-size", 256))};
  const bool refused = group != nullptr && RefusesSplit(group->second, region, why, options);
  return refused ? "refused\n" : "granted\n";
}

std::string ScriptRunner::ShowFinding(const AffinityFinding& finding) {
  const auto found = world_.affinity.find(finding.group);
  REQUIRE(found != world_.affinity.end());
  AffinityGroup& group = found->second;
  REQUIRE(finding.assignment == group.assignment);
  std::string out;
  if (finding.expires) {
    group.availability = health_[finding.group].availability = Availability::kExpired;
    out += "group " + finding.group + " expires\n";
  }
  if (finding.template_stores) {
    group = {*finding.template_stores, ++assignments_, Availability::kAvailable};
    health_[finding.group] = {};
    out += "group " + finding.group + " learns " + StoresText(group.stores) + '\n';
  }
  return out;
}

}  // namespace scheduler::test

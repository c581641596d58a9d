#include "scheduler/checkers/split_checker.h"

#include <string>
#include <utility>
#include <vector>

namespace scheduler {
namespace {

/// More bounds than this are split at in turns: a command should stay small.
constexpr size_t kKeysMax = 256;

}  // namespace

Decision CheckSplit(const PlanContext& context, const Region& region) {
  Decision decision;
  std::vector<std::string> keys = context.labels.BoundsInside(region, kKeysMax);
  const bool by_labels = !keys.empty();
  if (!by_labels) keys = context.rules.BoundsInside(region, kKeysMax);
  if (keys.empty()) return decision;
  if (!region.HasLeader()) return decision;  // Nobody to tell; the rule checker says so.
  Proposal proposal;
  proposal.desc = by_labels ? "labeler-split-region" : "rule-split-region";
  proposal.brief = "split: region " + std::to_string(region.id.value) + " use policy USEKEY";
  proposal.region = region.id;
  proposal.epoch = region.epoch;
  proposal.range = {region.start_key, region.end_key};
  proposal.size_mib = region.size_mib;
  proposal.kind = Kind::kSplit;
  proposal.why = std::string("bounds of ") + (by_labels ? "label" : "placement") +
                 " rules inside: " + std::to_string(keys.size());
  proposal.steps.emplace_back(SplitRegion{proposal.range, SplitPolicy::kUseKey, std::move(keys)});
  decision.proposals.push_back(std::move(proposal));
  return decision;
}

}  // namespace scheduler

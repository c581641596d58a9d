#include "scheduler/checkers/split_checker.h"

#include <string_view>
#include <utility>

namespace scheduler {

Decision CheckSplit(const PlanContext& context, const Region& region) {
  Decision decision;
  std::vector<std::string> keys = context.labels.BoundsInside(region, kSplitKeysMax);
  const bool by_labels = !keys.empty();
  if (!by_labels) keys = context.rules.BoundsInside(region, kSplitKeysMax);
  if (keys.empty()) return decision;
  if (!region.HasLeader()) return decision;  // Nobody to tell; the rule checker says so.
  const std::string why = std::string("bounds of ") + (by_labels ? "label" : "placement") +
                          " rules inside: " + std::to_string(keys.size());
  decision.proposals.push_back(
      ProposeSplit(region, by_labels ? "labeler-split-region" : "rule-split-region",
                   SplitPolicy::kUseKey, std::move(keys)));
  decision.proposals.back().why = why;
  return decision;
}

Proposal ProposeSplit(const Region& region, std::string desc, SplitPolicy policy,
                      std::vector<std::string> keys) {
  Proposal proposal;
  proposal.range = {region.start_key, region.end_key};
  const Step step = SplitRegion{proposal.range, policy, std::move(keys)};
  constexpr std::string_view kStepPrefix = "split region with policy ";
  proposal.desc = std::move(desc);
  proposal.brief = "split: region " + std::to_string(region.id.value) + " use policy " +
                   StepText(step).substr(kStepPrefix.size());
  proposal.region = region.id;
  proposal.epoch = region.epoch;
  proposal.size_mib = region.size_mib;
  proposal.kind = Kind::kSplit;
  proposal.steps.push_back(step);
  return proposal;
}

}  // namespace scheduler

#include "scheduler/checkers/learner_checker.h"

#include "scheduler/operator/builder.h"

namespace scheduler {

Decision CheckLearners(const PlanContext& context, const Region& region) {
  Decision decision;
  for (const Peer& peer : region.peers) {
    if (!IsLearner(peer)) continue;
    decision.Take(region.id, Builder(context, "promote-learner", region)
                                 .PromoteLearner(peer.store)
                                 .SetWhy("without placement rules all peers vote")
                                 .Build(Kind::kNone));
    if (!decision.proposals.empty()) break;
  }
  return decision;
}

}  // namespace scheduler

#include "pd/dispatch/operator_metrics.h"

namespace pd {
namespace {

struct StepNames {
  const char* operator()(const scheduler::TransferLeader&) const { return "transfer_leader"; }
  const char* operator()(const scheduler::AddPeer&) const { return "add_peer"; }
  const char* operator()(const scheduler::AddLearner&) const { return "add_learner"; }
  const char* operator()(const scheduler::PromoteLearner&) const { return "promote_learner"; }
  const char* operator()(const scheduler::RemovePeer&) const { return "remove_peer"; }
  const char* operator()(const scheduler::ChangePeerV2Enter&) const { return "enter_joint"; }
  const char* operator()(const scheduler::ChangePeerV2Leave&) const { return "leave_joint"; }
  const char* operator()(const scheduler::MergeRegion&) const { return "merge_region"; }
  const char* operator()(const scheduler::SplitRegion&) const { return "split_region"; }
  const char* operator()(const scheduler::BatchSwitchWitness&) const { return "switch_witness"; }
};

double SecondsBetween(scheduler::Instant from, scheduler::Instant to) {
  return static_cast<double>((to - from).count()) / 1000;
}

const char* RefusalEvent(scheduler::Reason reason) {
  switch (reason) {
    case scheduler::Reason::kStaleEpoch:
      return "epoch-not-match";
    case scheduler::Reason::kOperatorExists:
      return "already-have";
    case scheduler::Reason::kRegionGone:
      return "region-not-found";
    case scheduler::Reason::kStoreAddLimit:
    case scheduler::Reason::kStoreRemoveLimit:
    case scheduler::Reason::kStoreSendLimit:
      return "exceed-limit";
    default:
      return "fail";
  }
}

}  // namespace

OperatorMetrics::OperatorMetrics(MetricsRegistry& registry)
    : events_(registry.Counters("pd_schedule_operators_count",
                                "Operator life-cycle events per description", {"type", "event"})),
      over_store_limit_(registry.Counters("pd_schedule_operator_exceeded_store_limit",
                                          "Operators refused by store limits", {"desc"})),
      duration_(registry.Histograms("pd_schedule_finish_operators_duration_seconds",
                                    "Run time of successful operators",
                                    ExponentialBounds(0.01, 2, 20), {"type"})),
      step_duration_(registry.Histograms("pd_schedule_finish_operator_steps_duration_seconds",
                                         "Time of each finished step",
                                         ExponentialBounds(0.01, 2, 20), {"type"})),
      region_size_(registry.Histograms("pd_schedule_operator_region_size",
                                       "Region size of started operators",
                                       ExponentialBounds(1, 2, 20), {"type"})) {}

void OperatorMetrics::Count(const std::string& desc, const char* event) {
  events_.With({desc, event}).Add();
}

void OperatorMetrics::Refused(const std::string& desc, const scheduler::Refusal& refusal) {
  Count(desc, RefusalEvent(refusal.reason));
  using scheduler::Reason;
  if (refusal.reason == Reason::kStoreAddLimit || refusal.reason == Reason::kStoreRemoveLimit ||
      refusal.reason == Reason::kStoreSendLimit) {
    over_store_limit_.With({desc}).Add();
  }
}

void OperatorMetrics::Started(const scheduler::Operator& op) {
  Count(op.plan().desc, "start");
  region_size_.With({op.plan().desc}).Observe(static_cast<double>(op.plan().size_mib));
}

void OperatorMetrics::Ended(const OperatorInfo& info) {
  const scheduler::Operator& op = info.op;
  const bool success = op.status() == scheduler::Status::kSuccess;
  Count(op.plan().desc, success ? "finish" : scheduler::StatusText(op.status()));
  if (!success || !op.started_at()) return;
  scheduler::Instant before = *op.started_at();
  for (size_t i = 0; i < op.plan().steps.size(); ++i) {
    const auto& finished = op.step_finished_at()[i];
    if (!finished) continue;
    step_duration_.With({std::visit(StepNames{}, op.plan().steps[i])})
        .Observe(SecondsBetween(before, *finished));
    before = *finished;
  }
  duration_.With({op.plan().desc}).Observe(SecondsBetween(*op.started_at(), *op.ended_at()));
}

}  // namespace pd

#include "scheduler/operator/operator.h"

#include <algorithm>
#include <utility>

#include "scheduler/model/assert.h"
#include "scheduler/operator/merge.h"

namespace scheduler {

Millis Proposal::Timeout() const {
  Millis sum{0};
  for (const Step& step : steps) sum += StepTimeout(step, size_mib);
  return std::max(sum, timeout_min);
}

Influence Proposal::TotalInfluence(const Region& region_now) const {
  Influence influence;
  for (const Step& step : steps) AddInfluence(step, region_now, influence);
  return influence;
}

std::vector<StoreId> Proposal::NewPeerStores() const {
  std::vector<StoreId> stores;
  for (const Step& step : steps) {
    if (const auto store = NeedsPeerId(step)) stores.push_back(*store);
  }
  return stores;
}

void Proposal::FillPeerId(StoreId store, PeerId peer) {
  for (Step& step : steps) scheduler::FillPeerId(step, store, peer);
}

void Operator::FillPeerId(StoreId store, PeerId peer) {
  PD_ASSERT(status_ == Status::kCreated);
  plan_.FillPeerId(store, peer);
}

bool Operator::Become(Status status, Instant now) {
  if (!MayBecome(status_, status)) return false;
  status_ = status;
  if (status == Status::kStarted) {
    started_at_ = now;
  } else {
    ended_at_ = now;
  }
  return true;
}

bool Operator::Start(Instant now) { return Become(Status::kStarted, now); }

bool Operator::Cancel(CancelReason reason, Instant now) {
  if (!Become(Status::kCanceled, now)) return false;
  cancel_reason_ = reason;
  return true;
}

bool Operator::Succeed(Instant now) { return Become(Status::kSuccess, now); }

bool Operator::Replace(Instant now) { return Become(Status::kReplaced, now); }

void Operator::Progress(const Region& region, Instant now) {
  if (status_ != Status::kStarted) return;
  while (current_step_ < plan_.steps.size() && IsFinished(plan_.steps[current_step_], region)) {
    step_finished_at_[current_step_] = now;
    ++current_step_;
  }
  if (current_step_ == plan_.steps.size()) {
    Become(Status::kSuccess, now);
  } else if (now - *started_at_ > plan_.Timeout()) {
    Become(Status::kTimeout, now);
    cancel_reason_ = CancelReason::kTimeout;
  }
}

Influence Operator::UnfinishedInfluence(const Region& region) const {
  Influence influence;
  for (size_t i = current_step_; i < plan_.steps.size(); ++i) {
    if (!IsFinished(plan_.steps[i], region)) AddInfluence(plan_.steps[i], region, influence);
  }
  return influence;
}

uint64_t Operator::ExplainedConfVer(const Region& region) const {
  uint64_t sum = 0;
  for (size_t i = 0; i <= current_step_ && i < plan_.steps.size(); ++i) {
    sum += ConfVerChanges(plan_.steps[i], region);
  }
  return sum;
}

AdvanceResult Advance(Operator& op, const Region& region, Instant now) {
  op.Progress(region, now);
  switch (op.status()) {
    case Status::kStarted:
      return AdvanceResult::kSend;
    case Status::kSuccess:
      return AdvanceResult::kSucceeded;
    case Status::kTimeout:
      return AdvanceResult::kTimedOut;
    case Status::kCreated:
    case Status::kCanceled:
    case Status::kReplaced:
      return AdvanceResult::kNotRunning;
  }
  return AdvanceResult::kNotRunning;
}

CancelReason CheckStale(const Operator& op, const Region& region, const StoreUsable& usable) {
  if (op.status() != Status::kStarted) return CancelReason::kNone;
  if (IsMergeOvertaken(op.plan(), region)) return CancelReason::kEpochNotMatch;
  const Step& step = op.plan().steps[op.current_step()];
  if (RefuseInProgress(step, region, usable)) return CancelReason::kStaleStatus;
  const uint64_t explained = op.plan().epoch.conf_ver + op.ExplainedConfVer(region);
  return region.epoch.conf_ver > explained ? CancelReason::kEpochNotMatch : CancelReason::kNone;
}

Millis ResendInterval(const Step& step) {
  const bool quick = std::holds_alternative<TransferLeader>(step) ||
                     std::holds_alternative<PromoteLearner>(step) ||
                     std::holds_alternative<ChangePeerV2Enter>(step) ||
                     std::holds_alternative<ChangePeerV2Leave>(step);
  return quick ? Seconds{2} : Seconds{5};
}

std::string StoreListText(const std::vector<StoreId>& stores) {
  std::string text = "[";
  for (const StoreId store : stores) {
    if (text.size() > 1) text += ' ';
    text += std::to_string(store.value);
  }
  return text + "]";
}

}  // namespace scheduler

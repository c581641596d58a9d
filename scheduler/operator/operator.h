#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/filters/reason.h"
#include "scheduler/model/region.h"
#include "scheduler/model/time.h"
#include "scheduler/operator/kind.h"
#include "scheduler/operator/status.h"
#include "scheduler/operator/step.h"

namespace scheduler {

/// What planning proposes: steps for one region, with the epoch that planning saw. Admission makes an Operator of it.
struct Proposal {
  std::string
      desc;  // "balance-leader", "replace-rule-down-peer": on the wire, as in the reference.
  std::string brief;  // "mv peer: store [1] to [2]".
  RegionId region;
  RegionEpoch epoch;
  KeyRange range;
  uint64_t size_mib = 0;
  Kind kind = Kind::kNone;
  Priority priority = Priority::kMedium;
  std::vector<Step> steps;
  std::string why;        // For people: the numbers that led to it.
  std::string group;      // Of a region that is scattered.
  Millis timeout_min{0};  // Of a merge's target: it waits as long as the source may take.

  /// The sum of the step timeouts, at least `timeout_min`.
  [[nodiscard]] Millis Timeout() const;
  /// What all steps will change on the stores.
  [[nodiscard]] Influence TotalInfluence(const Region& region) const;
  /// Stores of peers to be added, which have no id yet, in step order.
  [[nodiscard]] std::vector<StoreId> NewPeerStores() const;
  void FillPeerId(StoreId store, PeerId peer);
};

/// A proposal under way. Plain state; one owner at a time changes it, through the functions below.
class Operator {
 public:
  Operator(Proposal proposal, Instant now) : plan_(std::move(proposal)), created_at_(now) {
    step_finished_at_.resize(plan_.steps.size());
  }

  [[nodiscard]] const Proposal& plan() const { return plan_; }
  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] CancelReason cancel_reason() const { return cancel_reason_; }
  [[nodiscard]] size_t current_step() const { return current_step_; }
  [[nodiscard]] Instant created_at() const { return created_at_; }
  [[nodiscard]] std::optional<Instant> started_at() const { return started_at_; }
  [[nodiscard]] std::optional<Instant> ended_at() const { return ended_at_; }
  /// When each finished step was seen to be finished.
  [[nodiscard]] const std::vector<std::optional<Instant>>& step_finished_at() const {
    return step_finished_at_;
  }

  /// Ids for peers that do not exist yet; only before the start.
  void FillPeerId(StoreId store, PeerId peer);

  /// Each moves along the transition table of status.h and returns false, changing nothing, where the table has no way.
  bool Start(Instant now);
  bool Cancel(CancelReason reason, Instant now);
  bool Replace(Instant now);
  /// Of a merge's source, which is gone once the target shows the joint range.
  bool Succeed(Instant now);
  /// Passes the steps that `region` shows as finished; after the last one: Success. Then, when the sum of the step
  /// timeouts has passed since the start: Timeout.
  void Progress(const Region& region, Instant now);

  /// What the steps that are not yet finished will change.
  [[nodiscard]] Influence UnfinishedInfluence(const Region& region) const;

  /// By how much conf_ver may have grown at most since the operator was made, as `region` shows: steps 0..current.
  [[nodiscard]] uint64_t ExplainedConfVer(const Region& region) const;

 private:
  bool Become(Status status, Instant now);

  Proposal plan_;
  Status status_ = Status::kCreated;
  CancelReason cancel_reason_ = CancelReason::kNone;
  size_t current_step_ = 0;
  Instant created_at_;
  std::optional<Instant> started_at_;
  std::optional<Instant> ended_at_;
  std::vector<std::optional<Instant>> step_finished_at_;
};

/// What to do with an operator after a look at its region.
enum class AdvanceResult : uint8_t { kSend, kSucceeded, kTimedOut, kNotRunning };

/// Moves a started operator on by what `region` shows (as in the reference). kSend: the current step is still to be
/// done: send its command.
AdvanceResult Advance(Operator& op, const Region& region, Instant now);

/// The stale check, for looks caused by a region heartbeat only: the current step can no longer come true, or conf_ver
/// grew by more than the steps explain. kNone when all is well; the caller cancels the operator with the reason.
CancelReason CheckStale(const Operator& op, const Region& region, const StoreUsable& usable);

/// How long to wait before a step is sent again without a heartbeat: 2 s for steps that only touch Raft, else 5 s.
Millis ResendInterval(const Step& step);

/// "[1 2]": how the reference prints sets of stores.
std::string StoreListText(const std::vector<StoreId>& stores);

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/operator/decision.h"

namespace pd {

/// The latest decision of each scheduler and of the checkers, for people: what was refused, why, with which numbers.
/// Bounded: one decision a scheduler, one line a reason for the checkers. Thread-safe.
class DecisionLog {
 public:
  /// One reason of one source, as last seen.
  struct Line {
    scheduler::Refusal refusal;
    int64_t unix_ns = 0;
  };
  /// The last operator that a scheduler proposed; whether it was admitted is another matter.
  struct Proposed {
    scheduler::RegionId region;
    std::string brief;  // "transfer leader: store 1 to 2".
    std::string why;
    int64_t unix_ns = 0;
  };
  struct Source {
    std::string name;  // "balance-leader-scheduler", "checkers", "admission".
    int64_t unix_ns = 0;
    uint64_t runs = 0;
    uint64_t proposals = 0;                 // Since this member leads.
    size_t proposals_latest = 0;            // Of the latest run.
    std::optional<Proposed> proposed_last;  // Of schedulers only; since this member leads.
    std::vector<Line> lines;
  };

  explicit DecisionLog(const Clock& clock) : clock_(clock) {}

  /// A scheduler's run replaces what it said before.
  void NoteRun(const std::string& scheduler, const scheduler::Decision& decision);
  /// Forgets schedulers that are gone: only these are left.
  void KeepRuns(const std::set<std::string>& schedulers);
  /// Checkers and admission: each reason keeps its latest line and a count.
  void NoteCheck(const scheduler::Decision& decision);
  void NoteAdmission(const scheduler::Refusal& refusal);
  /// Nothing is planned at all for this reason, which takes the place of all that was said before; these schedulers and
  /// the checkers say it. To be noted again while it lasts, its numbers may change; no run is counted.
  void NoteStandstill(const std::set<std::string>& schedulers, const scheduler::Refusal& refusal);
  /// Planning goes on, if it stood: what NoteStandstill noted goes.
  void EndStandstill();
  void Clear();

  [[nodiscard]] std::vector<Source> All() const;

 private:
  using ByReason = std::map<scheduler::Reason, Line>;

  void Merge(const std::string& name, const scheduler::Refusal& refusal) PD_REQUIRES(mutex_);
  void ForgetLines() PD_REQUIRES(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Source> runs_ PD_GUARDED_BY(mutex_);
  std::map<std::string, Source> merged_ PD_GUARDED_BY(mutex_);  // Their lines are in reasons_.
  std::map<std::string, ByReason> reasons_ PD_GUARDED_BY(mutex_);
  std::optional<scheduler::Reason> standstill_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

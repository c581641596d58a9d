#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pd/fsm/command.h"
#include "pd/fsm/meta_state.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// When the leases of the key space run out. Only the leader counts time: it starts with what the leases had left at
/// the last checkpoint, so a change of leader may lengthen a lease, never shorten it. Thread-safe.
class LeaseKeeper {
 public:
  /// This member leads from `now` on, with these leases.
  void Start(raft::Term term, const std::vector<StateReader::LeaseState>& leases, Nanos now);
  void Stop();

  void Granted(const LeaseGrant& grant, Nanos now);
  void Revoked(LeaseId id);

  // What is asked for leases fails with kNotLeader while this member does not count time: it may lead already and not
  // have been told yet, and a lease not known then may well exist.

  /// Starts the time of the lease again; its time to live in ms. kNotFound when it is unknown or has run out.
  Result<int64_t> KeepAlive(LeaseId id, Nanos now);
  /// Granted and remaining ms (>= 0).
  struct Times {
    int64_t granted_ms = 0;
    int64_t remaining_ms = 0;
  };
  [[nodiscard]] Result<Times> Get(LeaseId id, Nanos now) const;
  [[nodiscard]] Result<std::vector<LeaseId>> Ids() const;

  /// Leases that ran out and are to be revoked in `term`; each is named again after `retry`, should it still be there.
  struct Due {
    raft::Term term = 0;
    std::vector<LeaseId> expired;
  };
  Due TakeExpired(Nanos now, Nanos retry);
  /// What long leases have left, for a checkpoint; empty when this member does not lead.
  [[nodiscard]] LeaseCheckpoint Remaining(Nanos now, int64_t longer_than_ms);
  /// Whether less is saved of a lease than it was granted, so that a new leader would end it too soon after it was kept
  /// alive. Then counts it as saved in full: the caller writes that down, in the term answered, and says so with
  /// NotSaved() should that fail.
  [[nodiscard]] std::optional<raft::Term> TakeShortened(LeaseId id);
  /// What TakeShortened() of `term` gave out may not be written: the next one names the lease again.
  void NotSaved(LeaseId id, raft::Term term);

 private:
  struct Lease {
    int64_t granted_ms = 0;
    Nanos end{0};
    Nanos revoke_again{0};  // Not before.
    int64_t saved_ms = 0;   // What a new leader would find left of it.
    bool expired = false;   // Named by TakeExpired: cannot be kept alive any more.
  };

  mutable Mutex mutex_;
  raft::Term term_ PD_GUARDED_BY(mutex_) = 0;  // 0: not leading.
  std::map<LeaseId, Lease> leases_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

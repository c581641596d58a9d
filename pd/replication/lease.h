#pragma once

#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

#include "pd/runtime/clock.h"
#include "raft/types.h"

namespace pd {

/// What a voter promises a leader whose heartbeat it answers: to elect nobody else for so long. Members may run with
/// election timeouts of their own, none of them shorter than this; so no lease counts on more.
inline constexpr Millis kVoterPromise{400};

/// The PD leader's lease. A round of heartbeats sent at time t that a quorum acknowledged makes the lease
/// end at t + span, where span is what voters promise (kVoterPromise) less the drift bound: until then each voter of
/// that quorum refuses to elect another, and any new leader needs one of them. The leader's own election timeout does
/// not count: the voters' may be shorter.
/// It shows only once the leader is open for service (first entry of the term applied), and is given up for the rest of
/// the term before the lead is handed over.
/// The only voter of a group needs nobody's promise: no other can be elected before a change of members that it applies
/// itself. Its lease has no end while that lasts, however long its disk or its processor keeps it waiting.
/// All calls on the raft thread, but for Valid() and end(), which any thread may make.
class Lease {
 public:
  Lease(const Clock& clock, Nanos span) : clock_(clock), span_(span) {}

  [[nodiscard]] bool Valid() const {
    const int64_t end = end_.load(std::memory_order_acquire);
    return end != 0 && clock_.Monotonic().count() < end;
  }
  [[nodiscard]] Nanos end() const { return Nanos(end_.load(std::memory_order_acquire)); }

  /// This member leads in a new term; nothing is held yet.
  void StartTerm(raft::Term term);
  /// The first entry of the term is applied: what the lease covers may be served.
  void Open();
  /// Whether this member is the group's only voter; said at the start of a term and with every change of members,
  /// before any message of the new configuration leaves.
  void SetSoleVoter(bool sole);
  /// Not in this term any more.
  void GiveUp();
  /// This member does not lead any more.
  void Stop();
  [[nodiscard]] bool given_up() const { return given_up_; }

  /// A new round; call before its messages are sent. The answer names it. 0: no round, not leading.
  uint64_t StartRound();
  /// A quorum acknowledged the round of that term. Unknown ones are ignored.
  void Acknowledge(raft::Term term, uint64_t round);

 private:
  void Publish();

  const Clock& clock_;
  const Nanos span_;
  std::atomic<int64_t> end_{0};
  raft::Term term_ = 0;
  bool leading_ = false;
  bool open_ = false;
  bool sole_ = false;
  bool given_up_ = false;
  Nanos earned_{0};
  uint64_t last_round_ = 0;
  std::map<uint64_t, Nanos> sent_;  // Rounds not acknowledged yet; bounded.
};

}  // namespace pd

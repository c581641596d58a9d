#pragma once

#include <vector>

#include "raft/result.h"
#include "raft/types.h"

namespace raft {

/// For which append entries are read: to whom, as the leader of which term, and whether more may follow it
/// at once.
struct FetchContext {
  NodeId to = kNoNode;
  Term term = 0;
  bool aggressively = false;

  friend bool operator==(const FetchContext&, const FetchContext&) = default;
};

/// The stable part of the log, implemented by the host. The library only reads it; the host writes
/// it as each Ready tells. Called on the thread that calls the library. Except where said, an error
/// is fatal for the group.
///
/// Invariants: FirstIndex() <= LastIndex() + 1, and every entry in between is there. The stored commit
/// index is in [FirstIndex()-1, LastIndex()]: who compacts up to i makes sure that the stored commit
/// index is at least i. Only entries of which the library was told that they are applied (by Advance,
/// AdvanceApply or AdvanceApplyTo, or by the response of StorageApply) may be compacted.
class Storage {
 public:
  virtual ~Storage() = default;

  struct InitialState {
    HardState hard_state;  ///< Empty on a fresh node.
    ConfState conf_state;  ///< Empty on a fresh node: of the snapshot, or as last applied.
  };

  /// What was saved; asked once, at construction.
  virtual Result<InitialState> GetInitialState() const = 0;

  /// Appends the entries of [lo, hi) to `out`, as many from lo on as fit into `max_bytes` by
  /// EncodedSize, but at least one if there is any. `out` is the caller's, so that the steady state
  /// reuses its memory. Entries are read again to be applied and to be sent to slow followers, so
  /// recent ones should come from memory. Errors: kCompacted if lo < FirstIndex(); kUnavailable if hi >
  /// LastIndex()+1.
  virtual Result<void> GetEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                                  std::vector<Entry>& out) const = 0;

  /// Term of an entry in [FirstIndex()-1, LastIndex()]; that of FirstIndex()-1 is kept for matching
  /// though the entry itself is gone. Errors: kCompacted below, kUnavailable above.
  virtual Result<Term> GetTerm(LogIndex index) const = 0;

  /// 1 on a fresh storage. Must be quick: called on every step.
  virtual LogIndex FirstIndex() const = 0;

  /// 0 on a fresh storage, else at least FirstIndex()-1. Must be quick.
  virtual LogIndex LastIndex() const = 0;

  /// A snapshot at FirstIndex()-1 or later, with the membership of its index; sent to a follower that
  /// fell behind the log. A node that is not in that membership refuses it, so for one that was added
  /// since, a newer snapshot is needed. May be called from within ApplyConfChange, when the entry
  /// of the change is not yet applied.
  /// For the follower `to`, that wants at least `at_least` (0: any).
  /// Error kSnapshotUnavailable: nothing is sent now, and it is asked again at the follower's next
  /// heartbeat response; use it while one is being made. An older one than wanted counts as that.
  virtual Result<SnapshotPtr> GetSnapshot(LogIndex at_least, NodeId to) = 0;

  /// Asked before a leader reads [lo, hi), up to `max_bytes`, for an append. False if the entries have
  /// to be fetched first, from a slow disk say: nothing is sent now, and once they can be read the host
  /// calls RawNode::OnEntriesFetched with `context`, not from within this call. May be asked again meanwhile.
  virtual bool PrepareEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                              const FetchContext& context) {
    (void)lo, (void)hi, (void)max_bytes, (void)context;
    return true;
  }
};

/// The length of the longest prefix of `entries` that fits into `max_bytes` by EncodedSize, but at
/// least 1 if there is any entry. For implementations of GetEntries.
size_t LimitSize(const std::vector<Entry>& entries, uint64_t max_bytes);

}  // namespace raft

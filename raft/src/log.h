#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "raft/src/journal.h"
#include "raft/src/unstable.h"
#include "raft/storage.h"
#include "raft/types.h"

namespace raft {

/// Where in the log, and written under which leader: names an entry for all nodes.
struct EntryId {
  Term term = 0;
  LogIndex index = 0;

  friend bool operator==(const EntryId&, const EntryId&) = default;
};

/// May the state machine see entries this node has not yet written? Only where the host writes
/// before it applies: in synchronous mode.
enum class Visibility : uint8_t { kStableOnly, kWithUnstable };

/// The whole log of a node: what its Storage holds, and behind it the unstable tail.
///
/// Invariants: applied <= applying <= committed <= last index, except after LoadApplied; terms never
/// decrease with the index; a committed entry never changes.
class Log {
 public:
  /// `applying_bytes_max`: see Config::max_committed_size_per_ready.
  Log(Storage& storage, const Journal& journal, uint64_t applying_bytes_max);

  LogIndex committed() const { return committed_; }
  LogIndex applying() const { return applying_; }
  LogIndex applied() const { return applied_; }
  Unstable& unstable() { return unstable_; }
  const Unstable& unstable() const { return unstable_; }

  LogIndex FirstIndex() const;
  LogIndex LastIndex() const {
    const std::optional<LogIndex> last = unstable_.LastIndex();
    return last ? *last : storage_.LastIndex();
  }
  Term LastTerm() const;
  EntryId LastId() const { return {LastTerm(), LastIndex()}; }

  /// None outside [FirstIndex()-1, LastIndex()].
  std::optional<Term> TermAt(LogIndex index) const;
  bool Matches(EntryId id) const { return TermAt(id.index) == id.term; }

  /// True if a log that ends with `id` holds all that this one may have committed (thesis 3.6.1).
  bool IsUpToDate(EntryId id) const;

  /// The follower's side of an append. Takes `entries` behind `previous` and moves the commit index
  /// up to `leader_commit`, as far as the entries go. Returns the index of the last one of them, or
  /// none if `previous` is not in the log.
  std::optional<LogIndex> MaybeAppend(EntryId previous, std::span<const Entry> entries,
                                      LogIndex leader_commit);

  /// Adds entries behind or over the uncommitted part.
  void Append(std::span<const Entry> entries);

  /// Adds a leader's own entries, which go behind all others; moves their data away.
  void AppendOwn(std::span<Entry> entries) { unstable_.AppendOwn(entries); }

  /// Where this log may meet one whose entry at `index` has `term`: the highest index <= `index`
  /// whose term here is not above `term`. The term is 0 if it is not known. Skips a whole term in a
  /// step of the protocol instead of an entry.
  EntryId FindConflictByTerm(LogIndex index, Term term) const;

  /// Entries from `from` on, limited by encoded size, appended to `out`. False if some are
  /// compacted.
  [[nodiscard]] bool Entries(LogIndex from, uint64_t max_bytes, std::vector<Entry>& out) const;

  /// The same for [lo, hi).
  [[nodiscard]] bool Slice(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                           std::vector<Entry>& out) const;

  void CommitTo(LogIndex index);

  /// For the leader: commits up to `index` if that entry is of `term`, its own. Entries of earlier
  /// terms are committed only along with one of its own (thesis 3.6.2).
  bool MaybeCommit(EntryId id);

  bool HasNextCommitted(Visibility visibility) const;

  /// Committed entries not yet handed out, within the quota of those under way, appended to `out`.
  void NextCommitted(Visibility visibility, std::vector<Entry>& out) const;

  /// With kStableOnly, how many entries beyond the stable ones may be handed out.
  void set_apply_ahead(uint64_t entries) { apply_ahead_ = entries; }

  /// Entries up to `index` were applied before a restart; with `ahead_max` at most so many beyond the log. Those
  /// come again and are not handed out.
  void LoadApplied(LogIndex index, uint64_t ahead_max);

  /// Changes the quota of committed entries under way, in encoded bytes.
  void SetApplyingBytesMax(uint64_t bytes);

  /// Entries up to `index`, of that encoded size, have been handed out.
  void AcceptApplying(LogIndex index, uint64_t bytes, Visibility visibility);

  /// Entries up to `index` have been applied; `bytes` goes back to the quota.
  void AppliedTo(LogIndex index, uint64_t bytes);

  bool HasSnapshot() const { return unstable_.snapshot() != nullptr; }
  Result<SnapshotPtr> SnapshotToSend(LogIndex at_least, NodeId to) const;

  /// False if entries from `from` on must first be fetched, see Storage::PrepareEntries.
  bool Prepare(LogIndex from, uint64_t max_bytes, const FetchContext& context) const;
  void Restore(SnapshotPtr snapshot);

  /// For tests and a restart: sets the commit index without checks of its own.
  void LoadCommitted(LogIndex committed) { committed_ = committed; }

  std::string Describe() const;

 private:
  LogIndex FirstConflict(std::span<const Entry> entries) const;
  bool StableSlice(LogIndex lo, LogIndex hi, uint64_t max_bytes, std::vector<Entry>& out) const;
  LogIndex MaxAppliable(Visibility visibility) const;

  Storage& storage_;
  const Journal& journal_;
  Unstable unstable_;
  LogIndex committed_;
  LogIndex applying_;
  LogIndex applied_;
  uint64_t applying_bytes_max_;
  uint64_t applying_bytes_ = 0;
  uint64_t apply_ahead_ = 0;
  bool applying_paused_ = false;
};

/// Sums over entries: encoded, as message and apply limits count, and payload only, as the limits
/// of uncommitted and inflight bytes count.
uint64_t EncodedSize(std::span<const Entry> entries);
uint64_t PayloadSize(std::span<const Entry> entries);

}  // namespace raft

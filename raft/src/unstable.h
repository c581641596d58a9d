#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "raft/src/journal.h"
#include "raft/types.h"

namespace raft {

/// The tail of the log that is not known to be on disk: perhaps a received snapshot, and the
/// entries behind it. What is "in progress" has been handed out for writing and not yet
/// acknowledged.
///
/// Invariants: entries are contiguous from offset(); offset <= offset_in_progress <= end();
/// entries below offset_in_progress are in progress.
class Unstable {
 public:
  /// Empty, with the stable log ending before `offset`.
  Unstable(LogIndex offset, const Journal& journal)
      : offset_(offset), offset_in_progress_(offset), journal_(journal) {}

  LogIndex offset() const { return offset_; }
  LogIndex offset_in_progress() const { return offset_in_progress_; }
  LogIndex end() const { return offset_ + size(); }
  size_t size() const { return entries_.size() - head_; }
  const SnapshotPtr& snapshot() const { return snapshot_; }

  /// The index behind the snapshot, if one is here.
  std::optional<LogIndex> FirstIndex() const;
  std::optional<LogIndex> LastIndex() const {
    if (size() > 0) return end() - 1;
    if (snapshot_ != nullptr) return snapshot_->metadata.index;
    return std::nullopt;
  }

  /// None if the index is not in this part of the log.
  std::optional<Term> TermAt(LogIndex index) const;

  /// Entries not yet handed out for writing.
  std::span<const Entry> NextEntries() const;

  /// The snapshot, if not yet handed out for writing.
  SnapshotPtr NextSnapshot() const { return snapshot_in_progress_ ? nullptr : snapshot_; }

  /// All that is here has been handed out.
  void AcceptInProgress();

  /// Entries up to `index` are on disk, if the one at `index` still has that term; else the write
  /// was overtaken by another leader's entries and tells nothing.
  void StableTo(LogIndex index, Term term);
  void StableSnapshotTo(LogIndex index);

  /// Everything is replaced by the snapshot.
  void Restore(SnapshotPtr snapshot);

  /// Adds entries; those they overlap with go. `entries` must not be empty.
  void TruncateAndAppend(std::span<const Entry> entries);

  /// Adds entries that start at end(); moves their data away.
  void AppendOwn(std::span<Entry> entries) {
    for (Entry& entry : entries) entries_.push_back(std::move(entry));
  }

  /// The entries of [lo, hi), which must be here.
  std::span<const Entry> Slice(LogIndex lo, LogIndex hi) const;

 private:
  void DropFront(size_t count);
  void Reclaim();

  SnapshotPtr snapshot_;
  bool snapshot_in_progress_ = false;
  // The first head_ elements are dead: dropping entries one by one from a long tail stays linear.
  std::vector<Entry> entries_;
  size_t head_ = 0;
  LogIndex offset_;
  LogIndex offset_in_progress_;
  const Journal& journal_;
};

}  // namespace raft

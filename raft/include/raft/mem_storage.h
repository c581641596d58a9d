#pragma once

#include <string>
#include <vector>

#include "raft/logger.h"
#include "raft/storage.h"

namespace raft {

/// A Storage in memory, for tests and for hosts that keep the log elsewhere too. Not thread-safe.
/// Misuse (a gap in the log, an index beyond its end) calls the fatal hook.
class MemStorage final : public Storage {
 public:
  explicit MemStorage(FatalHook fatal = nullptr);

  /// A fresh storage whose group already has members.
  explicit MemStorage(ConfState conf_state, FatalHook fatal = nullptr);

  Result<InitialState> GetInitialState() const override;
  Result<void> GetEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                          std::vector<Entry>& out) const override;
  Result<Term> GetTerm(LogIndex index) const override;
  LogIndex FirstIndex() const override { return offset_ + 1; }
  LogIndex LastIndex() const override { return offset_ + entries_.size(); }
  Result<SnapshotPtr> GetSnapshot(LogIndex at_least, NodeId to) override;

  void SetHardState(const HardState& state) { hard_state_ = state; }
  const HardState& hard_state() const { return hard_state_; }

  /// Adds entries behind the log: what is already compacted is skipped, what overlaps replaces the
  /// stored entries from there on. A gap is fatal.
  void Append(const std::vector<Entry>& entries);

  /// Replaces everything by the snapshot. Errors: kSnapshotOutOfDate if the stored one is as new.
  Result<void> ApplySnapshot(const Snapshot& snapshot);

  /// Makes a snapshot at `index` with the given membership, or the last one's if null. The log
  /// stays as it is. Errors: kSnapshotOutOfDate if the stored one is as new. Beyond the log is
  /// fatal.
  Result<SnapshotPtr> CreateSnapshot(LogIndex index, const ConfState* conf_state, Payload data);

  /// The next GetSnapshot has none just now.
  void MissSnapshotOnce() { snapshot_missing_ = true; }

  /// Drops the entries up to and including `index`. Errors: kCompacted if they are gone already.
  /// Beyond the log is fatal.
  Result<void> Compact(LogIndex index);

 private:
  [[noreturn]] void Fatal(const std::string& text) const;

  FatalHook fatal_;
  HardState hard_state_;
  SnapshotPtr snapshot_;
  bool snapshot_missing_ = false;
  // The entry at offset_ is compacted, only its term is known; entries_[i] has index offset_ + 1 +
  // i.
  LogIndex offset_ = 0;
  Term offset_term_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace raft

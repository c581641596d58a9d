#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "pd/result.h"
#include "pd/storage/database.h"
#include "raft/storage.h"

namespace pd {

/// The Raft log and the hard state in the database, as the library reads them. Changes go into a batch and into memory
/// at once; whoever calls must write that batch before anything else, or stop. Index, term and size of every entry are
/// kept in memory (24 bytes each), the newest payloads too; older ones are read back when a follower lags.
/// Invariant: start.index <= last index; hard state commit <= last index. Used on the raft thread only.
class RaftLog final : public raft::Storage {
 public:
  /// The place just before the first entry: what the last compaction or snapshot left.
  struct Place {
    raft::LogIndex index = 0;
    raft::Term term = 0;
  };

  /// Reads what is stored; an empty database is an empty log. Errors: kIo, kCorrupt (a hole, a record that does not
  /// decode, a commit index beyond the log).
  static Result<std::unique_ptr<RaftLog>> Open(const Database& database);

  // What the library asks for.
  raft::Result<InitialState> GetInitialState() const override;
  raft::Result<void> GetEntries(raft::LogIndex lo, raft::LogIndex hi, uint64_t max_bytes,
                                std::vector<raft::Entry>& out) const override;
  raft::Result<raft::Term> GetTerm(raft::LogIndex index) const override;
  raft::LogIndex FirstIndex() const override { return start_.index + 1; }
  raft::LogIndex LastIndex() const override { return start_.index + facts_.size(); }
  raft::Result<raft::SnapshotPtr> GetSnapshot(raft::LogIndex at_least, raft::NodeId to) override;

  /// Who makes snapshots; without one they are never available.
  using SnapshotMaker = std::function<raft::Result<raft::SnapshotPtr>()>;
  void SetSnapshotMaker(SnapshotMaker maker) { snapshot_maker_ = std::move(maker); }

  /// Entries from entries[0].index on are these now; later ones go. Requires FirstIndex() <= that <= LastIndex() + 1.
  void Append(const std::vector<raft::Entry>& entries, WriteBatch& batch);
  void SetHardState(const raft::HardState& state, WriteBatch& batch);
  void SetConfState(const raft::ConfState& state, WriteBatch& batch);
  /// Forgets the entries up to and including `index`, which is in the log.
  void CompactTo(raft::LogIndex index, WriteBatch& batch);
  /// Forgets everything: the log begins behind `place` now.
  void Reset(Place place, const raft::ConfState& state, WriteBatch& batch);

  [[nodiscard]] const raft::HardState& hard_state() const { return hard_state_; }
  [[nodiscard]] const raft::ConfState& conf_state() const { return conf_state_; }
  [[nodiscard]] size_t entry_count() const { return facts_.size(); }
  /// Of all payloads in the log.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  struct Fact {
    raft::Term term = 0;
    uint32_t bytes = 0;
  };

  explicit RaftLog(const Database& database) : database_(database) {}

  Result<void> Load();
  void DropFrom(raft::LogIndex index, WriteBatch& batch);
  void TrimCache();
  Result<raft::Entry> Read(raft::LogIndex index) const;

  const Database& database_;
  SnapshotMaker snapshot_maker_;
  raft::HardState hard_state_;
  raft::ConfState conf_state_;
  Place start_;
  std::deque<Fact> facts_;  // facts_[i] is of entry start_.index + 1 + i.
  uint64_t bytes_ = 0;
  std::deque<raft::Entry> cache_;  // The newest entries, up to LastIndex().
  uint64_t cache_bytes_ = 0;
};

/// The first state of a new group: the log begins behind (index 1, term 1), committed, with this membership.
void WriteInitialLog(const raft::ConfState& state, WriteBatch& batch);
inline constexpr RaftLog::Place kInitialPlace{1, 1};

}  // namespace pd

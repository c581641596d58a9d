#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pd/fsm/command.h"
#include "pd/result.h"
#include "pd/storage/database.h"
#include "raft/types.h"

namespace pd {

/// What applying log entries changed, for those who keep a copy: watchers, the region index,
/// caches. In log order.
struct AppliedChanges {
  std::vector<Event> events;        // Ascending mod_revision.
  std::vector<PutRegions> regions;  // In log order; each: deletes first, then puts.
  std::vector<LeaseGrant> granted;
  std::vector<LeaseId> revoked;
  bool members_changed = false;
  Revision compacted = 0;  // Highest compaction applied; 0 for none.

  [[nodiscard]] bool empty() const {
    return events.empty() && regions.empty() && granted.empty() && revoked.empty() &&
           !members_changed && compacted == 0;
  }
};

/// Where the state stands. Kept in the same batch as the state.
struct StateMark {
  raft::LogIndex applied_index = 0;
  raft::Term applied_term = 0;
  Revision revision = 1;
  /// Only what was current at it is left of what is below it; 0: never compacted.
  Revision compact_revision = 0;
};

/// Prefix of all data keys of one copy of the state; see MetaState.
using Generation = uint64_t;

/// The replicated state machine: applies commands onto a write batch and nothing else.
/// Deterministic: the same commands on the same database give the same bytes. All data keys carry a
/// generation prefix, so that a snapshot can be staged beside the live state and made live by one
/// small write. Used by the raft thread only. Readers use StateReader on a view instead.
class MetaState {
 public:
  /// Reads where the state stands; an empty database has an empty state of generation 1. Errors:
  /// kIo, kCorrupt.
  static Result<MetaState> Open(const Database& database);

  /// Applies the command of entry (index, term) on top of `batch`, whose earlier writes it sees.
  /// The inner result is the command's own (kNotFound, kAlreadyExists, kInvalidArgument, kCompacted
  /// leave no trace but the applied index); the outer error (kIo, kCorrupt) means that the server
  /// must stop. `changes` collects.
  Result<Result<CommandResult>> Apply(const Command& command, WriteBatch& batch,
                                      AppliedChanges& changes);

  /// Members come and go with membership changes, not with commands. The id of a removed member
  /// stays known and cannot come back.
  void PutMember(const Member& member, WriteBatch& batch, AppliedChanges& changes) const;
  void RemoveMember(raft::NodeId id, WriteBatch& batch, AppliedChanges& changes) const;

  /// Writes down that everything up to entry (index, term) is in `batch`. Call once for each batch.
  void MarkApplied(raft::LogIndex index, raft::Term term, WriteBatch& batch);

  [[nodiscard]] const StateMark& mark() const { return mark_; }
  [[nodiscard]] Generation generation() const { return generation_; }

 private:
  MetaState(const Database& database, Generation generation, StateMark mark)
      : database_(&database), generation_(generation), mark_(mark) {}

  const Database* database_;
  Generation generation_;
  StateMark mark_;
};

/// Reads the state off a frozen view (Database::TakeView), so that all answers agree. As
/// thread-safe as the view.
class StateReader {
 public:
  /// Finds the live generation. The view must outlive the reader. Errors: kIo, kCorrupt.
  static Result<StateReader> On(const ReadView& view);

  /// Errors: kCompacted and kInvalidArgument (future revision) with etcd's texts; kIo, kCorrupt.
  [[nodiscard]] Result<RangeResult> Range(const RangeRequest& request) const;
  [[nodiscard]] Generation generation() const { return generation_; }
  [[nodiscard]] const StateMark& mark() const { return mark_; }

  /// By id.
  [[nodiscard]] Result<std::vector<Member>> Members() const;
  /// Ids of members that were removed once, ascending.
  [[nodiscard]] Result<std::vector<raft::NodeId>> RemovedMembers() const;
  /// Whether a member of this id was removed once.
  [[nodiscard]] Result<bool> MemberRemoved(raft::NodeId id) const;

  struct LeaseState {
    LeaseId id = 0;
    int64_t granted_ms = 0;
    int64_t remaining_ms = 0;  // granted_ms, or less after a checkpoint.
  };
  /// By id.
  [[nodiscard]] Result<std::vector<LeaseState>> Leases() const;
  /// Keys attached to a lease, in order.
  [[nodiscard]] Result<std::vector<std::string>> LeaseKeys(LeaseId id) const;

  /// Events with first <= revision, in order, of whole revisions, until about `bytes_max` are
  /// gathered (at least one revision). Errors: kCompacted when `first` < the compact revision.
  struct History {
    std::vector<Event> events;
    Revision next = 0;  // Go on from here.
  };
  [[nodiscard]] Result<History> EventsFrom(Revision first, size_t bytes_max) const;

  [[nodiscard]] Result<std::optional<RegionRecord>> Region(uint64_t id) const;
  /// Calls `visit` with every region in id order until it returns false.
  Result<void> VisitRegions(const std::function<bool(RegionRecord)>& visit) const;

 private:
  StateReader(const ReadView& view, Generation generation, const StateMark& mark)
      : view_(&view), generation_(generation), mark_(mark) {}

  const ReadView* view_;
  Generation generation_;
  StateMark mark_;
};

}  // namespace pd

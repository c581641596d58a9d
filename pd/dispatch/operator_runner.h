#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "pd/cluster/command_sink.h"
#include "pd/dispatch/operator_info.h"
#include "pd/dispatch/operator_metrics.h"
#include "pd/dispatch/operator_records.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/filters/reason.h"
#include "scheduler/operator/command.h"

namespace pd {

/// Nothing when `epoch` is the one that planning saw.
std::optional<scheduler::Refusal> RefuseStaleEpoch(const scheduler::Proposal& proposal,
                                                   const scheduler::RegionEpoch& epoch);

/// Runs operators: sends the current step to the region's leader, moves on by what heartbeats show, gives up what is
/// late or overtaken, keeps a record of what ended. At most one operator a region. All in the leader's memory: a new
/// leader plans again. Thread-safe; heartbeats of regions without an operator cost one look at an atomic number or a
/// map.
///
/// An operator starts on the epoch that planning saw or not at all. Regions belong to another owner with another lock,
/// hence two steps: Start reserves the region's place, then reads the region. A report that came before is in what is
/// read, one that comes later is heard at the reserved place or by the operator itself.
class OperatorRunner {
 public:
  /// All of them are called without the runner's lock, but `clock`, which is read with it held as well.
  struct Deps {
    const Clock& clock;
    CommandSink& sink;
    std::function<std::optional<scheduler::Region>(scheduler::RegionId)> find_region;
    scheduler::StoreUsable store_usable;  // Known and not down.
    std::function<scheduler::ConfChange()> conf_change;
    OperatorMetrics& metrics;
    /// Hears of each operator that has ended, once.
    std::function<void(const OperatorInfo&)> ended = [](const OperatorInfo&) {};
  };

  /// How long the record of an ended operator is kept.
  static constexpr Millis kRecordAge = std::chrono::minutes{10};

  explicit OperatorRunner(Deps deps) : deps_(std::move(deps)) {}

  /// What is to start, and what it carries.
  struct Launch {
    scheduler::Proposal proposal;
    SnapshotBooking booking;
  };
  /// Starts operators, each for another region, and sends their first steps; all of them or none. A running one of
  /// lower priority on a region is replaced; one of the same or a higher priority refuses, as does a region that is
  /// gone or no longer has the epoch of the proposal. A merge starts on both of its regions. What started carries its
  /// booking until `ended` hears of it, be that before this returns; of what was refused it remains the caller's.
  std::optional<scheduler::Refusal> Start(std::vector<Launch> launches);

  /// Whether Start would refuse for the running operator of the region.
  [[nodiscard]] std::optional<scheduler::Refusal> RefuseConflict(
      const scheduler::Proposal& proposal) const;

  /// A region was reported: moves its operator on, checks it for staleness, sends its current step.
  void OnHeartbeat(const scheduler::Region& region);

  /// Twice a second: sends again what is due (2 s after quick steps, 5 s after others), ends what timed out or lost its
  /// region, drops old records.
  void Tick();

  /// False when the region has no running operator.
  bool Cancel(scheduler::RegionId region, scheduler::CancelReason reason);
  void CancelAll(scheduler::CancelReason reason);
  /// Forgets everything and refuses to start more until Open(): this member no longer leads, though a plan may still be
  /// on its way here.
  void Clear();
  void Open();

  // ---- Reads.

  [[nodiscard]] std::vector<OperatorInfo> Running() const;
  /// The running operator of a region, else its last record.
  [[nodiscard]] std::optional<OperatorInfo> Find(scheduler::RegionId region) const;
  /// Ended operators, oldest first, that ended at `from_unix_s` or later. When there are many, heartbeats pass in
  /// between.
  [[nodiscard]] std::vector<OperatorInfo> Records(int64_t from_unix_s) const;
  [[nodiscard]] size_t running_count() const { return running_count_.load(); }
  /// Running operators that count against this kind.
  [[nodiscard]] uint64_t CountOf(scheduler::Kind kind) const;
  /// Their plans, in the order of their regions. O(running operators).
  [[nodiscard]] std::vector<scheduler::Proposal> PlansOf(scheduler::Kind kind) const;
  [[nodiscard]] bool IsBusy(scheduler::RegionId region) const;
  [[nodiscard]] std::set<scheduler::RegionId> BusyRegions() const;
  /// Of the unfinished steps of all running operators.
  [[nodiscard]] scheduler::Influence TotalInfluence() const;

 private:
  struct Entry {
    OperatorInfo info;
    scheduler::Influence influence;  // Its share of total_influence_.
    uint64_t number = 0;             // Tells operators of one region apart in the heap.
    scheduler::Instant due_at;       // Of its one entry in the heap that counts.
  };
  /// The place of an operator that is about to start.
  struct Place {
    uint64_t number = 0;
    scheduler::Priority priority = scheduler::Priority::kMedium;
    std::string desc;
    std::optional<scheduler::RegionEpoch> heard;  // Of the last report since it was reserved.
  };
  /// The more urgent operator that took a place.
  struct Overtaker {
    scheduler::Priority priority = scheduler::Priority::kMedium;
    std::string desc;
  };
  struct Due {
    scheduler::Instant at;
    scheduler::RegionId region;
    uint64_t number = 0;

    friend bool operator>(const Due& a, const Due& b) { return a.at > b.at; }
  };
  /// What to send.
  struct Order {
    scheduler::Region region;
    scheduler::Step step;
  };
  using Table = std::map<scheduler::RegionId, Entry>;
  using Ended = std::vector<OperatorInfo>;  // To be told of once the lock is free.

  /// An operator that is about to start, be it alone, as one of a merge's two, or with others.
  struct Candidate {
    scheduler::Proposal proposal;
    SnapshotBooking booking = {};
    uint64_t number = 0;  // Of its place.
    std::optional<scheduler::Region> region = {};
  };

  [[nodiscard]] Stamp NowStamp() const;
  [[nodiscard]] std::optional<scheduler::Refusal> Conflict(
      const scheduler::Proposal& proposal) const PD_REQUIRES(mutex_);
  /// Number of the place, or why there is none.
  tl::expected<uint64_t, scheduler::Refusal> Reserve(const scheduler::Proposal& proposal);
  /// Why what holds place `number` may not start on `region`; gives the place up.
  std::optional<scheduler::Refusal> LeavePlace(uint64_t number, const scheduler::Proposal& proposal,
                                               const std::optional<scheduler::Region>& region)
      PD_REQUIRES(mutex_);
  Table::iterator Insert(uint64_t number, scheduler::Proposal proposal,
                         const scheduler::Region& region, Ended& ended) PD_REQUIRES(mutex_);
  /// Moves one operator on; false if that was its end.
  bool Look(Table::iterator it, const scheduler::Region& region, Ended& ended) PD_REQUIRES(mutex_);
  void Follow(Entry& running, const scheduler::Region& region) PD_REQUIRES(mutex_);
  void Schedule(Entry& running, scheduler::Instant now) PD_REQUIRES(mutex_);
  std::vector<Due> TakeDue(scheduler::Instant now) PD_REQUIRES(mutex_);
  /// The running operator that an entry of the heap is about; end() if it is out of date.
  Table::iterator Current(const Due& due) PD_REQUIRES(mutex_);
  /// Gives up the places that are reserved. Why not all of them may start, if so.
  std::optional<scheduler::Refusal> LeavePlaces(const std::vector<Candidate>& candidates)
      PD_REQUIRES(mutex_);
  void GiveUpPlaces(const std::vector<Candidate>& candidates);
  /// Takes an ended operator out of the table into the records, and that of a merge's other region with it.
  void Retire(Table::iterator it, Ended& ended) PD_REQUIRES(mutex_);
  void EndAll(scheduler::CancelReason reason, Ended& ended) PD_REQUIRES(mutex_);
  void Recount() PD_REQUIRES(mutex_);
  /// Ends an operator of a merge whose region is gone, and the other with it: merged, or lost.
  void EndLostMerge(const Due& due, Ended& ended) PD_EXCLUDES(mutex_);

  // Without the lock.
  void Send(const scheduler::Step& step, const scheduler::Region& region) const;
  void TellStart(const OperatorInfo& info) const;
  void TellEnds(const Ended& ended) const;

  const Deps deps_;
  std::atomic<size_t> running_count_{0};
  std::atomic<size_t> watched_count_{0};  // Running or about to start.
  mutable Mutex mutex_;
  Table running_ PD_GUARDED_BY(mutex_);
  std::map<scheduler::RegionId, Place> starting_ PD_GUARDED_BY(mutex_);
  // By the number of the lost place, until its Start hears of it: never more than calls of Start under way.
  std::map<uint64_t, Overtaker> overtaken_ PD_GUARDED_BY(mutex_);
  std::map<scheduler::Kind, uint64_t> counts_ PD_GUARDED_BY(mutex_);
  scheduler::Influence total_influence_ PD_GUARDED_BY(mutex_);
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_ PD_GUARDED_BY(mutex_);
  OperatorRecords records_ PD_GUARDED_BY(mutex_);
  uint64_t last_number_ PD_GUARDED_BY(mutex_) = 0;
  bool open_ PD_GUARDED_BY(mutex_) = true;
};

}  // namespace pd

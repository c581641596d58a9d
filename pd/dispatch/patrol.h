#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pd/cluster/region_table.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/checkers/endangered_regions.h"
#include "scheduler/model/region.h"
#include "scheduler/model/time.h"

namespace pd {

/// Which regions to look at next: those that lack peers, those somebody pointed out, then the whole key space in order,
/// over and over (as in the reference).
///
/// The key space is walked in batches of a 1024th of the regions, at least 128 and at most 8192, so that a round
/// takes about 1024 ticks. A whole round that found nothing need not be walked again at once (the reference does, for
/// ever): a region whose peers change is pointed out, and NoteNews() tells of what concerns them all. Until then the
/// walk goes on at a pace that costs little, for what changes otherwise, and faster if it met what passes with time.
///
/// Regions are pointed out by heartbeats that changed them, by stores that go down or leave, and by checks that have to
/// wait; they come before the walk, oldest first, and not before their time.
/// Thread-safe; Next() is for the one thread that checks.
class Patrol {
 public:
  static constexpr size_t kPointedOutMax = 100'000;
  static constexpr size_t kPointedOutBatch = 1024;
  static constexpr size_t kLooksPerSecond = 5'000;
  /// A small cluster need not be walked more often than this.
  static constexpr Millis kRoundMin{100};
  /// Of rounds that are not walked at full pace: so many regions a second.
  static constexpr size_t kRestingPerSecond = 10'000;
  /// One that is to see whether what stood in the way has passed takes at least so long ...
  static constexpr Millis kWaitingRoundMin{1000};
  /// ... and one of which nothing is expected.
  static constexpr Millis kQuietRoundMin = scheduler::Seconds{60};

  explicit Patrol(const RegionTable& regions) : regions_(regions) {}

  /// Look at this region, not before `at`. Dropped when too many wait (the walk finds it).
  void PointOut(scheduler::RegionId region, scheduler::Instant at);
  /// What stood in the way of this region passes by itself: look at it again, half a second from `now` or, when many
  /// wait, as much later as keeps these looks below kLooksPerSecond.
  void LookAgain(scheduler::RegionId region, scheduler::Instant now);

  /// A look found that the region lacks so many peers. Those that lack most are looked at first, as often as
  /// EndangeredRegions says.
  void NoteMissing(scheduler::RegionId region, uint64_t peers, scheduler::Instant at);

  /// Settings, rules, stores: something changed that any region may hang on. The walk goes on at full pace at once, and
  /// another round follows.
  void NoteNews();
  /// A look at a region found something to do, and it is being done.
  void NoteWork();
  /// The same found what passes with time.
  void NoteWaits();

  /// When Next() will have something, as far as is known now; never sooner than an interval after `now`.
  [[nodiscard]] scheduler::Instant NextDue(scheduler::Instant now, Millis interval) const;

  /// The next batch; `interval` is what the patrol is set to wait between two. Each once, but for what the walk meets
  /// by chance.
  std::vector<scheduler::Region> Next(scheduler::Instant now, Millis interval);

  void Clear();
  [[nodiscard]] size_t pointed_out() const;
  [[nodiscard]] size_t endangered() const;
  /// What the last whole round at full pace took; 0 before the first.
  [[nodiscard]] Millis last_round() const;

 private:
  void AddEndangered(scheduler::Instant now, Millis interval,
                     std::vector<scheduler::Region>& batch);
  void AddPointedOut(scheduler::Instant now, std::vector<scheduler::Region>& batch);
  void AddWalk(scheduler::Instant now, Millis interval, std::vector<scheduler::Region>& batch);
  [[nodiscard]] scheduler::Instant WalkDue(Millis interval) const PD_REQUIRES(mutex_);
  /// Of the walk.
  [[nodiscard]] size_t BatchSize() const;

  const RegionTable& regions_;
  mutable Mutex mutex_;
  std::set<std::pair<scheduler::Instant, scheduler::RegionId>> queue_ PD_GUARDED_BY(mutex_);
  std::map<scheduler::RegionId, scheduler::Instant> when_
      PD_GUARDED_BY(mutex_);  // The same, by id.
  scheduler::EndangeredRegions endangered_ PD_GUARDED_BY(mutex_);
  enum class Pace : uint8_t { kQuiet, kWaiting, kFull };  // Slow ones first.
  Pace pace_ PD_GUARDED_BY(mutex_) = Pace::kFull;
  Pace next_pace_ PD_GUARDED_BY(mutex_) = Pace::kQuiet;  // By what this round has found so far.
  bool full_round_ PD_GUARDED_BY(mutex_) = true;  // It has been walked at full pace from its start.
  bool hurry_ PD_GUARDED_BY(mutex_) = true;       // The walk goes on at once.
  scheduler::Instant walked_at_ PD_GUARDED_BY(mutex_);
  std::string cursor_ PD_GUARDED_BY(mutex_);
  bool at_start_ PD_GUARDED_BY(mutex_) = true;
  scheduler::Instant round_started_ PD_GUARDED_BY(mutex_);
  Millis last_round_ PD_GUARDED_BY(mutex_){0};
};

}  // namespace pd

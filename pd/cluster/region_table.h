#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "pd/cluster/range_history.h"
#include "pd/cluster/region_feed.h"
#include "pd/fsm/command.h"
#include "pd/result.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/classify.h"
#include "scheduler/model/region_index.h"

namespace pd {

/// All known regions of the cluster, with the marks of what is not yet on disk. Thread-safe: many
/// readers, writers one by one and for microseconds. Reads copy regions out; long walks go in chunks,
/// so that nobody waits long for anybody.
///
/// A region in memory may be ahead of the replicated region table. Its id stays marked until a write
/// of just that epoch is known to be applied, whoever led meanwhile: an epoch that reached only the
/// followers' copies is written by the next leader.
class RegionTable {
 public:
  /// `feed`, unless null, gets what followers must hear of, in the order in which the table changed; `history`,
  /// unless null, the regions that come into being, lose keys or gain some.
  explicit RegionTable(RegionFeed* feed = nullptr, RangeHistory* history = nullptr)
      : feed_(feed), history_(history) {}

  /// What became of a report.
  struct Outcome {
    scheduler::RegionChange change;
    std::vector<scheduler::Region> removed;  // They overlapped the report and were older.
    scheduler::Region region;                // The report as kept.
    /// What was known of the region, if that was another version: other keys.
    std::optional<scheduler::Region> before;
  };

  /// Takes a heartbeat's report in: checks its epoch, brings it into shape, classifies it, and writes
  /// what changed. A report without news costs no exclusive lock. kStaleEpoch with the reference's
  /// text.
  Result<Outcome> Report(scheduler::Region report, const scheduler::ClassifyOptions& options);

  /// A region from the PD leader's feed: as above, but quietly ignored when older.
  void PutSynced(const scheduler::Region& region);
  /// Read from disk at the start, or applied since: then what they show to have split has split just now.
  enum class Records : uint8_t { kLoaded, kApplied };
  /// Regions of the replicated table, as loaded or applied: those not yet known with that epoch or a
  /// higher one are taken in; the mark of those known with it is taken off.
  void PutReplicated(const PutRegions& records, Records which = Records::kApplied);
  /// Replaces the buckets of a region if `buckets` is newer. False if not, or unknown.
  bool PutBuckets(scheduler::RegionId id, const scheduler::Buckets& buckets);
  /// The region of a bootstrap, on the member that made it. It goes to the replicated table with its first report,
  /// whatever epoch that has. Until then reads show it, but its store's sums lack it before CountBootstrapped().
  void PutBootstrapped(const scheduler::Region& region);
  void CountBootstrapped();
  /// The only region is such a one: nothing that followers need to hear of.
  [[nodiscard]] bool only_bootstrapped() const;
  /// The same region on a member that leads later, before anything was reported: found by key only, until any region
  /// is known. A store whose answer to its bootstrap got lost asks for it by key, to learn whether the cluster is its
  /// own.
  void PutFirst(const scheduler::Region& region);
  /// Forgets a region and marks its record for deletion when `forget` says so. False when unknown.
  enum class Forget : uint8_t { kMemory, kMemoryAndDisk };
  bool Remove(scheduler::RegionId id, Forget forget);
  void Clear();
  /// refreshed() starts at 0 again, in all and of every store, and a report without other news counts again. The
  /// regions stay as they are, and still count as newer than their records.
  void ForgetReports();

  // ---- What is to be written.

  /// Up to `regions_max` marked regions and every record to delete, taken off their lists; nothing
  /// when there is none. Give them back with Unsaved() if the write fails.
  std::optional<PutRegions> TakeUnsaved(size_t regions_max);
  void Unsaved(const PutRegions& batch);
  [[nodiscard]] size_t unsaved() const;
  /// Marks in the queue behind them, those of regions written meanwhile included: at most twice unsaved() and a
  /// constant.
  [[nodiscard]] size_t queued_marks() const;

  // ---- Reads. As in RegionIndex.

  [[nodiscard]] size_t size() const;
  [[nodiscard]] size_t refreshed() const;
  [[nodiscard]] uint64_t total_size_mib() const;
  [[nodiscard]] std::optional<scheduler::Region> Find(scheduler::RegionId id) const;
  [[nodiscard]] std::optional<scheduler::Region> FindByKey(std::string_view key) const;
  [[nodiscard]] std::optional<scheduler::Region> Previous(const scheduler::Region& region) const;
  [[nodiscard]] std::optional<scheduler::Region> Next(const scheduler::Region& region) const;
  [[nodiscard]] std::vector<scheduler::Region> Scan(const scheduler::KeyRange& range,
                                                    size_t limit_max) const;
  [[nodiscard]] std::vector<scheduler::Region> ScanStore(scheduler::StoreId store,
                                                         scheduler::HeldAs held_as,
                                                         const scheduler::KeyRange& range,
                                                         size_t limit_max) const;
  [[nodiscard]] std::vector<scheduler::Region> WitnessLed(size_t limit_max) const;
  [[nodiscard]] std::optional<scheduler::Region> Random(scheduler::StoreId store,
                                                        scheduler::HeldAs held_as,
                                                        std::span<const scheduler::KeyRange> ranges,
                                                        scheduler::Rng& rng) const;
  [[nodiscard]] std::optional<scheduler::Region> Random(std::span<const scheduler::KeyRange> ranges,
                                                        scheduler::Rng& rng) const;
  [[nodiscard]] uint64_t Count(const scheduler::KeyRange& range) const;
  [[nodiscard]] uint64_t CountStore(scheduler::StoreId store, scheduler::HeldAs held_as,
                                    const scheduler::KeyRange& range) const;
  [[nodiscard]] scheduler::RegionIndex::StoreSums SumsOf(scheduler::StoreId store) const;
  /// Sets the counts of all these stores, of one moment.
  void FillCounts(std::span<scheduler::Store> stores) const;

  /// Walks `range` in key order in chunks, the lock free between them; `visit` returns false to stop.
  void Visit(const scheduler::KeyRange& range,
             const std::function<bool(const scheduler::Region&)>& visit) const;
  /// The same over the regions that `store` holds as `held_as`.
  void VisitStore(scheduler::StoreId store, scheduler::HeldAs held_as,
                  const std::function<bool(const scheduler::Region&)>& visit) const;

 private:
  std::vector<scheduler::Region> Put(const scheduler::Region& region) PD_REQUIRES(mutex_);
  /// `before`: what was known of the region, if anything was.
  void NoteRange(const scheduler::Region* before, const scheduler::Region& now) const;
  void Mark(scheduler::RegionId id) PD_REQUIRES(mutex_);
  void ForgetWrittenMarks() PD_REQUIRES(mutex_);
  void MarkDeleted(scheduler::RegionId id) PD_REQUIRES(mutex_);
  [[nodiscard]] Error StaleError(const scheduler::Region& report, scheduler::RegionId newer) const
      PD_REQUIRES_SHARED(mutex_);

  RegionFeed* const feed_;
  RangeHistory* const history_;
  mutable SharedMutex mutex_;  // Taken before the feed's.
  scheduler::RegionIndex index_ PD_GUARDED_BY(mutex_);
  uint64_t flow_divisor_before_ PD_GUARDED_BY(mutex_) = 0;  // 0: no report yet.
  // Known by a bootstrap alone, so the only region, as it holds every key; 0: none.
  scheduler::RegionId bootstrapped_ PD_GUARDED_BY(mutex_);
  bool bootstrapped_counts_ PD_GUARDED_BY(mutex_) = false;
  std::optional<scheduler::Region> first_ PD_GUARDED_BY(mutex_);  // See PutFirst.
  // In the order of marking; an id in the queue but not in the set was written or deleted meanwhile. Bounded by the
  // set: see ForgetWrittenMarks.
  std::deque<scheduler::RegionId> unsaved_order_ PD_GUARDED_BY(mutex_);
  std::unordered_set<scheduler::RegionId> unsaved_ PD_GUARDED_BY(mutex_);
  std::unordered_set<scheduler::RegionId> deleted_ PD_GUARDED_BY(mutex_);
};

/// A region's replicated part, as the reference prints it in errors: `id:1 start_key:"a" ... `.
std::string RegionText(const scheduler::Region& region);
/// `conf_ver:1 version:2 `.
std::string EpochText(const scheduler::RegionEpoch& epoch);

}  // namespace pd

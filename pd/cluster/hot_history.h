#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pd/result.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/load.h"
#include "scheduler/model/region.h"

namespace pd {

/// A hot peer as it was at some time.
struct HotRecord {
  int64_t unix_ms = 0;
  scheduler::RegionId region;
  scheduler::PeerId peer;
  scheduler::StoreId store;
  bool leader = false;
  bool learner = false;
  scheduler::Access access = scheduler::Access::kWrite;
  int degree = 0;
  scheduler::Load load;
  std::string start_key;
  std::string end_key;

  friend bool operator==(const HotRecord&, const HotRecord&) = default;
};

/// What was hot in the past, in this member's files, so that it outlasts a restart: a file for each day (UTC), a line
/// of JSON for each record. Each member has what was hot while it led.
///
/// All files together hold at most kBytesMax; beyond it the oldest go, and of a day that has as much alone nothing more
/// is kept. Reads walk the files of the days that a page is of. What a crash has cut off in the midst of
/// a line is passed over. Thread-safe; files are written under the mutex, by the job that does it every few minutes.
class HotHistory {
 public:
  static constexpr uint64_t kBytesMax = 256ULL << 20;
  static constexpr size_t kPageMax = 100'000;

  /// An empty folder: nothing is kept. It is made with the first record. `page_max` is above 0.
  explicit HotHistory(std::filesystem::path folder, uint64_t bytes_max = kBytesMax,
                      size_t page_max = kPageMax)
      : folder_(std::move(folder)), bytes_max_(bytes_max), page_max_(page_max) {}

  /// Records of one moment, `unix_ms`. kIo; kUnavailable when the day has as much as may be kept.
  Result<void> Append(int64_t unix_ms, const std::vector<HotRecord>& records);
  /// Forgets days that ended more than `days` days ago; 0: all.
  void Prune(int64_t unix_ms, uint64_t days);

  struct Page {
    std::vector<HotRecord> records;  // Oldest first.
    std::optional<int64_t> next_ms;  // There are more, from then on.
  };
  /// Records from `from_ms` up to and with `to_ms` that `wanted` lets pass. A page ends with the moment that brings it
  /// to kPageMax records, so that those of one moment are never parted.
  [[nodiscard]] Page Read(int64_t from_ms, int64_t to_ms,
                          const std::function<bool(const HotRecord&)>& wanted) const;

 private:
  struct Day {
    std::string name;  // "2026-11-29": their order is that of time.
    uint64_t bytes = 0;
  };
  [[nodiscard]] std::vector<Day> Days() const PD_REQUIRES(mutex_);
  [[nodiscard]] std::filesystem::path PathOf(const std::string& day) const {
    return folder_ / (day + ".jsonl");
  }

  const std::filesystem::path folder_;
  const uint64_t bytes_max_;
  const size_t page_max_;
  mutable Mutex mutex_;
};

}  // namespace pd

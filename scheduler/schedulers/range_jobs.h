#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/model/result.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// Which peers a job spreads: leaders, all of them, or learners.
enum class RangeJobRule : uint8_t { kLeaderScatter, kPeerScatter, kLearnerScatter };
enum class RangeJobEngine : uint8_t { kTiKV, kTiFlash };

/// pending -> running -> finished; pending or running -> cancelled. Finished ones and those that ran out of time look
/// alike (as in the reference).
enum class RangeJobStatus : uint8_t { kPending, kRunning, kFinished, kCancelled };

/// "leader-scatter", "tikv", "pending": in JSON and for people.
const char* RangeJobText(RangeJobRule rule);
const char* RangeJobText(RangeJobEngine engine);
const char* RangeJobText(RangeJobStatus status);

/// One wish to spread the regions of some key ranges. Times are Unix nanoseconds, since they outlive a process.
struct RangeJob {
  uint64_t id = 0;
  RangeJobRule rule = RangeJobRule::kLeaderScatter;
  RangeJobEngine engine = RangeJobEngine::kTiKV;
  Millis timeout = std::chrono::minutes{30};
  std::vector<KeyRange> ranges;
  std::string alias;
  RangeJobStatus status = RangeJobStatus::kPending;
  int64_t create_unix_ns = 0;
  std::optional<int64_t> start_unix_ns;
  std::optional<int64_t> finish_unix_ns;

  /// It runs, and its time is not out.
  [[nodiscard]] bool RunsAt(int64_t unix_ns) const {
    return status == RangeJobStatus::kRunning &&
           unix_ns - start_unix_ns.value_or(unix_ns) < std::chrono::nanoseconds(timeout).count();
  }
  [[nodiscard]] bool IsOver() const {
    return status == RangeJobStatus::kFinished || status == RangeJobStatus::kCancelled;
  }
  friend bool operator==(const RangeJob&, const RangeJob&) = default;
};

/// Jobs in the order in which they came. One at a time runs; those that are over are kept for seven days.
using RangeJobs = std::vector<RangeJob>;

/// So many that are not over may be in the queue.
inline constexpr size_t kRangeJobsMax = 1024;

/// Puts a job at the end, pending, with an id of its own. kInvalidArgument "job already exists" where one of the same
/// engine, rule and alias is not over; and when the queue is full.
Result<void> AddRangeJob(RangeJobs& jobs, RangeJob job, int64_t unix_ns);

/// kInvalidArgument when there is no such job or it is over.
Result<void> CancelRangeJob(RangeJobs& jobs, uint64_t id, int64_t unix_ns);

/// Forgets what has been over for seven days, ends a job that has run out of time, and begins the next one when none
/// runs. The one that runs then; null when there is none.
RangeJob* TurnRangeJobs(RangeJobs& jobs, int64_t unix_ns);
void FinishRangeJob(RangeJob& job, int64_t unix_ns);

/// Puts what a run made of the jobs into `kept`, which people may have changed meanwhile: their jobs stay, what they
/// cancelled stays cancelled. Forgets what has been over for seven days.
void KeepRangeJobs(RangeJobs& kept, const RangeJobs& found, int64_t unix_ns);

}  // namespace scheduler

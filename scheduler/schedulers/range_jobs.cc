#include "scheduler/schedulers/range_jobs.h"

#include <algorithm>
#include <utility>

namespace scheduler {
namespace {

constexpr int64_t kKeptNs = std::chrono::nanoseconds(std::chrono::hours{24 * 7}).count();

bool IsForgotten(const RangeJob& job, int64_t unix_ns) {
  return job.IsOver() && unix_ns - job.finish_unix_ns.value_or(job.create_unix_ns) > kKeptNs;
}

}  // namespace

const char* RangeJobText(RangeJobRule rule) {
  switch (rule) {
    case RangeJobRule::kLeaderScatter:
      return "leader-scatter";
    case RangeJobRule::kPeerScatter:
      return "peer-scatter";
    case RangeJobRule::kLearnerScatter:
      return "learner-scatter";
  }
  return "";
}

const char* RangeJobText(RangeJobEngine engine) {
  switch (engine) {
    case RangeJobEngine::kTiKV:
      return "tikv";
    case RangeJobEngine::kTiFlash:
      return "tiflash";
  }
  return "";
}

const char* RangeJobText(RangeJobStatus status) {
  switch (status) {
    case RangeJobStatus::kPending:
      return "pending";
    case RangeJobStatus::kRunning:
      return "running";
    case RangeJobStatus::kFinished:
      return "finished";
    case RangeJobStatus::kCancelled:
      return "cancelled";
  }
  return "";
}

Result<void> AddRangeJob(RangeJobs& jobs, RangeJob job, int64_t unix_ns) {
  size_t open = 0;
  uint64_t next = 0;
  for (const RangeJob& other : jobs) {
    next = std::max(next, other.id + 1);
    if (other.IsOver()) continue;
    ++open;
    if (other.engine == job.engine && other.rule == job.rule && other.alias == job.alias) {
      return Fail(ErrorCode::kInvalidArgument, "job already exists");
    }
  }
  if (open >= kRangeJobsMax) return Fail(ErrorCode::kInvalidArgument, "too many jobs wait");
  job.id = next;
  job.status = RangeJobStatus::kPending;
  job.create_unix_ns = unix_ns;
  job.start_unix_ns.reset();
  job.finish_unix_ns.reset();
  jobs.push_back(std::move(job));
  return {};
}

Result<void> CancelRangeJob(RangeJobs& jobs, uint64_t id, int64_t unix_ns) {
  const auto job = std::ranges::find(jobs, id, &RangeJob::id);
  if (job == jobs.end()) return Fail(ErrorCode::kInvalidArgument, "no such job");
  if (job->IsOver()) return Fail(ErrorCode::kInvalidArgument, "the job is over");
  job->status = RangeJobStatus::kCancelled;
  job->finish_unix_ns = unix_ns;
  return {};
}

RangeJob* TurnRangeJobs(RangeJobs& jobs, int64_t unix_ns) {
  std::erase_if(jobs, [&](const RangeJob& job) { return IsForgotten(job, unix_ns); });
  const auto job = std::ranges::find(jobs, RangeJobStatus::kRunning, &RangeJob::status);
  if (job != jobs.end()) {
    if (job->RunsAt(unix_ns)) return &*job;
    FinishRangeJob(*job, unix_ns);
  }
  const auto next = std::ranges::find(jobs, RangeJobStatus::kPending, &RangeJob::status);
  if (next == jobs.end()) return nullptr;
  next->status = RangeJobStatus::kRunning;
  next->start_unix_ns = unix_ns;
  return &*next;
}

void FinishRangeJob(RangeJob& job, int64_t unix_ns) {
  job.status = RangeJobStatus::kFinished;
  job.finish_unix_ns = unix_ns;
}

void KeepRangeJobs(RangeJobs& kept, const RangeJobs& found, int64_t unix_ns) {
  std::erase_if(kept, [&](const RangeJob& job) { return IsForgotten(job, unix_ns); });
  for (RangeJob& job : kept) {
    const auto now = std::ranges::find(found, job.id, &RangeJob::id);
    if (now == found.end() || job.IsOver()) continue;
    job.status = now->status;
    job.start_unix_ns = now->start_unix_ns;
    job.finish_unix_ns = now->finish_unix_ns;
  }
}

}  // namespace scheduler

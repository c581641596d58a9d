#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pd/cluster/cluster.h"
#include "pd/dispatch/admission.h"
#include "pd/dispatch/operator_runner.h"
#include "pd/dispatch/scatter_groups.h"
#include "pd/result.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/store_filter.h"

namespace pd {

/// What clients ask for of many regions and wait for: splits at keys, and scattering (as in the reference).
///
/// A job runs on the thread that calls it, which it blocks: it starts operators, and looks every 100 ms what has become
/// of them. It ends with kNotLeader when the lead is lost or the server stops, and after five minutes at the latest.
/// So that they do not take all threads, eight jobs run at a time; more are kQueueFull. Thread-safe.
class RegionJobs {
 public:
  static constexpr int kJobsMax = 8;
  static constexpr uint64_t kRetriesMax = 30;

  struct Deps {
    Cluster& cluster;
    Admission& admission;
    const OperatorRunner& runner;
    /// Shows the state of now as planning sees it.
    std::function<void(const std::function<void(const scheduler::PlanContext&)>&)> look;
  };

  explicit RegionJobs(Deps deps);

  struct Splits {
    uint64_t percentage = 0;                   // Of the keys at which a region starts now.
    std::vector<scheduler::RegionId> regions;  // Those regions.
  };
  /// Splits regions at `keys`. A key at which a region starts already, or whose region is not replicated as its rules
  /// say, has no leader or another operator, is not split at; it is tried again `retries` times, with pauses of 100 ms
  /// and then of twice the last one.
  Result<Splits> Split(const std::vector<std::string>& keys, uint64_t retries);

  /// Spreads one region of a group over the stores; success also when it is where it belongs. Errors, with the
  /// reference's texts: kConflict where the region cannot be scattered now, kUnavailable where admission refuses,
  /// as when a store's limit is reached. Not a job: it does not wait.
  Result<void> ScatterOne(const scheduler::Region& region, const std::string& group,
                          scheduler::Limits limits = scheduler::Limits::kObeyed);

  struct Scattered {
    uint64_t percentage = 0;                             // Of the regions that were found.
    std::map<scheduler::RegionId, std::string> refused;  // With why.
  };
  /// The same for many; those refused are tried again as with Split. kNotFound where none of the regions is known.
  Result<Scattered> Scatter(const std::vector<scheduler::RegionId>& regions,
                            const std::string& group, uint64_t retries,
                            scheduler::Limits limits = scheduler::Limits::kObeyed);

  /// Forgets what was scattered.
  void Clear() { groups_.Clear(); }

 private:
  using Keys = std::set<std::string>;

  /// One of the jobs that may run, or none.
  class Slot {
   public:
    explicit Slot(std::atomic<int>& running);
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    [[nodiscard]] bool taken() const { return taken_; }

   private:
    std::atomic<int>& running_;
    const bool taken_;
  };

  /// False when the job has to end.
  [[nodiscard]] bool Pause(Millis time) const;
  /// The keys at which splits have begun.
  Keys StartSplits(const Keys& keys);
  /// Takes the keys at which a region starts now out of both.
  void TakeFinished(Keys& begun, Keys& waiting, Splits& splits) const;

  const Deps deps_;
  ScatterGroups groups_;
  std::atomic<int> running_ = 0;
};

}  // namespace pd

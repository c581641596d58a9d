#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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
#include "scheduler/scatter/scatter.h"

namespace pd {

/// What clients ask for of many regions and wait for: splits at keys, and scattering (as in the reference).
///
/// A job runs on the thread that calls it, which it blocks: it starts operators, and looks every 100 ms what has become
/// of them. It ends with kNotLeader when the lead is lost or the server stops, and after five minutes at the latest.
/// So that they do not take all threads, sixteen wait at a time; others do what needs no wait and tell how far they
/// got. A job names 100,000 keys or regions at most; keys are as long as those of placement rules, groups 1 KiB; more
/// is kInvalidArgument. Thread-safe.
class RegionJobs {
 public:
  static constexpr int kWaitingMax = 16;
  static constexpr uint64_t kRetriesMax = 30;
  static constexpr size_t kNamedMax = 100'000;
  static constexpr size_t kKeyBytesMax = size_t{16} << 10U;
  static constexpr size_t kGroupBytesMax = 1024;
  /// No more are started while so many operators run.
  static constexpr size_t kOperatorsMax = 10'000;

  struct Deps {
    Cluster& cluster;
    Admission& admission;
    const OperatorRunner& runner;
    /// Shows the state of now as planning sees it.
    std::function<void(const std::function<void(const scheduler::PlanContext&)>&)> look;
  };

  explicit RegionJobs(Deps deps);

  struct Splits {
    uint64_t percentage = 0;  // Of the keys, less those at which no region was made to start.
    std::vector<scheduler::RegionId> regions;  // Those that start at the others.
  };
  /// Splits regions at `keys`. A key whose region is not replicated as its rules say, has no leader or another
  /// operator, is not split at; it is tried again `retries` times, with pauses of 100 ms and then of twice the
  /// last one. Nothing becomes of a key at which a region starts already.
  Result<Splits> Split(const std::vector<std::string>& keys, uint64_t retries);

  /// Spreads one region of a group over the stores; success also when it is where it belongs. Errors, with the
  /// reference's texts: kConflict where the region cannot be scattered now, kUnavailable where admission refuses,
  /// as when a store's limit is reached. It does not wait.
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

  /// How long a job may go on, and its right to wait.
  class Turn {
   public:
    enum class Go : uint8_t { kOn, kEnough, kLeadLost };

    explicit Turn(RegionJobs& jobs);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    [[nodiscard]] Go Look() const;
    /// kEnough also when too many wait already.
    [[nodiscard]] Go Pause(Millis time);

   private:
    RegionJobs& jobs_;
    const uint64_t term_;
    const Nanos end_;
    bool waits_ = false;
  };

  /// Until all that has begun is done, or a minute has passed; what is done makes room for the next keys.
  [[nodiscard]] Turn::Go SplitRound(Turn& turn, Keys& waiting, Keys& begun, Splits& splits);
  /// The keys at which splits have begun. Takes those that are hopeless out of `waiting`.
  Keys StartSplits(Keys& waiting);
  /// Takes the keys at which a region starts now out of both. True if there are any.
  bool TakeFinished(Keys& begun, Keys& waiting, Splits& splits) const;
  [[nodiscard]] Turn::Go ScatterRound(const Turn& turn, const std::string& group,
                                      scheduler::Limits limits,
                                      std::set<scheduler::RegionId>& waiting, Scattered& scattered);
  Result<void> ScatterOn(const scheduler::PlanContext& context, const scheduler::Region& region,
                         const std::string& group, scheduler::Limits limits);

  const Deps deps_;
  ScatterGroups groups_;
  std::atomic<int> waiting_ = 0;
};

}  // namespace pd

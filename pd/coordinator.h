#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pd/cluster/cluster.h"
#include "pd/cluster/command_sink.h"
#include "pd/dispatch/admission.h"
#include "pd/dispatch/affinity_watch.h"
#include "pd/dispatch/by_hand.h"
#include "pd/dispatch/decision_log.h"
#include "pd/dispatch/finished_moves.h"
#include "pd/dispatch/live_view.h"
#include "pd/dispatch/operator_runner.h"
#include "pd/dispatch/outlook.h"
#include "pd/dispatch/patrol.h"
#include "pd/dispatch/region_jobs.h"
#include "pd/dispatch/returned_data.h"
#include "pd/dispatch/scheduler_runner.h"
#include "pd/dispatch/scheduler_table.h"
#include "pd/dispatch/split_scatter.h"
#include "pd/dispatch/store_limits.h"
#include "pd/metrics/metrics.h"
#include "pd/server.h"
#include "scheduler/checkers/checkers.h"

namespace pd {

/// Plans for the cluster on the PD leader: one thread runs the checkers over the regions and the schedulers at their
/// times, and hands what they propose to admission. Everything it holds is memory of this leadership; the settings of
/// schedulers last.
///
/// Nothing is planned until the cluster is prepared (Cluster::IsPrepared()); until then the list of schedulers is
/// empty. While that lasts, and while scheduling is halted, the decisions say so.
///
/// Thread-safe. Owned beside PdServer; a leader service after Cluster. Stop() joins the thread.
class Coordinator final : public LeaderService, public RegionObserver {
 public:
  struct Deps {
    Cluster& cluster;
    ConfigStore& config;
    MetaStore& meta;
    IdAllocator& ids;
    MetricsRegistry& metrics;
    const Clock& clock;
    CommandSink& sink;
    std::function<std::string(std::string_view)> key;  // "/pd/{cid}" + suffix.
    uint64_t seed = 1;                                 // Of the random choices.
  };

  explicit Coordinator(Deps deps);
  ~Coordinator() override;

  void Start();
  void Stop();
  /// One turn at once, for a caller who drives time instead of Start(). Returns when the next one is due.
  Millis Step();

  // LeaderService.
  Result<void> OnLeaderStart(uint64_t term) override;
  void OnLeaderStop() override;

  // RegionObserver.
  void OnRegionReported(const scheduler::Region& region,
                        const scheduler::RegionChange& change) override;
  void OnSplitGranted(const GrantedSplit& split) override;

  /// Schedulers and checkers run.
  [[nodiscard]] bool planning() const { return planning_.load(std::memory_order_acquire); }

  [[nodiscard]] OperatorRunner& operators() { return runner_; }
  [[nodiscard]] const OperatorRunner& operators() const { return runner_; }
  [[nodiscard]] Admission& admission() { return admission_; }
  [[nodiscard]] SchedulerTable& schedulers() { return schedulers_; }
  [[nodiscard]] StoreLimits& limits() { return limits_; }
  [[nodiscard]] const DecisionLog& decisions() const { return decisions_; }
  [[nodiscard]] Cluster& cluster() { return deps_.cluster; }
  [[nodiscard]] ConfigStore& config() { return deps_.config; }
  [[nodiscard]] const Clock& clock() const { return deps_.clock; }
  /// The monotonic clock when this process made its coordinator: what "m=+" in operator texts counts from.
  [[nodiscard]] Nanos process_start() const { return process_start_; }

  /// Pauses a checker for `seconds`; 0 resumes it. The pause goes with the lead.
  void PauseChecker(scheduler::CheckerKind kind, int64_t seconds);
  [[nodiscard]] bool IsCheckerPaused(scheduler::CheckerKind kind) const;

  /// What a person asks for, planned with `plan` on the state of now and admitted at once. Errors: those of the plan;
  /// kUnavailable with the refusal's text.
  Result<void> PlanByPerson(const ByHand& plan);

  [[nodiscard]] RegionJobs& jobs() { return jobs_; }
  /// The checkers look at the regions of a range next, at most `count_max` of them. How many there are.
  size_t PointOut(const scheduler::KeyRange& range, size_t count_max);
  /// Shows the state of now as planning sees it; on the calling thread.
  void Look(const std::function<void(const scheduler::PlanContext&)>& look);

  /// What holds all repairs of regions back at this moment: that nothing is planned, the checker that repairs is
  /// paused, or as many run as may. Empty when nothing does.
  [[nodiscard]] std::vector<scheduler::Refusal> Holdups();

  /// What became of a store's damaged peers.
  struct Removals {
    size_t planned = 0;
    size_t under_way = 0;  // An operator takes the peer off already; nothing is done.
    size_t not_held = 0;   // The store has no peer of the region, as far as is known.
    size_t refused = 0;    // Cannot be done now.
    scheduler::RegionId first_refused;
    std::string first_error;
  };
  /// Takes the store's peers of these regions off it as a person would: urgent, past the store limits, in place of what
  /// balances the region. All are planned on one state. Repeating it is cheap.
  Removals RemovePeers(scheduler::StoreId store, const std::vector<scheduler::RegionId>& regions);

 private:
  struct Situation;
  static const scheduler::MoveHistory kNothingMoved;

  Result<void> PlanOn(const scheduler::PlanContext& context, const ByHand& plan);
  void Run();
  /// Waits for the next turn, which is due in `wait`. False when the thread is to end.
  bool Rest(Millis wait);
  /// One turn; returns how long to wait for the next.
  Millis Turn(scheduler::Instant now);
  using News = SchedulerRunner::News;
  /// What changed beside the regions that report.
  News Watch(const Situation& situation, const scheduler::PlanContext& context);
  /// What is due of checkers and schedulers. Returns when something will be next.
  scheduler::Instant Plan(const scheduler::PlanContext& context, News news);
  /// Ends a long wait: there is something to do.
  void Wake();
  /// The schedulers and the checkers say why nothing is planned at all.
  void NoteStandstill(const scheduler::Refusal& refusal);
  void CheckRegions(const scheduler::PlanContext& context, scheduler::Instant now);
  /// `input` is changed: the limits are those of the moment.
  void CheckOne(const scheduler::PlanContext& context, const scheduler::Region& region,
                scheduler::CheckInput& input);
  /// Notes what a checker came to and admits what it proposes. True when the region is to be looked at again soon.
  bool FollowCheck(scheduler::Decision& decision);
  /// Regions on stores that went down or leave are pointed out to the patrol.
  void WatchStores(const scheduler::PlanContext& context, scheduler::Instant now);
  void PointOutStore(scheduler::StoreId store, scheduler::Instant now);
  /// The same of regions whose placement rules have changed since the last turn. Whether any have.
  bool WatchRules(const PlacementRules::Book& rules, scheduler::Instant now);
  void Publish();
  /// What this member does not do any more is not shown, either.
  void Withdraw();
  void Reset();

  const Deps deps_;
  const Nanos process_start_;
  OperatorMetrics metrics_;
  StoreLimits limits_;
  ReturnedData returned_data_;
  FinishedMoves finished_moves_;
  Patrol patrol_;  // Told by the runner.
  OperatorRunner runner_;
  Admission admission_;
  SchedulerTable schedulers_;
  DecisionLog decisions_;
  RegionJobs jobs_;
  SplitScatter split_scatter_;
  scheduler::MoveHistory moved_;  // Shared by the thread's own.
  FindingsKeeper findings_;
  SchedulerRunner scheduler_runner_;
  CounterFamily& checker_events_;

  std::atomic<bool> planning_{false};
  std::array<std::atomic<int64_t>, scheduler::kCheckerKindCount> checker_paused_until_s_{};

  // The thread's own.
  std::set<scheduler::StoreId> watched_;  // Stores whose regions were pointed out.
  PlacementRules::Book watched_rules_;    // Those of the last turn.
  AffinityWatch affinity_;
  ViewMemory view_memory_;
  Outlook outlook_;
  bool published_ = false;
  size_t admitted_in_turn_ = 0;
  uint64_t held_version_ = 0;  // That of the schedulers when stores were held.
  scheduler::Instant next_push_;
  scheduler::Instant next_hold_;

  std::atomic<bool> woken_ = false;   // There is something to do ...
  std::atomic<bool> dozing_ = false;  // ... and the thread waits until there is.
  Millis rest_{0};                    // How long it waits whatever there is; its own.
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  uint64_t term_ PD_GUARDED_BY(mutex_) = 0;     // 0: not leading.
  uint64_t leads_ PD_GUARDED_BY(mutex_) = 0;    // Counts the starts of leadership ...
  uint64_t planned_ PD_GUARDED_BY(mutex_) = 0;  // ... and which of them the thread's state is of.
  std::thread thread_;
};

}  // namespace pd

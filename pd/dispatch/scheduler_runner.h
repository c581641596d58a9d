#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pd/cluster/store_table.h"
#include "pd/dispatch/admission.h"
#include "pd/dispatch/decision_log.h"
#include "pd/dispatch/findings_keeper.h"
#include "pd/dispatch/operator_runner.h"
#include "pd/dispatch/scheduler_table.h"
#include "pd/metrics/metrics.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/model/rng.h"
#include "scheduler/stats/move_history.h"

namespace pd {

/// Runs the schedulers of a leadership at their times and hands what they propose to admission; keeps stores from
/// gaining or losing leaders as long as a scheduler wants that. For the coordinator's thread.
class SchedulerRunner {
 public:
  struct Deps {
    SchedulerTable& table;
    FindingsKeeper& findings;
    StoreTable& stores;
    const OperatorRunner& operators;
    Admission& admission;
    DecisionLog& decisions;
    scheduler::MoveHistory& moved;
    MetricsRegistry& metrics;
    /// Shows the state of now as planning sees it, at the time of the turn.
    std::function<void(scheduler::Instant,
                       const std::function<void(const scheduler::PlanContext&)>&)>
        look;
    uint64_t seed = 1;  // Of the random choices.
  };

  explicit SchedulerRunner(Deps deps);

  /// What plans are made from may be another than at the last turn: then everyone looks at once.
  enum class News : uint8_t { kNone, kSome };
  /// Whether operators were admitted since the context was made, so that it does not count them.
  enum class Freshness : uint8_t { kFresh, kOvertaken };
  /// Runs those that are due. Returns when the next one is.
  scheduler::Instant Turn(const scheduler::PlanContext& context, News news, Freshness freshness);

  /// Brings the pauses of stores in step with the schedulers.
  void HoldStores(const scheduler::PlanContext& context);

  /// For a new leadership.
  void Clear();

 private:
  /// How a scheduler of this leadership is getting on.
  struct Running {
    uint64_t incarnation = 0;
    scheduler::SchedulerMemory memory;
    Millis interval{0};
    scheduler::Instant due;
  };

  /// Those that run, with what they have found, be it kept or not.
  [[nodiscard]] std::vector<SchedulerTable::Entry> Entries(int64_t unix_ns) const;
  [[nodiscard]] bool MayRun(const SchedulerTable::Entry& entry,
                            const scheduler::PlanContext& context);
  /// When one that may not run now is to be asked again, if nothing changes before that.
  [[nodiscard]] scheduler::Instant AskAgain(const SchedulerTable::Entry& entry,
                                            const scheduler::PlanContext& context) const;
  void RunOne(const SchedulerTable::Entry& entry, const scheduler::PlanContext& context);
  void RunOn(const SchedulerTable::Entry& entry, const scheduler::PlanContext& context);
  void CountRefusals(const scheduler::SchedulerType& type, const scheduler::Decision& decision);
  /// Whether any was admitted.
  bool Admit(const SchedulerTable::Entry& entry, const scheduler::PlanContext& context,
             scheduler::Decision& decision);

  const Deps deps_;
  CounterFamily& events_;
  scheduler::Rng rng_;
  Freshness freshness_ = Freshness::kFresh;
  std::map<std::string, Running> running_;
  std::map<scheduler::StoreId, scheduler::StorePauses> held_;
  scheduler::Instant next_range_metrics_;
};

}  // namespace pd

#include "pd/dispatch/scheduler_runner.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "pd/dispatch/hot_scheduler_metrics.h"
#include "pd/dispatch/scheduler_metrics.h"

namespace pd {
namespace {

constexpr Millis kBlockedInterval{100};  // Before a scheduler at its limit is asked again.
constexpr Millis kPausedMax{10'000};     // A pause ends by a clock that may be set.
constexpr int64_t kNsPerMs = 1'000'000;
constexpr Millis kRangeMetricsInterval{10'000};
constexpr scheduler::Instant kNever{Millis::max()};

/// What a scheduler proposed, by what is to be admitted whole or not at all: balance-hot-region proposes more than one
/// operator only for two peers that change places, and one of those alone would make the loads worse.
std::vector<std::vector<scheduler::Proposal>> PlansOf(const scheduler::SchedulerConfig& config,
                                                      scheduler::Decision& decision) {
  std::vector<std::vector<scheduler::Proposal>> plans;
  const bool together = std::holds_alternative<scheduler::HotRegionConfig>(config);
  for (scheduler::Proposal& proposal : decision.proposals) {
    if (plans.empty() || !together) plans.emplace_back();
    plans.back().push_back(std::move(proposal));
  }
  return plans;
}

}  // namespace

SchedulerRunner::SchedulerRunner(Deps deps)
    : deps_(std::move(deps)),
      events_(deps_.metrics.Counters("pd_scheduler_event_count",
                                     "Scheduler outcomes per scheduler and reason",
                                     {"type", "name"})),
      rng_(deps_.seed) {}

void SchedulerRunner::Clear() {
  running_.clear();
  next_range_metrics_ = {};
  held_.clear();
}

scheduler::Instant SchedulerRunner::Turn(const scheduler::PlanContext& context, News news,
                                         Freshness freshness) {
  freshness_ = freshness;
  const scheduler::Instant now = context.now;
  const std::vector<SchedulerTable::Entry> entries = Entries(context.unix_ns);
  if (news == News::kSome) {
    std::set<std::string> names;
    for (const SchedulerTable::Entry& entry : entries) names.insert(entry.name);
    std::erase_if(running_, [&](const auto& running) { return !names.contains(running.first); });
    deps_.decisions.KeepRuns(names);
  }
  std::vector<scheduler::KeyRange> reserved;
  for (const SchedulerTable::Entry& entry : entries) {
    std::ranges::move(RangesReservedBy(entry.config, context.unix_ns),
                      std::back_inserter(reserved));
  }
  scheduler::PlanContext planning = context;
  planning.reserved_ranges = reserved;
  scheduler::Instant next = kNever;
  for (const SchedulerTable::Entry& entry : entries) {
    Running& running = running_[entry.name];
    if (running.incarnation != entry.incarnation) {  // It was removed and added again.
      running = {};
      running.incarnation = entry.incarnation;
      running.due = now;
    }
    if (news == News::kSome) {  // Worth a look at once.
      running.interval = entry.type->pace.interval_min;
      running.due = now;
    }
    if (now >= running.due) {
      if (MayRun(entry, context)) {
        RunOne(entry, planning);
      } else {
        running.due = AskAgain(entry, context);
      }
    }
    next = std::min(next, running.due);
  }
  deps_.findings.Turn();
  return next;
}

std::vector<SchedulerTable::Entry> SchedulerRunner::Entries(int64_t unix_ns) const {
  const FindingsKeeper::FoundByName waiting = deps_.findings.Waiting();
  std::vector<SchedulerTable::Entry> entries = deps_.table.Running();
  if (waiting.empty()) return entries;
  for (SchedulerTable::Entry& entry : entries) {
    const auto found = waiting.find(entry.name);
    if (found == waiting.end() || found->second.ran.incarnation != entry.incarnation) continue;
    KeepFindings(entry.config, found->second.findings, unix_ns);
  }
  return entries;
}

bool SchedulerRunner::MayRun(const SchedulerTable::Entry& entry,
                             const scheduler::PlanContext& context) {
  scheduler::Decision decision;
  const uint64_t limit = RunLimit(context.options, *entry.type);
  const uint64_t count = deps_.operators.CountOf(entry.type->limit_kind);
  if (deps_.table.IsPaused(entry)) {
    decision.Refuse({scheduler::Reason::kPaused, {}, {}, 0, 0, {}});
  } else if (count >= limit) {
    decision.Refuse({scheduler::Reason::kScheduleLimit,
                     {},
                     {},
                     static_cast<double>(count),
                     static_cast<double>(limit),
                     {}});
  } else {
    return true;
  }
  deps_.decisions.NoteRun(entry.name, decision);
  return false;
}

scheduler::Instant SchedulerRunner::AskAgain(const SchedulerTable::Entry& entry,
                                             const scheduler::PlanContext& context) const {
  if (deps_.table.IsPaused(entry)) {
    // In milliseconds a hundred years are no danger.
    const int64_t left_ms = *entry.resume_at_unix_s * 1000 - context.unix_ns / kNsPerMs;
    return context.now + std::clamp(Millis{left_ms}, Millis{1}, kPausedMax);
  }
  // Nothing can end that would make room.
  if (RunLimit(context.options, *entry.type) == 0) return kNever;
  return context.now + kBlockedInterval;
}

void SchedulerRunner::RunOne(const SchedulerTable::Entry& entry,
                             const scheduler::PlanContext& context) {
  if (freshness_ == Freshness::kFresh) return RunOn(entry, context);
  // What was admitted a moment ago counts.
  deps_.look(context.now, [&](const scheduler::PlanContext& now) {
    scheduler::PlanContext latest = now;
    latest.reserved_ranges = context.reserved_ranges;
    RunOn(entry, latest);
  });
}

void SchedulerRunner::RunOn(const SchedulerTable::Entry& entry,
                            const scheduler::PlanContext& context) {
  Running& running = running_[entry.name];
  running.memory.operators = deps_.operators.CountOf(entry.type->limit_kind);
  const scheduler::SlowTrendMemory slow_trend = running.memory.slow_trend;
  scheduler::Decision decision = RunScheduler(context, entry.config, running.memory, rng_);
  if (auto findings = std::exchange(running.memory.findings, {})) {
    deps_.findings.Keep(entry, *std::move(findings));
  }
  deps_.decisions.NoteRun(entry.name, decision);
  if (std::holds_alternative<scheduler::HotRegionConfig>(entry.config)) {
    NoteHotRun(running.memory.hot, decision, context.now, deps_.metrics);
  }
  if (const auto* trend = std::get_if<scheduler::EvictSlowTrendConfig>(&entry.config)) {
    NoteSlowTrendRun(slow_trend, running.memory.slow_trend, !trend->evicted.empty(), context.now,
                     deps_.metrics);
  }
  if (std::holds_alternative<scheduler::BalanceRangeConfig>(entry.config) &&
      context.now >= next_range_metrics_) {
    PublishRangeJob(context, entry.config, deps_.metrics);
    next_range_metrics_ = context.now + kRangeMetricsInterval;
  }
  CountRefusals(*entry.type, decision);
  for (const auto& [region, store] : decision.wanted_back) {
    deps_.moved.NoteWantedBack(region, store, context.now);
  }
  running.interval = Admit(entry, context, decision)
                         ? entry.type->pace.interval_min
                         : GrowInterval(entry.type->pace,
                                        std::max(running.interval, entry.type->pace.interval_min));
  running.due = context.now + running.interval;
}

void SchedulerRunner::CountRefusals(const scheduler::SchedulerType& type,
                                    const scheduler::Decision& decision) {
  std::array<uint64_t, scheduler::kReasonCount> times{};
  for (const scheduler::Refusal& refusal : decision.refusals) {
    times[static_cast<size_t>(refusal.reason)] += refusal.times;
  }
  for (size_t i = 0; i < times.size(); ++i) {
    if (times[i] == 0) continue;
    const auto reason = static_cast<scheduler::Reason>(i);
    events_.With({type.name, ReasonText(reason)}).Add(static_cast<double>(times[i]));
  }
}

bool SchedulerRunner::Admit(const SchedulerTable::Entry& entry,
                            const scheduler::PlanContext& context, scheduler::Decision& decision) {
  const uint64_t limit = RunLimit(context.options, *entry.type);
  bool any = false;
  for (std::vector<scheduler::Proposal>& plan : PlansOf(entry.config, decision)) {
    if (deps_.operators.CountOf(entry.type->limit_kind) >= limit) break;
    events_.With({entry.type->name, "new-operator"}).Add(static_cast<double>(plan.size()));
    if (const auto refusal = deps_.admission.AdmitTogether(std::move(plan))) {
      deps_.decisions.NoteAdmission(*refusal);
    } else {
      any = true;
      freshness_ = Freshness::kOvertaken;
    }
  }
  return any;
}

void SchedulerRunner::HoldStores(const scheduler::PlanContext& context) {
  std::map<scheduler::StoreId, scheduler::StorePauses> wanted;
  for (const SchedulerTable::Entry& entry : Entries(context.unix_ns)) {
    const scheduler::StoreHolds holds = HoldsOf(context.view, entry.config);
    for (const auto store : holds.no_leaders_in) ++wanted[store].leader_transfer_in;
    for (const auto store : holds.no_leaders_out) ++wanted[store].leader_transfer_out;
    for (const auto store : holds.slow_evicted) ++wanted[store].slow_evicted;
    for (const auto store : holds.stopping_evicted) ++wanted[store].stopping_evicted;
    for (const auto store : holds.slow_trend_evicted) ++wanted[store].slow_trend_evicted;
  }
  if (wanted == held_) return;
  for (const auto& entry : held_) wanted.try_emplace(entry.first);
  for (const auto& [id, pauses] : wanted) {
    deps_.stores.Modify(id, [&](scheduler::Store& store) { store.pauses = pauses; });
  }
  std::erase_if(wanted, [](const auto& entry) { return entry.second == scheduler::StorePauses{}; });
  held_ = std::move(wanted);
}

}  // namespace pd

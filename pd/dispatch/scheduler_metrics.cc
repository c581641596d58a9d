#include "pd/dispatch/scheduler_metrics.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "pd/dispatch/hot_scheduler_metrics.h"

namespace pd {
namespace {

using Values = std::vector<std::string>;

/// The series of each family as they are to be.
struct Findings {
  GaugeFamily::SeriesByValues status;
  GaugeFamily::SeriesByValues slow;
  GaugeFamily::SeriesByValues stopping;
  GaugeFamily::SeriesByValues trend;
  GaugeFamily::SeriesByValues job;

  static void Set(GaugeFamily::SeriesByValues& series, Values values, double value) {
    auto gauge = std::make_unique<Gauge>();
    gauge->Set(value);
    series[std::move(values)] = std::move(gauge);
  }
};

struct Collect {
  Findings& findings;
  const std::function<std::string(scheduler::StoreId)>& address_of;

  void operator()(const scheduler::EvictSlowStoreConfig& config) const {
    const auto add = [&](const std::vector<scheduler::StoreId>& stores, const char* type) {
      for (const auto store : stores) Findings::Set(findings.slow, {Text(store), type}, 1);
    };
    add(config.evicted, "disk");
    add(config.network_paused, "network");
    add(config.network_evicted, "network-evicted");
  }
  void operator()(const scheduler::EvictStoppingStoreConfig& config) const {
    for (const auto store : config.evicted) Findings::Set(findings.stopping, {Text(store)}, 1);
  }
  void operator()(const scheduler::EvictSlowTrendConfig& config) const {
    for (const auto store : config.evicted) {
      Findings::Set(findings.trend, {address_of(store), Text(store)}, 1);
    }
  }
  void operator()(const scheduler::BalanceRangeConfig& config) const {
    const auto job = std::ranges::find(config.jobs, scheduler::RangeJobStatus::kRunning,
                                       &scheduler::RangeJob::status);
    if (job != config.jobs.end()) Findings::Set(findings.job, {}, static_cast<double>(job->id));
  }
  template <class Other>
  void operator()(const Other&) const {}

 private:
  static std::string Text(scheduler::StoreId store) { return std::to_string(store.value); }
};

void Show(MetricsRegistry& metrics, Findings findings) {
  metrics.Gauges("pd_scheduler_status", "1 when a scheduler may run", {"kind", "type"})
      .Replace(std::move(findings.status));
  metrics
      .Gauges("pd_scheduler_evicted_slow_store_status", "Stores whose leaders go as they are slow",
              {"store", "slow_type"})
      .Replace(std::move(findings.slow));
  metrics
      .Gauges("pd_scheduler_evicted_stopping_store_status",
              "Stores whose leaders go as they are stopping", {"store"})
      .Replace(std::move(findings.stopping));
  metrics
      .Gauges("pd_scheduler_store_slow_trend_evicted_status",
              "Stores whose leaders go as they become slower", {"address", "store"})
      .Replace(std::move(findings.trend));
  metrics.Gauges("pd_balance_range_job", "The job of balance-range that runs")
      .Replace(std::move(findings.job));
}

GaugeFamily& RangeStores(MetricsRegistry& metrics) {
  return metrics.Gauges("pd_balance_range_store",
                        "What stores have and are to have in the job of balance-range that runs",
                        {"store", "type"});
}

GaugeFamily& SlowTrendTimes(MetricsRegistry& metrics) {
  return metrics.Gauges("pd_scheduler_store_slow_trend_misc",
                        "Seconds for which a store has been a candidate or evicted",
                        {"type", "dim"});
}

}  // namespace

void NoteSlowTrendRun(const scheduler::SlowTrendMemory& before,
                      const scheduler::SlowTrendMemory& after, bool evicted_before,
                      scheduler::Instant now, MetricsRegistry& metrics) {
  GaugeFamily& actions =
      metrics.Gauges("pd_scheduler_store_slow_trend_action_status",
                     "What evict-slow-trend has decided, and how often", {"type", "status"});
  // Not what another leader began.
  const bool evicts = after.evicted_at && !before.evicted_at && !evicted_before;
  if (after.candidate && !before.candidate) actions.With({"candidate", "captured"}).Add(1);
  if (before.candidate && !after.candidate && !evicts)
    actions.With({"candidate", "dropped"}).Add(1);
  if (evicts) actions.With({"evict", "start"}).Add(1);
  if (before.evicted_at && !after.evicted_at) actions.With({"evict", "stop"}).Add(1);
  const auto seconds = [&](std::optional<scheduler::Instant> since) {
    return since ? std::chrono::duration<double>(now - *since).count() : 0;
  };
  const auto captured =
      after.candidate ? std::optional(after.candidate->at) : std::optional<scheduler::Instant>();
  SlowTrendTimes(metrics).With({"candidate", "captured_secs"}).Set(seconds(captured));
  SlowTrendTimes(metrics).With({"evict", "evicted_secs"}).Set(seconds(after.evicted_at));
}

void PublishRangeJob(const scheduler::PlanContext& context,
                     const scheduler::SchedulerConfig& config, MetricsRegistry& metrics) {
  GaugeFamily::SeriesByValues stores;
  const auto& jobs = std::get<scheduler::BalanceRangeConfig>(config).jobs;
  const auto job = std::ranges::find_if(
      jobs, [&](const scheduler::RangeJob& one) { return one.RunsAt(context.unix_ns); });
  if (job != jobs.end()) {
    for (const scheduler::RangeSurplus& one : SurplusesOf(context, *job)) {
      const std::string store = std::to_string(one.store.value);
      Findings::Set(stores, {store, "score"}, one.has);
      Findings::Set(stores, {store, "expect"}, one.wanted);
    }
  }
  RangeStores(metrics).Replace(std::move(stores));
}

void PublishSchedulers(MetricsRegistry& metrics, const SchedulerTable& table,
                       const std::function<std::string(scheduler::StoreId)>& address_of) {
  Findings findings;
  bool slow_trend = false;
  bool hot = false;
  for (const SchedulerTable::Entry& entry : table.All()) {
    const bool allowed = !entry.disabled && !table.IsPaused(entry);
    Findings::Set(findings.status, {entry.name, "allow"}, allowed ? 1 : 0);
    if (entry.disabled) continue;
    std::visit(Collect{findings, address_of}, entry.config);
    slow_trend |= std::holds_alternative<scheduler::EvictSlowTrendConfig>(entry.config);
    hot |= std::holds_alternative<scheduler::HotRegionConfig>(entry.config);
  }
  // What their last runs have shown is of no scheduler any more.
  if (!slow_trend) SlowTrendTimes(metrics).Replace({});
  if (!hot) WithdrawHotRuns(metrics);
  if (findings.job.empty()) RangeStores(metrics).Replace({});
  Show(metrics, std::move(findings));
}

void WithdrawSchedulers(MetricsRegistry& metrics) {
  Show(metrics, {});
  RangeStores(metrics).Replace({});
  SlowTrendTimes(metrics).Replace({});
}

}  // namespace pd

// The verbs of ScriptRunner that run schedulers.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/scheduler/script_runner.h"
#include "tests/scheduler/script_words.h"

namespace scheduler::test {
namespace {

using Line = pd::test::ScriptLine;

/// What a line sets of a scheduler's settings; what it does not name has its default.
struct Settings {
  const Line& line;

  void operator()(BalanceLeaderConfig& config) const { config.batch = Batch(4); }
  void operator()(BalanceWitnessConfig& config) const { config.batch = Batch(4); }
  void operator()(EvictLeaderConfig& config) const { config.stores = Stores(); }
  void operator()(GrantLeaderConfig& config) const { config.stores = Stores(); }
  void operator()(EvictSlowStoreConfig& config) const {
    config.network_slow_store = line.Get("network") == "on";
  }
  void operator()(ScatterRangeConfig& config) const {
    config = {line.Get("name", "t"), RangeOf(line)};
  }
  void operator()(ShuffleRegionConfig& config) const {
    config.roles.clear();
    for (const std::string& role : Split(line.Get("roles", "leader,follower,learner"), ',')) {
      if (role == "leader") config.roles.push_back(ShuffleRole::kLeader);
      if (role == "follower") config.roles.push_back(ShuffleRole::kFollower);
      if (role == "learner") config.roles.push_back(ShuffleRole::kLearner);
    }
  }
  template <class Other>
  void operator()(Other&) const {}

 private:
  [[nodiscard]] uint64_t Batch(int64_t otherwise) const {
    return static_cast<uint64_t>(line.Number("batch", otherwise));
  }
  [[nodiscard]] StoreRanges Stores() const {
    return {{StoreId{static_cast<uint64_t>(line.Number("store"))}, {KeyRange{}}}};
  }
};

std::string JobsText(const RangeJobs& jobs) {
  std::string text;
  for (const RangeJob& job : jobs) {
    text +=
        "job " + std::to_string(job.id) + " " + job.alias + ": " + RangeJobText(job.status) + '\n';
  }
  return text;
}

std::string HoldsText(const StoreHolds& holds) {
  std::string text = "holds";
  const auto add = [&](const char* what, const std::vector<StoreId>& stores) {
    if (!stores.empty()) text += std::string(" ") + what + "=" + StoreListText(stores);
  };
  add("no-leaders-in", holds.no_leaders_in);
  add("slow", holds.slow_evicted);
  add("stopping", holds.stopping_evicted);
  add("slow-trend", holds.slow_trend_evicted);
  return (text == "holds" ? "holds nothing" : text) + '\n';
}

}  // namespace

void ScriptRunner::DoLeft(const Line& line) {
  const auto what = !line.words.empty() && line.words.back() == "leader" ? MovedThing::kLeader
                                                                         : MovedThing::kPeer;
  world_.moved.NoteLeft(what, {static_cast<uint64_t>(line.Number("region"))},
                        {static_cast<uint64_t>(line.Number("store"))}, world_.now);
}

std::string ScriptRunner::DoSchedule(const Line& line) {
  const SchedulerType* type = FindSchedulerType(line.Word(0));
  REQUIRE(type != nullptr);
  SchedulerConfig& config =
      configs_.try_emplace(type->name, DefaultSchedulerConfig(*type)).first->second;
  std::visit(Settings{line}, config);
  if (auto* hot = std::get_if<HotRegionConfig>(&config)) {
    *hot = {};  // It has the settings of its line.
    SetHotRegion(line, *hot);
  }
  if (line.words.back() == "forget") memories_.erase(type->name);
  std::vector<KeyRange> reserved;
  for (const auto& entry : configs_) {
    for (KeyRange& range : RangesReservedBy(entry.second, world_.unix_ns))
      reserved.push_back(std::move(range));
  }
  PlanContext context = world_.Context();
  context.reserved_ranges = reserved;
  SchedulerMemory& memory = memories_[type->name];
  memory.operators = static_cast<uint64_t>(line.Number("running"));
  Rng rng(static_cast<uint64_t>(line.Number("seed", 1)));
  const std::string out = Show(RunScheduler(context, config, memory, rng));
  if (!memory.findings) return out;
  KeepFindings(config, *memory.findings, world_.unix_ns);
  memory.findings.reset();
  if (const auto* range = std::get_if<BalanceRangeConfig>(&config)) {
    return out + JobsText(range->jobs);
  }
  return out + HoldsText(HoldsOf(world_, config));
}

std::string ScriptRunner::DoJob(const Line& line) {
  const SchedulerType* type = FindSchedulerType("balance-range");
  SchedulerConfig& config =
      configs_.try_emplace(type->name, DefaultSchedulerConfig(*type)).first->second;
  RangeJobs& jobs = std::get<BalanceRangeConfig>(config).jobs;
  Result<void> done;
  if (line.Has("cancel")) {
    done = CancelRangeJob(jobs, static_cast<uint64_t>(line.Number("cancel")), world_.unix_ns);
  } else if (line.Has("add")) {
    RangeJob job;
    job.alias = line.Get("add");
    job.ranges = {RangeOf(line)};
    if (line.Get("rule") == "peer-scatter") job.rule = RangeJobRule::kPeerScatter;
    if (line.Get("rule") == "learner-scatter") job.rule = RangeJobRule::kLearnerScatter;
    if (line.Get("engine") == "tiflash") job.engine = RangeJobEngine::kTiFlash;
    if (line.Has("timeout")) job.timeout = Seconds{line.Number("timeout")};
    done = AddRangeJob(jobs, job, world_.unix_ns);
  }
  if (!done) return "error: " + done.error().context + '\n';
  return JobsText(jobs);
}

}  // namespace scheduler::test

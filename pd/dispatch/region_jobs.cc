#include "pd/dispatch/region_jobs.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "scheduler/checkers/split_checker.h"
#include "scheduler/scatter/scatter.h"

namespace pd {
namespace {

using scheduler::Region;
using scheduler::RegionId;

constexpr Millis kPoll{100};
constexpr Millis kRoundMax = std::chrono::minutes(1);
constexpr Millis kJobMax = std::chrono::minutes(5);
constexpr size_t kPlannedTogether = 64;  // Regions that are scattered on one look at the state.

/// Before the retry of this number, the first one being 0.
Millis PauseBefore(uint64_t retry) {
  constexpr uint64_t kDoublingsMax = 9;  // To about a minute.
  return std::min(kRoundMax, Millis{100} * (1U << std::min(retry, kDoublingsMax)));
}

tl::unexpected<Error> Invalid(const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument, what);
}
tl::unexpected<Error> LeadLost() { return Fail(ErrorCode::kNotLeader, "not leader"); }

Result<void> CheckGroup(const std::string& group) {
  if (group.size() <= RegionJobs::kGroupBytesMax) return {};
  return Invalid("the group's name is longer than " + std::to_string(RegionJobs::kGroupBytesMax) +
                 " bytes");
}

uint64_t Percentage(size_t unfinished, size_t all) { return 100 - 100 * unfinished / all; }

/// The reference's words.
std::string WhyNotScattered(const scheduler::Refusal& refusal) {
  const std::string region = "region " + std::to_string(refusal.region.value);
  switch (refusal.reason) {
    case scheduler::Reason::kRegionNotReplicated:
      return region + " is not fully replicated";
    case scheduler::Reason::kRegionNoLeader:
      return region + " has no leader";
    default:
      return "failed to scatter " + region + ": " + RefusalText(refusal);
  }
}

/// As many as a command takes, spread over all of them: the next ones lie in different regions then.
std::vector<std::string> Spread(const std::vector<std::string>& keys) {
  const size_t count = std::min(keys.size(), scheduler::kSplitKeysMax);
  std::vector<std::string> some;
  for (size_t i = 0; i < count; ++i) some.push_back(keys[i * keys.size() / count]);
  return some;
}

}  // namespace

RegionJobs::RegionJobs(Deps deps) : deps_(std::move(deps)), groups_(deps_.cluster.clock()) {}

RegionJobs::Turn::Turn(RegionJobs& jobs)
    : jobs_(jobs),
      term_(jobs.deps_.cluster.term()),
      end_(jobs.deps_.cluster.clock().Monotonic() + Nanos(kJobMax)) {}

RegionJobs::Turn::~Turn() {
  if (waits_) jobs_.waiting_.fetch_sub(1);
}

RegionJobs::Turn::Go RegionJobs::Turn::Look() const {
  const Cluster& cluster = jobs_.deps_.cluster;
  if (!cluster.running() || cluster.term() != term_) return Go::kLeadLost;
  return cluster.clock().Monotonic() < end_ ? Go::kOn : Go::kEnough;
}

RegionJobs::Turn::Go RegionJobs::Turn::Pause(Millis time) {
  if (!waits_) {
    if (jobs_.waiting_.fetch_add(1) >= kWaitingMax) {
      jobs_.waiting_.fetch_sub(1);
      return Go::kEnough;
    }
    waits_ = true;
  }
  Go go = Look();
  for (Millis slept{0}; slept < time && go == Go::kOn; slept += kPoll) {
    std::this_thread::sleep_for(std::min(kPoll, time - slept));
    go = Look();
  }
  return go;
}

Result<RegionJobs::Splits> RegionJobs::Split(const std::vector<std::string>& keys,
                                             uint64_t retries) {
  if (keys.size() > kNamedMax) return Invalid("too many keys at once");
  for (const std::string& key : keys) {
    if (key.size() > kKeyBytesMax) return Invalid("a key is too long");
  }
  Keys waiting(keys.begin(), keys.end());
  const size_t wanted = waiting.size();
  Splits splits;
  if (wanted == 0) return splits;
  Keys begun;
  Turn turn(*this);
  Turn::Go go = turn.Look();
  for (uint64_t round = 0; round <= std::min(retries, kRetriesMax) && !waiting.empty(); ++round) {
    if (round > 0) go = turn.Pause(PauseBefore(round - 1));
    if (go == Turn::Go::kOn) go = SplitRound(turn, waiting, begun, splits);
    if (go != Turn::Go::kOn) break;
  }
  if (go == Turn::Go::kLeadLost) return LeadLost();
  splits.percentage = Percentage(wanted - splits.regions.size(), wanted);
  return splits;
}

RegionJobs::Turn::Go RegionJobs::SplitRound(Turn& turn, Keys& waiting, Keys& begun,
                                            Splits& splits) {
  const Clock& clock = deps_.cluster.clock();
  const Nanos end = clock.Monotonic() + Nanos(kRoundMax);
  Turn::Go go = Turn::Go::kOn;
  bool progress = true;
  while (go == Turn::Go::kOn) {
    if (progress) begun.merge(StartSplits(waiting));
    if (begun.empty() || clock.Monotonic() >= end) break;
    go = turn.Pause(kPoll);
    progress = TakeFinished(begun, waiting, splits);
  }
  return go;
}

RegionJobs::Keys RegionJobs::StartSplits(Keys& waiting) {
  std::map<RegionId, std::pair<Region, std::vector<std::string>>> by_region;
  std::erase_if(waiting, [&](const std::string& key) {
    auto region = deps_.cluster.regions().FindByKey(key);
    if (!region) return false;
    if (region->start_key == key) return true;
    const RegionId id = region->id;
    by_region.try_emplace(id, *std::move(region), std::vector<std::string>())
        .first->second.second.push_back(key);
    return false;
  });
  Keys begun;
  if (by_region.empty()) return begun;
  deps_.look([&](const scheduler::PlanContext& context) {
    if (!context.options.enable_tikv_split_region) return;
    for (auto& [id, wanted] : by_region) {
      const Region& region = wanted.first;
      if (deps_.runner.running_count() >= kOperatorsMax) return;
      if (!region.HasLeader() || deps_.runner.IsBusy(id)) continue;
      if (!context.Fit(region).IsSatisfied()) continue;
      const std::vector<std::string> keys = Spread(wanted.second);
      const auto refusal = deps_.admission.Admit(scheduler::ProposeSplit(
          region, "region-splitter", scheduler::SplitPolicy::kUseKey, keys));
      if (!refusal) begun.insert(keys.begin(), keys.end());
    }
  });
  return begun;
}

bool RegionJobs::TakeFinished(Keys& begun, Keys& waiting, Splits& splits) const {
  const size_t before = splits.regions.size();
  std::erase_if(begun, [&](const std::string& key) {
    const auto region = deps_.cluster.regions().FindByKey(key);
    if (!region || region->start_key != key) return false;
    splits.regions.push_back(region->id);
    waiting.erase(key);
    return true;
  });
  return splits.regions.size() > before;
}

Result<void> RegionJobs::ScatterOne(const Region& region, const std::string& group,
                                    scheduler::Limits limits) {
  if (auto checked = CheckGroup(group); !checked) return checked;
  Result<void> done;
  deps_.look([&](const scheduler::PlanContext& context) {
    done = ScatterOn(context, region, group, limits);
  });
  return done;
}

Result<void> RegionJobs::ScatterOn(const scheduler::PlanContext& context, const Region& region,
                                   const std::string& group, scheduler::Limits limits) {
  scheduler::ScatterCounts counts;
  groups_.Use(group, [&](const scheduler::ScatterCounts& now) { counts = now; });
  scheduler::ScatterPlan plan = scheduler::PlanScatter(context, region, group, counts, limits);
  // What the region lacks is said first.
  if (plan.refusal && plan.refusal->reason == scheduler::Reason::kRegionNotReplicated) {
    return Fail(ErrorCode::kConflict, WhyNotScattered(*plan.refusal));
  }
  if (const auto running = deps_.runner.Find(region.id); running && !running->ended) {
    const scheduler::Proposal& other = running->op.plan();
    // The same wish is under way.
    const bool same = other.desc == "scatter-region" && other.group == group;
    if (same && other.epoch == region.epoch) return {};
    if (other.priority >= scheduler::Priority::kHigh) {
      return Fail(ErrorCode::kConflict,
                  "the operator of region " + std::to_string(region.id.value) + " already exist");
    }
  }
  if (plan.outcome == scheduler::ScatterOutcome::kRefused) {
    return Fail(ErrorCode::kConflict, WhyNotScattered(*plan.refusal));
  }
  const bool moves = plan.proposal.has_value();
  if (moves && (deps_.runner.running_count() >= kOperatorsMax ||
                deps_.admission.Admit(*std::move(plan.proposal)))) {
    return Fail(ErrorCode::kUnavailable,
                "operator canceled because cannot add an operator to the execute queue");
  }
  groups_.Use(group, [&](scheduler::ScatterCounts& now) { scheduler::Record(plan, now); });
  return {};
}

Result<RegionJobs::Scattered> RegionJobs::Scatter(const std::vector<RegionId>& regions,
                                                  const std::string& group, uint64_t retries,
                                                  scheduler::Limits limits) {
  if (auto checked = CheckGroup(group); !checked) return tl::unexpected(checked.error());
  if (regions.size() > kNamedMax) return Invalid("too many regions at once");
  std::set<RegionId> waiting;
  for (const RegionId id : regions) {
    if (deps_.cluster.regions().Find(id)) waiting.insert(id);
  }
  if (waiting.empty()) return Fail(ErrorCode::kNotFound, "[PD:scatter:ErrEmptyRegion]empty region");
  const size_t wanted = waiting.size();
  Scattered scattered;
  Turn turn(*this);
  Turn::Go go = turn.Look();
  for (uint64_t round = 0; round <= std::min(retries, kRetriesMax) && !waiting.empty(); ++round) {
    if (round > 0) go = turn.Pause(PauseBefore(round - 1));
    if (go == Turn::Go::kOn) go = ScatterRound(turn, group, limits, waiting, scattered);
    if (go != Turn::Go::kOn) break;
  }
  if (go == Turn::Go::kLeadLost) return LeadLost();
  // Those that the time did not reach have no reason of their own.
  for (const RegionId id : waiting) scattered.refused.try_emplace(id, "there was no time for it");
  scattered.percentage = Percentage(scattered.refused.size(), wanted);
  return scattered;
}

RegionJobs::Turn::Go RegionJobs::ScatterRound(const Turn& turn, const std::string& group,
                                              scheduler::Limits limits, std::set<RegionId>& waiting,
                                              Scattered& scattered) {
  Turn::Go go = turn.Look();
  for (auto next = waiting.begin(); next != waiting.end() && go == Turn::Go::kOn;) {
    deps_.look([&](const scheduler::PlanContext& context) {
      for (size_t i = 0; i < kPlannedTogether && next != waiting.end(); ++i) {
        go = turn.Look();
        if (go != Turn::Go::kOn) return;
        const RegionId id = *next;
        const auto region = deps_.cluster.regions().Find(id);
        const Result<void> done = region
                                      ? ScatterOn(context, *region, group, limits)
                                      : Result<void>(Fail(ErrorCode::kNotFound, "region is gone"));
        if (done) {
          scattered.refused.erase(id);
          next = waiting.erase(next);
        } else {
          scattered.refused[id] = done.error().context;
          ++next;
        }
      }
    });
  }
  return go;
}

}  // namespace pd

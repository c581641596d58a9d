#include "pd/dispatch/region_jobs.h"

#include <algorithm>
#include <map>
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

/// Before the retry of this number, the first one being 0.
Millis PauseBefore(uint64_t retry) {
  constexpr uint64_t kDoublingsMax = 9;  // To about a minute.
  return std::min(kRoundMax, Millis{100} * (1U << std::min(retry, kDoublingsMax)));
}

tl::unexpected<Error> TooManyJobs() {
  return Fail(ErrorCode::kQueueFull, "too many splits and scatters run already");
}

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

}  // namespace

RegionJobs::RegionJobs(Deps deps) : deps_(std::move(deps)), groups_(deps_.cluster.clock()) {}

RegionJobs::Slot::Slot(std::atomic<int>& running)
    : running_(running), taken_(running.fetch_add(1) < kJobsMax) {}

RegionJobs::Slot::~Slot() { running_.fetch_sub(1); }

bool RegionJobs::Pause(Millis time) const {
  for (Millis slept{0}; slept < time; slept += kPoll) {
    if (!deps_.cluster.running()) return false;
    std::this_thread::sleep_for(std::min(kPoll, time - slept));
  }
  return deps_.cluster.running();
}

Result<RegionJobs::Splits> RegionJobs::Split(const std::vector<std::string>& keys,
                                             uint64_t retries) {
  const Slot slot(running_);
  if (!slot.taken()) return TooManyJobs();
  Keys waiting(keys.begin(), keys.end());
  const size_t wanted = waiting.size();
  Splits splits;
  if (wanted == 0) return splits;
  Keys begun;
  const Clock& clock = deps_.cluster.clock();
  const Nanos end = clock.Monotonic() + kJobMax;
  for (uint64_t round = 0; round <= std::min(retries, kRetriesMax); ++round) {
    if (round > 0 && !Pause(PauseBefore(round - 1)))
      return Fail(ErrorCode::kNotLeader, "not leader");
    for (const std::string& key : StartSplits(waiting)) begun.insert(key);
    const Nanos round_end = std::min(end, clock.Monotonic() + Nanos(kRoundMax));
    while (true) {
      TakeFinished(begun, waiting, splits);
      if (begun.empty() || clock.Monotonic() >= round_end) break;
      if (!Pause(kPoll)) return Fail(ErrorCode::kNotLeader, "not leader");
    }
    if (waiting.empty() || clock.Monotonic() >= end) break;
  }
  splits.percentage = 100 * splits.regions.size() / wanted;
  return splits;
}

RegionJobs::Keys RegionJobs::StartSplits(const Keys& keys) {
  std::map<RegionId, std::pair<Region, std::vector<std::string>>> by_region;
  for (const std::string& key : keys) {
    auto region = deps_.cluster.regions().FindByKey(key);
    if (!region || region->start_key == key || !region->HasLeader()) continue;
    const RegionId id = region->id;
    auto& [found, inside] =
        by_region.try_emplace(id, *std::move(region), std::vector<std::string>()).first->second;
    if (inside.size() < scheduler::kSplitKeysMax) inside.push_back(key);
  }
  Keys begun;
  deps_.look([&](const scheduler::PlanContext& context) {
    if (!context.options.enable_tikv_split_region) return;
    for (auto& [id, wanted] : by_region) {
      if (!context.Fit(wanted.first).IsSatisfied()) continue;
      const auto refusal = deps_.admission.Admit(scheduler::ProposeSplit(
          wanted.first, "region-splitter", scheduler::SplitPolicy::kUseKey, wanted.second));
      if (!refusal) begun.insert(wanted.second.begin(), wanted.second.end());
    }
  });
  return begun;
}

void RegionJobs::TakeFinished(Keys& begun, Keys& waiting, Splits& splits) const {
  std::erase_if(begun, [&](const std::string& key) {
    const auto region = deps_.cluster.regions().FindByKey(key);
    if (!region || region->start_key != key) return false;
    splits.regions.push_back(region->id);
    waiting.erase(key);
    return true;
  });
}

Result<void> RegionJobs::ScatterOne(const Region& region, const std::string& group,
                                    scheduler::Limits limits) {
  constexpr const char* kDesc = "scatter-region";
  if (const auto running = deps_.runner.Find(region.id); running && !running->ended) {
    const scheduler::Proposal& plan = running->op.plan();
    if (plan.desc == kDesc && plan.epoch == region.epoch) return {};  // It is under way.
    if (plan.priority >= scheduler::Priority::kHigh) {
      return Fail(ErrorCode::kConflict,
                  "the operator of region " + std::to_string(region.id.value) + " already exist");
    }
  }
  scheduler::ScatterPlan plan;
  deps_.look([&](const scheduler::PlanContext& context) {
    groups_.Use(group, [&](scheduler::ScatterCounts& counts) {
      plan = scheduler::PlanScatter(context, region, group, counts);
      scheduler::Record(plan, counts);
    });
  });
  if (plan.outcome == scheduler::ScatterOutcome::kInPlace) return {};
  if (!plan.proposal) return Fail(ErrorCode::kConflict, WhyNotScattered(*plan.refusal));
  // What is urgent passes by the limits.
  if (limits == scheduler::Limits::kPassed) plan.proposal->priority = scheduler::Priority::kUrgent;
  if (!deps_.admission.Admit(*std::move(plan.proposal))) return {};
  return Fail(ErrorCode::kUnavailable,
              "operator canceled because cannot add an operator to the execute queue");
}

Result<RegionJobs::Scattered> RegionJobs::Scatter(const std::vector<RegionId>& regions,
                                                  const std::string& group, uint64_t retries,
                                                  scheduler::Limits limits) {
  const Slot slot(running_);
  if (!slot.taken()) return TooManyJobs();
  std::set<RegionId> waiting;
  for (const RegionId id : regions) {
    if (deps_.cluster.regions().Find(id)) waiting.insert(id);
  }
  if (waiting.empty()) return Fail(ErrorCode::kNotFound, "[PD:scatter:ErrEmptyRegion]empty region");
  const size_t wanted = waiting.size();
  const Clock& clock = deps_.cluster.clock();
  const Nanos end = clock.Monotonic() + Nanos(kJobMax);
  Scattered scattered;
  for (uint64_t round = 0; round <= std::min(retries, kRetriesMax) && !waiting.empty(); ++round) {
    if (clock.Monotonic() >= end) break;
    if (round > 0 && !Pause(PauseBefore(round - 1)))
      return Fail(ErrorCode::kNotLeader, "not leader");
    if (!deps_.cluster.running()) return Fail(ErrorCode::kNotLeader, "not leader");
    std::erase_if(waiting, [&](RegionId id) {
      const auto region = deps_.cluster.regions().Find(id);
      const Result<void> done =
          region ? ScatterOne(*region, group, limits)
                 : Result<void>(Fail(ErrorCode::kNotFound,
                                     "region " + std::to_string(id.value) + " not found"));
      if (done) scattered.refused.erase(id);
      if (!done) scattered.refused[id] = done.error().context;
      return done.has_value();
    });
  }
  scattered.percentage = 100 - 100 * scattered.refused.size() / wanted;
  return scattered;
}

}  // namespace pd

#include "pd/dispatch/operator_runner.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "pd/log/log.h"
#include "pd/runtime/clock.h"
#include "scheduler/operator/merge.h"

namespace pd {

using scheduler::AdvanceResult;
using scheduler::CancelReason;
using scheduler::Operator;
using scheduler::Reason;
using scheduler::Refusal;
using scheduler::Region;
using scheduler::RegionId;

namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr int64_t kUnixSecondsMax = INT64_MAX / kNsPerS;
constexpr size_t kRecordsAtOnce = 256;  // Copied with the lock held.

/// `other`: what holds the region, or held it, against the proposal.
Refusal RefuseFor(const scheduler::Proposal& proposal, scheduler::Priority other,
                  const std::string& desc) {
  return {Reason::kOperatorExists,    {},  proposal.region, static_cast<double>(proposal.priority),
          static_cast<double>(other), desc};
}

}  // namespace

Stamp OperatorRunner::NowStamp() const {
  return {deps_.clock.UnixNanos(), deps_.clock.Monotonic()};
}

std::optional<Refusal> RefuseStaleEpoch(const scheduler::Proposal& proposal,
                                        const scheduler::RegionEpoch& epoch) {
  const auto refuse = [&](uint64_t planned, uint64_t now) {
    return Refusal{Reason::kStaleEpoch,      {}, proposal.region, static_cast<double>(planned),
                   static_cast<double>(now), {}};
  };
  if (epoch.version != proposal.epoch.version) {
    return refuse(proposal.epoch.version, epoch.version);
  }
  if (epoch.conf_ver != proposal.epoch.conf_ver) {
    return refuse(proposal.epoch.conf_ver, epoch.conf_ver);
  }
  return {};
}

std::optional<Refusal> OperatorRunner::Conflict(const scheduler::Proposal& proposal) const {
  const auto place = starting_.find(proposal.region);
  if (place != starting_.end() && place->second.priority >= proposal.priority) {
    return RefuseFor(proposal, place->second.priority, place->second.desc);
  }
  const auto it = running_.find(proposal.region);
  if (it == running_.end()) return {};
  const scheduler::Proposal& other = it->second.info.op.plan();
  if (other.priority < proposal.priority) return {};
  return RefuseFor(proposal, other.priority, other.desc);
}

std::optional<Refusal> OperatorRunner::RefuseConflict(const scheduler::Proposal& proposal) const {
  const auto target_side = scheduler::TargetSide(proposal);
  const MutexLock lock(mutex_);
  if (auto conflict = Conflict(proposal)) return conflict;
  return target_side ? Conflict(*target_side) : std::nullopt;
}

std::optional<Refusal> OperatorRunner::Start(std::vector<Launch> launches) {
  std::vector<Candidate> candidates;
  for (Launch& launch : launches) {
    auto target_side = scheduler::TargetSide(launch.proposal);
    candidates.push_back({std::move(launch.proposal), std::move(launch.booking)});
    if (target_side) candidates.push_back({*std::move(target_side)});
  }
  for (Candidate& candidate : candidates) {
    const auto number = Reserve(candidate.proposal);
    if (!number) {
      GiveUpPlaces(candidates);
      return number.error();
    }
    candidate.number = *number;
    candidate.region = deps_.find_region(candidate.proposal.region);
  }
  Ended ended;
  std::vector<OperatorInfo> started;
  std::vector<Order> orders;
  {
    const MutexLock lock(mutex_);
    if (auto refusal = LeavePlaces(candidates)) return refusal;
    for (Candidate& candidate : candidates) {
      const auto it =
          Insert(candidate.number, std::move(candidate.proposal), *candidate.region, ended);
      it->second.info.booking = std::move(candidate.booking);
      started.push_back(it->second.info);
    }
    for (Candidate& candidate : candidates) {
      const auto it = running_.find(candidate.region->id);
      if (it == running_.end() || !Look(it, *candidate.region, ended)) continue;
      const Operator& op = it->second.info.op;
      orders.push_back({*std::move(candidate.region), op.plan().steps[op.current_step()]});
    }
  }
  for (const OperatorInfo& info : started) TellStart(info);
  TellEnds(ended);
  for (const Order& order : orders) Send(order.step, order.region);
  return {};
}

void OperatorRunner::GiveUpPlaces(const std::vector<Candidate>& candidates) {
  const MutexLock lock(mutex_);
  static_cast<void>(LeavePlaces(candidates));
}

std::optional<Refusal> OperatorRunner::LeavePlaces(const std::vector<Candidate>& candidates) {
  std::optional<Refusal> refusal;
  for (const Candidate& candidate : candidates) {
    if (candidate.number == 0) continue;
    auto own = LeavePlace(candidate.number, candidate.proposal, candidate.region);
    if (!refusal) refusal = std::move(own);
  }
  return refusal;
}

tl::expected<uint64_t, Refusal> OperatorRunner::Reserve(const scheduler::Proposal& proposal) {
  const MutexLock lock(mutex_);
  if (!open_) {
    return tl::unexpected(Refusal{Reason::kNotLeader, {}, proposal.region, 0, 0, {}});
  }
  if (auto refusal = Conflict(proposal)) return tl::unexpected(*std::move(refusal));
  Place& place = starting_[proposal.region];
  if (place.number != 0) overtaken_[place.number] = {proposal.priority, proposal.desc};
  place = Place{++last_number_, proposal.priority, proposal.desc, {}};
  Recount();
  return last_number_;
}

std::optional<Refusal> OperatorRunner::LeavePlace(uint64_t number,
                                                  const scheduler::Proposal& proposal,
                                                  const std::optional<Region>& region) {
  const auto it = starting_.find(proposal.region);
  if (it == starting_.end() || it->second.number != number) {
    // A more urgent one took the place, and may have ended since, or the lead was lost.
    const auto by = overtaken_.extract(number);
    if (by) return RefuseFor(proposal, by.mapped().priority, by.mapped().desc);
    return Refusal{Reason::kNotLeader, {}, proposal.region, 0, 0, {}};
  }
  const std::optional<scheduler::RegionEpoch> heard = it->second.heard;
  starting_.erase(it);
  Recount();
  if (!region) return Refusal{Reason::kRegionGone, {}, proposal.region, 0, 0, {}};
  if (auto stale = RefuseStaleEpoch(proposal, region->epoch)) return stale;
  if (heard) return RefuseStaleEpoch(proposal, *heard);
  return {};
}

OperatorRunner::Table::iterator OperatorRunner::Insert(uint64_t number,
                                                       scheduler::Proposal proposal,
                                                       const Region& region, Ended& ended) {
  const Stamp created = NowStamp();
  const scheduler::Instant now = InstantOf(created.monotonic);
  if (const auto old = running_.find(region.id); old != running_.end()) {
    old->second.info.op.Replace(now);
    Retire(old, ended);
  }
  Operator op(std::move(proposal), now);
  op.Start(now);
  counts_[scheduler::CountingKind(op.plan().kind)] += 1;
  const auto it =
      running_.emplace(region.id, Entry{{std::move(op), created, created, {}, {}}, {}, number, {}})
          .first;
  Recount();
  Follow(it->second, region);
  Schedule(it->second, now);
  return it;
}

void OperatorRunner::OnHeartbeat(const Region& region) {
  if (watched_count_.load(std::memory_order_acquire) == 0) return;
  Ended ended;
  std::optional<Operator> op;
  uint64_t number = 0;
  {
    const MutexLock lock(mutex_);
    const auto place = starting_.find(region.id);
    if (place != starting_.end()) place->second.heard = region.epoch;
    const auto it = running_.find(region.id);
    if (it == running_.end()) return;
    if (Look(it, region, ended)) {
      op = it->second.info.op;
      number = it->second.number;
    }
  }
  if (op) {
    const CancelReason reason = CheckStale(*op, region, deps_.store_usable);
    if (reason == CancelReason::kNone) {
      Send(op->plan().steps[op->current_step()], region);
    } else {
      const MutexLock lock(mutex_);
      const auto it = running_.find(region.id);
      // Unless it moved on meanwhile.
      if (it != running_.end() && it->second.number == number &&
          it->second.info.op.current_step() == op->current_step()) {
        it->second.info.op.Cancel(reason, InstantOf(deps_.clock.Monotonic()));
        Retire(it, ended);
      }
    }
  }
  TellEnds(ended);
}

bool OperatorRunner::Look(Table::iterator it, const Region& region, Ended& ended) {
  Entry& entry = it->second;
  Operator& op = entry.info.op;
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  const size_t step_before = op.current_step();
  if (Advance(op, region, now) != AdvanceResult::kSend) {
    Retire(it, ended);
    return false;
  }
  if (op.current_step() != step_before) {
    Follow(entry, region);
    Schedule(entry, now);
  }
  return true;
}

void OperatorRunner::Follow(Entry& entry, const Region& region) {
  total_influence_.Subtract(entry.influence);
  entry.influence = entry.info.op.UnfinishedInfluence(region);
  total_influence_.Add(entry.influence);
}

void OperatorRunner::Schedule(Entry& entry, scheduler::Instant now) {
  const scheduler::Proposal& plan = entry.info.op.plan();
  if (entry.info.op.current_step() >= plan.steps.size()) return;
  entry.due_at = now + scheduler::ResendInterval(plan.steps[entry.info.op.current_step()]);
  due_.push({entry.due_at, plan.region, entry.number});
}

std::vector<OperatorRunner::Due> OperatorRunner::TakeDue(scheduler::Instant now) {
  std::vector<Due> due;
  while (!due_.empty() && due_.top().at <= now) {
    if (Current(due_.top()) != running_.end()) due.push_back(due_.top());
    due_.pop();
  }
  return due;
}

OperatorRunner::Table::iterator OperatorRunner::Current(const Due& due) {
  const auto it = running_.find(due.region);
  if (it == running_.end() || it->second.number != due.number || it->second.due_at != due.at) {
    return running_.end();
  }
  return it;
}

void OperatorRunner::Tick() {
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  std::vector<Due> due;
  {
    const MutexLock lock(mutex_);
    due = TakeDue(now);
    records_.DropEndedBefore(deps_.clock.Monotonic() - kRecordAge);
  }
  std::vector<std::optional<Region>> regions;
  regions.reserve(due.size());
  for (const Due& one : due) regions.push_back(deps_.find_region(one.region));

  Ended ended;
  std::vector<Order> orders;
  std::vector<Due> lost;  // Regions of merges that are gone.
  {
    const MutexLock lock(mutex_);
    for (size_t i = 0; i < due.size(); ++i) {
      const auto it = Current(due[i]);
      if (it == running_.end()) continue;
      Operator& op = it->second.info.op;
      std::optional<Region>& region = regions[i];
      if (!region && scheduler::MergePartner(op.plan())) {
        lost.push_back(due[i]);
      } else if (!region) {
        op.Cancel(CancelReason::kRegionNotFound, now);
        Retire(it, ended);
      } else if (Look(it, *region, ended)) {
        if (scheduler::IsMergeOvertaken(op.plan(), *region)) {
          op.Cancel(CancelReason::kEpochNotMatch, now);
          Retire(it, ended);
          continue;
        }
        if (it->second.due_at == due[i].at) Schedule(it->second, now);
        orders.push_back({*std::move(region), op.plan().steps[op.current_step()]});
      }
    }
  }
  for (const Due& one : lost) EndLostMerge(one, ended);
  TellEnds(ended);
  for (const Order& order : orders) Send(order.step, order.region);
}

/// A source is gone a moment before the report that shows the joint range is heard here.
void OperatorRunner::EndLostMerge(const Due& due, Ended& ended) {
  RegionId partner;
  {
    const MutexLock lock(mutex_);
    const auto it = Current(due);
    if (it == running_.end()) return;
    partner = scheduler::MergePartner(it->second.info.op.plan());
  }
  const std::optional<Region> region = deps_.find_region(partner);
  const MutexLock lock(mutex_);
  if (const auto other = running_.find(partner); other != running_.end() && region) {
    Look(other, *region, ended);
  }
  const auto it = Current(due);
  if (it == running_.end()) return;
  it->second.info.op.Cancel(CancelReason::kRegionNotFound, InstantOf(deps_.clock.Monotonic()));
  Retire(it, ended);
}

void OperatorRunner::Retire(Table::iterator it, Ended& ended) {
  OperatorInfo info = std::move(it->second.info);
  const RegionId region = info.op.plan().region;
  const RegionId partner = scheduler::MergePartner(info.op.plan());
  const bool merged = partner && info.op.status() == scheduler::Status::kSuccess;
  total_influence_.Subtract(it->second.influence);
  counts_[scheduler::CountingKind(info.op.plan().kind)] -= 1;
  running_.erase(it);
  Recount();
  const Stamp now = NowStamp();
  info.ended = now;
  ended.push_back(info);
  info.booking = {};
  records_.Add(std::move(info), now);
  if (!partner) return;
  const auto other = running_.find(partner);
  if (other == running_.end()) return;
  Operator& op = other->second.info.op;
  if (scheduler::MergePartner(op.plan()) != region) return;
  const scheduler::Instant instant = InstantOf(now.monotonic);
  if (merged) {
    op.Succeed(instant);
  } else {
    op.Cancel(CancelReason::kRelatedMergeRegion, instant);
  }
  Retire(other, ended);
}

void OperatorRunner::Recount() {
  running_count_ = running_.size();
  watched_count_ = running_.size() + starting_.size();
}

void OperatorRunner::Send(const scheduler::Step& step, const Region& region) const {
  const auto command = CommandFor(step, region, deps_.conf_change());
  if (command) deps_.sink.Send(region, *command);
}

void OperatorRunner::TellStart(const OperatorInfo& info) const {
  const scheduler::Proposal& plan = info.op.plan();
  deps_.metrics.Started(info.op);
  LogInfo("operator starts", {{"region-id", plan.region.value},
                              {"desc", plan.desc},
                              {"brief", plan.brief},
                              {"why", plan.why}});
}

void OperatorRunner::TellEnds(const Ended& ended) const {
  for (const OperatorInfo& info : ended) {
    deps_.metrics.Ended(info);
    deps_.ended(info);
    const Nanos took =
        info.ended && info.started ? info.ended->monotonic - info.started->monotonic : Nanos{0};
    LogInfo("operator ends", {{"region-id", info.op.plan().region.value},
                              {"desc", info.op.plan().desc},
                              {"status", scheduler::StatusText(info.op.status())},
                              {"reason", scheduler::CancelReasonText(info.op.cancel_reason())},
                              {"took-ms", std::chrono::duration_cast<Millis>(took).count()}});
  }
}

bool OperatorRunner::Cancel(RegionId region, CancelReason reason) {
  Ended ended;
  {
    const MutexLock lock(mutex_);
    const auto it = running_.find(region);
    if (it == running_.end()) return false;
    it->second.info.op.Cancel(reason, InstantOf(deps_.clock.Monotonic()));
    Retire(it, ended);
  }
  TellEnds(ended);
  return true;
}

void OperatorRunner::EndAll(CancelReason reason, Ended& ended) {
  while (!running_.empty()) {
    running_.begin()->second.info.op.Cancel(reason, InstantOf(deps_.clock.Monotonic()));
    Retire(running_.begin(), ended);
  }
}

void OperatorRunner::CancelAll(CancelReason reason) {
  Ended ended;
  {
    const MutexLock lock(mutex_);
    EndAll(reason, ended);
  }
  TellEnds(ended);
}

void OperatorRunner::Open() {
  const MutexLock lock(mutex_);
  open_ = true;
}

void OperatorRunner::Clear() {
  Ended ended;
  {
    const MutexLock lock(mutex_);
    open_ = false;
    starting_.clear();
    overtaken_.clear();
    EndAll(CancelReason::kLeaderStopped, ended);
    Recount();
    records_.Clear();
    due_ = {};
    total_influence_ = {};
  }
  TellEnds(ended);
}

std::vector<OperatorInfo> OperatorRunner::Running() const {
  const MutexLock lock(mutex_);
  std::vector<OperatorInfo> infos;
  infos.reserve(running_.size());
  for (const auto& entry : running_) infos.push_back(entry.second.info);
  return infos;
}

std::optional<OperatorInfo> OperatorRunner::Find(RegionId region) const {
  const MutexLock lock(mutex_);
  const auto it = running_.find(region);
  if (it != running_.end()) return it->second.info;
  const OperatorInfo* last = records_.Latest(region);
  if (last == nullptr) return {};
  return *last;
}

std::vector<OperatorInfo> OperatorRunner::Records(int64_t from_unix_s) const {
  const int64_t from_unix_ns = std::clamp<int64_t>(from_unix_s, 0, kUnixSecondsMax) * kNsPerS;
  std::vector<OperatorInfo> all;
  std::optional<uint64_t> number;
  while (true) {
    std::vector<OperatorInfo> some;
    {
      const MutexLock lock(mutex_);
      if (!number) number = records_.NumberFrom(from_unix_ns);
      some = records_.Read(&*number, kRecordsAtOnce);
    }
    if (some.empty()) return all;
    for (OperatorInfo& info : some) {
      if (info.ended && info.ended->unix_ns >= from_unix_ns) all.push_back(std::move(info));
    }
  }
}

uint64_t OperatorRunner::CountOf(scheduler::Kind kind) const {
  const MutexLock lock(mutex_);
  const auto it = counts_.find(kind);
  return it == counts_.end() ? 0 : it->second;
}

std::vector<scheduler::Proposal> OperatorRunner::PlansOf(scheduler::Kind kind) const {
  const MutexLock lock(mutex_);
  std::vector<scheduler::Proposal> plans;
  for (const auto& entry : running_) {
    const scheduler::Proposal& plan = entry.second.info.op.plan();
    if (scheduler::CountingKind(plan.kind) == kind) plans.push_back(plan);
  }
  return plans;
}

bool OperatorRunner::IsBusy(RegionId region) const {
  if (running_count_.load(std::memory_order_acquire) == 0) return false;
  const MutexLock lock(mutex_);
  return running_.contains(region);
}

std::set<RegionId> OperatorRunner::BusyRegions() const {
  const MutexLock lock(mutex_);
  std::set<RegionId> regions;
  for (const auto& entry : running_) regions.insert(regions.end(), entry.first);
  return regions;
}

scheduler::Influence OperatorRunner::TotalInfluence() const {
  const MutexLock lock(mutex_);
  return total_influence_;
}

}  // namespace pd

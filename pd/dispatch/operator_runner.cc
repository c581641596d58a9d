#include "pd/dispatch/operator_runner.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "pd/dispatch/schedule_options.h"
#include "pd/log/log.h"

namespace pd {

using scheduler::AdvanceResult;
using scheduler::CancelReason;
using scheduler::Operator;
using scheduler::Reason;
using scheduler::Refusal;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::StepCommand;

namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr int64_t kUnixSecondsMax = INT64_MAX / kNsPerS;
constexpr size_t kRecordsAtOnce = 256;  // Copied with the lock held.

}  // namespace

Stamp OperatorRunner::NowStamp() const {
  return {deps_.clock.UnixNanos(), deps_.clock.Monotonic()};
}

std::optional<Refusal> OperatorRunner::Conflict(const scheduler::Proposal& proposal) const {
  const auto it = running_.find(proposal.region);
  if (it == running_.end()) return {};
  const scheduler::Proposal& other = it->second.info.op.plan();
  if (other.priority < proposal.priority) return {};
  return Refusal{Reason::kOperatorExists,
                 {},
                 proposal.region,
                 static_cast<double>(proposal.priority),
                 static_cast<double>(other.priority),
                 other.desc};
}

std::optional<Refusal> OperatorRunner::RefuseConflict(const scheduler::Proposal& proposal) const {
  const MutexLock lock(mutex_);
  return Conflict(proposal);
}

std::optional<Refusal> OperatorRunner::Start(scheduler::Proposal proposal, const Region& region) {
  std::optional<StepCommand> command;
  {
    const MutexLock lock(mutex_);
    if (!open_) return Refusal{Reason::kNotLeader, {}, proposal.region, 0, 0, {}};
    if (auto refusal = Conflict(proposal)) return refusal;
    const Stamp created = NowStamp();
    const scheduler::Instant now = InstantOf(created.monotonic);
    if (const auto old = running_.find(proposal.region); old != running_.end()) {
      old->second.info.op.Replace(now);
      Retire(old);
    }
    Operator op(std::move(proposal), now);
    op.Start(now);
    deps_.metrics.Started(op);
    counts_[scheduler::CountingKind(op.plan().kind)] += 1;
    const auto it =
        running_
            .emplace(region.id, Entry{{std::move(op), created, NowStamp(), {}}, {}, ++last_number_})
            .first;
    running_count_ = running_.size();
    Follow(it->second, region);
    LogInfo("operator starts", {{"region-id", region.id.value},
                                {"desc", it->second.info.op.plan().desc},
                                {"brief", it->second.info.op.plan().brief},
                                {"why", it->second.info.op.plan().why}});
    Schedule(it->second, now);
    command = Look(it, region, Occasion::kTimer);
  }
  if (command) deps_.sink.Send(region, *command);
  return {};
}

void OperatorRunner::OnHeartbeat(const Region& region) {
  if (running_count_.load(std::memory_order_acquire) == 0) return;
  std::optional<StepCommand> command;
  {
    const MutexLock lock(mutex_);
    const auto it = running_.find(region.id);
    if (it == running_.end()) return;
    command = Look(it, region, Occasion::kHeartbeat);
  }
  if (command) deps_.sink.Send(region, *command);
}

std::optional<StepCommand> OperatorRunner::Look(Table::iterator it, const Region& region,
                                                Occasion occasion) {
  Entry& entry = it->second;
  Operator& op = entry.info.op;
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  const size_t step_before = op.current_step();
  if (Advance(op, region, now) != AdvanceResult::kSend) {
    Retire(it);
    return {};
  }
  if (occasion == Occasion::kHeartbeat) {
    const CancelReason reason = StaleReason(op, region);
    if (reason != CancelReason::kNone) {
      op.Cancel(reason, now);
      Retire(it);
      return {};
    }
  }
  if (op.current_step() != step_before) {
    Follow(entry, region);
    Schedule(entry, now);
  }
  return CommandFor(op.plan().steps[op.current_step()], region, deps_.conf_change());
}

CancelReason OperatorRunner::StaleReason(const Operator& op, const Region& region) const {
  return CheckStale(op, region, deps_.store_usable);
}

void OperatorRunner::Follow(Entry& entry, const Region& region) {
  total_influence_.Subtract(entry.influence);
  entry.influence = entry.info.op.UnfinishedInfluence(region);
  total_influence_.Add(entry.influence);
}

void OperatorRunner::Schedule(const Entry& entry, scheduler::Instant now) {
  const scheduler::Proposal& plan = entry.info.op.plan();
  if (entry.info.op.current_step() >= plan.steps.size()) return;
  const Millis wait = scheduler::ResendInterval(plan.steps[entry.info.op.current_step()]);
  due_.push({now + wait, plan.region, entry.number});
}

void OperatorRunner::Tick() {
  std::vector<std::pair<Region, StepCommand>> commands;
  {
    const MutexLock lock(mutex_);
    const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
    while (!due_.empty() && due_.top().at <= now) {
      const Due due = due_.top();
      due_.pop();
      const auto it = running_.find(due.region);
      if (it == running_.end() || it->second.number != due.number) continue;
      const std::optional<Region> region = deps_.find_region(due.region);
      if (!region) {
        it->second.info.op.Cancel(CancelReason::kRegionNotFound, now);
        Retire(it);
        continue;
      }
      const size_t step = it->second.info.op.current_step();
      auto command = Look(it, *region, Occasion::kTimer);
      // A new step made its own entry in the heap.
      const auto still = running_.find(due.region);
      if (still != running_.end() && still->second.info.op.current_step() == step) {
        Schedule(still->second, now);
      }
      if (command) commands.emplace_back(*region, std::move(*command));
    }
    records_.DropEndedBefore(deps_.clock.Monotonic() - kRecordAge);
  }
  for (const auto& [region, command] : commands) deps_.sink.Send(region, command);
}

void OperatorRunner::Retire(Table::iterator it) {
  OperatorInfo info = std::move(it->second.info);
  total_influence_.Subtract(it->second.influence);
  counts_[scheduler::CountingKind(info.op.plan().kind)] -= 1;
  running_.erase(it);
  running_count_ = running_.size();
  info.ended = NowStamp();
  deps_.metrics.Ended(info);
  LogInfo("operator ends", {{"region-id", info.op.plan().region.value},
                            {"desc", info.op.plan().desc},
                            {"status", scheduler::StatusText(info.op.status())},
                            {"reason", scheduler::CancelReasonText(info.op.cancel_reason())},
                            {"took-ms", std::chrono::duration_cast<Millis>(info.ended->monotonic -
                                                                           info.started->monotonic)
                                            .count()}});
  records_.Add(std::move(info));
}

bool OperatorRunner::Cancel(RegionId region, CancelReason reason) {
  const MutexLock lock(mutex_);
  const auto it = running_.find(region);
  if (it == running_.end()) return false;
  it->second.info.op.Cancel(reason, InstantOf(deps_.clock.Monotonic()));
  Retire(it);
  return true;
}

void OperatorRunner::CancelAll(CancelReason reason) {
  const MutexLock lock(mutex_);
  while (!running_.empty()) {
    running_.begin()->second.info.op.Cancel(reason, InstantOf(deps_.clock.Monotonic()));
    Retire(running_.begin());
  }
}

void OperatorRunner::Open() {
  const MutexLock lock(mutex_);
  open_ = true;
}

void OperatorRunner::Clear() {
  {
    const MutexLock lock(mutex_);
    open_ = false;
  }
  CancelAll(CancelReason::kLeaderStopped);
  const MutexLock lock(mutex_);
  records_.Clear();
  due_ = {};
  total_influence_ = {};
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
      if (info.ended->unix_ns >= from_unix_ns) all.push_back(std::move(info));
    }
  }
}

uint64_t OperatorRunner::CountOf(scheduler::Kind kind) const {
  const MutexLock lock(mutex_);
  const auto it = counts_.find(kind);
  return it == counts_.end() ? 0 : it->second;
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

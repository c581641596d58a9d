#include "pd/dispatch/decision_log.h"

namespace pd {
namespace {

constexpr const char* kCheckers = "checkers";
constexpr const char* kAdmission = "admission";

}  // namespace

void DecisionLog::NoteRun(const std::string& scheduler, const scheduler::Decision& decision) {
  const int64_t now = clock_.UnixNanos();
  const MutexLock lock(mutex_);
  Source& source = runs_[scheduler];
  source.name = scheduler;
  source.unix_ns = now;
  source.runs += 1;
  source.proposals += decision.proposals.size();
  source.proposals_latest = decision.proposals.size();
  if (!decision.proposals.empty()) {
    const scheduler::Proposal& last = decision.proposals.back();
    source.proposed_last = {last.region, last.brief, last.why, now};
  }
  source.lines.clear();
  for (const scheduler::Refusal& refusal : decision.refusals) {
    source.lines.push_back({refusal, now});
  }
}

void DecisionLog::KeepRuns(const std::set<std::string>& schedulers) {
  const MutexLock lock(mutex_);
  std::erase_if(runs_, [&](const auto& entry) { return !schedulers.contains(entry.first); });
}

void DecisionLog::NoteCheck(const scheduler::Decision& decision) {
  const MutexLock lock(mutex_);
  Source& source = merged_[kCheckers];
  source.name = kCheckers;
  source.unix_ns = clock_.UnixNanos();
  source.runs += 1;
  source.proposals += decision.proposals.size();
  source.proposals_latest = decision.proposals.size();
  for (const scheduler::Refusal& refusal : decision.refusals) Merge(kCheckers, refusal);
}

void DecisionLog::NoteAdmission(const scheduler::Refusal& refusal) {
  const MutexLock lock(mutex_);
  Source& source = merged_[kAdmission];
  source.name = kAdmission;
  source.unix_ns = clock_.UnixNanos();
  source.runs += 1;
  Merge(kAdmission, refusal);
}

void DecisionLog::NoteStandstill(const std::set<std::string>& schedulers,
                                 const scheduler::Refusal& refusal) {
  const int64_t now = clock_.UnixNanos();
  const MutexLock lock(mutex_);
  if (standstill_ != refusal.reason) ForgetLines();
  std::erase_if(runs_, [&](const auto& entry) { return !schedulers.contains(entry.first); });
  standstill_ = refusal.reason;
  const auto say = [now](const std::string& name, Source& source) {
    source.name = name;
    source.unix_ns = now;
    source.proposals_latest = 0;
  };
  for (const std::string& name : schedulers) {
    say(name, runs_[name]);
    runs_[name].lines = {{refusal, now}};
  }
  say(kCheckers, merged_[kCheckers]);
  reasons_[kCheckers] = {{refusal.reason, {refusal, now}}};
}

void DecisionLog::EndStandstill() {
  const MutexLock lock(mutex_);
  if (!standstill_) return;
  standstill_.reset();
  for (auto& entry : runs_) entry.second.lines.clear();
  reasons_.erase(kCheckers);
}

void DecisionLog::ForgetLines() {
  for (auto& entry : runs_) entry.second.lines.clear();
  reasons_.clear();
}

void DecisionLog::Merge(const std::string& name, const scheduler::Refusal& refusal) {
  const auto [it, made] = reasons_[name].try_emplace(refusal.reason);
  const uint32_t before = made ? 0 : it->second.refusal.times;
  it->second = {refusal, clock_.UnixNanos()};
  it->second.refusal.times += before;
}

void DecisionLog::Clear() {
  const MutexLock lock(mutex_);
  runs_.clear();
  merged_.clear();
  reasons_.clear();
  standstill_.reset();
}

std::vector<DecisionLog::Source> DecisionLog::All() const {
  const MutexLock lock(mutex_);
  std::vector<Source> all;
  all.reserve(runs_.size() + merged_.size());
  for (const auto& entry : runs_) all.push_back(entry.second);
  for (const auto& [name, source] : merged_) {
    all.push_back(source);
    const auto lines = reasons_.find(name);
    if (lines == reasons_.end()) continue;
    for (const auto& line : lines->second) all.back().lines.push_back(line.second);
  }
  return all;
}

}  // namespace pd

#include "pd/dispatch/returned_data.h"

#include <algorithm>
#include <variant>

namespace pd {
namespace {

bool ReturnsData(const scheduler::Step& step) {
  const auto* switches = std::get_if<scheduler::BatchSwitchWitness>(&step);
  return switches != nullptr &&
         std::ranges::any_of(switches->switches, [](const auto& one) { return !one.witness; });
}

}  // namespace

void ReturnedData::Note(const OperatorInfo& ended) {
  const scheduler::Operator& op = ended.op;
  if (op.status() != scheduler::Status::kSuccess || !op.ended_at()) return;
  if (std::ranges::none_of(op.plan().steps, ReturnsData)) return;
  const scheduler::RegionId region = op.plan().region;
  const MutexLock lock(mutex_);
  when_[region] = *op.ended_at();
  order_.emplace_back(*op.ended_at(), region);
  if (order_.size() <= kMax) return;
  const auto [at, oldest] = order_.front();
  order_.pop_front();
  const auto found = when_.find(oldest);
  if (found != when_.end() && found->second == at) when_.erase(found);
}

std::optional<scheduler::Instant> ReturnedData::Find(scheduler::RegionId region) const {
  const MutexLock lock(mutex_);
  const auto found = when_.find(region);
  if (found == when_.end()) return {};
  return found->second;
}

void ReturnedData::Clear() {
  const MutexLock lock(mutex_);
  when_.clear();
  order_.clear();
}

}  // namespace pd

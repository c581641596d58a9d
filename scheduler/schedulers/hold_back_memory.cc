#include "scheduler/schedulers/hold_back_memory.h"

namespace scheduler {
namespace {

bool Lasted(const std::optional<Instant>& since, Millis how_long, Instant now) {
  return since && now - *since >= how_long;
}

}  // namespace

HoldBackMemory::InVain HoldBackMemory::StartRun(Instant now) {
  if (ran_at_ && now - *ran_at_ > kGap) *this = {};
  ran_at_ = now;
  out_of_reach_ |= Lasted(held_back_since_, kBelow, now);
  return {out_of_reach_, Lasted(held_back_since_, kAtLevel, now), Lasted(full_since_, kFull, now)};
}

void HoldBackMemory::EndRun(const Run& run, Instant now) {
  if (run.full && !full_since_) full_since_ = now;
  if (!run.full && run.asked_all) full_since_.reset();
  if (run.proposals > 0 || out_of_reach_ || !run.held_back) held_back_since_.reset();
  if (run.proposals > 0) return;
  out_of_reach_ = false;
  if (run.held_back && !held_back_since_) held_back_since_ = now;
}

}  // namespace scheduler

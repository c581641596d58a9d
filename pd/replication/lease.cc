#include "pd/replication/lease.h"

#include <algorithm>
#include <limits>

namespace pd {
namespace {

constexpr size_t kRoundsMax = 64;  // Older ones could not extend the lease any more.
constexpr Nanos kNoEnd{std::numeric_limits<int64_t>::max()};

}  // namespace

void Lease::StartTerm(raft::Term term) {
  term_ = term;
  leading_ = true;
  open_ = false;
  given_up_ = false;
  earned_ = Nanos(0);
  sent_.clear();
  Publish();
}

void Lease::Open() {
  open_ = true;
  Publish();
}

void Lease::SetSoleVoter(bool sole) {
  sole_ = sole;
  Publish();
}

void Lease::GiveUp() {
  given_up_ = true;
  Publish();
}

void Lease::Stop() {
  leading_ = false;
  Publish();
}

uint64_t Lease::StartRound() {
  if (!leading_) return 0;
  sent_.emplace(++last_round_, clock_.Monotonic());
  if (sent_.size() > kRoundsMax) sent_.erase(sent_.begin());
  return last_round_;
}

void Lease::Acknowledge(raft::Term term, uint64_t round) {
  const auto found = sent_.find(round);
  if (!leading_ || term != term_ || found == sent_.end()) return;
  earned_ = std::max(earned_, found->second + span_);
  sent_.erase(sent_.begin(), std::next(found));  // Earlier rounds add nothing.
  Publish();
}

void Lease::Publish() {
  const bool held = leading_ && open_ && !given_up_;
  const Nanos end = sole_ ? kNoEnd : earned_;
  end_.store(held ? end.count() : 0, std::memory_order_release);
}

}  // namespace pd

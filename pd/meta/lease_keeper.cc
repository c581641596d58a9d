#include "pd/meta/lease_keeper.h"

#include <algorithm>

namespace pd {
namespace {

Nanos EndAfter(Nanos now, int64_t ms) {
  // A time to live of centuries must not overflow the clock.
  constexpr int64_t kLongestMs = int64_t{100} * 365 * 86'400 * 1000;
  return now + Millis(std::min(ms, kLongestMs));
}

int64_t Left(Nanos end, Nanos now) {
  return std::max<int64_t>(0, std::chrono::duration_cast<Millis>(end - now).count());
}

tl::unexpected<Error> NotLeader() { return Fail(ErrorCode::kNotLeader, "not leader"); }
tl::unexpected<Error> NotFound() {
  return Fail(ErrorCode::kNotFound, "etcdserver: requested lease not found");
}

}  // namespace

void LeaseKeeper::Start(raft::Term term, const std::vector<StateReader::LeaseState>& leases,
                        Nanos now) {
  const MutexLock lock(mutex_);
  term_ = term;
  leases_.clear();
  for (const StateReader::LeaseState& lease : leases) {
    leases_[lease.id] = {lease.granted_ms, EndAfter(now, lease.remaining_ms), Nanos(0),
                         lease.remaining_ms, false};
  }
}

void LeaseKeeper::Stop() {
  const MutexLock lock(mutex_);
  term_ = 0;
  leases_.clear();
}

void LeaseKeeper::Granted(const LeaseGrant& grant, Nanos now) {
  const MutexLock lock(mutex_);
  if (term_ == 0) return;
  leases_[grant.id] = {grant.ttl_ms, EndAfter(now, grant.ttl_ms), Nanos(0), grant.ttl_ms, false};
}

void LeaseKeeper::Revoked(LeaseId id) {
  const MutexLock lock(mutex_);
  leases_.erase(id);
}

Result<int64_t> LeaseKeeper::KeepAlive(LeaseId id, Nanos now) {
  const MutexLock lock(mutex_);
  if (term_ == 0) return NotLeader();
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.expired || found->second.end <= now) {
    return NotFound();
  }
  found->second.end = EndAfter(now, found->second.granted_ms);
  return found->second.granted_ms;
}

Result<LeaseKeeper::Times> LeaseKeeper::Get(LeaseId id, Nanos now) const {
  const MutexLock lock(mutex_);
  if (term_ == 0) return NotLeader();
  const auto found = leases_.find(id);
  if (found == leases_.end()) return NotFound();
  return Times{found->second.granted_ms, Left(found->second.end, now)};
}

Result<std::vector<LeaseId>> LeaseKeeper::Ids() const {
  const MutexLock lock(mutex_);
  if (term_ == 0) return NotLeader();
  std::vector<LeaseId> ids;
  ids.reserve(leases_.size());
  for (const auto& [id, lease] : leases_) ids.push_back(id);
  return ids;
}

LeaseKeeper::Due LeaseKeeper::TakeExpired(Nanos now, Nanos retry) {
  const MutexLock lock(mutex_);
  Due due;
  due.term = term_;
  for (auto& [id, lease] : leases_) {
    if (lease.end > now || lease.revoke_again > now) continue;
    lease.expired = true;
    lease.revoke_again = now + retry;
    due.expired.push_back(id);
  }
  return due;
}

LeaseCheckpoint LeaseKeeper::Remaining(Nanos now, int64_t longer_than_ms) {
  const MutexLock lock(mutex_);
  LeaseCheckpoint checkpoint;
  for (auto& [id, lease] : leases_) {
    if (lease.granted_ms <= longer_than_ms) continue;
    lease.saved_ms = Left(lease.end, now);
    checkpoint.leases.push_back({id, lease.saved_ms});
  }
  return checkpoint;
}

std::optional<raft::Term> LeaseKeeper::TakeShortened(LeaseId id) {
  const MutexLock lock(mutex_);
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.saved_ms >= found->second.granted_ms) {
    return std::nullopt;
  }
  found->second.saved_ms = found->second.granted_ms;
  return term_;
}

void LeaseKeeper::NotSaved(LeaseId id, raft::Term term) {
  const MutexLock lock(mutex_);
  if (term_ != term) return;  // What is stored was read anew since.
  const auto found = leases_.find(id);
  if (found != leases_.end()) found->second.saved_ms = 0;
}

}  // namespace pd

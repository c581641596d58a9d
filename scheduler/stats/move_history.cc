#include "scheduler/stats/move_history.h"

#include <algorithm>
#include <utility>

namespace scheduler {

void MoveHistory::NoteLeft(MovedThing what, RegionId region, StoreId store, Instant now) {
  const Key key{what, region, store};
  left_[key] = {now, now};
  order_.emplace_back(now, key);
  Trim(now);
}

void MoveHistory::Trim(Instant now) {
  while (!order_.empty() && (order_.size() > kMax || now - order_.front().first >= kRemembered)) {
    const auto [at, key] = order_.front();
    order_.pop_front();
    const auto found = left_.find(key);
    if (found == left_.end() || found->second.left > at) continue;  // It left again since.
    if (order_.size() < kMax && !IsPast(found->second, now)) {
      order_.emplace_back(now, key);  // To be looked at in an hour.
    } else {
      left_.erase(found);
    }
  }
}

void MoveHistory::NoteWantedBack(RegionId region, StoreId store, Instant now) {
  for (const MovedThing what : {MovedThing::kPeer, MovedThing::kLeader}) {
    const auto found = left_.find({what, region, store});
    if (found != left_.end() && !IsPast(found->second, now)) found->second.wanted = now;
  }
}

std::optional<MoveHistory::Absence> MoveHistory::AwayFrom(MovedThing what, RegionId region,
                                                          StoreId store, Instant now) const {
  const auto found = left_.find({what, region, store});
  if (found == left_.end() || IsPast(found->second, now)) return {};
  const Entry& entry = found->second;
  const Millis wanted = entry.wanted - entry.left + kRemembered;
  return Absence{now - entry.left, std::min(wanted, kRememberedMost)};
}

void MoveHistory::Clear() {
  left_.clear();
  order_.clear();
}

}  // namespace scheduler

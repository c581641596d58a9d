#include "scheduler/stats/move_history.h"

#include <utility>

namespace scheduler {

void MoveHistory::NoteLeft(MovedThing what, RegionId region, StoreId store, Instant now) {
  const Key key{what, region, store};
  left_[key] = now;
  order_.emplace_back(now, key);
  while (!order_.empty() && (order_.size() > kMax || now - order_.front().first >= kRemembered)) {
    const auto [at, oldest] = order_.front();
    order_.pop_front();
    const auto found = left_.find(oldest);
    if (found != left_.end() && found->second == at) left_.erase(found);
  }
}

std::optional<Millis> MoveHistory::SinceLeft(MovedThing what, RegionId region, StoreId store,
                                             Instant now) const {
  const auto found = left_.find({what, region, store});
  if (found == left_.end() || now - found->second >= kRemembered) return {};
  return now - found->second;
}

void MoveHistory::Clear() {
  left_.clear();
  order_.clear();
}

}  // namespace scheduler

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"

namespace scheduler {

enum class MovedThing : uint8_t { kPeer, kLeader };

/// What balancing took from where within the last hour, so that nothing goes back and forth: a scheduler does not bring
/// it back there. Whoever keeps it forgets all when something changed for which a move back may be right.
///
/// Bounded: beyond kMax the oldest is forgotten. O(log kMax) a call.
class MoveHistory {
 public:
  static constexpr Millis kRemembered = Seconds{3600};
  static constexpr size_t kMax = 200'000;

  void NoteLeft(MovedThing what, RegionId region, StoreId store, Instant now);
  /// How long ago; none if it has not left, or longer ago than is remembered.
  [[nodiscard]] std::optional<Millis> SinceLeft(MovedThing what, RegionId region, StoreId store,
                                                Instant now) const;
  void Clear();

 private:
  struct Key {
    MovedThing what = MovedThing::kPeer;
    RegionId region;
    StoreId store;

    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::map<Key, Instant> left_;
  std::deque<std::pair<Instant, Key>>
      order_;  // Oldest first; one that was noted again is in it twice.
};

}  // namespace scheduler

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
/// it back there. If one would, the hour starts anew, for a day at most: two that pull at a region in turn do so for
/// long. Whoever keeps it forgets all when something changed for which a move back may be right.
///
/// Bounded: beyond kMax the oldest is forgotten. O(log kMax) a call.
class MoveHistory {
 public:
  static constexpr Millis kRemembered = Seconds{3600};
  static constexpr Millis kRememberedMost = Seconds{24 * 3600};
  static constexpr size_t kMax = 200'000;

  void NoteLeft(MovedThing what, RegionId region, StoreId store, Instant now);
  /// It was to go back there, and was not let.
  void NoteWantedBack(RegionId region, StoreId store, Instant now);
  struct Absence {
    Millis since{0};  // How long ago it left.
    Millis until{0};  // For how long from then on it stays away, as things are.
  };
  /// None if it has not left, or longer ago than is remembered.
  [[nodiscard]] std::optional<Absence> AwayFrom(MovedThing what, RegionId region, StoreId store,
                                                Instant now) const;
  void Clear();

 private:
  struct Key {
    MovedThing what = MovedThing::kPeer;
    RegionId region;
    StoreId store;

    friend auto operator<=>(const Key&, const Key&) = default;
  };

  struct Entry {
    Instant left;
    Instant wanted;  // When it was last to go back; at first as `left`.
  };

  [[nodiscard]] static bool IsPast(const Entry& entry, Instant now) {
    return now - entry.wanted >= kRemembered || now - entry.left >= kRememberedMost;
  }
  void Trim(Instant now);

  std::map<Key, Entry> left_;
  /// By the time of noting; what left again is in it twice.
  std::deque<std::pair<Instant, Key>> order_;
};

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/storesim/scenario.h"
#include "tests/storesim/world.h"

namespace sim {

/// What was moved, beside the fewest moves that lead from the first state to the last one, by way of the states in
/// which something happened from outside: what stores have gained that others had lost. What an election moves, and
/// what comes into being, belongs to the state before. What comes in bit by bit counts as if all of it had come where
/// it began: where the later parts come is the work of who is judged.
///
/// Where stores are compared by a label only, that is counted apart for the regions that end up on each of its values:
/// they have changed places. Where hot load is judged, a store beyond the bound has to be rid of its busiest leaders,
/// or peers by what they write, until it is within it, and one below has to get some. Elections and new regions are
/// then not allowed for.
struct Moves {
  int64_t leaders = 0;
  int64_t leaders_least = 0;
  int64_t peers = 0;
  int64_t peers_least = 0;
  uint64_t bytes = 0;
  uint64_t bytes_least = 0;
  /// Peers and leaders that came back within an hour to where balance took them from.
  int64_t back = 0;
};

/// Looks on at the moves of a play.
class Tally {
 public:
  explicit Tally(const storesim::End& end)
      : alike_by_(end.alike_by), hot_within_(end.hot_within_percent / 100.0) {}

  /// The first state of a store, and of a region.
  void NoteStore(const storesim::Store& store);
  void NoteRegion(const storesim::Region& region);
  /// A region that came into being since, on these stores, the leader's first.
  void NoteNewRegion(uint64_t size_bytes, const std::vector<uint64_t>& places);
  /// Something happened from outside: what moved before may move back.
  void NoteCause(const storesim::World& world);
  /// Leaders are where elections of stores that died put them.
  void NoteElected(uint64_t from_store, uint64_t to_store);
  /// A step that a region's leader carries out.
  void NoteStep(const storesim::Region& region, const storesim::Step& step, int64_t now_ms);

  [[nodiscard]] Moves MovesTo(const storesim::World& world) const;

 private:
  using Place = std::pair<uint64_t, uint64_t>;  // Region, store.

  void NoteBack(std::map<Place, int64_t>& left, const Place& place, int64_t now_ms);

  struct State {
    int64_t leaders = 0;
    int64_t peers = 0;
    int64_t bytes = 0;
  };
  void AddLeast(const storesim::World& world, Moves& moves) const;
  void AddLeastByClass(const storesim::World& world, Moves& moves) const;
  void RaiseLeastByLoad(const storesim::World& world, Moves& moves) const;

  const std::string alike_by_;
  const double hot_within_;  // 0: not judged.
  /// By region, the leader's first; if one of these asks for it.
  std::map<uint64_t, std::vector<uint64_t>> places_;
  std::map<uint64_t, State> first_;  // By store: since the last cause.
  Moves least_;                      // What was due before it.
  std::map<Place, int64_t> left_;    // When a peer went.
  std::map<Place, int64_t> led_;     // When a leader went.
  int64_t back_ = 0;
};

}  // namespace sim

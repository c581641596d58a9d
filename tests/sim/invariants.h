#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tests/sim/driver.h"
#include "tests/storesim/world.h"

namespace sim {

/// What a step is for.
enum class Purpose : uint8_t {
  kRepair,
  kFill,     // A peer is missing.
  kSwap,     // A peer makes room on its store for one of another rule.
  kSpread,   // The region's peers get farther from each other.
  kBalance,  // A scheduler's.
  kMerge,    // The region goes to where its neighbour is.
};

struct Occasion {
  int64_t now_ms = 0;
  int64_t began_ms = 0;  // When it was decided.
  Purpose purpose = Purpose::kRepair;
};

/// What must hold of every step of every plan, whatever goes wrong. A breach fails the test.
class Invariants {
 public:
  /// Something happened from outside: from here on a region may have reason to go where it was.
  void NoteCause(int64_t now_ms) { last_cause_ms_ = now_ms; }

  /// A step that a region's leader is about to carry out. Stores with too little live are no fault of the driver's.
  void CheckStep(const storesim::World& world, const storesim::Region& region,
                 const storesim::StepRequest& request, const Occasion& occasion);
  /// Regions that balance brought back to a store within ten minutes, without a cause from outside.
  [[nodiscard]] int64_t moved_back() const { return moved_back_; }
  /// No operator outlives its time, and no two regions hold one key.
  static void CheckDriver(Driver& driver, pd::Millis now);

 private:
  void CheckPeers(const storesim::World& world, const storesim::Region& region,
                  const storesim::ChangePeers& changes) const;
  /// A repair does not bring a peer back to the store that another has just taken one from.
  void CheckMoves(const storesim::Region& region, const storesim::ChangePeers& changes,
                  const Occasion& occasion);

  struct Left {
    int64_t at_ms = 0;
    int64_t began_ms = 0;
    Purpose purpose = Purpose::kRepair;
  };
  int64_t last_cause_ms_ = 0;
  int64_t moved_back_ = 0;
  std::map<std::pair<uint64_t, uint64_t>, Left> left_;  // By region and store that a peer left.
};

}  // namespace sim

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/storesim/world.h"

namespace storesim {

/// What the driver says of operators on a region.
enum class DriverSays { kRunning, kNothingRuns, kNoAnswer };

/// Regions that got a step and so have, or had, an operator. Each is kept until the driver says that nothing runs
/// there: an operator may take many minutes.
class TouchedRegions {
 public:
  using AskDriver = std::function<DriverSays(uint64_t region_id)>;

  void Touch(uint64_t region_id) { regions_.insert(region_id); }

  /// Asks for up to `most` regions, until one is not done with. kNothingRuns: of no region at all; kNoAnswer: the
  /// driver did not answer, or there are more to ask for.
  DriverSays Ask(const AskDriver& ask, size_t most);

 private:
  std::set<uint64_t> regions_;
};

/// Watches a run: when it has been balanced with nothing going on for long enough, and how many regions were short of
/// replicas over time. Times are in ms after the moment when all regions had been reported.
class BalanceWatch {
 public:
  BalanceWatch(const End& end, int replicas) : end_(end), replicas_(replicas) {}

  /// A step arrived or something else happened that says: not yet.
  void Disturb() { balanced_since_ms_.reset(); }

  /// Looks at the world. True once it has been balanced, or repaired if that is the end, and quiet for the time asked
  /// for.
  bool Look(int64_t now_ms, const World& world);

  /// Since when it has been balanced.
  std::optional<int64_t> balanced_since_ms() const { return balanced_since_ms_; }

  /// Time and number of regions short of replicas, one entry for each change, sampled once a second.
  const std::vector<std::pair<int64_t, int64_t>>& short_of_replicas() const { return short_; }

 private:
  End end_;
  int replicas_;
  std::optional<int64_t> balanced_since_ms_;
  std::vector<std::pair<int64_t, int64_t>> short_;
  int64_t sampled_ms_ = -1000;
};

/// What died with stores that did not come back.
struct Lost {
  int64_t first_at_ms = 0;  // As in BalanceWatch.
  int64_t peers = 0;
  uint64_t bytes = 0;
};

struct RunFacts {
  bool balanced = false;
  int64_t elapsed_ms = 0;
  int64_t driver_leader_changes = 0;
  std::optional<Lost> lost;
};

/// The one line of JSON at the end of a run.
std::string ResultLine(const Scenario& scenario, const World& world, const BalanceWatch& watch,
                       const RunFacts& facts);

}  // namespace storesim

#pragma once

#include <cstdint>

#include "scheduler/model/region.h"

namespace scheduler {

/// What a heartbeat changes.
struct RegionChange {
  bool index = false;   // Our copy in memory.
  bool save = false;    // The replicated record: keys, epoch or peers.
  bool notify = false;  // The followers' copies.
  bool fresh = false;   // The region was unknown, or moved on in its epoch: a state that statistics
                        // must not skip.
  /// Checkers may come to something else, though `save` is not set: another leader, peers that are down or pending or
  /// no longer, heard of for the first time, on a store that leaves.
  bool look = false;

  [[nodiscard]] bool any() const { return index || save || notify; }
  friend bool operator==(const RegionChange&, const RegionChange&) = default;
};

struct ClassifyOptions {
  /// Bytes that flowed are compared after rounding to a multiple of this; at least 1. A value below
  /// the former one counts as a change, so that finer figures are shown at once.
  uint64_t flow_divisor = 1000;
  uint64_t flow_divisor_before = 1000;
};

/// Compares a report that passed the epoch check with what is known (null: nothing). Pure; the
/// reference's table: rules are tried in order, and from the third on the first that holds
/// ends the search.
RegionChange ClassifyRegion(const Region* origin, const Region& report,
                            const ClassifyOptions& options);

/// Flow at or above this in either number of a direction is a counter gone wrong: both are dropped.
inline constexpr uint64_t kFlowInsane = uint64_t{1} << 50;

/// Brings a report into the shape the index keeps, in the reference's order: insane flow
/// is zeroed, down and pending peers are sorted by peer id, an unknown size is inherited from
/// `origin` (or 1 MiB for a new region), and so are buckets that a plain heartbeat does not carry.
void NormalizeReport(const Region* origin, Region& report);

/// MiB of a reported byte count: rounded down, but never to 0 unless it is 0.
uint64_t SizeMib(uint64_t bytes);

}  // namespace scheduler

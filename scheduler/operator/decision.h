#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/filters/reason.h"
#include "scheduler/model/result.h"
#include "scheduler/operator/operator.h"

namespace scheduler {

/// Where a decision's refusals are, by reason and store: a run of a scheduler has two or three for each store.
class RefusalIndex {
 public:
  /// The place of the first with this reason and store; if there is none yet, `next`, which it then has.
  size_t Place(Reason reason, StoreId store, size_t next);

 private:
  struct Slot {
    uint64_t store = 0;
    uint32_t place_plus_one = 0;  // 0: free.
    Reason reason{};
  };
  Slot& Find(Reason reason, StoreId store);
  void Grow();

  std::vector<Slot>
      slots_;  // Open addressing: none, or a power of two of which at most half are taken.
  size_t taken_ = 0;
};

/// What a checker or a scheduler came to: proposals, and every refusal on the way with its numbers.
struct Decision {
  std::vector<Proposal> proposals;
  std::vector<Refusal> refusals;
  RefusalIndex places;
  const char* checker = "";  // Whose it is, by its name in metrics; empty for schedulers.
  /// Of kMovedRecently, each region and store once: what would have gone back.
  std::set<std::pair<RegionId, StoreId>> wanted_back;
  bool look_again_soon =
      false;  // What stood in the way passes by itself: the region goes to the queue of regions to see.
  std::optional<uint64_t>
      missing_peers;  // Voters that the region lacks, or has on lost stores; none: not counted.

  /// Notes a refusal; the same reason for the same store is counted, not repeated.
  void Refuse(Refusal refusal);
  /// Takes the proposal, or notes why it could not be built.
  void Take(RegionId region, Result<Proposal> built);
};

}  // namespace scheduler

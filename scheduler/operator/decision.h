#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/filters/reason.h"
#include "scheduler/model/result.h"
#include "scheduler/operator/operator.h"

namespace scheduler {

/// What a checker or a scheduler came to: proposals, and every refusal on the way with its numbers.
struct Decision {
  std::vector<Proposal> proposals;
  std::vector<Refusal> refusals;
  std::map<std::pair<Reason, StoreId>, size_t> places;  // Where among the refusals.
  const char* checker = "";  // Whose it is, by its name in metrics; empty for schedulers.
  /// Of kMovedRecently, each region and store once: what would have gone back.
  std::set<std::pair<RegionId, StoreId>> wanted_back;
  bool look_again_soon =
      false;  // What stood in the way passes by itself: the region goes to the queue of regions to see.
  std::optional<uint64_t>
      missing_peers;  // Voters that the region lacks, or has on lost stores; none: not counted.

  /// Notes a refusal; the same reason for the same store is counted, not repeated.
  void Refuse(Refusal refusal) {
    if (refusal.reason == Reason::kMovedRecently) {
      wanted_back.emplace(refusal.region, refusal.store);
    }
    const auto [known, fresh] =
        places.try_emplace({refusal.reason, refusal.store}, refusals.size());
    if (fresh) {
      refusals.push_back(std::move(refusal));
    } else {
      refusals[known->second].times += refusal.times;
    }
  }
  /// Takes the proposal, or notes why it could not be built.
  void Take(RegionId region, Result<Proposal> built) {
    if (built) {
      proposals.push_back(std::move(*built));
    } else {
      Refuse({Reason::kBuildFailed, StoreId{}, region, 0, 0, built.error().context});
    }
  }
};

}  // namespace scheduler

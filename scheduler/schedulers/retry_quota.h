#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "scheduler/model/store.h"

namespace scheduler {

/// How many regions of a store a scheduler tries before it goes on to the next: fewer and fewer where nothing was found
/// (as in the reference). Kept by a scheduler from run to run.
class RetryQuota {
 public:
  static constexpr uint32_t kTriesMax = 10;

  [[nodiscard]] uint32_t TriesFor(StoreId store) const {
    const auto it = tries_.find(store);
    return it == tries_.end() ? kTriesMax : it->second;
  }
  void Found(StoreId store) { tries_.erase(store); }
  void FoundNothing(StoreId store) { tries_[store] = std::max(1U, TriesFor(store) / 2); }

  /// Forgets stores that are gone. `stores` by ascending id.
  void KeepOnly(const std::vector<Store>& stores) {
    std::erase_if(tries_, [&](const auto& entry) {
      return !std::ranges::binary_search(stores, entry.first, {}, &Store::id);
    });
  }

 private:
  std::map<StoreId, uint32_t> tries_;  // Absent: kTriesMax.
};

}  // namespace scheduler

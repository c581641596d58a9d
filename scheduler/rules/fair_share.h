#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "scheduler/model/store.h"
#include "scheduler/rules/rule_book.h"

namespace scheduler {

/// What all rules keep that ask for the same copies of their data.
struct RuleLoad {
  std::vector<LabelConstraint> constraints;
  std::vector<std::string> location_labels;
  uint64_t count = 0;
  uint64_t size_mib = 0;  // Of the regions under these rules, each counted once.
};

/// `size_of` tells the size of the regions in a range, in MiB; it is asked once for each elementary range of the rules.
std::vector<RuleLoad> LoadsOf(const RuleBook& rules,
                              const std::function<uint64_t(const KeyRange&)>& size_of);

/// The part of all copies that falls to `store` when `count` copies are spread over `stores`, which include it, by
/// `location_labels` (as in the reference). The labels make a tree of locations. Those are used down to the level that
/// has `count` locations, each of which then takes one copy; or, where no level has, those with fewer locations than
/// that, and every location hands its copies on to the ones below it in equal parts. Stores of one location share
/// equally. Cost O(stores * labels * log stores).
double LocationShare(const Store& store, std::span<const Store* const> stores,
                     std::span<const std::string> location_labels, uint64_t count);

/// What `store` would hold if all that lies under the rules was spread evenly over those of `stores` that are up and
/// meet them, in MiB (as in the reference); of one rule's data never more than one copy.
double FairShareMib(const Store& store, std::span<const Store> stores,
                    std::span<const RuleLoad> loads);

}  // namespace scheduler

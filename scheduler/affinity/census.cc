#include "scheduler/affinity/census.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace scheduler {

bool AffinityCensus::Step(const PlanContext& context, size_t count_max) {
  // A range without regions counts as one of them: that bounds the loop.
  for (size_t left = count_max; left > 0;) {
    const KeyRange* range = Seek(context);
    if (range == nullptr) {
      std::erase_if(counts_,
                    [&](const auto& entry) { return !context.affinity.contains(entry.first); });
      at_.reset();
      return true;
    }
    const std::vector<Region> regions = context.view.ScanRegions({at_->key, range->end}, left);
    for (const Region& region : regions) CountOne(context, region);
    if (regions.size() < left || !EndsAfter(range->end, regions.back().end_key)) {
      ++at_->range;
      at_->key.clear();
    } else {
      at_->key = regions.back().end_key;
    }
    left -= std::max<size_t>(regions.size(), 1);
  }
  return false;
}

const KeyRange* AffinityCensus::Seek(const PlanContext& context) {
  const AffinityGroups& groups = context.affinity;
  auto group = at_ ? groups.lower_bound(at_->group) : groups.begin();
  while (group != groups.end()) {
    if (!at_ || at_->group != group->first) {
      at_ = Position{group->first, 0, {}};
      counting_ = {group->second.assignment, 0, 0};
    }
    const std::span<const LabelRange> ranges = AffinityRangesOf(context.labels, group->first);
    if (at_->range < ranges.size()) {
      const KeyRange& range = ranges[at_->range].keys;
      at_->key = std::max(at_->key, range.start);
      return &range;
    }
    counts_[group->first] = counting_;
    ++group;
  }
  return nullptr;
}

void AffinityCensus::CountOne(const PlanContext& context, const Region& region) {
  const auto* found = context.AffinityOf(region);
  if (found == nullptr || found->first != at_->group) return;
  ++counting_.regions;
  if (found->second.Holds(region)) ++counting_.in_place;
}

void AffinityCensus::Clear() { *this = {}; }

}  // namespace scheduler

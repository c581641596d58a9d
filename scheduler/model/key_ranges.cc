#include "scheduler/model/key_ranges.h"

#include <algorithm>

namespace scheduler {

std::optional<KeyRange> Intersection(const KeyRange& a, const KeyRange& b) {
  KeyRange both{std::max(a.start, b.start), EndsAfter(a.end, b.end) ? b.end : a.end};
  if (!both.end.empty() && both.start >= both.end) return {};
  return both;
}

std::vector<KeyRange> Without(std::span<const KeyRange> ranges, std::span<const KeyRange> taken) {
  std::vector<KeyRange> left(ranges.begin(), ranges.end());
  for (const KeyRange& hole : taken) {
    std::vector<KeyRange> pieces;
    for (const KeyRange& range : left) {
      const auto both = Intersection(range, hole);
      if (!both) {
        pieces.push_back(range);
        continue;
      }
      if (range.start < both->start) pieces.push_back({range.start, both->start});
      if (EndsAfter(range.end, both->end)) pieces.push_back({both->end, range.end});
    }
    left = std::move(pieces);
  }
  return left;
}

}  // namespace scheduler

#pragma once

#include <optional>
#include <span>
#include <vector>

#include "scheduler/model/region.h"

namespace scheduler {

/// What lies in both; none when nothing does.
std::optional<KeyRange> Intersection(const KeyRange& a, const KeyRange& b);

/// What lies in `ranges` and in none of `taken`, in pieces. Cost O(ranges * taken).
std::vector<KeyRange> Without(std::span<const KeyRange> ranges, std::span<const KeyRange> taken);

}  // namespace scheduler

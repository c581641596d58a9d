#include "scheduler/rules/isolation.h"

#include <algorithm>

namespace scheduler {

double PairScore(std::span<const std::string> location_labels, const Store& a, const Store& b) {
  constexpr double kLevelWeight = 100;
  double score = 1;
  for (size_t i = 1; i < location_labels.size(); ++i) score *= kLevelWeight;
  for (const std::string& label : location_labels) {
    const std::string_view value_a = a.Label(label);
    const std::string_view value_b = b.Label(label);
    if (!value_a.empty() && !value_b.empty() && !EqualsIgnoringCase(value_a, value_b)) return score;
    score /= kLevelWeight;
  }
  return 0;
}

double DistinctScore(std::span<const std::string> location_labels,
                     std::span<const Store* const> others, const Store& store) {
  double score = 0;
  for (const Store* other : others) {
    if (other->id != store.id) score += PairScore(location_labels, store, *other);
  }
  return score;
}

double IsolationScore(std::span<const std::string> location_labels,
                      std::span<const Store* const> stores) {
  double score = 0;
  for (size_t i = 0; i < stores.size(); ++i) {
    score += DistinctScore(location_labels, stores.subspan(i + 1), *stores[i]);
  }
  return score;
}

bool SharesIsolationLevel(std::span<const std::string> location_labels, const std::string& level,
                          std::span<const Store* const> others, const Store& store) {
  const auto it = std::ranges::find(location_labels, level);
  if (level.empty() || it == location_labels.end()) return false;
  const auto shared_labels =
      location_labels.first(static_cast<size_t>(it - location_labels.begin()) + 1);
  return std::ranges::any_of(others, [&](const Store* other) {
    return std::ranges::all_of(shared_labels, [&](const std::string& label) {
      return store.Label(label) == other->Label(label);
    });
  });
}

}  // namespace scheduler

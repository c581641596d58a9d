#include "scheduler/model/store.h"

#include <algorithm>

namespace scheduler {
namespace {

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr uint64_t kFewRegions = 100;
constexpr uint64_t kRoomForFewRegionsBytes = 8ULL << 30;

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, LowerAscii, LowerAscii);
}

std::string_view Store::Label(std::string_view key) const {
  for (const StoreLabel& label : labels) {
    if (EqualsIgnoringCase(label.key, key)) return label.value;
  }
  return {};
}

std::vector<StoreLabel> MergeLabels(std::vector<StoreLabel> current,
                                    const std::vector<StoreLabel>& changes) {
  for (const StoreLabel& change : changes) {
    const auto it = std::ranges::find_if(current, [&](const StoreLabel& label) {
      return EqualsIgnoringCase(label.key, change.key);
    });
    if (it != current.end()) {
      *it = change;
    } else {
      current.push_back(change);
    }
  }
  std::erase_if(current, [](const StoreLabel& label) { return label.value.empty(); });
  return current;
}

bool IsLowSpace(const Store& store, double low_space_ratio) {
  const StoreStats& stats = store.stats;
  if (stats.capacity_bytes == 0) return false;
  if (store.counts.regions() < kFewRegions && stats.available_bytes > kRoomForFewRegionsBytes) {
    return false;
  }
  const double free_ratio =
      static_cast<double>(stats.available_bytes) / static_cast<double>(stats.capacity_bytes);
  return free_ratio < 1 - low_space_ratio;
}

}  // namespace scheduler

#include "pd/storage/write_batch.h"

#include <algorithm>

namespace pd {

void WriteBatch::Put(Column column, std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  writes_[Slot(column)].insert_or_assign(std::move(key), std::move(value));
}

void WriteBatch::Delete(Column column, std::string key) {
  bytes_ += key.size();
  writes_[Slot(column)].insert_or_assign(std::move(key), std::nullopt);
}

void WriteBatch::DeleteRange(Column column, std::string begin, std::string end) {
  if (begin >= end) return;
  Writes& writes = writes_[Slot(column)];
  writes.erase(writes.lower_bound(begin), writes.lower_bound(end));
  bytes_ += begin.size() + end.size();
  deleted_ranges_[Slot(column)].emplace_back(std::move(begin), std::move(end));
}

void WriteBatch::Append(WriteBatch&& later) {
  for (size_t slot = 0; slot < kColumnCount; ++slot) {
    const auto column = static_cast<Column>(slot);
    for (Range& range : later.deleted_ranges_[slot]) {
      DeleteRange(column, std::move(range.first), std::move(range.second));
    }
    while (!later.writes_[slot].empty()) {
      auto placed = writes_[slot].insert(later.writes_[slot].extract(later.writes_[slot].begin()));
      if (!placed.inserted) placed.position->second = std::move(placed.node.mapped());
    }
  }
  bytes_ += later.bytes_;
  later.Clear();
}

void WriteBatch::Clear() {
  for (Writes& writes : writes_) writes.clear();
  for (auto& ranges : deleted_ranges_) ranges.clear();
  bytes_ = 0;
}

bool WriteBatch::empty() const {
  return std::all_of(writes_.begin(), writes_.end(), [](const auto& w) { return w.empty(); }) &&
         std::all_of(deleted_ranges_.begin(), deleted_ranges_.end(),
                     [](const auto& r) { return r.empty(); });
}

bool WriteBatch::RangeDeleted(Column column, std::string_view key) const {
  const auto& ranges = deleted_ranges_[Slot(column)];
  return std::any_of(ranges.begin(), ranges.end(), [key](const Range& range) {
    return range.first <= key && key < range.second;
  });
}

}  // namespace pd

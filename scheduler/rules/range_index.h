#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/model/region.h"

namespace scheduler {

/// What covers a key, where ranges of keys overlap. The bounds of all ranges cut the key space into elementary ranges;
/// what covers one of them is kept in order of `Before`.
///
/// A look-up is a binary search over the bounds. Making an index of r ranges takes O(r log r), and as much memory as
/// all elementary ranges are covered: r when ranges do not overlap, r^2 when all do; CountPlaces tells beforehand.
template <class Value, class Before>
class RangeIndex {
 public:
  /// `range` has its start before its end, or no end. The index is to be built again.
  void Add(const KeyRange& range, Value value) {
    turns_[range.start].begins.push_back(value);
    if (!range.end.empty()) turns_[range.end].ends.push_back(value);
  }

  /// A value is listed once in a range that it covers more than once.
  void Build(const Before& before = {}) {
    std::multiset<Value, Before> open(before);
    for (auto& [bound, turn] : turns_) {
      for (const Value& value : turn.ends) open.erase(open.find(value));
      open.insert(turn.begins.begin(), turn.begins.end());
      std::vector<Value> covering(open.begin(), open.end());
      covering.erase(std::unique(covering.begin(), covering.end()), covering.end());
      if (bound.empty()) {
        by_range_.front() = std::move(covering);
      } else {
        bounds_.push_back(bound);
        by_range_.push_back(std::move(covering));
      }
    }
    turns_.clear();
  }

  /// Ascending, distinct, none empty.
  [[nodiscard]] const std::vector<std::string>& bounds() const { return bounds_; }
  /// [i]: from bounds()[i - 1] to bounds()[i], the ends of the key space outside; so one more than bounds.
  [[nodiscard]] const std::vector<std::vector<Value>>& by_range() const { return by_range_; }

  /// What covers a key.
  [[nodiscard]] const std::vector<Value>& At(std::string_view key) const {
    return by_range_[RangeOf(key)];
  }
  /// True when a bound lies strictly inside the region.
  [[nodiscard]] bool Cuts(const Region& region) const {
    const size_t range = RangeOf(region.start_key);
    return range < bounds_.size() && EndsAfter(region.end_key, bounds_[range]);
  }
  /// The bounds strictly inside the region, ascending, at most `count_max`.
  [[nodiscard]] std::vector<std::string> BoundsInside(const Region& region,
                                                      size_t count_max) const {
    std::vector<std::string> inside;
    for (size_t i = RangeOf(region.start_key); i < bounds_.size(); ++i) {
      if (inside.size() == count_max || !EndsAfter(region.end_key, bounds_[i])) break;
      inside.push_back(bounds_[i]);
    }
    return inside;
  }

  /// Puts something else in the place of what covers each range.
  template <class Change>
  void ForEachRange(const Change& change) {
    for (std::vector<Value>& values : by_range_) change(values);
  }

 private:
  /// What begins and ends at one bound.
  struct Turn {
    std::vector<Value> begins;
    std::vector<Value> ends;
  };

  [[nodiscard]] size_t RangeOf(std::string_view key) const {
    return static_cast<size_t>(std::ranges::upper_bound(bounds_, key) - bounds_.begin());
  }

  std::map<std::string, Turn> turns_;  // Until it is built.
  std::vector<std::string> bounds_;
  std::vector<std::vector<Value>> by_range_ = std::vector<std::vector<Value>>(1);
};

/// How often elementary ranges of `ranges` are covered, all together; counting ends beyond `count_max`.
inline size_t CountPlaces(std::span<const KeyRange* const> ranges, size_t count_max) {
  std::vector<std::pair<std::string_view, int>> turns;  // Where ranges begin (1) and end (-1).
  for (const KeyRange* range : ranges) {
    turns.emplace_back(range->start, 1);
    if (!range->end.empty()) turns.emplace_back(range->end, -1);
  }
  std::sort(turns.begin(), turns.end());
  size_t open = 0;
  size_t places = 0;
  for (size_t i = 0; i < turns.size() && places <= count_max; ++i) {
    open += static_cast<size_t>(turns[i].second);  // Wraps back.
    if (i + 1 == turns.size() || turns[i].first != turns[i + 1].first) places += open;
  }
  return places;
}

}  // namespace scheduler

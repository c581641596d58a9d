#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/rules/range_index.h"

namespace scheduler {

/// One label that a rule gives. Times are Unix nanoseconds, since they outlive a process.
struct RegionLabel {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  std::string key;
  std::string value;
  std::string ttl;       // As it was written ("1h"); empty: for ever.
  std::string start_at;  // From when the ttl counts, as text; empty without one.
  int64_t expires_unix_ns = kNever;

  [[nodiscard]] bool IsExpired(int64_t unix_ns) const { return expires_unix_ns <= unix_ns; }

  friend bool operator==(const RegionLabel&, const RegionLabel&) = default;
};

/// A key range with its bounds as they were written: people get back the hex digits that they sent.
struct LabelRange {
  KeyRange keys;  // start < end, or no end.
  std::string start_hex;
  std::string end_hex;

  friend bool operator==(const LabelRange&, const LabelRange&) = default;
};

/// "All regions in these ranges have these labels."
struct LabelRule {
  std::string id;
  int64_t index = 0;  // Of two rules that give a key, the one with the higher index counts.
  std::vector<RegionLabel> labels;
  std::vector<LabelRange> ranges;

  friend bool operator==(const LabelRule&, const LabelRule&) = default;
};

/// True for the rule that a keyspace comes with: "keyspaces/7", index 0, one label id=7 for ever. These stand apart:
/// their bounds neither cut the ranges of other rules, nor are regions split there for the sake of labels.
bool IsKeyspaceRule(const LabelRule& rule);

/// How large a set of rules may be, all rules together, so that no request makes a leader fail under its memory.
struct LabelBookBounds {
  size_t ranges = 100'000;
  size_t places = 1'000'000;             ///< Rules of all elementary ranges.
  size_t bytes = size_t{64} << 20U;      ///< Of ids, labels and keys.
  size_t key_bytes = size_t{16} << 10U;  ///< Of one key; 256 of them go into a command to split.
};

/// Why the rules are too many, for people; empty if they are not. Needs memory for the ranges only.
std::string TooLarge(const std::map<std::string, LabelRule, std::less<>>& rules,
                     const LabelBookBounds& bounds = {});

/// The label rules in force. Immutable, so that a plan sees one state of them.
///
/// The bounds of all rules cut the key space into elementary ranges. A region has labels only if it lies inside one of
/// them (as in the reference): one that crosses a bound has none, and is to be split there. For a key the rule with the
/// highest index counts, of equal ones that with the lowest id; labels that have expired do not count.
///
/// A look-up is that of a RangeIndex, then a walk over the rules of one range. TooLarge bounds memory: ask it first.
class RegionLabelBook {
 public:
  using Rules = std::map<std::string, LabelRule, std::less<>>;  // By id.

  RegionLabelBook() = default;
  explicit RegionLabelBook(Rules rules);
  // Moved, never copied: the index points at the nodes of the map, which a move keeps.
  RegionLabelBook(const RegionLabelBook&) = delete;
  RegionLabelBook& operator=(const RegionLabelBook&) = delete;
  RegionLabelBook(RegionLabelBook&&) = default;
  RegionLabelBook& operator=(RegionLabelBook&&) = default;
  ~RegionLabelBook() = default;

  [[nodiscard]] const Rules& rules() const { return rules_; }

  /// Labels by key.
  [[nodiscard]] std::map<std::string, std::string> LabelsOf(const Region& region,
                                                            int64_t unix_ns) const;
  /// None without such a label.
  [[nodiscard]] std::optional<std::string_view> LabelOf(const Region& region, std::string_view key,
                                                        int64_t unix_ns) const;
  /// The bounds at which the region is to be split, ascending: those strictly inside it, at most `count_max`.
  [[nodiscard]] std::vector<std::string> BoundsInside(const Region& region, size_t count_max) const;
  /// In whatever case (as in the reference).
  [[nodiscard]] bool IsScheduleDenied(const Region& region, int64_t unix_ns) const;

 private:
  /// What counts first comes first.
  struct CountsBefore {
    bool operator()(const LabelRule* a, const LabelRule* b) const;
  };
  using Index = RangeIndex<const LabelRule*, CountsBefore>;

  /// None when the region crosses a bound.
  static std::span<const LabelRule* const> RulesOf(const Index& index, const Region& region);

  Rules rules_;
  Index ordinary_;
  Index keyspaces_;
};

/// The rule as it stands now: without expired labels; none when no label is left.
std::optional<LabelRule> Unexpired(const LabelRule& rule, int64_t unix_ns);

}  // namespace scheduler

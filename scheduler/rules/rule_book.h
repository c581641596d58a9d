#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/model/result.h"
#include "scheduler/rules/range_index.h"
#include "scheduler/rules/rule.h"

namespace scheduler {

/// Names a rule.
struct RuleKey {
  std::string group_id;
  std::string id;

  friend auto operator<=>(const RuleKey&, const RuleKey&) = default;
};

/// The rules of a cluster, and the groups that were set up.
struct RuleSet {
  std::map<RuleKey, Rule> rules;
  std::map<std::string, RuleGroup> groups;  // By id.

  /// As it was set up, or as a group is that nobody has.
  [[nodiscard]] RuleGroup GroupOf(const std::string& id) const;
  /// Those that were set up and those that have rules, by index, then id.
  [[nodiscard]] std::vector<RuleGroup> AllGroups() const;

  friend bool operator==(const RuleSet&, const RuleSet&) = default;
};

/// How large a set of rules may be, so that no request makes a leader fail under its memory.
struct RuleSetBounds {
  size_t rules = 50'000;
  size_t per_range =
      100;  // Of one elementary range, without those overridden: see FitRegion's cost.
  size_t places = 1'000'000;             // Rules of all elementary ranges, with those overridden.
  size_t bytes = size_t{64} << 20U;      // Of names, labels and keys.
  size_t key_bytes = size_t{16} << 10U;  // Of one key; 256 of them go into a command to split.
  uint64_t count = 1'000;                // Peers of one rule.
};

/// The rules in force. Immutable, so that a plan sees one state of them.
///
/// Rules apply in the order of group index, group id, index and id. The bounds of all rules cut the key space into
/// elementary ranges, each of which has the rules that cover it: less those of its group before a rule that overrides,
/// less all groups before a group that overrides. A region that crosses a bound has no rules, and has to be split there
/// first (as in the reference).
class RuleBook {
 public:
  RuleBook() = default;
  /// `rules` in the order in which they apply, none of a group that overrides. Not checked.
  explicit RuleBook(std::vector<Rule> rules);
  // Moved, never copied: the index points at the rules, which a move keeps in their place.
  RuleBook(const RuleBook&) = delete;
  RuleBook& operator=(const RuleBook&) = delete;
  RuleBook(RuleBook&&) = default;
  RuleBook& operator=(RuleBook&&) = default;
  ~RuleBook() = default;

  /// kLimited beyond the bounds. kConflict where rules do not go together, with the reference's words, the range, and
  /// the rules at fault: two that ask for a leader, or all those of a range in which nobody may lead.
  static Result<RuleBook> Make(const RuleSet& set, const RuleSetBounds& bounds = {});

  /// In the order in which they apply.
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }

  /// Every label that a constraint names, and those of the widest failure domains; ascending, each once.
  [[nodiscard]] const std::vector<std::string>& label_keys() const { return label_keys_; }

  /// The rules for a region, in the order in which they apply; none when it crosses a bound. Valid as long as the book.
  [[nodiscard]] const std::vector<const Rule*>& RulesFor(const Region& region) const;
  [[nodiscard]] const std::vector<const Rule*>& RulesAt(std::string_view key) const {
    return index_.At(key);
  }
  /// The elementary ranges, ascending: each has the same rules from end to end.
  [[nodiscard]] std::vector<KeyRange> Ranges() const;
  /// The bounds at which the region is to be split, ascending: those strictly inside it, at most `count_max`.
  [[nodiscard]] std::vector<std::string> BoundsInside(const Region& region,
                                                      size_t count_max) const {
    return index_.BoundsInside(region, count_max);
  }

  /// The ranges in which other rules are in force than in `before`, or the same are cut elsewhere; ascending.
  [[nodiscard]] std::vector<KeyRange> ChangedSince(const RuleBook& before) const;

 private:
  /// In the order of the vector that they are in.
  using Index = RangeIndex<const Rule*, std::less<>>;

  RuleBook(std::vector<Rule> rules, const std::map<std::string, RuleGroup>& groups);

  [[nodiscard]] Result<void> Check(const RuleSetBounds& bounds) const;

  std::vector<Rule> rules_;
  std::vector<std::string> label_keys_;
  Index index_;
};

}  // namespace scheduler

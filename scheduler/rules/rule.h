#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/model/store.h"

namespace scheduler {

/// What a rule wants its peers to be.
enum class RuleRole : uint8_t { kVoter, kLeader, kFollower, kLearner };

enum class ConstraintOp : uint8_t { kIn, kNotIn, kExists, kNotExists };

/// A condition on one label of a store. Keys compare without case, values exactly (as in the reference).
struct LabelConstraint {
  std::string key;
  ConstraintOp op = ConstraintOp::kIn;
  std::vector<std::string> values;

  friend auto operator<=>(const LabelConstraint&, const LabelConstraint&) = default;
};

/// "`count` peers of `role` on stores that meet `constraints`, spread over `location_labels`", for a key range.
struct Rule {
  std::string group_id;
  std::string id;  // Of its own in the group.
  int64_t index = 0;
  bool overrides = false;  // Discards the earlier rules of its group.
  KeyRange range;          // Both empty: the whole key space.
  std::string
      start_hex;  // The bounds as they were written: people get back the digits that they sent.
  std::string end_hex;
  RuleRole role = RuleRole::kVoter;
  bool witness = false;
  uint64_t count = 0;
  std::vector<LabelConstraint> constraints;
  std::vector<std::string> location_labels;  // From the widest failure domain to the narrowest.
  std::string isolation_level;    // Empty, or none of location_labels: no level is forced.
  uint64_t version = 0;           // How often it was changed.
  uint64_t create_timestamp = 0;  // Unix seconds; 0 for a rule that came with the cluster.

  friend bool operator==(const Rule&, const Rule&) = default;
};

/// What orders the rules of a group among those of others. A group that nobody has set up has index 0 and overrides
/// nothing.
struct RuleGroup {
  std::string id;
  int64_t index = 0;
  bool overrides = false;  // Discards all earlier groups.

  friend bool operator==(const RuleGroup&, const RuleGroup&) = default;
};

inline constexpr const char* kDefaultRuleGroup = "pd";
inline constexpr const char* kDefaultRuleId = "default";

/// The rule that `max-replicas`, `location-labels` and `isolation-level` stand for: pd/default, voters, whole range.
Rule DefaultRule(uint64_t max_replicas, std::vector<std::string> location_labels,
                 std::string isolation_level);

/// True when `store` meets all constraints. A store with an exclusive label (`engine`, `exclusive`, or a key that
/// starts with `$`) takes part only in rules that name that key.
bool MatchesConstraints(const Store& store, const std::vector<LabelConstraint>& constraints);

/// True when one of the rules lets a peer on `store` lead: a rule for voters or leaders, not for witnesses, whose
/// constraints it meets.
bool AllowLeader(const std::vector<const Rule*>& rules, const Store& store);

/// True when `peer` is what `role` asks for. `leader` is the region's leader.
bool MatchesRole(const Peer& peer, const Peer& leader, RuleRole role);

}  // namespace scheduler

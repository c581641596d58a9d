#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "pd/cluster/led_state.h"
#include "pd/cluster/paths.h"
#include "pd/cluster/placement_codec.h"
#include "pd/cluster/store_table.h"
#include "pd/config/config_store.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "scheduler/rules/rule_book.h"

namespace pd {

/// The placement rules of the cluster, kept under /pd/{cid}/rules/{group}-{id} and /pd/{cid}/rule_group/{id}.
///
/// A cluster begins with one rule, pd/default, that says what `max-replicas`, `location-labels` and `isolation-level`
/// say. As long as it is the only one, changing these changes it; next to other rules that is refused (as in the
/// reference). `max-replicas` follows its count, within a second where that does not work at once.
///
/// Rules that cannot be read, or do not go together, put none in force: without one of them data would move where it
/// must not. People can still set and delete them.
///
/// Leader only; empty elsewhere; see LedState.
class PlacementRules {
 public:
  using Book = std::shared_ptr<const scheduler::RuleBook>;

  struct Deps {
    MetaStore& meta;
    ConfigStore& config;
    const StoreTable& stores;
    const Clock& clock;
  };

  /// What is kept and makes no sense, under the names that its path tells.
  struct Unreadable {
    std::map<std::string, scheduler::RuleKey> rules;  // By the end of the path, as it is.
    std::set<std::string> groups;
    [[nodiscard]] bool empty() const { return rules.empty() && groups.empty(); }
  };

  /// The rules and groups as a change sees them.
  class Editor {
   public:
    [[nodiscard]] const scheduler::RuleSet& set() const { return set_; }
    void Set(scheduler::Rule rule);
    /// What is not there is no error.
    void Delete(const scheduler::RuleKey& key);
    void DeleteIf(const std::function<bool(const scheduler::RuleKey&)>& goes);
    /// One with index 0 that overrides nothing is as if nobody had set it up.
    void SetGroup(scheduler::RuleGroup group);
    void DeleteGroup(const std::string& id);
    void DeleteGroupIf(const std::function<bool(const std::string&)>& goes);

   private:
    friend class PlacementRules;
    scheduler::RuleSet set_;
    Unreadable unreadable_;
  };
  using Edit = std::function<void(Editor&)>;

  explicit PlacementRules(Deps deps);

  /// Reads what is kept.
  Result<void> Load(const ClusterPaths& paths, uint64_t term) { return state_.Load(paths, term); }
  void Clear() { state_.Clear(); }
  /// Writes the rule that the cluster began with, unless it is written, and shows what a change that was given up has
  /// done after all. To be called every now and then.
  Result<void> KeepUp();

  /// For planning, if they are turned on; otherwise replicas are a matter of the settings. Never null; without rules
  /// when those that are kept are not in force.
  [[nodiscard]] Book book() const;
  /// What holds under these settings: book() when rules are turned on, else the rule that they stand for.
  [[nodiscard]] Book InForce(const ReplicationConfig& replication) const;
  /// All rules and groups, in force or not.
  [[nodiscard]] std::shared_ptr<const scheduler::RuleSet> set() const;
  [[nodiscard]] bool enabled() const {
    return deps_.config.online()->replication.enable_placement_rules;
  }

  /// How many peers a region is to have: as its rules say, or where it has none of its own, `max-replicas`.
  [[nodiscard]] uint64_t PeersWanted(const scheduler::Region& region) const;

  /// All of the change, in one write, or nothing. kConflict where the rules would not go together, kInvalidArgument
  /// where they would be too many.
  Result<void> Change(const Edit& edit);

  /// What rules are to be held against: the cluster as it is.
  [[nodiscard]] RuleChecks Checks() const;

 private:
  struct State {
    scheduler::RuleSet set;
    Unreadable unreadable;
    bool saved = true;  // False: the rule that the cluster began with is not written yet.
    scheduler::RuleBook book;
  };
  using StatePtr = std::shared_ptr<const State>;

  [[nodiscard]] Result<StatePtr> ReadState(const ClusterPaths& paths) const;
  Result<StatePtr> Apply(const State& now, const ClusterPaths& paths, const Edit& edit,
                         KvTxn& txn) const;
  Result<void> WriteRules(const State& now, const ClusterPaths& paths, State& next,
                          KvTxn& txn) const;
  static Result<void> WriteGroups(const State& now, const ClusterPaths& paths, const State& next,
                                  KvTxn& txn);
  /// A change of the configuration: refuses what the rules do not allow, and has the first rule follow it.
  Result<void> FollowConfig(const OnlineConfig& before, const OnlineConfig& after);
  Result<void> FollowFirstRule();

  const Deps deps_;
  LedState<State> state_;
};

}  // namespace pd

#include "pd/cluster/placement_rules.h"

#include <algorithm>
#include <utility>

#include "pd/config/json_text.h"
#include "pd/log/log.h"
#include "scheduler/model/hex.h"

namespace pd {
namespace {

using scheduler::Rule;
using scheduler::RuleBook;
using scheduler::RuleGroup;
using scheduler::RuleKey;
using scheduler::RuleSet;

RuleKey KeyOf(const Rule& rule) { return {rule.group_id, rule.id}; }

Rule DefaultRuleOf(const ReplicationConfig& replication) {
  return scheduler::DefaultRule(replication.max_replicas, replication.location_labels,
                                replication.isolation_level);
}

const Rule* FindDefault(const RuleSet& set) {
  const auto found = set.rules.find({scheduler::kDefaultRuleGroup, scheduler::kDefaultRuleId});
  return found == set.rules.end() ? nullptr : &found->second;
}

/// The names in "{hex(group)}-{hex(id)}"; what is no hexadecimal text counts as it is.
RuleKey KeyFromPath(const std::string& name) {
  const size_t dash = std::min(name.find('-'), name.size());
  const auto part = [](const std::string& text) { return scheduler::FromHex(text).value_or(text); };
  return {part(name.substr(0, dash)), part(dash == name.size() ? "" : name.substr(dash + 1))};
}

/// True when the rule says what the settings said before, and holds everywhere.
bool SaysTheSame(const Rule& rule, const ReplicationConfig& replication) {
  return rule.range == scheduler::KeyRange{} && rule.count == replication.max_replicas &&
         rule.location_labels == replication.location_labels &&
         rule.isolation_level == replication.isolation_level;
}

/// True when the rule says already what changes from `old` to `wanted`.
bool Follows(const Rule& rule, const ReplicationConfig& old, const ReplicationConfig& wanted) {
  return (old.max_replicas == wanted.max_replicas || rule.count == wanted.max_replicas) &&
         (old.location_labels == wanted.location_labels ||
          rule.location_labels == wanted.location_labels) &&
         (old.isolation_level == wanted.isolation_level ||
          rule.isolation_level == wanted.isolation_level);
}

/// Settings say nothing beside other rules, nor of a rule that says something else.
Result<void> RefuseReplicas(const Rule* first, bool alone, const ReplicationConfig& old,
                            bool turned_on) {
  if (!alone) {
    return Fail(ErrorCode::kConflict,
                "cannot update MaxReplicas, LocationLabels or IsolationLevel when placement rules "
                "feature is enabled and not only default rule exists, please update rule instead");
  }
  if (!turned_on && !SaysTheSame(*first, old)) {
    return Fail(ErrorCode::kConflict,
                "cannot to update replication config, the default rules do not consistent with "
                "replication config, please update rule instead");
  }
  return {};
}

/// What JSON cannot keep as it is.
tl::unexpected<Error> NotText(const std::string& name) {
  return Fail(ErrorCode::kInvalidArgument,
              "[PD:placement:ErrRuleContent]invalid rule content, " + name + " is not UTF-8 text");
}

bool SameReplicas(const ReplicationConfig& a, const ReplicationConfig& b) {
  return a.max_replicas == b.max_replicas && a.location_labels == b.location_labels &&
         a.isolation_level == b.isolation_level;
}

}  // namespace

void PlacementRules::Editor::Set(Rule rule) {
  RuleKey key = KeyOf(rule);
  std::erase_if(unreadable_.rules, [&](const auto& entry) { return entry.second == key; });
  set_.rules.insert_or_assign(std::move(key), std::move(rule));
}

void PlacementRules::Editor::Delete(const RuleKey& key) {
  DeleteIf([&](const RuleKey& other) { return other == key; });
}

void PlacementRules::Editor::DeleteIf(const std::function<bool(const RuleKey&)>& goes) {
  std::erase_if(unreadable_.rules, [&](const auto& entry) { return goes(entry.second); });
  std::erase_if(set_.rules, [&](const auto& entry) { return goes(entry.first); });
}

void PlacementRules::Editor::SetGroup(RuleGroup group) {
  if (group == RuleGroup{group.id, 0, false}) return DeleteGroup(group.id);
  unreadable_.groups.erase(group.id);
  std::string id = group.id;
  set_.groups.insert_or_assign(std::move(id), std::move(group));
}

void PlacementRules::Editor::DeleteGroup(const std::string& id) {
  unreadable_.groups.erase(id);
  set_.groups.erase(id);
}

void PlacementRules::Editor::DeleteGroupIf(const std::function<bool(const std::string&)>& goes) {
  std::erase_if(unreadable_.groups, goes);
  std::erase_if(set_.groups, [&](const auto& entry) { return goes(entry.first); });
}

PlacementRules::PlacementRules(Deps deps)
    : deps_(std::move(deps)),
      state_(deps_.meta, [this](const ClusterPaths& paths) { return ReadState(paths); }) {
  deps_.config.AddCheck([this](const OnlineConfig& before, const OnlineConfig& after) {
    return FollowConfig(before, after);
  });
}

Result<PlacementRules::StatePtr> PlacementRules::ReadState(const ClusterPaths& paths) const {
  const auto rules = deps_.meta.GetPrefix(paths.PlacementRules());
  if (!rules) return tl::unexpected(rules.error());
  const auto groups = deps_.meta.GetPrefix(paths.RuleGroups());
  if (!groups) return tl::unexpected(groups.error());
  auto state = std::make_shared<State>();
  for (const KeyValue& pair : *rules) {
    const std::string name = pair.key.substr(paths.PlacementRules().size());
    auto rule = RuleFromStored(pair.value);
    // Elsewhere than this server keeps it, it could not be changed or deleted.
    if (rule && paths.PlacementRule(rule->group_id, rule->id) == pair.key) {
      state->set.rules.emplace(KeyOf(*rule), *std::move(rule));
      continue;
    }
    LogError("placement rule cannot be read",
             {{"key", pair.key}, {"error", rule ? "not its own key" : rule.error().context}});
    state->unreadable.rules.emplace(name, KeyFromPath(name));
  }
  for (const KeyValue& pair : *groups) {
    const std::string id = pair.key.substr(paths.RuleGroups().size());
    auto group = RuleGroupFromStored(pair.value);
    if (!group) {
      LogError("rule group cannot be read", {{"key", pair.key}, {"error", group.error().context}});
      state->unreadable.groups.insert(id);
      continue;
    }
    group->id = id;
    state->set.groups.insert_or_assign(group->id, *std::move(group));
  }
  state->saved = !rules->empty();
  if (!state->saved) {
    const Rule first = DefaultRuleOf(deps_.config.lasting()->replication);
    state->set.rules.emplace(KeyOf(first), first);
  }
  if (!state->unreadable.empty()) {
    LogError("placement rules are not in force: some cannot be read");
    return state;
  }
  if (auto book = RuleBook::Make(state->set)) {
    state->book = *std::move(book);
  } else {
    LogError("placement rules are not in force", {{"why", book.error().context}});
  }
  return state;
}

PlacementRules::Book PlacementRules::book() const {
  const StatePtr state = state_.Get();
  return {state, &state->book};
}

PlacementRules::Book PlacementRules::InForce(const ReplicationConfig& replication) const {
  if (replication.enable_placement_rules) return book();
  return std::make_shared<const scheduler::RuleBook>(std::vector{scheduler::DefaultRule(
      replication.max_replicas, replication.location_labels, replication.isolation_level)});
}

std::shared_ptr<const RuleSet> PlacementRules::set() const {
  const StatePtr state = state_.Get();
  return {state, &state->set};
}

uint64_t PlacementRules::PeersWanted(const scheduler::Region& region) const {
  const auto online = deps_.config.online();
  if (!online->replication.enable_placement_rules) return online->replication.max_replicas;
  const Book rules = book();
  uint64_t wanted = 0;
  for (const Rule* rule : rules->RulesFor(region)) wanted += rule->count;
  return wanted == 0 ? online->replication.max_replicas : wanted;
}

RuleChecks PlacementRules::Checks() const {
  const auto online = deps_.config.online();
  RuleChecks checks{online->pd_server.key_type, online->replication.max_replicas, {}};
  const auto stores = std::make_shared<const std::vector<scheduler::Store>>(deps_.stores.All());
  if (stores->empty()) return checks;
  checks.fits_some_store = [stores](const Rule& rule) {
    return std::ranges::any_of(*stores, [&](const scheduler::Store& store) {
      return scheduler::MatchesConstraints(store, rule.constraints);
    });
  };
  return checks;
}

Result<void> PlacementRules::KeepUp() {
  if (auto caught_up = state_.CatchUp(); !caught_up) return caught_up;
  if (state_.Get()->saved) return FollowFirstRule();
  return state_.Change([&](const State& now, const ClusterPaths& paths, KvTxn& txn) {
    const auto edit = [&](Editor& editor) {
      if (!now.saved) editor.Set(DefaultRuleOf(deps_.config.lasting()->replication));
    };
    return Apply(now, paths, edit, txn);
  });
}

Result<void> PlacementRules::Change(const Edit& edit) {
  auto done = state_.Change([&](const State& now, const ClusterPaths& paths, KvTxn& txn) {
    return Apply(now, paths, edit, txn);
  });
  // The rules are in force now, whatever becomes of the setting: the next KeepUp tries again.
  if (done) static_cast<void>(FollowFirstRule());
  return done;
}

/// What comes into force is made before it is written: what cannot be made is not written either.
Result<PlacementRules::StatePtr> PlacementRules::Apply(const State& now, const ClusterPaths& paths,
                                                       const Edit& edit, KvTxn& txn) const {
  Editor editor;
  editor.set_ = now.set;
  editor.unreadable_ = now.unreadable;
  edit(editor);
  auto next = std::make_shared<State>();
  next->set = std::move(editor.set_);
  next->unreadable = std::move(editor.unreadable_);
  if (auto written = WriteRules(now, paths, *next, txn); !written) {
    return tl::unexpected(written.error());
  }
  if (auto written = WriteGroups(now, paths, *next, txn); !written) {
    return tl::unexpected(written.error());
  }
  auto book = RuleBook::Make(next->set);
  if (!book) {
    const bool large = book.error().code == scheduler::ErrorCode::kLimited;
    return Fail(large ? ErrorCode::kInvalidArgument : ErrorCode::kConflict, book.error().context);
  }
  if (next->unreadable.empty()) next->book = *std::move(book);
  return next;
}

/// Also gives the rules their versions and times.
Result<void> PlacementRules::WriteRules(const State& now, const ClusterPaths& paths, State& next,
                                        KvTxn& txn) const {
  for (auto& [key, rule] : next.set.rules) {
    const auto before = now.set.rules.find(key);
    if (before == now.set.rules.end()) {
      rule.version = 0;
      rule.create_timestamp = static_cast<uint64_t>(deps_.clock.UnixNanos() / 1'000'000'000);
    } else {
      rule.version = before->second.version;
      rule.create_timestamp = before->second.create_timestamp;
      if (rule == before->second && now.saved) continue;
      if (rule != before->second) ++rule.version;
    }
    std::string text = DumpCompact(RuleToJson(rule));
    const auto back = RuleFromStored(text);
    if (!back || *back != rule) return NotText("rule " + key.group_id + "/" + key.id);
    txn.Put(paths.PlacementRule(key.group_id, key.id), std::move(text));
  }
  for (const auto& [key, rule] : now.set.rules) {
    if (!next.set.rules.contains(key)) txn.Delete(paths.PlacementRule(key.group_id, key.id));
  }
  for (const auto& [name, key] : now.unreadable.rules) {
    const std::string path = paths.PlacementRules() + name;
    const bool written =
        next.set.rules.contains(key) && paths.PlacementRule(key.group_id, key.id) == path;
    if (!next.unreadable.rules.contains(name) && !written) txn.Delete(path);
  }
  return {};
}

Result<void> PlacementRules::WriteGroups(const State& now, const ClusterPaths& paths,
                                         const State& next, KvTxn& txn) {
  for (const auto& [id, group] : next.set.groups) {
    const auto before = now.set.groups.find(id);
    if (before != now.set.groups.end() && before->second == group) continue;
    std::string text = DumpCompact(RuleGroupToJson(group));
    const auto back = RuleGroupFromStored(text);
    if (!back || *back != group) return NotText("rule group " + id);
    txn.Put(paths.RuleGroup(id), std::move(text));
  }
  std::set<std::string> gone = now.unreadable.groups;
  for (const auto& [id, group] : now.set.groups) gone.insert(id);
  for (const std::string& id : gone) {
    if (next.set.groups.contains(id) || next.unreadable.groups.contains(id)) continue;
    txn.Delete(paths.RuleGroup(id));
  }
  return {};
}

Result<void> PlacementRules::FollowConfig(const OnlineConfig& before, const OnlineConfig& after) {
  const ReplicationConfig& old = before.replication;
  const ReplicationConfig& wanted = after.replication;
  if (old.enable_placement_rules && !wanted.enable_placement_rules) {
    const auto stores = deps_.stores.All();
    if (std::ranges::none_of(stores, &scheduler::Store::IsTiFlash)) return {};
    return Fail(ErrorCode::kConflict, "cannot disable placement rules with TiFlash nodes");
  }
  const bool turned_on = !old.enable_placement_rules && wanted.enable_placement_rules;
  if (!wanted.enable_placement_rules || (!turned_on && SameReplicas(old, wanted))) return {};
  if (!state_.leads()) return {};  // No cluster yet: it will begin with the settings of then.
  return state_.Change(
      [&](const State& now, const ClusterPaths& paths, KvTxn& txn) -> Result<StatePtr> {
        const Rule* first = FindDefault(now.set);
        const bool alone = first != nullptr && now.set.rules.size() == 1;
        // Rules of an earlier time hold again as they are; a rule that says it already may stand beside others.
        if (turned_on ? !alone : first != nullptr && Follows(*first, old, wanted)) {
          return std::make_shared<const State>();  // Nothing is written, nothing changes.
        }
        if (auto refused = RefuseReplicas(first, alone, old, turned_on); !refused) {
          return tl::unexpected(refused.error());
        }
        const auto edit = [&](Editor& editor) {
          Rule rule = *first;
          rule.count = wanted.max_replicas;
          rule.location_labels = wanted.location_labels;
          rule.isolation_level = wanted.isolation_level;
          editor.Set(std::move(rule));
        };
        return Apply(now, paths, edit, txn);
      });
}

/// Not done at once, it is done by KeepUp. The setting is read behind other changes of the configuration, one of which
/// may be on its way to change this rule.
Result<void> PlacementRules::FollowFirstRule() {
  const auto in_step = [&] {
    const auto rules = set();
    const Rule* first = FindDefault(*rules);
    return first == nullptr || first->count == deps_.config.lasting()->replication.max_replicas;
  };
  if (!enabled() || in_step()) return {};
  return deps_.config.Update([&](OnlineConfig& online) -> Result<void> {
    const auto rules = set();
    if (const Rule* first = FindDefault(*rules)) online.replication.max_replicas = first->count;
    return {};
  });
}

}  // namespace pd

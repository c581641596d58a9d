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

/// The names in "{hex(group)}-{hex(id)}"; of what is written otherwise, nothing comes back the same.
RuleKey KeyFromPath(const std::string& name) {
  const size_t dash = name.find('-');
  if (dash == std::string::npos) return {};
  return {scheduler::FromHex(name.substr(0, dash)).value_or(""),
          scheduler::FromHex(name.substr(dash + 1)).value_or("")};
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

bool SameReplicas(const ReplicationConfig& a, const ReplicationConfig& b) {
  return a.max_replicas == b.max_replicas && a.location_labels == b.location_labels &&
         a.isolation_level == b.isolation_level;
}

}  // namespace

void PlacementRules::Editor::Set(Rule rule) {
  RuleKey key = KeyOf(rule);
  unreadable_.rules.erase(key);
  set_.rules.insert_or_assign(std::move(key), std::move(rule));
}

void PlacementRules::Editor::Delete(const RuleKey& key) {
  unreadable_.rules.erase(key);
  set_.rules.erase(key);
}

void PlacementRules::Editor::DeleteIf(const std::function<bool(const RuleKey&)>& goes) {
  std::erase_if(unreadable_.rules, goes);
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
    const RuleKey key = KeyFromPath(pair.key.substr(paths.PlacementRules().size()));
    auto rule = RuleFromStored(pair.value);
    if (rule && KeyOf(*rule) == key) {
      state->set.rules.emplace(key, *std::move(rule));
      continue;
    }
    LogError("placement rule cannot be read",
             {{"key", pair.key}, {"error", rule ? "another rule's name" : rule.error().context}});
    state->unreadable.rules.insert(key);
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
  if (!enabled()) return nullptr;
  const StatePtr state = state_.Get();
  return {state, &state->book};
}

std::shared_ptr<const RuleSet> PlacementRules::set() const {
  const StatePtr state = state_.Get();
  return {state, &state->set};
}

Result<Rule> PlacementRules::Make(RuleDraft draft, const std::string& group) const {
  const auto online = deps_.config.online();
  RuleChecks checks{online->pd_server.key_type, online->replication.max_replicas, {}};
  const std::vector<scheduler::Store> stores = deps_.stores.All();
  if (!stores.empty()) {
    checks.fits_some_store = [&stores](const Rule& rule) {
      return std::ranges::any_of(stores, [&](const scheduler::Store& store) {
        return scheduler::MatchesConstraints(store, rule.constraints);
      });
    };
  }
  return MakeRule(std::move(draft), checks, group);
}

Result<void> PlacementRules::SaveFirst() {
  if (state_.Get()->saved) return {};
  return state_.Change([&](const State& now, const ClusterPaths& paths, KvTxn& txn) {
    return Apply(
        now, paths, [](Editor&) {}, txn);
  });
}

Result<void> PlacementRules::Change(const Edit& edit) {
  auto done = state_.Change([&](const State& now, const ClusterPaths& paths, KvTxn& txn) {
    return Apply(now, paths, edit, txn);
  });
  return done ? FollowDefaultRule() : done;
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
  WriteRules(now, paths, *next, txn);
  WriteGroups(now, paths, *next, txn);
  auto book = RuleBook::Make(next->set);
  if (!book) {
    const bool large = book.error().code == scheduler::ErrorCode::kLimited;
    return Fail(large ? ErrorCode::kInvalidArgument : ErrorCode::kConflict, book.error().context);
  }
  if (next->unreadable.empty()) next->book = *std::move(book);
  return next;
}

/// Also gives the rules their versions and times.
void PlacementRules::WriteRules(const State& now, const ClusterPaths& paths, State& next,
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
    txn.Put(paths.PlacementRule(key.group_id, key.id), DumpCompact(RuleToJson(rule)));
  }
  std::set<RuleKey> gone = now.unreadable.rules;
  for (const auto& [key, rule] : now.set.rules) gone.insert(key);
  for (const RuleKey& key : gone) {
    if (next.set.rules.contains(key) || next.unreadable.rules.contains(key)) continue;
    txn.Delete(paths.PlacementRule(key.group_id, key.id));
  }
}

void PlacementRules::WriteGroups(const State& now, const ClusterPaths& paths, const State& next,
                                 KvTxn& txn) {
  for (const auto& [id, group] : next.set.groups) {
    const auto before = now.set.groups.find(id);
    if (before != now.set.groups.end() && before->second == group) continue;
    txn.Put(paths.RuleGroup(id), DumpCompact(RuleGroupToJson(group)));
  }
  std::set<std::string> gone = now.unreadable.groups;
  for (const auto& [id, group] : now.set.groups) gone.insert(id);
  for (const std::string& id : gone) {
    if (next.set.groups.contains(id) || next.unreadable.groups.contains(id)) continue;
    txn.Delete(paths.RuleGroup(id));
  }
}

Result<void> PlacementRules::FollowConfig(const OnlineConfig& before, const OnlineConfig& after) {
  const ReplicationConfig& old = before.replication;
  const ReplicationConfig& wanted = after.replication;
  if (old.enable_placement_rules && !wanted.enable_placement_rules) {
    const auto stores = deps_.stores.All();
    const bool flash = std::ranges::any_of(stores, &scheduler::Store::IsTiFlash);
    return flash ? Result<void>(Fail(ErrorCode::kConflict,
                                     "cannot disable placement rules with TiFlash nodes"))
                 : Result<void>();
  }
  if (!wanted.enable_placement_rules) return {};
  const bool turned_on = !old.enable_placement_rules;
  if (!turned_on && SameReplicas(old, wanted)) return {};
  const auto rules = set();
  if (rules->rules.empty()) return {};  // No cluster yet: it will begin with the settings of then.
  const Rule* first = FindDefault(*rules);
  if (first != nullptr && !turned_on && Follows(*first, old, wanted)) return {};
  const bool alone = rules->rules.size() == 1 && first != nullptr;
  if (turned_on && !alone) return {};  // Rules of an earlier time hold again, as they are.
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
  return state_.Change([&](const State& now, const ClusterPaths& paths, KvTxn& txn) {
    const auto edit = [&](Editor& editor) {
      const Rule* known = FindDefault(editor.set());
      if (known == nullptr) return;
      Rule rule = *known;
      rule.count = wanted.max_replicas;
      rule.location_labels = wanted.location_labels;
      rule.isolation_level = wanted.isolation_level;
      editor.Set(std::move(rule));
    };
    return Apply(now, paths, edit, txn);
  });
}

/// Its count is that of the settings, whoever changed it.
Result<void> PlacementRules::FollowDefaultRule() {
  const auto rules = set();
  const Rule* first = FindDefault(*rules);
  if (first == nullptr || !enabled()) return {};
  if (deps_.config.lasting()->replication.max_replicas == first->count) return {};
  return deps_.config.Update([&](OnlineConfig& online) -> Result<void> {
    online.replication.max_replicas = first->count;
    return {};
  });
}

}  // namespace pd

#include "pd/cluster/affinity_groups.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pd/config/json_text.h"
#include "pd/log/log.h"
#include "scheduler/model/hex.h"

namespace pd {
namespace {

using scheduler::AffinityRange;
using scheduler::AffinityStores;
using scheduler::Availability;
using scheduler::KeyRange;
using scheduler::LabelRange;
using scheduler::LabelRule;
using scheduler::RegionLabelBook;
using scheduler::StoreId;

constexpr size_t kLearnedBatch = 128;  // Groups of one transaction.
constexpr int64_t kNanosPerSecond = 1'000'000'000;

tl::unexpected<Error> EmptyRequest(const char* what) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("[PD:affinity:ErrEmptyRequest]{}", what));
}

LabelRule RuleOf(const std::string& group, const std::vector<KeyRange>& ranges) {
  LabelRule rule;
  rule.id = scheduler::AffinityRuleId(group);
  rule.labels.push_back(
      {.key = std::string(scheduler::kAffinityLabel), .value = group, .ttl = "", .start_at = ""});
  for (const KeyRange& range : ranges) {
    rule.ranges.push_back(
        {range, scheduler::LowerHex(range.start), scheduler::LowerHex(range.end)});
  }
  return rule;
}

std::vector<KeyRange> RangesOf(const RegionLabelBook& book, const std::string& group) {
  std::vector<KeyRange> ranges;
  for (const LabelRange& range : AffinityRangesOf(book, group)) ranges.push_back(range.keys);
  return ranges;
}

Result<void> RefuseOverlap(const std::map<std::string, std::vector<KeyRange>>& groups) {
  std::vector<AffinityRange> all;
  for (const auto& [group, ranges] : groups) {
    for (const KeyRange& range : ranges) all.push_back({range, group});
  }
  const auto overlap = scheduler::FindOverlap(std::move(all));
  if (!overlap) return {};
  if (overlap->first == overlap->second) {
    return BadAffinityContent("key ranges overlap within group " + overlap->first);
  }
  return BadAffinityContent(
      fmt::format("key range overlaps between groups: {} and {}", overlap->first, overlap->second));
}

/// Takes away ranges that are there just so.
Result<void> RemoveRanges(const std::string& group, const std::vector<KeyRange>& gone,
                          std::vector<KeyRange>& ranges) {
  std::set<std::string_view> starts;
  for (const KeyRange& range : gone) {
    if (!starts.insert(range.start).second) return AffinityGroupExists(group);
    const auto found = std::ranges::find(ranges, range);
    if (found == ranges.end()) return NoAffinityGroup(group);
    ranges.erase(found);
  }
  return {};
}

}  // namespace

AffinityGroups::AffinityGroups(Deps deps)
    : deps_(deps), state_(deps_.meta, [this](const auto& paths) { return ReadState(paths); }) {}

void AffinityGroups::Clear() {
  state_.Clear();
  const MutexLock lock(mutex_);
  offers_.clear();
  counts_.clear();
  health_.clear();
  rule_expiries_.clear();
  shown_of_.reset();
  shown_.reset();
}

AffinityGroups::RangesByGroup AffinityGroups::RangesOfAll(const State& state) const {
  const RegionLabels::Book book = deps_.labels.book();
  RangesByGroup all;
  for (const auto& [id, kept] : state) all[id] = RangesOf(*book, id);
  return all;
}

AffinityGroups::Kept AffinityGroups::NewKept(AffinityRecord record) const {
  return {std::move(record), ++assignments_, false};
}

/// What is read again as it was goes on as it was.
Result<AffinityGroups::StatePtr> AffinityGroups::ReadState(const ClusterPaths& paths) const {
  const auto stored = deps_.meta.GetPrefix(paths.AffinityGroups());
  if (!stored) return tl::unexpected(stored.error());
  const StatePtr before = state_.Get();
  auto state = std::make_shared<State>();
  for (const KeyValue& pair : *stored) {
    const std::string id = pair.key.substr(paths.AffinityGroups().size());
    auto record = ReadStored(pair.value, ReadAffinityRecord);
    if (!record || !scheduler::IsAffinityGroupId(id)) {
      LogWarn("affinity group cannot be read", {{"key", pair.key}});
      continue;
    }
    if (!std::ranges::binary_search(record->stores.voters, record->stores.leader)) {
      record->stores = {};  // It learns others.
    }
    const auto known = before->find(id);
    if (known != before->end() && known->second.record == *record) {
      (*state)[id] = known->second;
    } else {
      (*state)[id] = NewKept(*std::move(record));
      (*state)[id].looked_up = true;
    }
  }
  return state;
}

Result<void> AffinityGroups::Change(By by, const Edit& edit) {
  RegionLabels::Patch patch;
  bool wished = false;
  const auto change = [&](const State& now, const ClusterPaths& paths,
                          KvTxn& txn) -> Result<StatePtr> {
    auto next = std::make_shared<State>(now);
    if (auto edited = edit(*next, patch); !edited) return tl::unexpected(edited.error());
    if (next->size() > std::max(now.size(), kGroupsMax)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("there would be more than {} affinity groups", kGroupsMax));
    }
    for (const auto& [id, kept] : *next) {
      const auto before = now.find(id);
      if (before != now.end() && before->second.record == kept.record) continue;
      txn.Put(paths.AffinityGroup(id), DumpCompact(AffinityRecordToJson(id, kept.record)));
    }
    for (const auto& [id, kept] : now) {
      if (!next->contains(id)) txn.Delete(paths.AffinityGroup(id));
    }
    const bool changes = !txn.then.empty() || !patch.sets.empty() || !patch.deletes.empty();
    wished = by == By::kPerson && changes;
    return next;
  };
  Result<void> done = state_.Change(
      change, [&](KvTxn txn) { return deps_.labels.Apply(std::move(patch), std::move(txn)); });
  // Also after a failure: it may still be done.
  if (wished) ++wishes_version_;
  return done;
}

Result<void> AffinityGroups::Create(const std::vector<AffinityRanges>& groups, Existing existing) {
  if (groups.empty()) return BadAffinityContent("no affinity groups provided");
  const auto created_s = static_cast<uint64_t>(deps_.clock.UnixNanos() / kNanosPerSecond);
  return Change(By::kPerson, [&](State& next, RegionLabels::Patch& patch) -> Result<void> {
    RangesByGroup all = RangesOfAll(next);
    for (const auto& [id, ranges] : groups) {
      if (auto checked = CheckAffinityGroupId(id); !checked) return checked;
      if (next.contains(id)) {
        if (existing == Existing::kPassedOver) continue;
        return AffinityGroupExists(id);
      }
      if (ranges.empty()) return BadAffinityContent("no key ranges provided for group " + id);
      if (auto checked = CheckAffinityRanges(ranges); !checked) return checked;
      next[id] = NewKept({created_s, {}});
      patch.sets.push_back(RuleOf(id, ranges));
      all[id] = ranges;
    }
    return RefuseOverlap(all);
  });
}

Result<void> AffinityGroups::Delete(const std::vector<std::string>& ids, Force force) {
  if (ids.empty()) return EmptyRequest("no group ids provided");
  for (const std::string& id : ids) {
    if (auto checked = CheckAffinityGroupId(id); !checked) return checked;
  }
  const std::set<std::string> goes(ids.begin(), ids.end());
  return Change(By::kPerson, [&](State& next, RegionLabels::Patch& patch) -> Result<void> {
    if (force == Force::kNo) {
      const RegionLabels::Book book = deps_.labels.book();
      for (const std::string& id : goes) {
        if (!next.contains(id) || AffinityRangesOf(*book, id).empty()) continue;
        return BadAffinityContent(
            fmt::format("affinity group {} has key ranges, use force=true to delete", id));
      }
    }
    for (const std::string& id : goes) {
      if (next.erase(id) > 0) {
        patch.deletes.push_back(scheduler::AffinityRuleId(id));
      } else if (force == Force::kNo) {
        return NoAffinityGroup(id);
      }
    }
    return {};
  });
}

Result<AffinityGroups::RangesByGroup> AffinityGroups::Collect(
    const State& state, const std::vector<AffinityRanges>& items) {
  RangesByGroup ranges;
  for (const AffinityRanges& item : items) {
    if (auto checked = CheckAffinityGroupId(item.group); !checked) {
      return tl::unexpected(checked.error());
    }
    if (!state.contains(item.group)) return NoAffinityGroup(item.group);
    if (item.ranges.empty()) return BadAffinityContent("no key ranges provided");
    if (auto checked = CheckAffinityRanges(item.ranges); !checked) {
      return tl::unexpected(checked.error());
    }
    std::ranges::copy(item.ranges, std::back_inserter(ranges[item.group]));
  }
  return ranges;
}

Result<void> AffinityGroups::ChangeRanges(const AffinityRangeChanges& changes) {
  if (changes.add.empty() && changes.remove.empty()) {
    return EmptyRequest("no add or remove operations provided");
  }
  for (const AffinityRanges& gone : changes.remove) {
    if (std::ranges::find(changes.add, gone.group, &AffinityRanges::group) == changes.add.end()) {
      continue;
    }
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("[PD:affinity:ErrAffinityGroupConflict]affinity group {} cannot appear "
                            "in both add and remove operations in the same request",
                            gone.group));
  }
  return Change(By::kPerson, [&](State& next, RegionLabels::Patch& patch) -> Result<void> {
    auto added = Collect(next, changes.add);
    if (!added) return tl::unexpected(added.error());
    auto removed = Collect(next, changes.remove);
    if (!removed) return tl::unexpected(removed.error());
    RangesByGroup all = RangesOfAll(next);
    for (const auto& [id, ranges] : *removed) {
      if (auto done = RemoveRanges(id, ranges, all[id]); !done) return done;
    }
    for (const auto& [id, ranges] : *added) std::ranges::copy(ranges, std::back_inserter(all[id]));
    if (auto checked = RefuseOverlap(all); !checked) return checked;
    added->merge(*removed);
    for (const auto& [id, ranges] : *added) {
      if (all[id].empty()) {
        patch.deletes.push_back(scheduler::AffinityRuleId(id));
      } else {
        patch.sets.push_back(RuleOf(id, all[id]));
      }
    }
    return {};
  });
}

Result<void> AffinityGroups::CheckStores(const AffinityStores& stores) const {
  if (!stores.leader || stores.empty()) {
    return BadAffinityContent("leader_store_id and voter_store_ids are required");
  }
  if (std::ranges::adjacent_find(stores.voters) != stores.voters.end()) {
    return BadAffinityContent("duplicate voter store ID");
  }
  if (!std::ranges::binary_search(stores.voters, stores.leader)) {
    return BadAffinityContent("leader must be in voter stores");
  }
  for (const StoreId store : stores.voters) {
    if (deps_.stores.Contains(store)) continue;
    return BadAffinityContent(fmt::format("store {} does not exist", store.value));
  }
  return {};
}

Result<void> AffinityGroups::Assign(const std::string& id, AffinityStores stores) {
  if (auto checked = CheckAffinityGroupId(id); !checked) return checked;
  // Without the lead no store is known either.
  if (!state_.leads()) return Fail(ErrorCode::kNotLeader, "not leader");
  std::ranges::sort(stores.voters);
  if (auto checked = CheckStores(stores); !checked) return checked;
  return Change(By::kPerson, [&](State& next, RegionLabels::Patch&) -> Result<void> {
    const auto found = next.find(id);
    if (found == next.end()) return NoAffinityGroup(id);
    found->second = NewKept({found->second.record.created_s, stores});
    return {};
  });
}

std::pair<AffinityGroups::StatePtr, AffinityGroups::Groups> AffinityGroups::Current() const {
  const MutexLock lock(mutex_);
  const StatePtr state = state_.Get();
  if (shown_ == nullptr || shown_of_ != state) MakeGroups(state);
  return {shown_of_, shown_};
}

void AffinityGroups::MakeGroups(const StatePtr& state) const {
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  const auto gone = [&](const auto& entry) { return !state->contains(entry.first); };
  std::erase_if(health_, gone);
  std::erase_if(counts_, gone);
  auto groups = std::make_shared<scheduler::AffinityGroups>();
  for (const auto& [id, kept] : *state) {
    Health& health = health_[id];
    if (health.assignment != kept.assignment) {
      health = {kept.assignment, {}};
      if (kept.looked_up) health.now = {Availability::kDegraded, now};
    }
    groups->emplace(
        id, scheduler::AffinityGroup{kept.record.stores, kept.assignment, health.now.availability});
  }
  shown_of_ = state;
  shown_ = std::move(groups);
}

AffinityGroups::Shown AffinityGroups::Show(const std::string& id, const Kept& kept,
                                           const scheduler::AffinityGroups& groups) const {
  Shown shown{id, kept.record, {}, AffinityRangesOf(*deps_.labels.book(), id).size(), {}};
  const scheduler::AffinityGroup& group = groups.find(id)->second;
  const MutexLock lock(mutex_);
  const auto counted = counts_.find(id);
  if (counted != counts_.end()) shown.counts = counted->second;
  // They were counted for other stores.
  if (shown.counts.assignment != group.assignment) shown.counts.in_place = 0;
  shown.phase = PhaseOf(group, shown.range_count, shown.counts);
  return shown;
}

std::vector<AffinityGroups::Shown> AffinityGroups::All() const {
  const auto [state, groups] = Current();
  std::vector<Shown> all;
  for (const auto& [id, kept] : *state) all.push_back(Show(id, kept, *groups));
  return all;
}

std::optional<AffinityGroups::Shown> AffinityGroups::Find(std::string_view id) const {
  const auto [state, groups] = Current();
  const auto found = state->find(id);
  if (found == state->end()) return {};
  return Show(found->first, found->second, *groups);
}

void AffinityGroups::LookAtStores(const scheduler::PlanContext& context) {
  constexpr size_t kChangesLogged = 16;
  size_t changed = 0;
  for (const auto& [id, group] : context.affinity) {
    if (group.stores.empty()) continue;
    const auto trouble = WorstTrouble(context, group.stores);
    const auto become = Become(id, group.assignment, [&](const scheduler::GroupHealth& before) {
      return AfterLook(before, trouble, context.now);
    });
    if (!become || ++changed > kChangesLogged) continue;
    LogInfo("a look at the stores of an affinity group changes it",
            {{"group-id", id},
             {"availability", AvailabilityText(*become)},
             {"why", trouble ? RefusalText(trouble->why) : "its stores are well"}});
  }
  if (changed <= kChangesLogged) return;
  LogInfo("a look at the stores changes more affinity groups", {{"groups", changed}});
}

std::optional<Availability> AffinityGroups::Become(
    std::string_view id, uint64_t assignment,
    const std::function<scheduler::GroupHealth(const scheduler::GroupHealth&)>& change) {
  const MutexLock lock(mutex_);
  const auto found = health_.find(id);
  if (found == health_.end() || found->second.assignment != assignment) return {};
  scheduler::GroupHealth& health = found->second.now;
  const Availability before = health.availability;
  health = change(health);
  if (health.availability == before) return {};
  shown_.reset();
  return health.availability;
}

void AffinityGroups::Take(const scheduler::AffinityFinding& finding) {
  const auto expired = [](const auto&) {
    return scheduler::GroupHealth{Availability::kExpired, {}};
  };
  const bool expires = finding.expires && Become(finding.group, finding.assignment, expired);
  if (expires) {
    LogInfo("the placement rules make an affinity group expire", {{"group-id", finding.group}});
  }
  const Nanos now = deps_.clock.Monotonic();
  const MutexLock lock(mutex_);
  if (expires) NoteRuleExpiry(finding.group, now);
  if (!finding.template_stores) return;
  const auto waits = rule_expiries_.find(finding.group);
  if (waits != rule_expiries_.end() && now < waits->second.learns_from) return;
  offers_.try_emplace(finding.group, Offer{finding.assignment, *finding.template_stores});
}

/// Regions of one group may lie under rules that do not go together: each would expire the stores of the other.
void AffinityGroups::NoteRuleExpiry(const std::string& group, Nanos now) {
  const Nanos pause = scheduler::kDegradedMax;
  std::erase_if(rule_expiries_, [&](const auto& entry) { return now - entry.second.at > pause; });
  const auto [it, first] = rule_expiries_.try_emplace(group, RuleExpiry{now, Nanos{0}});
  if (!first) it->second = {now, now + pause};
}

void AffinityGroups::SetCounts(const scheduler::AffinityCensus::Counts& counts) {
  const MutexLock lock(mutex_);
  counts_ = counts;
}

bool AffinityGroups::MayLearn(const std::string& id, const Kept& kept, const Offer& offer) const {
  if (kept.assignment != offer.assignment) return false;
  const MutexLock lock(mutex_);
  const auto health = health_.find(id);
  return kept.record.stores.empty() ||
         (health != health_.end() && health->second.now.availability == Availability::kExpired);
}

Result<void> AffinityGroups::KeepUp() {
  if (auto settled = deps_.labels.CatchUp(); !settled) return settled;
  if (auto settled = state_.CatchUp(); !settled) return settled;
  std::map<std::string, Offer> offers;
  {
    const MutexLock lock(mutex_);
    while (!offers_.empty() && offers.size() < kLearnedBatch) {
      offers.insert(offers_.extract(offers_.begin()));
    }
  }
  if (offers.empty()) return {};
  std::vector<std::string> learned;
  const auto done = Change(By::kItself, [&](State& next, RegionLabels::Patch&) -> Result<void> {
    for (const auto& [id, offer] : offers) {
      const auto found = next.find(id);
      if (found == next.end() || !MayLearn(id, found->second, offer)) continue;
      found->second = NewKept({found->second.record.created_s, offer.stores});
      learned.push_back(id);
    }
    return {};
  });
  if (!done) return done;
  for (const std::string& id : learned) {
    LogInfo("an affinity group takes the stores of one of its regions",
            {{"group-id", id}, {"leader-store-id", offers.at(id).stores.leader.value}});
  }
  return {};
}

}  // namespace pd

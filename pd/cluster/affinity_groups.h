#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pd/cluster/affinity_codec.h"
#include "pd/cluster/led_state.h"
#include "pd/cluster/paths.h"
#include "pd/cluster/region_labels.h"
#include "pd/cluster/store_table.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/affinity/census.h"
#include "scheduler/affinity/group_health.h"
#include "scheduler/checkers/affinity_checker.h"

namespace pd {

/// The affinity groups of the cluster. Their stores are kept under /pd/{cid}/affinity_groups/{id}, their ranges as the
/// region label rules affinity_group/{id}; one transaction changes both. How a group is doing is memory of this
/// leadership: a group begins as degraded, until its stores are looked at.
///
/// Leader only; empty elsewhere; see LedState. Thread-safe. A change holds the mutex for changes of region labels too,
/// taken second.
class AffinityGroups {
 public:
  using Groups = std::shared_ptr<const scheduler::AffinityGroups>;

  struct Deps {
    MetaStore& meta;
    RegionLabels& labels;
    const StoreTable& stores;
    const Clock& clock;
  };
  static constexpr size_t kGroupsMax = 100'000;

  explicit AffinityGroups(Deps deps);

  /// Reads what is kept. Before RegionLabels::Load of the same term: a change that is under way ends first.
  Result<void> Load(const ClusterPaths& paths, uint64_t term) {
    ++wishes_version_;
    return state_.Load(paths, term);
  }
  void Clear();

  /// For planning; never null.
  [[nodiscard]] Groups groups() const { return Current().second; }
  /// Another one after each change that somebody asked for, and for another leadership; not after what was found out.
  [[nodiscard]] uint64_t wishes_version() const { return wishes_version_; }

  /// One group for people.
  struct Shown {
    std::string id;
    AffinityRecord record;
    scheduler::AffinityPhase phase = scheduler::AffinityPhase::kPending;
    size_t range_count = 0;
    scheduler::AffinityCounts counts;
  };
  [[nodiscard]] std::vector<Shown> All() const;
  [[nodiscard]] std::optional<Shown> Find(std::string_view id) const;

  // Changes. Errors have the reference's texts: kInvalidArgument, also for more than kGroupsMax groups or more ranges
  // than labels may have; kNotFound; kAlreadyExists; and those of LedState::Change.

  /// Groups that exist already.
  enum class Existing : uint8_t { kRefused, kPassedOver };
  Result<void> Create(const std::vector<AffinityRanges>& groups, Existing existing);
  /// Forced: also those that have ranges, whether the others are there or not.
  enum class Force : uint8_t { kNo, kYes };
  Result<void> Delete(const std::vector<std::string>& ids, Force force);
  /// A range is removed as it was added, before others are added.
  Result<void> ChangeRanges(const AffinityRangeChanges& changes);
  /// The stores become the group's, and are taken to be well until somebody looks.
  Result<void> Assign(const std::string& id, scheduler::AffinityStores stores);

  // What planning finds out.

  /// Looks at the stores of all groups of the context.
  void LookAtStores(const scheduler::PlanContext& context) PD_EXCLUDES(mutex_);
  /// Of the group as the finding saw it; otherwise it is passed over. Stores to learn wait for KeepUp(), the first
  /// offer for each group.
  void Take(const scheduler::AffinityFinding& finding) PD_EXCLUDES(mutex_);
  void SetCounts(const scheduler::AffinityCensus::Counts& counts) PD_EXCLUDES(mutex_);
  /// Writes what groups have learned, some of them at a time, and shows what a change that was given up has done after
  /// all. To be called every now and then.
  Result<void> KeepUp() PD_EXCLUDES(mutex_);

 private:
  /// A record in memory. Two assignments of the same stores are two.
  struct Kept {
    AffinityRecord record;
    uint64_t assignment = 0;
    bool looked_up = false;  // Read from the disk: nobody knows how the stores are.
  };
  using State = std::map<std::string, Kept, std::less<>>;
  using StatePtr = std::shared_ptr<const State>;
  struct Health {
    uint64_t assignment = 0;
    scheduler::GroupHealth now;
  };
  /// The placement rules were against a group's stores. Where it happens again soon, new ones are not learned at once.
  struct RuleExpiry {
    Nanos at{0};
    Nanos learns_from{0};
  };
  struct Offer {
    uint64_t assignment = 0;
    scheduler::AffinityStores stores;
  };

  using RangesByGroup = std::map<std::string, std::vector<scheduler::KeyRange>>;
  using Edit = std::function<Result<void>(State& next, RegionLabels::Patch& patch)>;

  void NoteRuleExpiry(const std::string& group, Nanos now) PD_REQUIRES(mutex_);
  [[nodiscard]] RangesByGroup RangesOfAll(const State& state) const;
  [[nodiscard]] Result<StatePtr> ReadState(const ClusterPaths& paths) const;
  /// A change of groups with one of label rules: both are written together, or neither.
  /// What people ask for is a wish, unless it changes nothing.
  enum class By : uint8_t { kPerson, kItself };
  Result<void> Change(By by, const Edit& edit);
  [[nodiscard]] Kept NewKept(AffinityRecord record) const;
  Result<void> CheckStores(const scheduler::AffinityStores& stores) const;
  /// Of each group together; checked.
  static Result<RangesByGroup> Collect(const State& state,
                                       const std::vector<AffinityRanges>& items);
  /// Changes how a group is doing, as long as its stores are those of `assignment`. What it has become, if anything
  /// else than it was.
  std::optional<scheduler::Availability> Become(
      std::string_view id, uint64_t assignment,
      const std::function<scheduler::GroupHealth(const scheduler::GroupHealth&)>& change)
      PD_EXCLUDES(mutex_);
  [[nodiscard]] bool MayLearn(const std::string& id, const Kept& kept, const Offer& offer) const
      PD_EXCLUDES(mutex_);
  /// What is kept, and what planning makes of it: both of one moment.
  [[nodiscard]] std::pair<StatePtr, Groups> Current() const PD_EXCLUDES(mutex_);
  void MakeGroups(const StatePtr& state) const PD_REQUIRES(mutex_);
  [[nodiscard]] Shown Show(const std::string& id, const Kept& kept,
                           const scheduler::AffinityGroups& groups) const PD_EXCLUDES(mutex_);

  const Deps deps_;
  mutable std::atomic<uint64_t> assignments_ = 0;
  std::atomic<uint64_t> wishes_version_ = 0;
  LedState<State> state_;
  mutable Mutex mutex_;
  std::map<std::string, Offer> offers_ PD_GUARDED_BY(mutex_);
  mutable scheduler::AffinityCensus::Counts counts_ PD_GUARDED_BY(mutex_);
  std::map<std::string, RuleExpiry, std::less<>> rule_expiries_ PD_GUARDED_BY(mutex_);
  mutable std::map<std::string, Health, std::less<>> health_ PD_GUARDED_BY(mutex_);
  // What groups() shows, and of which state; made anew when either has changed.
  mutable StatePtr shown_of_ PD_GUARDED_BY(mutex_);
  mutable Groups shown_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

#include "scheduler/schedulers/balance_leader.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/random_region.h"
#include "scheduler/schedulers/tolerance.h"

namespace scheduler {
namespace {

class LeaderBalance {
 public:
  LeaderBalance(const PlanContext& context, const BalanceLeaderConfig& config, RetryQuota& quota,
                Rng& rng)
      : context_(context),
        config_(config),
        quota_(quota),
        rng_(rng),
        influence_(context.influence) {
    for (const Store& store : context.view.stores()) {
      if (store.state == StoreState::kTombstone) continue;
      if (auto special = RefuseSpecialUse(store)) {
        decision_.Refuse(std::move(*special));
        continue;
      }
      AddUnlessRefused(sources_, store, RefuseLeaderSource(context, store));
      AddUnlessRefused(targets_, store, RefuseLeaderTarget(context, store));
    }
  }

  Decision Run() {
    quota_.KeepOnly(context_.view.stores());
    Sort();
    size_t source = 0;
    size_t target = 0;
    while (Open() && (source < sources_.size() || target < targets_.size())) {
      if (source < sources_.size()) Visit(*sources_[source], source, &LeaderBalance::MoveOut);
      if (Open() && target < targets_.size()) {
        Visit(*targets_[target], target, &LeaderBalance::MoveIn);
      }
    }
    return std::move(decision_);
  }

 private:
  using Move = bool (LeaderBalance::*)(const Store&);

  void AddUnlessRefused(std::vector<const Store*>& list, const Store& store,
                        std::optional<Refusal> refusal) {
    if (refusal) {
      decision_.Refuse(std::move(*refusal));
    } else {
      list.push_back(&store);
    }
  }

  [[nodiscard]] bool Open() const { return decision_.proposals.size() < config_.batch; }

  [[nodiscard]] double Score(const Store& store) const {
    return context_.LeaderScore(store, LeaderDelta(context_, influence_.Of(store.id)));
  }

  void Sort() {
    std::ranges::sort(sources_, {}, [&](const Store* s) {
      return std::make_tuple(-Score(*s), -static_cast<double>(s->id.value));
    });
    std::ranges::sort(targets_, {}, [&](const Store* s) {
      return std::make_tuple(Score(*s), -static_cast<double>(s->id.value));
    });
  }

  /// Tries the store as often as its quota says; a store without success is passed. After a success the order is made
  /// again, and the walk goes on at the same place.
  void Visit(const Store& store, size_t& position, Move move) {
    const uint32_t tries = quota_.TriesFor(store.id);
    for (uint32_t i = 0; i < tries; ++i) {
      if (!(this->*move)(store)) continue;
      quota_.Found(store.id);
      Sort();
      return;
    }
    quota_.FoundNothing(store.id);
    ++position;
  }

  [[nodiscard]] std::optional<Region> Pick(const Store& store, HeldAs held_as) {
    return PickRegion(
        context_, BalancedRegions(store.id, held_as, config_.ranges), rng_, decision_,
        [&](const Region& region) -> std::optional<Refusal> {
          if (used_.contains(region.id) || context_.busy_regions.contains(region.id)) {
            return Refusal{Reason::kOperatorExists, StoreId{}, region.id, 0, 0, {}};
          }
          return RefuseUnhealthyRegion(region);
        });
  }

  bool MoveOut(const Store& source) {
    const auto region = Pick(source, HeldAs::kLeader);
    if (!region) return Refuse(Reason::kNoRegion, source.id, {});
    for (const Store* target : targets_) {
      const Peer* peer = region->PeerOnStore(target->id);
      if (target->id == source.id || peer == nullptr || IsLearner(*peer) || peer->witness) continue;
      if (auto refusal = RefuseLeaderMove(context_, *region, *target)) {
        decision_.Refuse(std::move(*refusal));
        continue;
      }
      return Propose(*region, source, *target);
    }
    return Refuse(Reason::kNoTarget, source.id, region->id);
  }

  bool MoveIn(const Store& target) {
    const auto region = Pick(target, HeldAs::kFollower);
    if (!region) return Refuse(Reason::kNoRegion, target.id, {});
    const auto source =
        std::ranges::find(sources_, region->leader.store, [](const Store* s) { return s->id; });
    if (source == sources_.end()) return Refuse(Reason::kNoSource, target.id, region->id);
    if (auto refusal = RefuseLeaderMove(context_, *region, target)) {
      decision_.Refuse(std::move(*refusal));
      return false;
    }
    return Propose(*region, **source, target);
  }

  bool Refuse(Reason reason, StoreId store, RegionId region) {
    decision_.Refuse({reason, store, region, 0, 0, {}});
    return false;
  }

  bool Propose(const Region& region, const Store& source, const Store& target) {
    const BalanceVerdict verdict = JudgeLeaderMove(context_, influence_, source, target);
    if (!verdict.Worthwhile()) {
      decision_.Refuse({Reason::kAlreadyBalanced, source.id, region.id, verdict.source_score,
                        verdict.target_score, "target " + std::to_string(target.id.value)});
      return false;
    }
    Result<Proposal> built =
        Builder(context_, "balance-leader", region)
            .SetLeader(target.id)
            .SetWhy("leader score " + NumberText(Score(source)) + " on store " +
                    std::to_string(source.id.value) + ", " + NumberText(Score(target)) +
                    " on store " + std::to_string(target.id.value))
            .Build(Kind::kLeader);
    const bool ok = built.has_value();
    if (ok) {
      used_.insert(region.id);
      influence_.Add(built->TotalInfluence(region));
    }
    decision_.Take(region.id, std::move(built));
    return ok;
  }

  const PlanContext& context_;
  const BalanceLeaderConfig& config_;
  RetryQuota& quota_;
  Rng& rng_;
  Influence influence_;  // Running operators and what this run proposed.
  std::vector<const Store*> sources_;
  std::vector<const Store*> targets_;
  std::set<RegionId> used_;
  Decision decision_;
};

}  // namespace

Decision BalanceLeader(const PlanContext& context, const BalanceLeaderConfig& config,
                       RetryQuota& quota, Rng& rng) {
  return LeaderBalance(context, config, quota, rng).Run();
}

}  // namespace scheduler

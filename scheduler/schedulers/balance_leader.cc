#include "scheduler/schedulers/balance_leader.h"

#include <algorithm>
#include <set>
#include <string>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/balance_level.h"
#include "scheduler/schedulers/planned_run.h"
#include "scheduler/schedulers/random_region.h"
#include "scheduler/schedulers/tolerance.h"

namespace scheduler {
namespace {

class LeaderBalance {
 public:
  LeaderBalance(const PlanContext& context, const BalanceLeaderConfig& config,
                BalanceMemory& memory, Rng& rng)
      : context_(context),
        config_(config),
        quota_(memory.quota),
        rng_(rng),
        scale_(context),
        hold_back_(context, memory.hold_back),
        run_(context) {
    for (const Store& store : context.view.stores()) {
      if (store.state == StoreState::kTombstone) continue;
      if (auto special = RefuseSpecialUse(store)) {
        run_.decision().Refuse(std::move(*special));
        continue;
      }
      auto no_source = RefuseLeaderSource(context, store);
      auto no_target = RefuseLeaderTarget(context, store);
      if (!no_source || !no_target) {
        hold_back_.level().Add(store, scale_.Amount(store), scale_.Score(store),
                               no_target ? Takes::kNothing : Takes::kItsShare);
      }
      AddUnlessRefused(sources_, store, std::move(no_source));
      AddUnlessRefused(targets_, store, std::move(no_target));
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
    hold_back_.EndRun(run_.proposals(), config_.batch);
    return std::move(run_.decision());
  }

 private:
  using Move = bool (LeaderBalance::*)(const Store&);
  using Takes = BalanceLevel::Takes;

  void AddUnlessRefused(std::vector<const Store*>& list, const Store& store,
                        std::optional<Refusal> refusal) {
    if (refusal) {
      run_.decision().Refuse(std::move(*refusal));
    } else {
      list.push_back(&store);
    }
  }

  [[nodiscard]] bool Open() const { return run_.proposals() < config_.batch; }

  [[nodiscard]] double Score(const Store& store) const {
    return context_.LeaderScore(store, LeaderDelta(context_, run_.influence().Of(store.id)));
  }

  void Sort() {
    SortByFallingScore(sources_, [this](const Store& store) { return Score(store); });
    SortByFallingScore(targets_, [this](const Store& store) { return -Score(store); });
    highest_ = {};
    for (const Store* source : sources_) {
      highest_.Offer(*source, scale_.Source(run_.influence(), *source));
    }
    FindLowest();
  }

  void FindLowest() {
    lowest_ = {};
    for (const Store* target : targets_) {
      if (barren_.contains(target->id)) continue;
      lowest_.Offer(*target, -scale_.Target(run_.influence(), *target));
    }
  }

  /// Whether any store at the other end would make a move worthwhile: without one no region need be looked at.
  bool IsFarEnough(const Store& store, Move move) {
    const bool out = move == &LeaderBalance::MoveOut;
    const Store* const other = out ? lowest_.Than(store) : highest_.Than(store);
    if (other == nullptr) return run_.Refuse(out ? Reason::kNoTarget : Reason::kNoSource, store.id);
    const Store& source = out ? store : *other;
    const Store& target = out ? *other : store;
    const BalanceVerdict verdict = scale_.Judge(run_.influence(), source, target);
    if (!verdict.Worthwhile())
      run_.RefuseBalanced(source.id, target.id, {}, verdict.source_score, verdict.target_score);
    // Of the other end there is a choice.
    return verdict.Worthwhile() &&
           (out ? hold_back_.MayGive(source, scale_.Score(source), run_.decision())
                : MayTake(target));
  }

  bool MayTake(const Store& target) {
    return hold_back_.MayTake(target, scale_.ScoreThen(run_.influence(), target), run_.decision());
  }

  /// Tries the store as often as its quota says; a store without success is passed. After a success the order is made
  /// again, and the walk goes on at the same place.
  ///
  /// A target of whose followers none that was drawn could lead is no reason any more, in this run, for a source to
  /// draw: hardly any of what that leads would do. (The reference draws on.)
  void Visit(const Store& store, size_t& position, Move move) {
    if (!IsFarEnough(store, move)) {
      ++position;
      return;
    }
    const uint32_t tries = quota_.TriesFor(store.id);
    drew_ = false;
    for (uint32_t i = 0; i < tries; ++i) {
      if (!(this->*move)(store)) continue;
      quota_.Found(store.id);
      Sort();
      return;
    }
    quota_.FoundNothing(store.id);
    ++position;
    if (drew_ || move == &LeaderBalance::MoveOut) return;
    barren_.insert(store.id);
    if (lowest_.Holds(store)) FindLowest();
  }

  [[nodiscard]] std::optional<Region> Pick(const Store& store, HeldAs held_as) {
    auto region = PickRegion(context_, BalancedRegions(store.id, held_as, config_.ranges), rng_,
                             run_.decision(), [&](const Region& candidate) {
                               auto refusal = run_.RefuseTaken(candidate);
                               if (!refusal) refusal = RefuseUnhealthyRegion(candidate);
                               return refusal ? refusal : RefuseHotRegion(context_, candidate);
                             });
    drew_ |= region.has_value();
    return region;
  }

  bool MoveOut(const Store& source) {
    const auto region = Pick(source, HeldAs::kLeader);
    if (!region) return run_.Refuse(Reason::kNoRegion, source.id);
    for (const Store* target : targets_) {
      const Peer* peer = region->PeerOnStore(target->id);
      if (target->id == source.id || peer == nullptr || IsLearner(*peer) || peer->witness) continue;
      if (auto refusal = RefuseLeaderMove(context_, *region, *target)) {
        run_.decision().Refuse(std::move(*refusal));
        continue;
      }
      if (Propose(*region, source, *target)) return true;
    }
    return run_.Refuse(Reason::kNoTarget, source.id, region->id);
  }

  bool MoveIn(const Store& target) {
    const auto region = Pick(target, HeldAs::kFollower);
    if (!region) return run_.Refuse(Reason::kNoRegion, target.id);
    const auto source =
        std::ranges::find(sources_, region->leader.store, [](const Store* s) { return s->id; });
    if (source == sources_.end()) return run_.Refuse(Reason::kNoSource, target.id, region->id);
    if (!hold_back_.MayGive(**source, scale_.Score(**source), run_.decision())) return false;
    if (auto refusal = RefuseLeaderMove(context_, *region, target)) {
      run_.decision().Refuse(std::move(*refusal));
      return false;
    }
    return Propose(*region, **source, target);
  }

  bool Propose(const Region& region, const Store& source, const Store& target) {
    const BalanceVerdict verdict = scale_.Judge(run_.influence(), source, target);
    if (!verdict.Worthwhile()) {
      run_.RefuseBalanced(source.id, target.id, region.id, verdict.source_score,
                          verdict.target_score);
      return false;
    }
    if (!MayTake(target)) return false;
    // Last: only what would go back otherwise is wanted back.
    if (auto back = RefuseMovedBack(context_, MovedThing::kLeader, region.id, target.id)) {
      run_.decision().Refuse(std::move(*back));
      return false;
    }
    return run_.Take(
        region, Builder(context_, "balance-leader", region)
                    .SetLeader(target.id)
                    .SetWhy("leader score " + NumberText(Score(source)) + " on store " +
                            std::to_string(source.id.value) + ", " + NumberText(Score(target)) +
                            " on store " + std::to_string(target.id.value))
                    .Build(Kind::kLeader));
  }

  const PlanContext& context_;
  const BalanceLeaderConfig& config_;
  RetryQuota& quota_;
  Rng& rng_;
  const LeaderScale scale_;
  HoldBack hold_back_;
  PlannedRun run_;
  std::vector<const Store*> sources_;
  std::vector<const Store*> targets_;
  BestOther highest_;  // The source and the target between which most is to be gained.
  BestOther lowest_;
  bool drew_ = false;         // The store that is tried has a region to move.
  std::set<StoreId> barren_;  // Targets that have none.
};

}  // namespace

Decision BalanceLeader(const PlanContext& context, const BalanceLeaderConfig& config,
                       BalanceMemory& memory, Rng& rng) {
  return LeaderBalance(context, config, memory, rng).Run();
}

}  // namespace scheduler

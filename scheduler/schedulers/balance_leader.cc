#include "scheduler/schedulers/balance_leader.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/balance_level.h"
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
        scale_(context),
        level_(context),
        influence_(context.influence) {
    for (const Store& store : context.view.stores()) {
      if (store.state == StoreState::kTombstone) continue;
      if (auto special = RefuseSpecialUse(store)) {
        decision_.Refuse(std::move(*special));
        continue;
      }
      auto no_source = RefuseLeaderSource(context, store);
      auto no_target = RefuseLeaderTarget(context, store);
      if (!no_source || !no_target)
        AddToLevel(store, no_target ? Takes::kNothing : Takes::kItsShare);
      AddUnlessRefused(sources_, store, std::move(no_source));
      AddUnlessRefused(targets_, store, std::move(no_target));
    }
    check_level_ = !quota.HeldBackInVain(context.now);
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
    quota_.NoteRun(decision_.proposals.size(),
                   held_back_ ? RetryQuota::Held::kSome : RetryQuota::Held::kNone, context_.now);
    return std::move(decision_);
  }

 private:
  using Move = bool (LeaderBalance::*)(const Store&);
  using Takes = BalanceLevel::Takes;

  /// At least one more, so that a store without leaders has its part.
  [[nodiscard]] int64_t Extra() const { return std::max<int64_t>(1, scale_.tolerance()); }

  void AddToLevel(const Store& store, Takes takes) {
    const uint64_t held = context_.options.leader_policy == LeaderPolicy::kSize
                              ? store.counts.leader_size_mib
                              : store.counts.leaders;
    level_.Add(store, static_cast<double>(held) + static_cast<double>(Extra()),
               context_.LeaderScore(store, Extra()), takes);
  }

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
    highest_ = lowest_ = {};
    for (const Store* source : sources_) {
      highest_.Offer(*source, scale_.Source(influence_, *source));
    }
    for (const Store* target : targets_) {
      lowest_.Offer(*target, -scale_.Target(influence_, *target));
    }
  }

  /// Whether any store at the other end would make a move worthwhile: without one no region need be looked at.
  bool IsFarEnough(const Store& store, Move move) {
    const bool out = move == &LeaderBalance::MoveOut;
    const Store* const other = out ? lowest_.Than(store) : highest_.Than(store);
    if (other == nullptr) return Refuse(out ? Reason::kNoTarget : Reason::kNoSource, store.id, {});
    const Store& source = out ? store : *other;
    const Store& target = out ? *other : store;
    const BalanceVerdict verdict = scale_.Judge(influence_, source, target);
    if (!verdict.Worthwhile()) RefuseBalanced(source, target, {}, verdict);
    return verdict.Worthwhile() && (!out || MayGive(source));
  }

  /// What it gives would not have to come back.
  bool MayGive(const Store& source) {
    const double score = context_.LeaderScore(source, Extra());  // As in the level.
    if (!check_level_ || !level_.IsBelow(source, score)) return true;
    held_back_ = true;
    decision_.Refuse({Reason::kBelowLevel, source.id, {}, score, level_.LevelFor(source), {}});
    return false;
  }

  /// Tries the store as often as its quota says; a store without success is passed. After a success the order is made
  /// again, and the walk goes on at the same place.
  void Visit(const Store& store, size_t& position, Move move) {
    if (!IsFarEnough(store, move)) {
      ++position;
      return;
    }
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

  [[nodiscard]] std::optional<Refusal> RefuseMove(const Region& region, const Store& target) const {
    auto refusal = RefuseMovedBack(context_, MovedThing::kLeader, region.id, target.id);
    return refusal ? refusal : RefuseLeaderMove(context_, region, target);
  }

  bool MoveOut(const Store& source) {
    const auto region = Pick(source, HeldAs::kLeader);
    if (!region) return Refuse(Reason::kNoRegion, source.id, {});
    for (const Store* target : targets_) {
      const Peer* peer = region->PeerOnStore(target->id);
      if (target->id == source.id || peer == nullptr || IsLearner(*peer) || peer->witness) continue;
      if (auto refusal = RefuseMove(*region, *target)) {
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
    if (!MayGive(**source)) return false;
    if (auto refusal = RefuseMove(*region, target)) {
      decision_.Refuse(std::move(*refusal));
      return false;
    }
    return Propose(*region, **source, target);
  }

  bool Refuse(Reason reason, StoreId store, RegionId region) {
    decision_.Refuse({reason, store, region, 0, 0, {}});
    return false;
  }

  void RefuseBalanced(const Store& source, const Store& target, RegionId region,
                      const BalanceVerdict& verdict) {
    decision_.Refuse({Reason::kAlreadyBalanced, source.id, region, verdict.source_score,
                      verdict.target_score, "target " + std::to_string(target.id.value)});
  }

  bool Propose(const Region& region, const Store& source, const Store& target) {
    const BalanceVerdict verdict = scale_.Judge(influence_, source, target);
    if (!verdict.Worthwhile()) {
      RefuseBalanced(source, target, region.id, verdict);
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
  const LeaderScale scale_;
  BalanceLevel level_;
  bool check_level_ = true;
  bool held_back_ = false;  // A store below the level.
  Influence influence_;     // Running operators and what this run proposed.
  std::vector<const Store*> sources_;
  std::vector<const Store*> targets_;
  BestOther highest_;  // The source and the target between which most is to be gained.
  BestOther lowest_;
  std::set<RegionId> used_;
  Decision decision_;
};

}  // namespace

Decision BalanceLeader(const PlanContext& context, const BalanceLeaderConfig& config,
                       RetryQuota& quota, Rng& rng) {
  return LeaderBalance(context, config, quota, rng).Run();
}

}  // namespace scheduler

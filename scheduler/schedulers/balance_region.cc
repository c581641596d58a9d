#include "scheduler/schedulers/balance_region.h"

#include <algorithm>
#include <array>
#include <map>
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

constexpr size_t kBatchMax = 8;
constexpr uint64_t kFewRegions = 100;

class RegionBalance {
 public:
  RegionBalance(const PlanContext& context, const BalanceRegionConfig& config, RetryQuota& quota,
                Rng& rng)
      : context_(context),
        config_(config),
        quota_(quota),
        rng_(rng),
        scale_(context),
        level_(context),
        influence_(context.influence),
        few_regions_(context.view.CountRegions({}) < kFewRegions) {
    for (const Store& store : context.view.stores()) {
      if (store.state == StoreState::kTombstone) continue;
      stores_.push_back(&store);
      AddToLevel(store);
      auto refusal = RefuseRegionTarget(context, store);
      if (!refusal) refusal = RefuseLowSpace(context, store);
      if (!refusal) refusal = RefuseSpecialUse(store);
      if (!refusal) continue;
      decision_.Refuse(std::move(*refusal));
      faulty_.insert(store.id);
    }
  }

  Decision Run() {
    quota_.KeepOnly(context_.view.stores());
    check_level_ = !quota_.HeldBackInVain(context_.now);
    while (decision_.proposals.size() < kBatchMax && ProposeOne()) {
    }
    quota_.NoteRun(decision_.proposals.size(),
                   held_back_ ? RetryQuota::Held::kSome : RetryQuota::Held::kNone, context_.now);
    return std::move(decision_);
  }

 private:
  [[nodiscard]] double Score(const Store& store) const {
    return context_.RegionScore(store, influence_.Of(store.id).region_size_mib);
  }

  [[nodiscard]] int64_t Extra() const { return std::max<int64_t>(1, scale_.tolerance_mib()); }

  /// A store that is down or leaves has something to share out, but takes nothing.
  void AddToLevel(const Store& store) {
    const bool takes =
        store.IsUp() && store.DownTime(context_.now) <= context_.options.max_store_down_time;
    const int64_t tolerance = Extra();
    level_.Add(store,
               static_cast<double>(store.counts.region_size_mib()) + static_cast<double>(tolerance),
               context_.RegionScore(store, tolerance),
               takes ? BalanceLevel::Takes::kItsShare : BalanceLevel::Takes::kNothing);
  }

  /// What it gives would not have to come back.
  bool MayGive(const Store& source) {
    const double score = context_.RegionScore(source, Extra());  // As in the level.
    if (!check_level_ || !level_.IsBelow(source, score)) return true;
    held_back_ = true;
    decision_.Refuse({Reason::kBelowLevel, source.id, {}, score, level_.LevelFor(source), {}});
    return false;
  }

  void Sort() {
    using Place = std::pair<double, uint64_t>;  // Falling score, then falling id.
    std::map<StoreId, Place> places;
    for (const Store* store : stores_) places[store->id] = {-Score(*store), ~store->id.value};
    std::ranges::sort(stores_, {}, [&](const Store* store) { return places.at(store->id); });
    lowest_ = {};
    for (const Store* store : stores_) {
      if (!faulty_.contains(store->id)) lowest_.Offer(*store, -scale_.Target(influence_, *store));
    }
  }

  bool ProposeOne() {
    Sort();
    // The store with the lowest score gives nothing away.
    for (size_t i = 0; i + 1 < stores_.size(); ++i) {
      const Store& source = *stores_[i];
      if (drained_.contains(source.id)) continue;
      if (auto refusal = RefuseRegionSource(context_, source)) {
        decision_.Refuse(std::move(*refusal));
        continue;
      }
      if (MoveFrom(source, std::span(stores_).subspan(i + 1))) {
        quota_.Found(source.id);
        return true;
      }
      quota_.FoundNothing(source.id);
    }
    return false;
  }

  bool MoveFrom(const Store& source, std::span<const Store* const> lower) {
    // Without a store that is low enough no region need be looked at.
    const Store* const lowest = lowest_.Than(source);
    if (lowest == nullptr) return RefuseNoTarget(source);
    const BalanceVerdict verdict = scale_.Judge(influence_, source, *lowest, 0);
    if (!verdict.Worthwhile()) {
      RefuseBalanced(source, *lowest, {}, verdict);
      return false;
    }
    if (!MayGive(source)) return false;
    const uint32_t tries = quota_.TriesFor(source.id);
    for (uint32_t i = 0; i < tries; ++i) {
      const auto region = Pick(source);
      if (!region) {
        decision_.Refuse({Reason::kNoRegion,
                          source.id,
                          RegionId{},
                          static_cast<double>(i),
                          static_cast<double>(tries),
                          {}});
        return false;
      }
      if (MoveRegion(source, *region, lower)) return true;
    }
    return false;
  }

  /// A region that moves at little cost first: one whose peer here still waits for its data, then one that is only
  /// followed here, then one that is led here.
  std::optional<Region> Pick(const Store& source) {
    constexpr std::array kOrder{HeldAs::kPending, HeldAs::kFollower, HeldAs::kLeader,
                                HeldAs::kLearner};
    for (const HeldAs held_as : kOrder) {
      auto region = PickRegion(
          context_, BalancedRegions(source.id, held_as, config_.ranges), rng_, decision_,
          [&](const Region& candidate) { return RefuseRegion(candidate, source, held_as); });
      if (region) return region;
    }
    return {};
  }

  std::optional<Refusal> RefuseRegion(const Region& region, const Store& source, HeldAs held_as) {
    const auto refuse = [&](Reason reason) {
      return Refusal{reason, StoreId{}, region.id, 0, 0, {}};
    };
    if (context_.busy_regions.contains(region.id) || used_.contains(region.id)) {
      return refuse(Reason::kOperatorExists);
    }
    auto refusal =
        held_as == HeldAs::kPending ? RefuseRegionMove(region) : RefuseUnhealthyRegion(region);
    if (refusal) return refusal;
    const Peer* peer = region.PeerOnStore(source.id);
    if (peer == nullptr) return refuse(Reason::kRegionGone);
    if (peer->witness) return refuse(Reason::kRegionWitness);
    if (region.size_mib <= kEmptyRegionSizeMib && !few_regions_)
      return refuse(Reason::kRegionEmpty);
    const Store* sender = context_.view.FindStore(region.leader.store);
    if (sender == nullptr) return refuse(Reason::kStoreUnknown);
    const int64_t planned_mib = proposed_.Of(sender->id).CostOf(LimitType::kSendSnapshot);
    if (auto busy = RefuseSnapshotSender(context_, *sender, Priority::kMedium, planned_mib)) {
      // Nothing else would tell why nothing moves: the store is neither the source nor the target.
      if (busy->reason == Reason::kStoreSendLimit) decision_.Refuse(*busy);
      return busy;
    }
    if (!context_.Fit(region).IsSatisfied()) return refuse(Reason::kRegionNotReplicated);
    return {};
  }

  bool MoveRegion(const Store& source, const Region& region, std::span<const Store* const> lower) {
    const RegionFit fit = context_.Fit(region);
    for (size_t i = lower.size(); i-- > 0;) {
      const Store& target = *lower[i];
      if (faulty_.contains(target.id) || region.PeerOnStore(target.id) != nullptr) continue;
      if (auto back = RefuseMovedBack(context_, MovedThing::kPeer, region.id, target.id)) {
        decision_.Refuse(std::move(*back));
        continue;
      }
      if (!MayReplace(context_.view, fit, source.id, target)) {
        decision_.Refuse({Reason::kStorePlacement, target.id, region.id, 0, 0, {}});
        continue;
      }
      const BalanceVerdict verdict = scale_.Judge(influence_, source, target, region.size_mib);
      if (!verdict.Worthwhile()) {
        RefuseBalanced(source, target, region.id, verdict);
        continue;
      }
      if (Propose(source, region, target)) return true;
    }
    return false;
  }

  void RefuseBalanced(const Store& source, const Store& target, RegionId region,
                      const BalanceVerdict& verdict) {
    decision_.Refuse({Reason::kAlreadyBalanced, source.id, region, verdict.source_score,
                      verdict.target_score, "target " + std::to_string(target.id.value)});
  }

  bool RefuseNoTarget(const Store& source) {
    decision_.Refuse({Reason::kNoTarget, source.id, {}, 0, 0, {}});
    return false;
  }

  bool Propose(const Store& source, const Region& region, const Store& target) {
    Peer peer = *region.PeerOnStore(source.id);
    peer.id = {};
    peer.store = target.id;
    Result<Proposal> built =
        Builder(context_, "balance-region", region)
            .RemovePeer(source.id)
            .AddPeer(peer)
            .SetWhy("region score " + NumberText(Score(source)) + " on store " +
                    std::to_string(source.id.value) + ", " + NumberText(Score(target)) +
                    " on store " + std::to_string(target.id.value))
            .Build(Kind::kRegion);
    const bool ok = built.has_value();
    if (ok) {
      used_.insert(region.id);
      const Influence added = built->TotalInfluence(region);
      influence_.Add(added);
      proposed_.Add(added);
      if (!HasRoom(target, LimitType::kAddPeer, target.room.add_peer)) faulty_.insert(target.id);
      if (!HasRoom(source, LimitType::kRemovePeer, source.room.remove_peer)) {
        drained_.insert(source.id);
      }
    }
    decision_.Take(region.id, std::move(built));
    return ok;
  }

  /// The limits as this run's own proposals will leave them.
  [[nodiscard]] bool HasRoom(const Store& store, LimitType type, int64_t room) const {
    return room - proposed_.Of(store.id).CostOf(type) >= kNormalRegionCost;
  }

  const PlanContext& context_;
  const BalanceRegionConfig& config_;
  RetryQuota& quota_;
  Rng& rng_;
  const RegionScale scale_;
  BalanceLevel level_;
  bool check_level_ = true;
  bool held_back_ = false;  // A store below the level.
  Influence influence_;     // Running operators and what this run proposed.
  Influence proposed_;      // Only the latter.
  bool few_regions_;
  std::vector<const Store*> stores_;  // By falling score.
  std::set<StoreId> faulty_;          // May not be targets now.
  BestOther lowest_;                  // Of the others.
  std::set<StoreId> drained_;         // May not be sources any more.
  std::set<RegionId> used_;
  Decision decision_;
};

}  // namespace

Decision BalanceRegion(const PlanContext& context, const BalanceRegionConfig& config,
                       RetryQuota& quota, Rng& rng) {
  return RegionBalance(context, config, quota, rng).Run();
}

}  // namespace scheduler

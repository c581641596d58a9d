#include "scheduler/schedulers/balance_region.h"

#include <algorithm>
#include <array>
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

constexpr size_t kBatchMax = 8;
constexpr uint64_t kFewRegions = 100;

class RegionBalance {
 public:
  RegionBalance(const PlanContext& context, const BalanceRegionConfig& config,
                BalanceMemory& memory, Rng& rng)
      : context_(context),
        config_(config),
        quota_(memory.quota),
        rng_(rng),
        scale_(context),
        hold_back_(context, memory.hold_back),
        run_(context),
        few_regions_(context.view.CountRegions({}) < kFewRegions) {
    for (const Store& store : context.view.stores()) {
      if (store.state == StoreState::kTombstone) continue;
      stores_.push_back(&store);
      // A store that is down or leaves has something to share out, but takes nothing.
      const bool takes =
          store.IsUp() && store.DownTime(context.now) <= context.options.max_store_down_time;
      hold_back_.level().Add(
          store, scale_.Amount(store), scale_.Score(store),
          takes ? BalanceLevel::Takes::kItsShare : BalanceLevel::Takes::kNothing);
      auto refusal = RefuseRegionTarget(context, store);
      if (!refusal) refusal = RefuseLowSpace(context, store);
      if (!refusal) refusal = RefuseSpecialUse(store);
      if (!refusal) continue;
      run_.decision().Refuse(std::move(*refusal));
      faulty_.insert(store.id);
    }
  }

  Decision Run() {
    quota_.KeepOnly(context_.view.stores());
    while (run_.proposals() < kBatchMax && ProposeOne()) {
    }
    hold_back_.EndRun(run_.proposals(), kBatchMax);
    return std::move(run_.decision());
  }

 private:
  [[nodiscard]] double Score(const Store& store) const {
    return context_.RegionScore(store, run_.influence().Of(store.id).region_size_mib);
  }

  void Sort() {
    SortByFallingScore(stores_, [this](const Store& store) { return Score(store); });
    lowest_ = {};
    for (const Store* store : stores_) {
      if (!faulty_.contains(store->id))
        lowest_.Offer(*store, -scale_.Target(run_.influence(), *store));
    }
  }

  bool ProposeOne() {
    Sort();
    // The store with the lowest score gives nothing away.
    for (size_t i = 0; i + 1 < stores_.size(); ++i) {
      const Store& source = *stores_[i];
      if (drained_.contains(source.id)) continue;
      if (auto refusal = RefuseRegionSource(context_, source)) {
        run_.decision().Refuse(std::move(*refusal));
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
    if (lowest == nullptr) return run_.Refuse(Reason::kNoTarget, source.id);
    const BalanceVerdict verdict = scale_.Judge(run_.influence(), source, *lowest, 0);
    if (!verdict.Worthwhile()) {
      run_.RefuseBalanced(source.id, lowest->id, {}, verdict.source_score, verdict.target_score);
      return false;
    }
    if (!hold_back_.MayGive(source, scale_.Score(source), run_.decision())) return false;
    const uint32_t tries = quota_.TriesFor(source.id);
    for (uint32_t i = 0; i < tries; ++i) {
      const auto region = Pick(source);
      if (!region) {
        run_.decision().Refuse({Reason::kNoRegion,
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
          context_, BalancedRegions(source.id, held_as, config_.ranges), rng_, run_.decision(),
          [&](const Region& candidate) { return RefuseRegion(candidate, source, held_as); });
      if (region) return region;
    }
    return {};
  }

  std::optional<Refusal> RefuseRegion(const Region& region, const Store& source, HeldAs held_as) {
    const auto refuse = [&](Reason reason) {
      return Refusal{reason, StoreId{}, region.id, 0, 0, {}};
    };
    auto refusal = run_.RefuseTaken(region);
    if (refusal) return refusal;
    refusal =
        held_as == HeldAs::kPending ? RefuseRegionMove(region) : RefuseUnhealthyRegion(region);
    if (refusal) return refusal;
    const Peer* peer = region.PeerOnStore(source.id);
    if (peer == nullptr) return refuse(Reason::kRegionGone);
    if (peer->witness) return refuse(Reason::kRegionWitness);
    if (region.size_mib <= kEmptyRegionSizeMib && !few_regions_)
      return refuse(Reason::kRegionEmpty);
    if (auto hot = RefuseHotRegion(context_, region)) return hot;
    const Store* sender = context_.view.FindStore(region.leader.store);
    if (sender == nullptr) {
      return Refusal{Reason::kStoreUnknown, region.leader.store, region.id, 0, 0, {}};
    }
    const int64_t planned_mib = run_.proposed().Of(sender->id).CostOf(LimitType::kSendSnapshot);
    if (auto busy = RefuseSnapshotSender(context_, *sender, Priority::kMedium, planned_mib)) {
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
      if (!MayReplace(context_.view, fit, source.id, target)) {
        run_.decision().Refuse({Reason::kStorePlacement, target.id, region.id, 0, 0, {}});
        continue;
      }
      const BalanceVerdict verdict =
          scale_.Judge(run_.influence(), source, target, region.size_mib);
      if (!verdict.Worthwhile()) {
        run_.RefuseBalanced(source.id, target.id, region.id, verdict.source_score,
                            verdict.target_score);
        continue;
      }
      // Last: only what would go back otherwise is wanted back.
      if (auto back = RefuseMovedBack(context_, MovedThing::kPeer, region.id, target.id)) {
        run_.decision().Refuse(std::move(*back));
        continue;
      }
      if (Propose(source, region, target)) return true;
    }
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
    if (!run_.Take(region, std::move(built))) return false;
    if (!HasRoom(target, LimitType::kAddPeer, target.room.add_peer)) faulty_.insert(target.id);
    if (!HasRoom(source, LimitType::kRemovePeer, source.room.remove_peer)) {
      drained_.insert(source.id);
    }
    return true;
  }

  /// The limits as this run's own proposals will leave them.
  [[nodiscard]] bool HasRoom(const Store& store, LimitType type, int64_t room) const {
    return room - run_.proposed().Of(store.id).CostOf(type) >= kNormalRegionCost;
  }

  const PlanContext& context_;
  const BalanceRegionConfig& config_;
  RetryQuota& quota_;
  Rng& rng_;
  const RegionScale scale_;
  HoldBack hold_back_;
  PlannedRun run_;
  bool few_regions_;
  std::vector<const Store*> stores_;  // By falling score.
  std::set<StoreId> faulty_;          // May not be targets now.
  BestOther lowest_;                  // Of the others.
  std::set<StoreId> drained_;         // May not be sources any more.
};

}  // namespace

Decision BalanceRegion(const PlanContext& context, const BalanceRegionConfig& config,
                       BalanceMemory& memory, Rng& rng) {
  return RegionBalance(context, config, memory, rng).Run();
}

}  // namespace scheduler

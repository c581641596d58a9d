#include "scheduler/schedulers/balance_witness.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/planned_run.h"
#include "scheduler/schedulers/random_region.h"

namespace scheduler {
namespace {

int64_t ToleranceOf(const PlanContext& context) {
  constexpr double kShareOfRegions = 0.005;
  const double set = context.options.tolerant_size_ratio;
  if (set > 0) return static_cast<int64_t>(set);
  uint64_t most = 0;
  for (const Store& store : context.view.stores()) most = std::max(most, store.counts.regions());
  return static_cast<int64_t>(std::max(1.0, kShareOfRegions * static_cast<double>(most)));
}

class WitnessBalance {
 public:
  WitnessBalance(const PlanContext& context, const BalanceWitnessConfig& config, RetryQuota& quota,
                 Rng& rng)
      : context_(context),
        config_(config),
        quota_(quota),
        rng_(rng),
        tolerance_(ToleranceOf(context)),
        run_(context) {
    for (const Store& store : context.view.stores()) {
      if (auto refusal = RefuseBasicTarget(context, store)) {
        run_.decision().Refuse(*std::move(refusal));
      } else {
        stores_.push_back(&store);
      }
    }
  }

  Decision Run() {
    quota_.KeepOnly(context_.view.stores());
    while (run_.proposals() < config_.batch && ProposeOne()) {
    }
    return std::move(run_.decision());
  }

 private:
  [[nodiscard]] int64_t Count(const Store& store) const {
    return static_cast<int64_t>(store.counts.witnesses) +
           run_.influence().Of(store.id).witness_count;
  }
  [[nodiscard]] int64_t Pending(const Store& store) const {
    return std::abs(run_.influence().Of(store.id).witness_count);
  }
  [[nodiscard]] int64_t SourceScore(const Store& store) const {
    return static_cast<int64_t>(store.counts.witnesses) - Pending(store) - tolerance_;
  }
  [[nodiscard]] int64_t TargetScore(const Store& store) const {
    return static_cast<int64_t>(store.counts.witnesses) + Pending(store) + tolerance_;
  }

  bool ProposeOne() {
    std::ranges::sort(stores_, {}, [&](const Store* store) {
      return std::make_tuple(-Count(*store), -static_cast<double>(store->id.value));
    });
    for (const Store* source : stores_) {
      // The others have fewer still.
      if (SourceScore(*source) <= TargetScore(*stores_.back())) {
        RefuseBalanced(*source, *stores_.back(), {});
        break;
      }
      if (auto refusal = RefuseLowSpace(context_, *source)) {
        run_.decision().Refuse(*std::move(refusal));
        continue;
      }
      if (TryFrom(*source)) {
        quota_.Found(source->id);
        return true;
      }
      quota_.FoundNothing(source->id);
    }
    return false;
  }

  bool TryFrom(const Store& source) {
    const uint32_t tries = quota_.TriesFor(source.id);
    for (uint32_t i = 0; i < tries; ++i) {
      const auto region = PickRegion(
          context_, BalancedRegions(source.id, HeldAs::kWitness, config_.ranges), rng_,
          run_.decision(), [&](const Region& candidate) { return Refuse(candidate, source); });
      if (!region) {
        run_.decision().Refuse({Reason::kNoRegion,
                                source.id,
                                RegionId{},
                                static_cast<double>(i),
                                static_cast<double>(tries),
                                {}});
        return false;
      }
      if (Swap(source, *region)) return true;
    }
    return false;
  }

  std::optional<Refusal> Refuse(const Region& region, const Store& source) const {
    if (auto refusal = run_.RefuseTaken(region)) return refusal;
    if (auto refusal = RefuseUnhealthyRegion(region)) return refusal;
    const Peer* peer = region.PeerOnStore(source.id);
    if (peer == nullptr || !peer->witness || !IsVoter(*peer)) {
      return Refusal{Reason::kRegionGone, source.id, region.id, 0, 0, {}};
    }
    if (context_.Fit(region).IsSatisfied()) return {};
    return Refusal{Reason::kRegionNotReplicated, StoreId{}, region.id, 0, 0, {}};
  }

  /// The followers' stores, those with the fewest witnesses first.
  bool Swap(const Store& source, const Region& region) {
    for (size_t i = stores_.size(); i-- > 0;) {
      const Store& target = *stores_[i];
      const Peer* peer = region.PeerOnStore(target.id);
      if (peer == nullptr || peer->witness || !IsVoter(*peer) || peer->id == region.leader.id) {
        continue;
      }
      if (SourceScore(source) <= TargetScore(target)) {
        RefuseBalanced(source, target, region.id);
        return false;
      }
      if (Propose(source, target, region)) return true;
    }
    run_.decision().Refuse({Reason::kNoTarget, source.id, region.id, 0, 1, {}});
    return false;
  }

  void RefuseBalanced(const Store& source, const Store& target, RegionId region) {
    run_.RefuseBalanced(source.id, target.id, region, static_cast<double>(SourceScore(source)),
                        static_cast<double>(TargetScore(target)));
  }

  bool Propose(const Store& source, const Store& target, const Region& region) {
    Region after = region;
    std::map<StoreId, Peer> peers;
    for (Peer& peer : after.peers) {
      if (peer.store == source.id) peer.witness = false;
      if (peer.store == target.id) peer.witness = true;
      peers[peer.store] = peer;
    }
    if (!context_.Fit(after).IsSatisfied()) {
      return run_.Refuse(Reason::kStorePlacement, target.id, region.id);
    }
    Result<Proposal> built =
        Builder(context_, "balance-witness", region)
            .SetPeers(peers)
            .SetWhy(std::to_string(Count(source)) + " witnesses on store " +
                    std::to_string(source.id.value) + ", " + std::to_string(Count(target)) +
                    " on store " + std::to_string(target.id.value))
            .Build(Kind::kWitness);
    // Not also of regions: it counts against the witness limit.
    if (built) built->kind = Kind::kWitness;
    return run_.Take(region, std::move(built));
  }

  const PlanContext& context_;
  const BalanceWitnessConfig& config_;
  RetryQuota& quota_;
  Rng& rng_;
  const int64_t tolerance_;
  PlannedRun run_;
  std::vector<const Store*> stores_;  // By falling count.
};

}  // namespace

Decision BalanceWitness(const PlanContext& context, const BalanceWitnessConfig& config,
                        RetryQuota& quota, Rng& rng) {
  if (context.options.enable_witness) return WitnessBalance(context, config, quota, rng).Run();
  Decision decision;
  decision.Refuse({Reason::kSwitchedOff, StoreId{}, RegionId{}, 0, 0, "enable-witness"});
  return decision;
}

}  // namespace scheduler

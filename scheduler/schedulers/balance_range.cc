#include "scheduler/schedulers/balance_range.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/rules/fair_share.h"
#include "scheduler/schedulers/planned_run.h"
#include "scheduler/schedulers/random_region.h"

namespace scheduler {
namespace {

constexpr size_t kBatchMax = 8;
constexpr double kApart = 2;  // Surpluses for which a move is worth it: one gives, one takes.

bool IsOf(RangeJobEngine engine, const Store& store) {
  return store.IsTiFlash() == (engine == RangeJobEngine::kTiFlash);
}

bool LetsLead(const Rule& rule) {
  return !rule.witness && (rule.role == RuleRole::kVoter || rule.role == RuleRole::kLeader);
}

/// How a store may hold what the job spreads, in the order in which it is given away.
std::span<const HeldAs> HeldAsOf(RangeJobRule rule) {
  static constexpr std::array kLeaders{HeldAs::kLeader};
  static constexpr std::array kLearners{HeldAs::kLearner};
  static constexpr std::array kPeers{HeldAs::kFollower, HeldAs::kLeader, HeldAs::kLearner};
  switch (rule) {
    case RangeJobRule::kLeaderScatter:
      return kLeaders;
    case RangeJobRule::kLearnerScatter:
      return kLearners;
    case RangeJobRule::kPeerScatter:
      break;
  }
  return kPeers;
}

/// What a rule wants, for all ranges of keys whose rules want the same.
struct Wish {
  std::vector<LabelConstraint> constraints;
  std::vector<std::string> location_labels;
  uint64_t count = 0;

  [[nodiscard]] bool IsMetBy(const Store* store) const {
    return MatchesConstraints(*store, constraints);
  }
  friend auto operator<=>(const Wish&, const Wish&) = default;
};
using Wishes = std::vector<Wish>;

/// Of the rules that have to do with what the job spreads.
Wishes WishesOf(const std::vector<const Rule*>& rules, RangeJobRule job) {
  Wishes wishes;
  for (const Rule* rule : rules) {
    if (job == RangeJobRule::kLeaderScatter && !LetsLead(*rule)) continue;
    if (job == RangeJobRule::kLearnerScatter && rule->role != RuleRole::kLearner) continue;
    wishes.push_back({rule->constraints, rule->location_labels, rule->count});
  }
  return wishes;
}

/// How many regions of the range lie under the same wishes.
std::map<Wishes, uint64_t> RegionsByWishes(const PlanContext& context, const KeyRange& range,
                                           RangeJobRule job) {
  std::map<Wishes, uint64_t> regions;
  Region whole;
  whole.start_key = range.start;
  whole.end_key = range.end;
  std::vector<std::string> bounds =
      context.rules.BoundsInside(whole, std::numeric_limits<size_t>::max());
  bounds.push_back(range.end);
  std::string start = range.start;
  for (std::string& end : bounds) {
    regions[WishesOf(context.rules.RulesAt(start), job)] += context.view.CountRegions({start, end});
    start = std::move(end);
  }
  return regions;
}

/// The part of the leaders, or copies, of each region under `wishes` that is to be on `store`.
double WantedOfEach(const Wishes& wishes, RangeJobRule job, const Store& store,
                    std::span<const Store* const> stores) {
  if (job == RangeJobRule::kLeaderScatter) {
    const auto leads = [&](const Store* one) {
      return std::ranges::any_of(wishes, [&](const Wish& wish) { return wish.IsMetBy(one); });
    };
    return leads(&store) ? 1 / static_cast<double>(std::ranges::count_if(stores, leads)) : 0;
  }
  double wanted = 0;
  for (const Wish& wish : wishes) {
    if (!wish.IsMetBy(&store)) continue;
    std::vector<const Store*> fitting;
    std::ranges::copy_if(stores, std::back_inserter(fitting),
                         [&](const Store* one) { return wish.IsMetBy(one); });
    const double share = LocationShare(store, fitting, wish.location_labels, wish.count);
    wanted += std::min(1.0, static_cast<double>(wish.count) * share);
  }
  return wanted;
}

class RangeBalance {
 public:
  RangeBalance(const PlanContext& context, const RangeJob& job,
               const std::vector<RangeSurplus>& stores, Rng& rng)
      : context_(context), job_(job), rng_(rng), run_(context), stores_(stores) {}

  Decision Run() {
    while (run_.proposals() < kBatchMax && ProposeOne()) {
    }
    return std::move(run_.decision());
  }

 private:
  /// A leader goes to a follower; it or another peer goes to a store that has to be sent the data.
  enum class How : uint8_t { kTransfer, kMove };

  [[nodiscard]] bool OfLeaders() const { return job_.rule == RangeJobRule::kLeaderScatter; }

  /// What operators under way will bring to a store or take from it.
  [[nodiscard]] double Pending(StoreId store) const {
    const StoreInfluence& influence = run_.influence().Of(store);
    return static_cast<double>(OfLeaders() ? influence.leader_count : influence.region_count);
  }
  [[nodiscard]] double Expected(const RangeSurplus& one) const {
    return one.surplus() + Pending(one.store);
  }
  /// Both as they may come to be, at worst.
  [[nodiscard]] double Gives(const RangeSurplus& source) const {
    return source.surplus() - std::abs(Pending(source.store));
  }
  [[nodiscard]] double Takes(const RangeSurplus& target) const {
    return target.surplus() + std::abs(Pending(target.store));
  }
  [[nodiscard]] bool Worthwhile(const RangeSurplus& source, const RangeSurplus& target) const {
    return Gives(source) - Takes(target) >= kApart;
  }

  bool ProposeOne() {
    std::ranges::sort(stores_, {}, [&](const RangeSurplus& one) {
      return std::make_pair(-Expected(one), one.store);
    });
    for (size_t i = 0; i + 1 < stores_.size(); ++i) {
      const RangeSurplus& source = stores_[i];
      if (source.surplus() <= 0) break;
      if (drained_.contains(source.store)) continue;
      if (TryFrom(source)) return true;
      drained_.insert(source.store);
    }
    return false;
  }

  bool TryFrom(const RangeSurplus& source) {
    if (!Worthwhile(source, stores_.back())) {
      RefuseBalanced(source, stores_.back(), {});
      return false;
    }
    const Store& store = *context_.view.FindStore(source.store);
    auto refusal =
        OfLeaders() ? RefuseLeaderSource(context_, store) : RefuseRegionSource(context_, store);
    if (refusal) {
      run_.decision().Refuse(*std::move(refusal));
      return false;
    }
    if (OfLeaders() && TryFrom(source, How::kTransfer)) return true;
    return TryFrom(source, How::kMove);
  }

  bool TryFrom(const RangeSurplus& source, How how) {
    int tries = 0;
    for (; tries < kDrawsMax; ++tries) {
      const auto region = Pick(source.store);
      if (!region) break;
      if (MoveFrom(source, *region, how)) return true;
    }
    run_.decision().Refuse(
        {Reason::kNoRegion, source.store, RegionId{}, static_cast<double>(tries), kDrawsMax, {}});
    return false;
  }

  std::optional<Region> Pick(StoreId source) {
    for (const HeldAs held_as : HeldAsOf(job_.rule)) {
      auto region =
          PickRegion(context_, BalancedRegions(source, held_as, job_.ranges), rng_, run_.decision(),
                     [&](const Region& one) { return Refuse(one, source); });
      if (region) return region;
    }
    return {};
  }

  std::optional<Refusal> Refuse(const Region& region, StoreId source) const {
    if (auto refusal = run_.RefuseTaken(region)) return refusal;
    if (auto refusal = RefuseUnhealthyRegion(region)) return refusal;
    const Peer* peer = region.PeerOnStore(source);
    if (peer == nullptr) return Refusal{Reason::kRegionGone, source, region.id, 0, 0, {}};
    if (peer->witness) return Refusal{Reason::kRegionWitness, source, region.id, 0, 0, {}};
    if (context_.Fit(region).IsSatisfied()) return {};
    return Refusal{Reason::kRegionNotReplicated, StoreId{}, region.id, 0, 0, {}};
  }

  /// Stores with the greatest lack first.
  bool MoveFrom(const RangeSurplus& source, const Region& region, How how) {
    const bool transfer = how == How::kTransfer;
    const RegionFit fit = context_.Fit(region);
    for (size_t i = stores_.size(); i-- > 0;) {
      const RangeSurplus& target = stores_[i];
      const Peer* held = region.PeerOnStore(target.store);
      const bool follows = held != nullptr && IsVoter(*held) && !held->witness;
      if (target.store == source.store || (transfer ? !follows : held != nullptr)) continue;
      // Leaders are passed on from store to store at no cost, through such as have enough.
      if (!transfer && target.surplus() >= 0) return false;
      if (!Worthwhile(source, target)) {
        RefuseBalanced(source, target, region.id);
        return false;
      }
      const Store& store = *context_.view.FindStore(target.store);
      auto refusal =
          transfer ? RefuseTransfer(region, store) : RefuseMove(fit, region, source.store, store);
      if (refusal) {
        run_.decision().Refuse(*std::move(refusal));
      } else if (Propose(source, target, region)) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] std::optional<Refusal> RefuseTransfer(const Region& region,
                                                      const Store& store) const {
    if (auto refusal = RefuseLeaderTarget(context_, store)) return refusal;
    return RefuseLeaderMove(context_, region, store);
  }

  [[nodiscard]] std::optional<Refusal> RefuseMove(const RegionFit& fit, const Region& region,
                                                  StoreId source, const Store& target) const {
    if (auto refusal = RefuseRegionTarget(context_, target)) return refusal;
    if (auto refusal = RefuseLowSpace(context_, target)) return refusal;
    if (auto refusal = RefuseSpecialUse(target)) return refusal;
    if (OfLeaders()) {
      if (auto refusal = RefuseTransfer(region, target)) return refusal;
    }
    const Store* sender = context_.view.FindStore(region.leader.store);
    if (sender == nullptr) return Refusal{Reason::kStoreUnknown, {}, region.id, 0, 0, {}};
    if (auto refusal =
            RefuseSnapshotSender(context_, *sender, Priority::kMedium, SentBy(*sender))) {
      return refusal;
    }
    if (MayReplace(context_.view, fit, source, target)) return {};
    return Refusal{Reason::kStorePlacement, target.id, region.id, 0, 0, {}};
  }

  [[nodiscard]] int64_t SentBy(const Store& store) const {
    return run_.proposed().Of(store.id).CostOf(LimitType::kSendSnapshot);
  }

  void RefuseBalanced(const RangeSurplus& source, const RangeSurplus& target, RegionId region) {
    run_.RefuseBalanced(source.store, target.store, region, Gives(source), Takes(target) + kApart);
  }

  bool Propose(const RangeSurplus& source, const RangeSurplus& target, const Region& region) {
    Builder builder(context_, "balance-range", region);
    if (region.PeerOnStore(target.store) == nullptr) {
      Peer peer = *region.PeerOnStore(source.store);
      peer.id = {};
      peer.store = target.store;
      builder.RemovePeer(source.store).AddPeer(peer);
    }
    if (OfLeaders()) builder.SetLeader(target.store);
    const auto text = [](const RangeSurplus& one) {
      return NumberText(one.has) + " of " + NumberText(one.wanted) + " on store " +
             std::to_string(one.store.value);
    };
    builder.SetWhy("job " + std::to_string(job_.id) + ": " + text(source) + ", " + text(target));
    return run_.Take(region, builder.Build(Kind::kRange));
  }

  const PlanContext& context_;
  const RangeJob& job_;
  Rng& rng_;
  PlannedRun run_;
  std::vector<RangeSurplus> stores_;  // By falling surplus.
  std::set<StoreId> drained_;         // Gave what they could in this run.
};

}  // namespace

std::vector<RangeSurplus> SurplusesOf(const PlanContext& context, const RangeJob& job) {
  std::vector<const Store*> stores;
  for (const Store& store : context.view.stores()) {
    if (store.IsUp() && IsOf(job.engine, store)) stores.push_back(&store);
  }
  std::vector<RangeSurplus> surpluses;
  surpluses.reserve(stores.size());
  for (const Store* store : stores) surpluses.push_back({store->id});
  for (const KeyRange& range : job.ranges) {
    for (RangeSurplus& one : surpluses) {
      for (const HeldAs held_as : HeldAsOf(job.rule)) {
        one.has += static_cast<double>(context.view.CountStoreRegions(one.store, held_as, range));
      }
    }
    for (const auto& [wishes, regions] : RegionsByWishes(context, range, job.rule)) {
      for (size_t i = 0; i < stores.size(); ++i) {
        surpluses[i].wanted +=
            static_cast<double>(regions) * WantedOfEach(wishes, job.rule, *stores[i], stores);
      }
    }
  }
  return surpluses;
}

bool IsSpread(const std::vector<RangeSurplus>& stores) {
  if (stores.empty()) return true;
  double sum = 0;
  for (const RangeSurplus& one : stores) sum += std::trunc(std::abs(one.surplus()));
  const auto [least, most] = std::ranges::minmax(stores, {}, &RangeSurplus::surplus);
  return sum <= 1 || most.surplus() - least.surplus() < kApart;
}

Decision BalanceRange(const PlanContext& context, BalanceRangeConfig& config, Rng& rng) {
  RangeJob* job = TurnRangeJobs(config.jobs, context.unix_ns);
  while (job != nullptr) {
    const std::vector<RangeSurplus> stores = SurplusesOf(context, *job);
    if (!IsSpread(stores)) return RangeBalance(context, *job, stores, rng).Run();
    FinishRangeJob(*job, context.unix_ns);
    job = TurnRangeJobs(config.jobs, context.unix_ns);
  }
  Decision decision;
  decision.Refuse({Reason::kNoJob, StoreId{}, RegionId{}, 0, 1, {}});
  return decision;
}

}  // namespace scheduler

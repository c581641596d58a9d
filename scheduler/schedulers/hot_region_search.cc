#include "scheduler/schedulers/hot_region_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "scheduler/schedulers/hot_region_checks.h"
#include "scheduler/schedulers/hot_region_split.h"

namespace scheduler {
namespace {

constexpr size_t kSourcesMax = 10;
constexpr size_t kExchangesMax = 32;        // Hottest peers of a store that may change places.
constexpr size_t kExchangeTargetsMax = 10;  // Stores with the least load that they may change with.
constexpr size_t kPeerPairsMax = 64;        // Stores that one peer is tried on, beyond the numbers.
constexpr size_t kSourcePairsMax = 640;  // The same of all peers of a store, and what comes back.
constexpr double kEvenFirst = 0.05;
constexpr double kEvenSecond = 0.1;
constexpr double kTiFlashTolerance =
    0.1;  // TiFlash reports less often, so it is judged more loosely.

class HotSearch {
 public:
  HotSearch(const PlanContext& context, const HotRegionConfig& config,
            const HotRegionMemory& memory, const HotField& field, Decision& decision)
      : context_(context),
        config_(config),
        memory_(memory),
        field_(field),
        decision_(decision),
        priorities_(PrioritiesOf(config, field.task)),
        order_(config, priorities_, field.highest),
        checks_(context, field.task, decision) {}

  std::optional<HotPlan> Run() {
    even_ = {field_.deviation[priorities_.first] < kEvenFirst,
             field_.deviation[priorities_.second] < kEvenSecond};
    if (field_.stores.size() < 2) {
      Refuse(Reason::kNoTarget, {}, static_cast<double>(field_.stores.size()), 2);
      return {};
    }
    if (even_.first && even_.second) {
      Refuse(Reason::kLoadsAlike, {}, field_.deviation[priorities_.first], kEvenFirst);
      return {};
    }
    targets_ = Targets();
    for (const HotStore* source : Sources()) {
      best_seen_ = -1;
      if (TryFrom(*source)) return best_;
      if (best_seen_ < 1) Refuse(Reason::kLoadNoBetter, source->store->id, best_seen_, 1);
    }
    return best_;
  }

 private:
  // ---- Which stores.

  [[nodiscard]] double Tolerance(double ratio) const {
    return field_.engine == Engine::kTiFlash ? ratio + kTiFlashTolerance : ratio;
  }

  /// Whether what holds in one dimension and in the other is enough.
  [[nodiscard]] bool Enough(bool first, bool second) const {
    if (field_.task == HotTask::kWriteLeader) return first;
    if (FormulaOf(config_) == RankFormula::kV2) return first || second;
    return config_.strict_picking_store ? first && second : first;
  }

  template <class Holds>
  [[nodiscard]] bool EnoughDims(Holds holds) const {
    return Enough(holds(priorities_.first), holds(priorities_.second));
  }

  [[nodiscard]] std::vector<const HotStore*> Sources() {
    std::vector<const HotStore*> sources;
    for (const HotStore& store : field_.stores) {
      const StoreId id = store.store->id;
      if (store.peers.empty()) {
        Refuse(Reason::kNoHotPeers, id, 0, 1);
        continue;
      }
      if (!EnoughDims([&](LoadDim dim) { return GivesBy(store, dim); })) {
        RefuseEven(store);
        continue;
      }
      if (auto refusal = RefuseHotSource(context_, *store.store, field_.task)) {
        decision_.Refuse(*std::move(refusal));
        continue;
      }
      sources.push_back(&store);
    }
    std::ranges::stable_sort(sources, std::greater<>(),
                             [&](const HotStore* store) { return store->Low(priorities_.first); });
    if (sources.size() > kSourcesMax) sources.resize(kSourcesMax);
    return sources;
  }

  [[nodiscard]] std::vector<const HotStore*> Targets() const {
    std::vector<const HotStore*> targets;
    for (const HotStore& store : field_.stores) {
      if (EnoughDims([&](LoadDim dim) { return TakesBy(store, dim); })) targets.push_back(&store);
    }
    std::ranges::stable_sort(targets, {},
                             [&](const HotStore* store) { return store->High(priorities_.first); });
    return targets;
  }

  /// Above the mean now and in all of the known past: what comes and goes is not followed.
  [[nodiscard]] bool GivesBy(const HotStore& store, LoadDim dim) const {
    const double ratio = Tolerance(config_.src_tolerance_ratio);
    return store.Low(dim) > ratio * field_.mean[dim] && !LowPast(store, dim);
  }
  /// Below it in the same way.
  [[nodiscard]] bool TakesBy(const HotStore& store, LoadDim dim) const {
    const double ratio = Tolerance(config_.dst_tolerance_ratio);
    if (store.High(dim) * ratio >= field_.mean[dim]) return false;
    for (size_t i = 0; i < store.history.size(); ++i) {
      const double mean = field_.mean_history[i][dim];
      if (mean > 0 && store.history[i][dim] * ratio >= mean) return false;
    }
    return true;
  }
  /// The latest time at which the load was not above the mean. When no store had any, as before a new leader knows
  /// them, nothing can be said.
  [[nodiscard]] std::optional<size_t> LowPast(const HotStore& store, LoadDim dim) const {
    const double ratio = Tolerance(config_.src_tolerance_ratio);
    for (size_t i = 0; i < store.history.size(); ++i) {
      const double mean = field_.mean_history[i][dim];
      if (mean > 0 && store.history[i][dim] <= ratio * mean) return i;
    }
    return {};
  }

  /// Why the store does not give by the first dimension: its load now, or an earlier one.
  void RefuseEven(const HotStore& store) const {
    const LoadDim dim = priorities_.first;
    const double ratio = Tolerance(config_.src_tolerance_ratio);
    const StoreId id = store.store->id;
    const bool now = store.Low(dim) <= ratio * field_.mean[dim];
    if (const auto past = LowPast(store, dim); past && !now) {
      return Refuse(Reason::kLoadEven, id, store.history[*past][dim],
                    ratio * field_.mean_history[*past][dim], " a while ago");
    }
    Refuse(Reason::kLoadEven, id, store.Low(dim), ratio * field_.mean[dim]);
  }

  // ---- Which peers.

  /// The hottest ones in either dimension, as many as may be looked at.
  [[nodiscard]] std::vector<const HotPeer*> Hottest(const HotStore& store, size_t count_max) const {
    std::vector<const HotPeer*> peers;
    for (const HotPeer& peer : store.peers) {
      if (auto refusal = RefuseHotPeer(context_, memory_, peer, AccessOf(field_.task))) {
        decision_.Refuse(*std::move(refusal));
      } else {
        peers.push_back(&peer);
      }
    }
    const auto by = [&](LoadDim dim) {
      return [dim](const HotPeer* peer) { return peer->load[dim]; };
    };
    if (peers.size() > count_max) {
      std::ranges::stable_sort(peers, std::greater<>(), by(priorities_.second));
      const auto half = static_cast<std::ptrdiff_t>(count_max / 2);
      std::ranges::stable_sort(peers.begin() + half, peers.end(), std::greater<>(),
                               by(priorities_.first));
      peers.resize(count_max);
    }
    std::ranges::stable_sort(peers, std::greater<>(), by(priorities_.first));
    return peers;
  }

  /// Which of `count` is looked at as the i-th, where about `most` are looked at: the first half of those from the
  /// front, then on from another place each second, so that none waits behind others for ever.
  [[nodiscard]] size_t PlaceAt(size_t i, size_t count, size_t most) const {
    const size_t front = most / 2;
    if (count <= most || i < front) return i;
    constexpr uint64_t kSpread = 2'654'435'761;  // Neighbouring seconds begin far from each other.
    const auto second = static_cast<uint64_t>(context_.now.since_epoch.count() / 1000);
    return front + (i - front + second * kSpread) % (count - front);
  }

  /// True when there is nothing better to come: a split.
  bool TryFrom(const HotStore& source) {
    const auto count_max = static_cast<size_t>(std::max<int64_t>(config_.max_peer_number, 1));
    const std::vector<const HotPeer*> peers = Hottest(source, count_max);
    const size_t before = checks_.pairs();
    bool cut = false;
    for (size_t i = 0; i < peers.size(); ++i) {
      const size_t place = PlaceAt(i, peers.size(), kSourcePairsMax / kPeerPairsMax);
      const HotPeer& peer = *peers[place];
      if (TrySplit(source, peer)) return true;
      const size_t tried = checks_.pairs() - before;
      if (!cut && tried >= kSourcePairsMax) {
        Refuse(Reason::kNoTarget, source.store->id, static_cast<double>(tried), kSourcePairsMax);
        cut = true;
      }
      if (!cut) TryPeer(source, peer, place < kExchangesMax ? kExchangeTargetsMax : 0);
    }
    return false;
  }

  /// Changes places with peers of the first `exchange_targets` stores alone.
  void TryPeer(const HotStore& source, const HotPeer& peer, size_t exchange_targets) {
    peer_is_out_ = false;
    peer_pairs_ = 0;
    for (size_t i = 0; i < targets_.size() && !peer_is_out_; ++i) {
      const size_t place = PlaceAt(i, targets_.size(), kPeerPairsMax);
      const HotStore& target = *targets_[place];
      if (&target == &source || !MayTake(peer, target)) continue;
      const MoveRank rank = TryMove(source, peer, target);
      const bool exchanges = place < exchange_targets && (rank.rank == 0 || rank.rank == 2);
      if (exchanges) TryExchange(source, peer, target);
      if (peer_pairs_ < kPeerPairsMax || i + 1 == targets_.size()) continue;
      return Refuse(Reason::kNoRegion, source.store->id, static_cast<double>(peer_pairs_),
                    kPeerPairsMax, " of one peer");
    }
  }

  /// By what was last reported. Written leads go where a copy is.
  [[nodiscard]] bool MayTake(const HotPeer& peer, const HotStore& target) const {
    const bool holds = std::ranges::find(peer.stores, target.store->id) != peer.stores.end();
    if (field_.task == HotTask::kWriteLeader) return holds;
    if (field_.task == HotTask::kReadLeader) return true;
    // Where a leader is read from too much, its lead is moved.
    return !holds && (field_.task == HotTask::kWritePeer || !peer.leads);
  }

  /// A peer that is a large part of its store's load is better split than moved.
  bool TrySplit(const HotStore& source, const HotPeer& peer) {
    if (!context_.options.stores_have_buckets) return false;
    const bool large = EnoughDims(
        [&](LoadDim dim) { return peer.load[dim] > source.now[dim] * config_.split_thresholds; });
    if (!large) return false;
    const Region* region = checks_.RegionOf(peer);
    if (region == nullptr) return false;
    if (!LoadSplitKey(context_.view, *region, AccessOf(field_.task), priorities_.first)) {
      return false;
    }
    HotPlan plan{&source, nullptr, {peer, *region}, {}, {}};
    plan.rank.rank = kSplitRank;
    best_ = std::move(plan);
    return true;
  }

  // ---- How good.

  [[nodiscard]] MoveDim DimOf(const HotStore& source, const HotStore& target, LoadDim dim,
                              double rate) const {
    return {.source = source.now[dim],
            .target = target.now[dim],
            .source_pending = std::abs(source.pending[dim]),
            .target_pending = std::abs(target.pending[dim]),
            .source_low = source.Low(dim),
            .target_high = target.High(dim),
            .rate = rate,
            .rate_min = RateMin(config_, dim),
            .source_tenth = source.tenth[dim],
            .target_tenth = target.tenth[dim]};
  }

  [[nodiscard]] MoveRank Rank(const HotStore& source, const HotStore& target,
                              const Load& rate) const {
    const RankBy by = field_.task == HotTask::kWriteLeader ? RankBy::kFirstOnly : RankBy::kBoth;
    const MoveRank rank =
        RankMove(config_, by, DimOf(source, target, priorities_.first, rate[priorities_.first]),
                 DimOf(source, target, priorities_.second, rate[priorities_.second]));
    if (ServesEvenDim(FormulaOf(config_), even_, rank.rank)) return {};
    return rank;
  }

  MoveRank TryMove(const HotStore& source, const HotPeer& peer, const HotStore& target) {
    const MoveRank rank = Rank(source, target, peer.load);
    best_seen_ = std::max(best_seen_, rank.rank);
    if (IsWorthwhile(rank.rank, false)) Consider({&source, &target, {peer, {}}, {}, rank});
    return rank;
  }

  /// For a move that helps in one dimension and harms in the other.
  void TryExchange(const HotStore& source, const HotPeer& peer, const HotStore& target) {
    const bool found = best_ && best_->rank.rank > 2 && !best_->exchanged;
    const bool searches = memory_.exchange[static_cast<size_t>(field_.task)] &&
                          FormulaOf(config_) == RankFormula::kV2;
    if (found || !searches) return;
    auto known = exchanges_.find(&target);
    if (known == exchanges_.end()) {
      known = exchanges_.emplace(&target, Hottest(target, kExchangesMax)).first;
    }
    for (const HotPeer* back : known->second) {
      if (peer_is_out_) return;
      if (back->region == peer.region || !MayTake(*back, source)) continue;
      const MoveRank rank = Rank(source, target, peer.load - back->load);
      best_seen_ = std::max(best_seen_, rank.rank);
      if (!IsWorthwhile(rank.rank, true)) continue;
      Consider({&source, &target, {peer, {}}, HotPick{*back, {}}, rank});
    }
  }

  /// Takes the plan if it is the best so far, and allowed: numbers first, since they cost least.
  void Consider(const HotPlan& plan) {
    if (best_ && !order_.Better(plan, *best_)) return;
    const Region* moved = checks_.RegionOf(plan.moved.peer);
    peer_is_out_ = moved == nullptr;
    if (peer_is_out_) return;
    const Region* back = plan.exchanged ? checks_.RegionOf(plan.exchanged->peer) : nullptr;
    if (plan.exchanged && back == nullptr) return;
    const size_t before = checks_.pairs();
    const bool may_go = checks_.MayGo(plan.moved.peer, *plan.target->store);
    peer_pairs_ += checks_.pairs() - before;
    if (!may_go) return;
    if (plan.exchanged && !checks_.MayGo(plan.exchanged->peer, *plan.source->store)) return;
    best_ = plan;
    best_->moved.region = *moved;
    if (best_->exchanged) best_->exchanged->region = *back;
  }

  void Refuse(Reason reason, StoreId store, double value, double bound,
              const char* when = "") const {
    decision_.Refuse(
        {reason, store, RegionId{}, value, bound,
         std::string(HotTaskText(field_.task)) + " " + LoadDimText(priorities_.first) + when});
  }

  const PlanContext& context_;
  const HotRegionConfig& config_;
  const HotRegionMemory& memory_;
  const HotField& field_;
  Decision& decision_;
  HotPriorities priorities_;
  PlanOrder order_;
  HotMoveChecks checks_;
  EvenDims even_;
  std::vector<const HotStore*> targets_;
  std::map<const HotStore*, std::vector<const HotPeer*>> exchanges_;  // What a target may give.
  std::optional<HotPlan> best_;
  size_t peer_pairs_ = 0;     // Stores that the peer in hand was tried on.
  bool peer_is_out_ = false;  // The peer in hand may not be moved, wherever to.
  int best_seen_ = -1;        // The best rank of a move from the store in hand, allowed or not.
};

LoadDim DimByName(const std::string& name) {
  const auto it =
      std::ranges::find_if(kLoadDims, [&](LoadDim dim) { return name == LoadDimText(dim); });
  return it == kLoadDims.end() ? LoadDim::kByte : *it;
}

}  // namespace

HotPriorities PrioritiesOf(const HotRegionConfig& config, HotTask task) {
  const std::vector<std::string>& names = AccessOf(task) == Access::kRead ? config.read_priorities
                                          : task == HotTask::kWriteLeader
                                              ? config.write_leader_priorities
                                              : config.write_peer_priorities;
  if (names.size() < 2) return {};
  return {DimByName(names[0]), DimByName(names[1])};
}

std::optional<HotPlan> SearchHotPlan(const PlanContext& context, const HotRegionConfig& config,
                                     const HotRegionMemory& memory, const HotField& field,
                                     Decision& decision) {
  return HotSearch(context, config, memory, field, decision).Run();
}

}  // namespace scheduler

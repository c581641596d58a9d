#include "scheduler/schedulers/evict_slow_trend.h"

#include <algorithm>

#include "scheduler/schedulers/evict_leader.h"

namespace scheduler {
namespace {

constexpr size_t kStoresMin = 3;
constexpr double kRateMin = 1e-9;
constexpr double kFasterSlack = 1.1;
constexpr Millis kRecapture = Seconds{120};

class SlowTrend {
 public:
  SlowTrend(const PlanContext& context, EvictSlowTrendConfig& config, SlowTrendMemory& memory)
      : context_(context), config_(config), memory_(memory) {
    for (const Store& store : context.view.stores()) {
      if (store.IsUp()) stores_.push_back(&store);
    }
  }

  /// Why nothing is evicted; none when config_ names a store that is.
  std::optional<Refusal> Judge() {
    if (!config_.evicted.empty()) return JudgeEvicted();
    if (stores_.size() < kStoresMin) {
      return NoSource({}, static_cast<double>(stores_.size()), kStoresMin, "stores");
    }
    if (memory_.candidate) return JudgeCandidate();
    return FindCandidate();
  }

 private:
  static Refusal NoSource(StoreId store, double value, double bound, const char* detail) {
    return {Reason::kNoSource, store, RegionId{}, value, bound, detail};
  }

  [[nodiscard]] const Store* Find(StoreId id) const {
    const auto it = std::ranges::find(stores_, id, &Store::id);
    return it == stores_.end() ? nullptr : *it;
  }

  std::optional<Refusal> JudgeEvicted() {
    const Store* store = Find(config_.evicted.front());
    if (!memory_.evicted_at) memory_.evicted_at = context_.now;
    const Millis wanted =
        Seconds{static_cast<int64_t>(std::min(config_.recovery_duration_s, kRecoveryMaxS))};
    const Millis passed = context_.now - *memory_.evicted_at;
    if (store != nullptr && (passed < wanted || !IsFast(*store))) return {};
    const StoreId id = config_.evicted.front();
    config_.evicted.clear();
    memory_.evicted_at.reset();
    return NoSource(id, SecondsOf(passed), SecondsOf(wanted), "seconds evicted, it is well again");
  }

  std::optional<Refusal> JudgeCandidate() {
    const SlowTrendMemory::Capture candidate = *memory_.candidate;
    const auto heard = static_cast<size_t>(std::ranges::count_if(stores_, [&](const Store* store) {
      return store->last_heartbeat && *store->last_heartbeat > candidate.at;
    }));
    const size_t wanted = stores_.size() / 2 + 1;
    if (heard < wanted) {
      return NoSource(candidate.store, static_cast<double>(heard), static_cast<double>(wanted),
                      "stores heard since it was noticed");
    }
    memory_.candidate.reset();
    const Store* store = Find(candidate.store);
    if (store == nullptr) {
      return Refusal{Reason::kStoreUnknown, candidate.store, RegionId{}, 0, 0, {}};
    }
    if (IsFast(*store)) {
      return NoSource(store->id, static_cast<double>(NoSlowerThan(*store)),
                      static_cast<double>(HalfOfAll()), "stores that it is no slower than");
    }
    config_.evicted = {store->id};
    memory_.evicted_at = context_.now;
    return {};
  }

  std::optional<Refusal> FindCandidate() {
    std::vector<const Store*> candidates;
    size_t falling = 0;
    for (const Store* store : stores_) {
      const StoreStats& stats = store->stats;
      if (!stats.has_slow_trend) continue;
      const bool falls = stats.slow_trend_result_rate < -kRateMin;
      if (falls) ++falling;
      if (stats.slow_trend_cause_rate <= kRateMin) continue;
      if (falls || IsSeenAgain(*store)) candidates.push_back(store);
    }
    if (candidates.size() != 1) {
      return NoSource({}, static_cast<double>(candidates.size()), 1, "stores becoming slow");
    }
    const Store& store = *candidates.front();
    const double falling_min =
        context_.options.slow_trend_falling_share * static_cast<double>(stores_.size());
    if (static_cast<double>(falling) < falling_min) {
      return NoSource(store.id, static_cast<double>(falling), falling_min,
                      "stores that get less done");
    }
    const auto slower = static_cast<size_t>(std::ranges::count_if(stores_, [&](const Store* other) {
      return other != &store && other->stats.has_slow_trend &&
             store.stats.slow_trend_cause_value > other->stats.slow_trend_cause_value;
    }));
    const size_t slower_min = (2 * stores_.size() + 1) / 3;
    if (slower < slower_min) {
      return NoSource(store.id, static_cast<double>(slower), static_cast<double>(slower_min),
                      "stores that it is slower than");
    }
    memory_.candidate = memory_.last = {store.id, context_.now};
    return NoSource(store.id, 0, static_cast<double>(stores_.size() / 2 + 1),
                    "stores heard since it was noticed");
  }

  /// With raft-kv2 the cause alone will do for a store that was noticed a moment ago: it sees the network in it.
  [[nodiscard]] bool IsSeenAgain(const Store& store) const {
    return context_.options.stores_run_raft_kv2 && memory_.last &&
           memory_.last->store == store.id && context_.now - memory_.last->at <= kRecapture;
  }

  [[nodiscard]] size_t HalfOfAll() const { return (stores_.size() + 1) / 2; }

  [[nodiscard]] size_t NoSlowerThan(const Store& store) const {
    return static_cast<size_t>(std::ranges::count_if(stores_, [&](const Store* other) {
      return other != &store && other->stats.has_slow_trend &&
             store.stats.slow_trend_cause_value <=
                 kFasterSlack * other->stats.slow_trend_cause_value;
    }));
  }

  [[nodiscard]] bool IsFast(const Store& store) const { return NoSlowerThan(store) >= HalfOfAll(); }

  const PlanContext& context_;
  EvictSlowTrendConfig& config_;
  SlowTrendMemory& memory_;
  std::vector<const Store*> stores_;  // Up.
};

}  // namespace

Decision EvictSlowTrend(const PlanContext& context, EvictSlowTrendConfig& config,
                        SlowTrendMemory& memory, Rng& rng) {
  constexpr uint64_t kBatch = 3;
  if (auto refusal = SlowTrend(context, config, memory).Judge()) {
    Decision decision;
    decision.Refuse(*std::move(refusal));
    return decision;
  }
  return EvictStores(context, config.evicted, kBatch, {"evict-slow-trend"}, rng);
}

}  // namespace scheduler

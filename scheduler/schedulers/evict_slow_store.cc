#include "scheduler/schedulers/evict_slow_store.h"

#include <algorithm>

#include "scheduler/schedulers/evict_leader.h"
#include "scheduler/stats/network_slow_store.h"

namespace scheduler {
namespace {

constexpr uint64_t kEvictScore = 100;
constexpr uint64_t kFastScore = 1;

Refusal NoSource(StoreId store, double value, double bound, const char* detail) {
  return {Reason::kNoSource, store, RegionId{}, value, bound, detail};
}

/// Since when something is fine that is fine `now`; true once that has lasted for the recovery duration.
bool HasRecovered(const PlanContext& context, const EvictSlowStoreConfig& config,
                  std::optional<Instant>& fine_since) {
  if (!fine_since) fine_since = context.now;
  return context.now - *fine_since >=
         Seconds{static_cast<int64_t>(std::min(config.recovery_duration_s, kRecoveryMaxS))};
}

/// The evicted store is let go once it is gone, or has been fast for long enough.
void LetDiskGo(const PlanContext& context, EvictSlowStoreConfig& config, SlowStoreMemory& memory) {
  const Store* store = context.view.FindStore(config.evicted.front());
  const bool gone = store == nullptr || !store->IsUp();
  if (!gone && store->stats.slow_score > kFastScore) {
    memory.fine_since.reset();
  } else if (gone || HasRecovered(context, config, memory.fine_since)) {
    config.evicted.clear();
    memory.fine_since.reset();
  }
}

/// One store that is slow, none beside it: of several, leaders would only move around.
std::optional<Refusal> FindDisk(const PlanContext& context, EvictSlowStoreConfig& config) {
  std::vector<const Store*> slow;
  for (const Store& store : context.view.stores()) {
    if (store.IsUp() && store.IsSlow()) slow.push_back(&store);
  }
  if (slow.size() != 1) {
    return NoSource({}, static_cast<double>(slow.size()), 1, "stores that are slow");
  }
  const uint64_t score = slow.front()->stats.slow_score;
  if (score < kEvictScore) {
    return NoSource(slow.front()->id, static_cast<double>(score), kEvictScore, "its slow score");
  }
  config.evicted = {slow.front()->id};
  return {};
}

/// Brings what is known of stores that are slow on the network up to date.
void LookAtNetwork(const PlanContext& context, const EvictSlowStoreConfig& config,
                   SlowStoreMemory& memory) {
  // Those that an earlier PD leader found.
  for (const StoreId id : config.network_paused) memory.network.try_emplace(id);
  const std::vector<const Store*> stores = NetworkStores(context.view);
  const auto known = [&](const Store& store) { return memory.network.contains(store.id); };
  std::erase_if(memory.network, [&](const auto& entry) {
    return std::ranges::find(stores, entry.first, &Store::id) == stores.end();
  });
  std::vector<StoreId> recovered;
  for (auto& [id, fine_since] : memory.network) {
    const Store& store = *context.view.FindStore(id);
    const double mean = MeanNetworkScore(
        store, stores, [&](const Store& other) { return other.id == id || known(other); });
    if (mean > 1) {
      fine_since.reset();
    } else if (HasRecovered(context, config, fine_since)) {
      recovered.push_back(id);
    }
  }
  for (const StoreId id : recovered) memory.network.erase(id);
  for (const StoreId id : FindNetworkSlow(stores, known)) memory.network.try_emplace(id);
}

/// Who is paused, and who gives leaders up, of what is known.
std::optional<Refusal> FindNetwork(const PlanContext& context, EvictSlowStoreConfig& config,
                                   SlowStoreMemory& memory) {
  if (!config.network_slow_store) {
    memory.network.clear();
    config.network_paused.clear();
    config.network_evicted.clear();
    return {};
  }
  LookAtNetwork(context, config, memory);
  const auto fine = [&](StoreId id) { return !memory.network.contains(id); };
  std::erase_if(config.network_paused, fine);
  std::erase_if(config.network_evicted, fine);
  // With more of them at a time leaders would have nowhere to go.
  if (config.network_paused.empty() && !memory.network.empty()) {
    config.network_paused = {memory.network.begin()->first};
  }
  std::optional<Refusal> waits;
  for (const StoreId id : config.network_paused) {
    if (std::ranges::find(config.network_evicted, id) != config.network_evicted.end()) continue;
    const uint32_t triggers = context.view.FindStore(id)->network_slow_heartbeats;
    if (triggers >= kNetworkSlowHeartbeats) {
      config.network_evicted.push_back(id);
    } else {
      waits = NoSource(id, triggers, kNetworkSlowHeartbeats, "heartbeats slow on the network");
    }
  }
  return waits;
}

}  // namespace

Decision EvictSlowStore(const PlanContext& context, EvictSlowStoreConfig& config,
                        SlowStoreMemory& memory, Rng& rng) {
  if (!config.evicted.empty()) LetDiskGo(context, config, memory);
  const auto no_network = FindNetwork(context, config, memory);
  const auto no_disk = config.evicted.empty() ? FindDisk(context, config) : std::nullopt;
  std::vector<StoreId> stores = config.network_evicted;
  stores.insert(stores.end(), config.evicted.begin(), config.evicted.end());
  Decision decision;
  if (!stores.empty()) {
    decision = EvictStores(context, stores, config.batch, {"evict-slow-store"}, rng);
  }
  for (const auto& refusal : {no_network, no_disk}) {
    if (refusal) decision.Refuse(*refusal);
  }
  return decision;
}

}  // namespace scheduler

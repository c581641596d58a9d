#include "pd/dispatch/store_limits.h"

#include <algorithm>

namespace pd {
namespace {

using scheduler::LimitType;
using scheduler::StoreLimitRoom;

constexpr std::array kLimited{LimitType::kAddPeer, LimitType::kRemovePeer};
constexpr double kTokensOfOne = 1000;

/// Tokens a bucket of this rate (a minute) gains a second, and how many it holds.
double FillPerSecond(double rate) { return rate / 60 * kTokensOfOne; }
double Capacity(double rate) { return std::max(kTokensOfOne, FillPerSecond(rate)); }

}  // namespace

double StoreLimits::RateOf(const OnlineConfig& config, const Key& key) {
  const auto found = config.schedule.store_limit.find(key.first.value);
  const StoreLimitConfig& limit = found == config.schedule.store_limit.end()
                                      ? config.schedule.default_store_limit
                                      : found->second;
  return key.second == LimitType::kAddPeer ? limit.add_peer : limit.remove_peer;
}

std::optional<double> StoreLimits::Tokens(const OnlineConfig& config, const Key& key,
                                          scheduler::Instant now) {
  const double rate = RateOf(config, key);
  if (rate == 0 || rate >= scheduler::StoreLimitRates::kUnlimitedRate) {
    buckets_.erase(key);
    return {};
  }
  const auto [it, made] = buckets_.try_emplace(key, Bucket{Capacity(rate), now});
  Bucket& bucket = it->second;
  if (now <= bucket.filled_at) return bucket.tokens;
  const double seconds = static_cast<double>((now - bucket.filled_at).count()) / 1000;
  bucket.tokens = std::min(Capacity(rate), bucket.tokens + FillPerSecond(rate) * seconds);
  bucket.filled_at = now;
  return bucket.tokens;
}

int64_t StoreLimits::RoomOf(const OnlineConfig& config, const Key& key, scheduler::Instant now) {
  const std::optional<double> tokens = Tokens(config, key, now);
  return tokens ? static_cast<int64_t>(*tokens) : StoreLimitRoom::kUnlimited;
}

StoreLimitRoom StoreLimits::Room(scheduler::StoreId store, scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  StoreLimitRoom room;
  room.add_peer = RoomOf(*config, {store, LimitType::kAddPeer}, now);
  room.remove_peer = RoomOf(*config, {store, LimitType::kRemovePeer}, now);
  return room;
}

tl::expected<StoreLimits::Taken, scheduler::Refusal> StoreLimits::Take(
    const scheduler::Influence& influence, scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  for (const auto& [store, delta] : influence.stores()) {
    for (const LimitType type : kLimited) {
      const int64_t cost = delta.CostOf(type);
      if (cost <= 0) continue;
      const int64_t room = RoomOf(*config, {store, type}, now);
      if (room >= cost) continue;
      return tl::unexpected(scheduler::Refusal{type == LimitType::kAddPeer
                                                   ? scheduler::Reason::kStoreAddLimit
                                                   : scheduler::Reason::kStoreRemoveLimit,
                                               store,
                                               {},
                                               static_cast<double>(room),
                                               static_cast<double>(cost),
                                               {}});
    }
  }
  return Charge(*config, influence, now);
}

StoreLimits::Taken StoreLimits::TakeAnyway(const scheduler::Influence& influence,
                                           scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  return Charge(*config, influence, now);
}

void StoreLimits::GiveBack(const Taken& taken, scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  for (const auto& [key, amount] : taken) {
    const std::optional<double> tokens = Tokens(*config, key, now);
    if (!tokens) continue;  // Unlimited by now.
    buckets_[key].tokens = std::min(Capacity(RateOf(*config, key)), *tokens + amount);
  }
}

StoreLimits::Taken StoreLimits::Charge(const OnlineConfig& config,
                                       const scheduler::Influence& influence,
                                       scheduler::Instant now) {
  Taken taken;
  for (const auto& [store, delta] : influence.stores()) {
    for (const LimitType type : kLimited) {
      const auto cost = static_cast<double>(delta.CostOf(type));
      const Key key{store, type};
      const std::optional<double> tokens = Tokens(config, key, now);
      if (cost <= 0 || !tokens) continue;
      taken[key] = std::min(*tokens, cost);
      buckets_[key].tokens = *tokens - taken[key];
    }
  }
  return taken;
}

void StoreLimits::Clear() {
  const MutexLock lock(mutex_);
  buckets_.clear();
}

}  // namespace pd

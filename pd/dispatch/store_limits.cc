#include "pd/dispatch/store_limits.h"

#include <algorithm>

#include <fmt/format.h>

#include "scheduler/filters/store_filter.h"

namespace pd {
namespace {

using scheduler::LimitType;
using scheduler::Priority;
using scheduler::Reason;
using scheduler::Refusal;
using scheduler::StoreLimitRoom;

constexpr std::array kByRate{LimitType::kAddPeer, LimitType::kRemovePeer};
constexpr double kTokensOfOne = 1000;

/// Tokens a bucket of this rate (a minute) gains a second, and how many it holds.
double FillPerSecond(double rate) { return rate / 60 * kTokensOfOne; }
double Capacity(double rate) { return std::max(kTokensOfOne, FillPerSecond(rate)); }

bool UsesWindows(const OnlineConfig& config) { return config.schedule.store_limit_version == "v2"; }

const StoreLimitConfig& LimitOf(const OnlineConfig& config, scheduler::StoreId store) {
  const auto found = config.schedule.store_limit.find(store.value);
  return found == config.schedule.store_limit.end() ? config.schedule.default_store_limit
                                                    : found->second;
}

double RateOf(const StoreLimitConfig& limit, LimitType type) {
  return type == LimitType::kAddPeer ? limit.add_peer : limit.remove_peer;
}

}  // namespace

std::optional<double> StoreLimits::Tokens(double rate, const Key& key, scheduler::Instant now) {
  const auto found = buckets_.find(key);
  if (rate == 0 || rate >= scheduler::StoreLimitRates::kUnlimitedRate) {
    if (found != buckets_.end()) buckets_.erase(found);
    return {};
  }
  if (found == buckets_.end()) return Capacity(rate);
  Bucket& bucket = found->second;
  if (now <= bucket.filled_at) return bucket.tokens;
  const double seconds = static_cast<double>((now - bucket.filled_at).count()) / 1000;
  bucket.tokens += FillPerSecond(rate) * seconds;
  bucket.filled_at = now;
  if (bucket.tokens < Capacity(rate)) return bucket.tokens;
  buckets_.erase(found);
  return Capacity(rate);
}

int64_t StoreLimits::RoomOf(const StoreLimitConfig& limit, const Key& key, scheduler::Instant now) {
  const std::optional<double> tokens = Tokens(RateOf(limit, key.second), key, now);
  return tokens ? static_cast<int64_t>(*tokens) : StoreLimitRoom::kUnlimited;
}

StoreLimitRoom StoreLimits::Room(scheduler::StoreId store, scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  return RoomLocked(*config, store, now);
}

void StoreLimits::FillRooms(std::span<scheduler::Store> stores, scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  for (scheduler::Store& store : stores) store.room = RoomLocked(*config, store.id, now);
}

StoreLimitRoom StoreLimits::RoomLocked(const OnlineConfig& config, scheduler::StoreId store,
                                       scheduler::Instant now) {
  StoreLimitRoom room;
  if (UsesWindows(config)) {
    const SnapshotWindows& windows = Windows(store);
    for (size_t i = 0; i < room.send_snapshot.size(); ++i) {
      room.send_snapshot[i] = windows.FreeMib(static_cast<Priority>(i));
    }
    return room;
  }
  const StoreLimitConfig& limit = LimitOf(config, store);
  room.add_peer = RoomOf(limit, {store, LimitType::kAddPeer}, now);
  room.remove_peer = RoomOf(limit, {store, LimitType::kRemovePeer}, now);
  return room;
}

std::optional<Refusal> StoreLimits::RefuseByRates(const OnlineConfig& config,
                                                  const scheduler::Influence& influence,
                                                  scheduler::Instant now) {
  for (const auto& [store, delta] : influence.stores()) {
    for (const LimitType type : kByRate) {
      const int64_t cost = delta.CostOf(type);
      if (cost <= 0) continue;
      const int64_t room = RoomOf(LimitOf(config, store), {store, type}, now);
      if (room >= cost) continue;
      return Refusal{
          type == LimitType::kAddPeer ? Reason::kStoreAddLimit : Reason::kStoreRemoveLimit,
          store,
          {},
          static_cast<double>(room),
          static_cast<double>(cost),
          {}};
    }
  }
  return {};
}

std::optional<Refusal> StoreLimits::RefuseByWindows(const scheduler::Influence& influence,
                                                    Priority priority) {
  for (const auto& [store, delta] : influence.stores()) {
    if (delta.CostOf(LimitType::kSendSnapshot) <= 0) continue;
    const SnapshotWindows& windows = Windows(store);
    if (windows.HasRoom(priority)) continue;
    return Refusal{Reason::kStoreSendLimit,
                   store,
                   {},
                   static_cast<double>(windows.FreeMib(priority)),
                   static_cast<double>(scheduler::kSnapshotRoomMinMib),
                   fmt::format("{} MiB under way", windows.total_used_mib())};
  }
  return {};
}

tl::expected<StoreLimits::Taken, Refusal> StoreLimits::Take(const scheduler::Influence& influence,
                                                            Priority priority,
                                                            scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  auto refusal = UsesWindows(*config) ? RefuseByWindows(influence, priority)
                                      : RefuseByRates(*config, influence, now);
  if (refusal) return tl::unexpected(*std::move(refusal));
  return Charge(*config, influence, priority, now);
}

StoreLimits::Taken StoreLimits::TakeAnyway(const scheduler::Influence& influence, Priority priority,
                                           scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  return Charge(*config, influence, priority, now);
}

StoreLimits::Taken StoreLimits::Charge(const OnlineConfig& config,
                                       const scheduler::Influence& influence, Priority priority,
                                       scheduler::Instant now) {
  Taken taken;
  taken.snapshots.made_in = clears_;
  for (const auto& [store, delta] : influence.stores()) {
    const int64_t cost_mib = delta.CostOf(LimitType::kSendSnapshot);
    if (cost_mib > 0 && windows_[store].Book(priority, cost_mib)) {
      taken.snapshots.costs_mib.emplace_back(store, cost_mib);
    }
    if (UsesWindows(config)) continue;
    for (const LimitType type : kByRate) {
      const auto cost = static_cast<double>(delta.CostOf(type));
      const Key key{store, type};
      const auto tokens = Tokens(RateOf(LimitOf(config, store), type), key, now);
      if (cost <= 0 || !tokens) continue;
      taken.tokens[key] = std::min(*tokens, cost);
      Bucket& bucket = buckets_[key];
      bucket = {*tokens - taken.tokens[key], std::max(now, bucket.filled_at)};
    }
  }
  return taken;
}

void StoreLimits::GiveBack(const Taken& taken, scheduler::Instant now) {
  const ConfigStore::Snapshot config = config_.online();
  const MutexLock lock(mutex_);
  for (const auto& [key, amount] : taken.tokens) {
    const double rate = RateOf(LimitOf(*config, key.first), key.second);
    static_cast<void>(Tokens(rate, key, now));
    const auto found = buckets_.find(key);
    if (found == buckets_.end()) continue;  // Full or unlimited by now.
    found->second.tokens += amount;
    if (found->second.tokens >= Capacity(rate)) buckets_.erase(found);
  }
  ReleaseLocked(taken.snapshots);
}

void StoreLimits::Release(const SnapshotBooking& booking) {
  const MutexLock lock(mutex_);
  ReleaseLocked(booking);
}

void StoreLimits::ReleaseLocked(const SnapshotBooking& booking) {
  if (booking.made_in != clears_) return;
  for (const auto& [store, cost_mib] : booking.costs_mib) windows_[store].Release(cost_mib);
}

void StoreLimits::Feedback(scheduler::StoreId store, std::span<const SnapshotTiming> sent) {
  if (!UsesWindows(*config_.online())) return;
  const MutexLock lock(mutex_);
  const auto found = windows_.find(store);
  if (found == windows_.end()) return;  // Not full.
  for (const SnapshotTiming& timing : sent) found->second.Feedback(timing);
}

std::optional<SnapshotWindows> StoreLimits::WindowsOf(scheduler::StoreId store) const {
  if (!UsesWindows(*config_.online())) return {};
  const MutexLock lock(mutex_);
  return Windows(store);
}

const SnapshotWindows& StoreLimits::Windows(scheduler::StoreId store) const {
  static const SnapshotWindows kUnused;  // Of a store that has nothing to send yet.
  const auto found = windows_.find(store);
  return found == windows_.end() ? kUnused : found->second;
}

void StoreLimits::Clear() {
  const MutexLock lock(mutex_);
  buckets_.clear();
  windows_.clear();
  ++clears_;
}

}  // namespace pd

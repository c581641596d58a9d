#include "scheduler/stats/hot_peer_cache.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

namespace scheduler {
namespace {

constexpr Millis kThresholdsLast = Seconds{8};
constexpr double kTopShare = 0.8;

HotPeerCache::Rules RulesOf(Access access) {
  if (access == Access::kRead) return {{{8 * 1024, 128, 128, 1}}, 10, 12};
  return {{{1024, 32, 32, 1}}, 60, 2};
}

Load Rounded(Load load) {
  for (double& value : load.of) value = std::round(value);
  return load;
}

Load Smaller(Load a, const Load& b) {
  for (size_t i = 0; i < kLoadDimCount; ++i) a.of[i] = std::min(a.of[i], b.of[i]);
  return a;
}

/// By how much a load exceeds what is least, in the dimension in which it does most.
double Weight(const Load& load, const Load& least) {
  double most = 0;
  for (size_t i = 0; i < kLoadDimCount; ++i) most = std::max(most, load.of[i] / least.of[i]);
  return most;
}

}  // namespace

HotPeerCache::HotPeerCache(Access access) : access_(access), rules_(RulesOf(access)) {}

void HotPeerCache::Report(const Region& region, std::span<const StoreId> stores, const Load& amount,
                          uint64_t interval_s, Instant now) {
  if (!IsCountedInterval(interval_s)) return;
  const Load rate = amount * (1 / static_cast<double>(interval_s));
  if (!regions_.contains(region.id) && !rate.ReachesAny(rules_.thresholds_min)) return;
  const bool moved = NoteLeader(region, now);
  // What a new leader says that was written was in part before its time.
  const bool counts = !moved || access_ == Access::kRead;
  std::vector<StoreId> unknown;
  for (const StoreId store : stores) {
    if (!Knows(region.id, store, now) && !Adopt(region.id, store)) unknown.push_back(store);
  }
  for (const StoreId store : stores) {
    const Load thresholds = ThresholdsOf(store, now);
    Item* item = Find(region.id, store);
    if (item == nullptr) continue;
    Renew(*item, region, now);
    ++stores_.at(store).updated;
    if (!counts) continue;
    item->rolling.Add(amount, interval_s);
    item->peer.load = Rounded(item->rolling.Smoothed());
    item->silent = false;
    if (!Judge(*item, thresholds)) Remove(region.id, store);
  }
  if (!counts) return;
  for (const StoreId store : unknown) Begin(region, store, amount, interval_s, now);
}

/// Whether there is something to go on from; what has expired is forgotten.
bool HotPeerCache::Knows(RegionId region, StoreId store, Instant now) {
  const Item* item = Find(region, store);
  if (item == nullptr) return false;
  if (!IsExpired(*item, now)) return true;
  Remove(region, store);
  return false;
}

/// True when another peer leads than was known.
bool HotPeerCache::NoteLeader(const Region& region, Instant now) {
  const auto found = regions_.find(region.id);
  if (found == regions_.end()) return false;
  const bool moved = std::ranges::any_of(found->second, [&](const Item& item) {
    return item.peer.leads && item.peer.store != region.leader.store;
  });
  for (Item& item : found->second) {
    if (moved) item.peer.leader_moved = now;
    item.peer.leads = item.peer.store == region.leader.store;
  }
  return moved;
}

/// A peer that is new to its region goes on from another one's state. One that was there before and was not hot begins
/// from nothing.
bool HotPeerCache::Adopt(RegionId region, StoreId store) {
  const auto found = regions_.find(region);
  if (found == regions_.end()) return false;
  const auto ancestor = std::ranges::find_if(found->second, [&](const Item& item) {
    return item.inherits && std::ranges::find(item.peer.stores, store) == item.peer.stores.end();
  });
  if (ancestor == found->second.end() || stores_[store].regions.size() >= kPeersMax) return false;
  Item item = *ancestor;
  item.peer.store = store;
  item.inherits = false;
  Insert(std::move(item));
  return true;
}

void HotPeerCache::Begin(const Region& region, StoreId store, const Load& amount,
                         uint64_t interval_s, Instant now) {
  const Load rate = amount * (1 / static_cast<double>(interval_s));
  if (!rate.ReachesAny(rules_.thresholds_min)) return;
  if (!rate.ReachesAny(ThresholdsOf(store, now)) || !MakeRoom(store, rate, now)) return;
  Item item{.peer = {}, .rolling = RollingLoad(rules_.interval_s), .updated = now};
  item.peer.region = region.id;
  item.peer.store = store;
  Renew(item, region, now);
  item.rolling.Add(amount, interval_s);
  item.peer.load = Rounded(item.rolling.Smoothed());
  if (item.rolling.fresh_s() >= rules_.interval_s) {
    item.peer.degree = 1;
    item.peer.anti_count = rules_.anti_count;
    item.inherits = true;
    item.rolling.ForgetFresh();
  }
  Insert(std::move(item));
}

void HotPeerCache::Renew(Item& item, const Region& region, Instant now) const {
  item.peer.leads = item.peer.store == region.leader.store;
  item.peer.stores.clear();
  for (const Peer& peer : region.peers) item.peer.stores.push_back(peer.store);
  item.updated = now;
}

bool HotPeerCache::Judge(Item& item, const Load& thresholds) const {
  if (item.rolling.fresh_s() < rules_.interval_s) return true;
  const bool hot = !item.silent && item.rolling.FreshRate().ReachesAny(thresholds);
  item.rolling.ForgetFresh();
  item.inherits = hot;
  if (hot) {
    ++item.peer.degree;
    item.peer.anti_count = std::min(item.peer.anti_count + 1, rules_.anti_count);
    // Its first whole interval.
    if (item.peer.degree == 1) item.peer.anti_count = rules_.anti_count;
    return true;
  }
  --item.peer.degree;
  --item.peer.anti_count;
  return item.peer.anti_count > 0;
}

void HotPeerCache::ReportSilence(StoreId store, std::span<const RegionId> reported,
                                 uint64_t interval_s, Instant now) {
  const auto found = stores_.find(store);
  if (found == stores_.end() || !IsCountedInterval(interval_s)) return;
  const Load thresholds = ThresholdsOf(store, now);
  std::vector<RegionId> cold;
  for (const auto& [region, items] : found->second.regions) {
    if (std::ranges::binary_search(reported, region)) continue;
    Item& item = *FindIn(*items, store);
    // It may still have as much as it had, short of what is worth a report.
    const Load rate = Smaller(item.rolling.Smoothed(), thresholds);
    item.rolling.Add(rate * static_cast<double>(interval_s), interval_s);
    item.peer.load = Rounded(item.rolling.Smoothed());
    item.silent = true;
    item.updated = now;
    if (!Judge(item, thresholds)) cold.push_back(region);
  }
  for (const RegionId region : cold) Remove(region, store);
}

void HotPeerCache::KeepPeersOf(const Region& region) {
  const auto found = regions_.find(region.id);
  if (found == regions_.end()) return;
  std::vector<StoreId> gone;
  for (const Item& item : found->second) {
    if (region.PeerOnStore(item.peer.store) == nullptr) gone.push_back(item.peer.store);
  }
  for (const StoreId store : gone) Remove(region.id, store);
}

void HotPeerCache::KeepStores(std::span<const StoreId> stores) {
  for (auto it = stores_.begin(); it != stores_.end();) {
    const StoreId store = it->first;
    if (std::ranges::binary_search(stores, store)) {
      ++it;
      continue;
    }
    std::vector<RegionId> regions;
    for (const auto& entry : it->second.regions) regions.push_back(entry.first);
    for (const RegionId region : regions) Remove(region, store);
    it = stores_.erase(it);
  }
}

bool HotPeerCache::IsHot(RegionId region, int degree_min) const {
  const auto found = regions_.find(region);
  return found != regions_.end() && std::ranges::any_of(found->second, [&](const Item& item) {
           return item.peer.degree >= degree_min;
         });
}

std::vector<HotPeer> HotPeerCache::PeersOn(StoreId store, int degree_min, Instant now) const {
  std::vector<HotPeer> peers;
  const auto found = stores_.find(store);
  if (found == stores_.end()) return peers;
  for (const auto& [region, items] : found->second.regions) {
    for (const Item& item : *items) {
      if (item.peer.store != store || item.silent || IsExpired(item, now)) continue;
      if (item.peer.degree < degree_min || item.peer.anti_count < rules_.anti_count) continue;
      peers.push_back(item.peer);
    }
  }
  return peers;
}

std::vector<HotPeer> HotPeerCache::PeersOf(RegionId region, Instant now) const {
  std::vector<HotPeer> peers;
  const auto found = regions_.find(region);
  if (found == regions_.end()) return peers;
  for (const Item& item : found->second) {
    if (!IsExpired(item, now)) peers.push_back(item.peer);
  }
  return peers;
}

std::map<StoreId, HotPeerCache::StoreStatus> HotPeerCache::Status() const {
  std::map<StoreId, StoreStatus> status;
  for (const auto& [id, entry] : stores_) {
    const Load& thresholds = entry.thresholds_at ? entry.thresholds : rules_.thresholds_min;
    status[id] = {entry.regions.size(), thresholds, entry.added, entry.updated, entry.removed};
  }
  return status;
}

HotPeerCache::Item* HotPeerCache::Find(RegionId region, StoreId store) {
  const auto found = regions_.find(region);
  return found == regions_.end() ? nullptr : FindIn(found->second, store);
}

HotPeerCache::Item* HotPeerCache::FindIn(Items& items, StoreId store) {
  for (Item& item : items) {
    if (item.peer.store == store) return &item;
  }
  return nullptr;
}

bool HotPeerCache::MakeRoom(StoreId store, const Load& rate, Instant now) {
  StoreEntry& entry = stores_[store];
  if (entry.regions.size() < kPeersMax) return true;
  if (!entry.top) {  // The store had few when it was last looked at.
    entry.thresholds_at.reset();
    ThresholdsOf(store, now);
  }
  bool outdoes = false;
  for (size_t i = 0; i < kLoadDimCount; ++i) {
    outdoes |= rate.of[i] > std::max(entry.top->of[i], rules_.thresholds_min.of[i]);
  }
  if (!outdoes) return false;
  RegionId weakest;
  double least = 0;
  for (const auto& [region, items] : entry.regions) {
    const double weight = Weight(FindIn(*items, store)->peer.load, rules_.thresholds_min);
    if (weakest && weight >= least) continue;
    weakest = region;
    least = weight;
  }
  Remove(weakest, store);
  return true;
}

void HotPeerCache::Insert(Item item) {
  const RegionId region = item.peer.region;
  StoreEntry& entry = stores_[item.peer.store];
  Items& items = regions_[region];
  entry.regions[region] = &items;
  ++entry.added;
  const auto at = std::ranges::lower_bound(items, item.peer.store, {},
                                           [](const Item& one) { return one.peer.store; });
  items.insert(at, std::move(item));
}

void HotPeerCache::Remove(RegionId region, StoreId store) {
  const auto found = regions_.find(region);
  std::erase_if(found->second, [&](const Item& item) { return item.peer.store == store; });
  if (found->second.empty()) regions_.erase(found);
  StoreEntry& entry = stores_[store];
  entry.regions.erase(region);
  ++entry.removed;
}

const Load& HotPeerCache::ThresholdsOf(StoreId store, Instant now) {
  StoreEntry& entry = stores_[store];
  if (entry.thresholds_at && now - *entry.thresholds_at < kThresholdsLast) return entry.thresholds;
  entry.thresholds_at = now;
  entry.thresholds = rules_.thresholds_min;
  entry.top.reset();
  // Stores that report no more are swept by those that do.
  auto next = stores_.upper_bound(swept_);
  if (next == stores_.end()) next = stores_.begin();
  swept_ = next->first;
  if (swept_ != store) Sweep(swept_, now);
  Sweep(store, now);
  if (entry.regions.size() < kTopCount) return entry.thresholds;
  Load& top = entry.top.emplace();
  std::array<std::vector<double>, kLoadDimCount> rates;
  for (const auto& [region, items] : entry.regions) {
    const Load& load = FindIn(*items, store)->peer.load;
    for (size_t i = 0; i < kLoadDimCount; ++i) rates[i].push_back(load.of[i]);
  }
  for (size_t i = 0; i < kLoadDimCount; ++i) {
    const auto nth = rates[i].begin() + (kTopCount - 1);
    std::ranges::nth_element(rates[i], nth, std::greater<>());
    top.of[i] = *nth;
    entry.thresholds.of[i] = std::max(kTopShare * *nth, rules_.thresholds_min.of[i]);
  }
  return entry.thresholds;
}

void HotPeerCache::Sweep(StoreId store, Instant now) {
  std::vector<RegionId> expired;
  for (const auto& [region, items] : stores_.at(store).regions) {
    if (IsExpired(*FindIn(*items, store), now)) expired.push_back(region);
  }
  for (const RegionId region : expired) Remove(region, store);
}

bool HotPeerCache::IsExpired(const Item& item, Instant now) const {
  return now - item.updated > Seconds{3 * rules_.interval_s};
}

}  // namespace scheduler

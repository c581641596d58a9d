#include "pd/cluster/store_table.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "pd/cluster/store_rules.h"
#include "pd/codec/cluster_codec.h"
#include "scheduler/stats/network_slow_store.h"

namespace pd {
namespace {

using scheduler::NodeState;
using scheduler::Store;
using scheduler::StoreCounts;
using scheduler::StoreId;

constexpr Millis kWriteTimeout{3000};
/// A store is told to wake its regions at most this often.
constexpr scheduler::Millis kWakeInterval = std::chrono::minutes(10);
constexpr double kTiFlashLimit = 30;
constexpr size_t kHeartbeatBatch = 64;  // Stores of one transaction.

/// Weights are kept as text; anything unreadable counts as the default.
double ParseWeight(const std::string& text) {
  double value = 1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 1;
}

/// When a store was heard last, to be written over what is stored of it.
struct HeardAt {
  StoreId id;
  std::string path;
  int64_t unix_ns = 0;
};

/// Writes the times of heartbeats over what is stored, nothing else, all at once: a leader that dies in the next
/// moment should not make stores look unheard. Gives those that are written: not where the record is not there or not
/// readable, and none if one was changed meanwhile.
Result<std::vector<HeardAt>> SaveHeartbeatTimes(MetaStore& meta, std::vector<HeardAt> heard,
                                                uint64_t term) {
  KvTxn txn;
  std::vector<HeardAt> written;
  for (HeardAt& each : heard) {
    const auto stored = meta.Get(each.path, Consistency::kLocal);
    if (!stored) return tl::unexpected<Error>(stored.error());
    if (!*stored) continue;
    auto store = DecodeStore((*stored)->value);
    if (!store) continue;
    store->last_heartbeat_unix_ns = each.unix_ns;
    txn.compares.push_back(Compare::ModRevisionIs(each.path, (*stored)->mod_revision));
    txn.then.emplace_back(PutRequest{each.path, EncodeStore(*store), 0, false, false, false});
    written.push_back(std::move(each));
  }
  if (written.empty()) return written;
  const auto done = meta.Txn(std::move(txn), kWriteTimeout, term);
  if (!done) return tl::unexpected<Error>(done.error());
  if (!done->succeeded) written.clear();
  return written;
}

}  // namespace

Result<void> StoreTable::Load(const ClusterPaths& paths, uint64_t term) {
  const MutexLock change(change_mutex_);  // What is written while this reads must not be missing.
  const auto stored = deps_.meta.GetPrefix(paths.Stores());
  if (!stored) return tl::unexpected<Error>(stored.error());
  std::map<StoreId, Entry> stores;
  const int64_t unix_ns = deps_.clock.UnixNanos();
  for (const KeyValue& kv : *stored) {
    auto store = DecodeStore(kv.value);
    if (!store) return tl::unexpected<Error>(store.error());
    if (store->last_heartbeat_unix_ns != 0) {
      const Nanos age{unix_ns - store->last_heartbeat_unix_ns};
      store->last_heartbeat = Now() - std::chrono::duration_cast<Millis>(age);
    }
    const auto leader = deps_.meta.Get(paths.LeaderWeight(store->id.value));
    const auto region = deps_.meta.Get(paths.RegionWeight(store->id.value));
    if (!leader) return tl::unexpected<Error>(leader.error());
    if (!region) return tl::unexpected<Error>(region.error());
    if (*leader) store->leader_weight = ParseWeight((*leader)->value);
    if (*region) store->region_weight = ParseWeight((*region)->value);
    const int64_t persisted = store->last_heartbeat_unix_ns;
    const StoreId id = store->id;
    Entry& entry = stores[id];
    entry.store = std::move(*store);
    entry.persisted_heartbeat_unix_ns = persisted;
  }
  progress_.Clear();
  const WriteLock lock(mutex_);
  stores_ = std::move(stores);
  paths_ = paths;
  term_ = term;
  return {};
}

void StoreTable::Clear() {
  progress_.Clear();
  const WriteLock lock(mutex_);
  stores_.clear();
}

std::vector<Store> StoreTable::All() const {
  std::vector<Store> stores;
  ReadAll(stores);
  return stores;
}

void StoreTable::ReadAll(std::vector<Store>& stores) const {
  {
    const ReadLock lock(mutex_);
    stores.resize(stores_.size());
    auto to = stores.begin();
    for (const auto& [id, entry] : stores_) *to++ = entry.store;
  }
  FillCounts(stores);
}

std::optional<Store> StoreTable::Bare(StoreId id) const {
  const ReadLock lock(mutex_);
  const auto it = stores_.find(id);
  if (it == stores_.end()) return std::nullopt;
  return it->second.store;
}

std::optional<Store> StoreTable::Find(StoreId id) const {
  std::optional<Store> store = Bare(id);
  if (store) FillCounts({&*store, 1});
  return store;
}

bool StoreTable::Contains(StoreId id) const {
  const ReadLock lock(mutex_);
  return stores_.contains(id);
}

std::optional<NodeState> StoreTable::NodeStateOf(StoreId id) const {
  const ReadLock lock(mutex_);
  const auto it = stores_.find(id);
  if (it == stores_.end()) return std::nullopt;
  return it->second.store.node_state;
}

bool StoreTable::AnyLeaving(std::span<const scheduler::Peer> peers) const {
  const ReadLock lock(mutex_);
  for (const scheduler::Peer& peer : peers) {
    const auto it = stores_.find(peer.store);
    if (it != stores_.end() && !it->second.store.IsUp()) return true;
  }
  return false;
}

std::string StoreTable::AddressOf(StoreId id) const {
  const ReadLock lock(mutex_);
  const auto it = stores_.find(id);
  return it == stores_.end() ? std::string() : it->second.store.address;
}

void StoreTable::FillCounts(std::span<Store> stores) const {
  deps_.regions.FillCounts(stores);
  const auto config = deps_.config.online();
  for (Store& store : stores) {
    const auto limit = config->schedule.store_limit.find(store.id.value);
    if (limit != config->schedule.store_limit.end()) {
      store.limits = {limit->second.add_peer, limit->second.remove_peer};
    }
  }
}

scheduler::Instant StoreTable::Now() const { return InstantOf(deps_.clock.Monotonic()); }

Result<void> StoreTable::Put(const Store& incoming) {
  {
    const MutexLock change(change_mutex_);
    Store store = incoming;
    const std::optional<Store> known = Bare(incoming.id);
    if (known && known->IsRemoved()) return Fail(ErrorCode::kConflict, "store is tombstone");
    const auto config = deps_.config.online();
    if (auto checked = CheckStoreIdentity(incoming, All(), *config); !checked) return checked;
    if (known) {
      store = *known;
      store.address = incoming.address;
      store.status_address = incoming.status_address;
      store.peer_address = incoming.peer_address;
      store.version = incoming.version;
      store.git_hash = incoming.git_hash;
      store.start_timestamp_s = incoming.start_timestamp_s;
      store.deploy_path = incoming.deploy_path;
      store.labels = scheduler::MergeLabels(known->labels, incoming.labels);
    }
    if (auto checked = CheckStoreLabels(store, *config); !checked) return checked;
    if (auto saved = Save(store); !saved) return saved;
  }
  if (auto followed = FollowVersions(); !followed) return followed;
  return AddLimit(incoming);
}

/// The cluster speaks the oldest version among its stores.
Result<void> StoreTable::FollowVersions() {
  const std::optional<Version> lowest = LowestVersion();
  if (!lowest) return {};
  return deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    const auto current = ParseVersion(config.cluster_version);
    if (!current || *current != *lowest) config.cluster_version = lowest->Text();
    return {};
  });
}

Result<void> StoreTable::AddLimit(const Store& store) {
  return deps_.config.Update([&](OnlineConfig& config) -> Result<void> {
    StoreLimitConfig limit = config.schedule.default_store_limit;
    if (store.IsTiFlash()) limit = {kTiFlashLimit, kTiFlashLimit};
    config.schedule.store_limit.try_emplace(store.id.value, limit);
    return {};
  });
}

std::optional<Version> StoreTable::LowestVersion() const {
  const ReadLock lock(mutex_);
  std::optional<Version> lowest;
  for (const auto& [id, entry] : stores_) {
    if (entry.store.IsRemoved()) continue;
    const auto version = ParseVersion(entry.store.version);
    if (version && (!lowest || *version < *lowest)) lowest = *version;
  }
  return lowest;
}

/// Writes a store down, then shows it. What came by heartbeats meanwhile stays.
Result<void> StoreTable::Save(const Store& store) {
  std::optional<ClusterPaths> paths;
  uint64_t term = 0;
  {
    const ReadLock lock(mutex_);
    paths = paths_;
    term = term_;
  }
  if (!paths) return Fail(ErrorCode::kNotBootstrapped, "cluster is not bootstrapped");
  const auto written =
      deps_.meta.Put(paths->Store(store.id.value), EncodeStore(store), kWriteTimeout, term);
  if (!written) return tl::unexpected<Error>(written.error());
  const WriteLock lock(mutex_);
  const auto [it, fresh] = stores_.try_emplace(store.id);
  it->second.persisted_heartbeat_unix_ns = store.last_heartbeat_unix_ns;
  if (fresh) it->second.store = store;
  if (fresh) return {};
  Store& shown = it->second.store;
  Store next = store;
  next.last_heartbeat = shown.last_heartbeat;
  next.last_heartbeat_unix_ns = shown.last_heartbeat_unix_ns;
  next.stats = std::move(shown.stats);
  next.has_stats = shown.has_stats;
  next.smoothed_available_bytes = shown.smoothed_available_bytes;
  next.smoothed_region_size_mib = shown.smoothed_region_size_mib;
  next.pauses = shown.pauses;
  next.leader_weight = shown.leader_weight;
  next.region_weight = shown.region_weight;
  shown = std::move(next);
  return {};
}

Result<void> StoreTable::Change(StoreId id, const std::function<Result<void>(Store&)>& change) {
  const MutexLock lock(change_mutex_);
  std::optional<Store> store = Bare(id);
  if (!store) return tl::unexpected<Error>(StoreNotFound(id));
  const Store before = *store;
  if (auto changed = change(*store); !changed) return changed;
  if (*store == before) return {};
  return Save(*store);
}

Result<StoreTable::HeartbeatAnswer> StoreTable::OnHeartbeat(Heartbeat heartbeat) {
  const scheduler::Instant now = Now();
  const int64_t unix_ns = deps_.clock.UnixNanos();
  // Sizes come with the regions' reports: after a change of the leader there are none at first, nor where a cluster is
  // set up anew over stores that are full.
  constexpr double kMost = 0.9;
  constexpr uint64_t kFew = 10;  // May be on their way.
  const StoreCounts counts = deps_.regions.SumsOf(heartbeat.id).counts;
  const auto size_mib = static_cast<double>(counts.region_size_mib());
  const bool knows_sizes =
      deps_.knows_peers() && static_cast<double>(counts.regions() + kFew) >=
                                 kMost * static_cast<double>(heartbeat.stats.region_count);
  const WriteLock lock(mutex_);
  const auto it = stores_.find(heartbeat.id);
  if (it == stores_.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("store {} not found", heartbeat.id.value));
  }
  Entry& entry = it->second;
  entry.store.stats = std::move(heartbeat.stats);
  entry.store.has_stats = true;
  entry.store.last_heartbeat = now;
  entry.store.last_heartbeat_unix_ns = unix_ns;
  entry.raw_stats = std::move(heartbeat.raw);
  // The reference counts each heartbeat twice, which its recorded scores show: 60 samples are 30 heartbeats.
  for (int sample = 0; sample < 2; ++sample) {
    entry.available.Add(static_cast<double>(entry.store.stats.available_bytes));
    if (knows_sizes) entry.region_size.Add(size_mib);
  }
  if (!knows_sizes) entry.region_size = scheduler::HullAverage();
  entry.store.smoothed_region_size_mib = knows_sizes ? entry.region_size.Value() : -1;
  entry.store.smoothed_available_bytes = entry.available.Value();
  CountNetworkSlowness(entry.store);
  return HeartbeatAnswer{entry.store.node_state, entry.SaveDue()};
}

void StoreTable::CountNetworkSlowness(scheduler::Store& store) {
  double mean = 1;
  if (!store.stats.network_slow_scores.empty()) {
    std::vector<const scheduler::Store*> others;
    for (const auto& entry : stores_) {
      if (scheduler::SpeaksOfNetwork(entry.second.store)) others.push_back(&entry.second.store);
    }
    mean = MeanNetworkScore(store, others, [](const scheduler::Store&) { return false; });
  }
  store.network_slow_heartbeats =
      scheduler::NetworkSlowHeartbeatsAfter(store.network_slow_heartbeats, mean);
}

std::vector<StoreId> StoreTable::DueHeartbeats() const {
  const ReadLock lock(mutex_);
  std::vector<StoreId> due;
  for (const auto& [id, entry] : stores_) {
    if (entry.SaveDue()) due.push_back(id);
  }
  return due;
}

void StoreTable::SaveHeartbeats() {
  const std::vector<StoreId> due = DueHeartbeats();
  for (size_t from = 0; from < due.size(); from += kHeartbeatBatch) {
    const size_t count = std::min(kHeartbeatBatch, due.size() - from);
    if (!SaveHeartbeatsOf(std::span(due).subspan(from, count))) return;
  }
}

/// False when Raft is slow or the lead lost: others would wait in vain as well.
bool StoreTable::SaveHeartbeatsOf(std::span<const StoreId> due) {
  // Else a change under way could write the older time that it began with over this one.
  const MutexLock change(change_mutex_);
  std::vector<HeardAt> heard;
  uint64_t term = 0;
  {
    const ReadLock lock(mutex_);
    if (!paths_) return false;
    term = term_;
    for (const StoreId id : due) {
      const auto it = stores_.find(id);
      if (it == stores_.end()) continue;
      heard.push_back({id, paths_->Store(id.value), it->second.store.last_heartbeat_unix_ns});
    }
  }
  const auto saved = SaveHeartbeatTimes(deps_.meta, std::move(heard), term);
  if (!saved) return false;
  const WriteLock lock(mutex_);
  for (const HeardAt& each : *saved) {
    const auto it = stores_.find(each.id);
    if (it != stores_.end()) it->second.persisted_heartbeat_unix_ns = each.unix_ns;
  }
  return true;
}

std::vector<StoreId> StoreTable::WakeFor(StoreId id) {
  const scheduler::Instant now = Now();
  const WriteLock lock(mutex_);
  const auto it = stores_.find(id);
  if (it == stores_.end() || it->second.store.IsSlow()) return {};
  std::optional<scheduler::Instant>& woken = it->second.woken;
  if (woken && now - *woken <= kWakeInterval) return {};
  std::vector<StoreId> slow;
  for (const auto& [other, entry] : stores_) {
    if (entry.store.IsSlow() && !entry.store.IsRemoved()) slow.push_back(other);
  }
  if (!slow.empty()) woken = now;
  return slow;
}

std::string StoreTable::RawStats(StoreId id) const {
  const ReadLock lock(mutex_);
  const auto it = stores_.find(id);
  return it == stores_.end() ? std::string() : it->second.raw_stats;
}

Result<void> StoreTable::SetLabels(StoreId id, const std::vector<scheduler::StoreLabel>& labels,
                                   Labels how) {
  if (!Contains(id)) return tl::unexpected<Error>(InvalidStoreId(id));
  return Change(id, [&](Store& store) -> Result<void> {
    const auto config = deps_.config.online();
    Store asked = store;
    asked.labels = labels;
    if (auto checked = CheckStoreIdentity(asked, All(), *config); !checked) return checked;
    store.labels = how == Labels::kReplace ? labels : scheduler::MergeLabels(store.labels, labels);
    return CheckStoreLabels(store, *config);
  });
}

Result<void> StoreTable::DeleteLabel(StoreId id, const std::string& key) {
  if (!Contains(id)) return tl::unexpected<Error>(InvalidStoreId(id));
  return Change(id, [&](Store& store) -> Result<void> {
    const size_t erased = std::erase_if(store.labels, [&](const scheduler::StoreLabel& label) {
      return scheduler::EqualsIgnoringCase(label.key, key);
    });
    if (erased == 0) {
      return Fail(ErrorCode::kUnavailable, fmt::format("the label key {} does not exist", key));
    }
    const auto config = deps_.config.online();
    if (auto checked = CheckStoreIdentity(store, All(), *config); !checked) return checked;
    return CheckStoreLabels(store, *config);
  });
}

Result<void> StoreTable::SetWeights(StoreId id, double leader, double region) {
  const MutexLock change(change_mutex_);
  std::optional<ClusterPaths> paths;
  uint64_t term = 0;
  {
    const ReadLock lock(mutex_);
    paths = paths_;
    term = term_;
    if (!stores_.contains(id)) return tl::unexpected<Error>(StoreNotFound(id));
  }
  KvTxn txn;
  txn.then.emplace_back(
      PutRequest{paths->LeaderWeight(id.value), fmt::format("{}", leader), 0, false, false, false});
  txn.then.emplace_back(
      PutRequest{paths->RegionWeight(id.value), fmt::format("{}", region), 0, false, false, false});
  const auto written = deps_.meta.Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected<Error>(written.error());
  Modify(id, [&](Store& store) {
    store.leader_weight = leader;
    store.region_weight = region;
  });
  return {};
}

bool StoreTable::Modify(StoreId id, const std::function<void(Store&)>& change) {
  const WriteLock lock(mutex_);
  const auto it = stores_.find(id);
  if (it == stores_.end()) return false;
  change(it->second.store);
  return true;
}

}  // namespace pd

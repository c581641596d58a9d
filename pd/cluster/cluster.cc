#include "pd/cluster/cluster.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "pd/cluster/region_label_codec.h"
#include "pd/cluster/region_log.h"
#include "pd/cluster/store_rules.h"
#include "pd/config/json_text.h"

namespace pd {
namespace {

using scheduler::Region;
using scheduler::RegionId;
using scheduler::Store;
using scheduler::StoreId;

constexpr Millis kWriteTimeout{3000};
constexpr Millis kBatchTimeout{5000};
constexpr Millis kSavePause{10};
constexpr Millis kSaveRetryPause{200};
constexpr Millis kJobPause{100};
constexpr Millis kHeartbeatSavePatience{100};
constexpr Nanos kStateJobInterval = std::chrono::seconds(10);
constexpr Nanos kPruneWait = std::chrono::minutes(10);  // Until the settings have come for sure.
constexpr Nanos kPruneMax = std::chrono::hours(1);      // Between looks for old files.
constexpr Nanos kLabelJobInterval = std::chrono::minutes(1);
constexpr size_t kBatchRegions = 1024;
constexpr size_t kLoadRegions = 256;       // Under one lock.
constexpr size_t kSortedRegions = 65'536;  // In memory at a time while loading.
/// Applied batches waiting for the saver; beyond it they are dropped and the whole table is read again.
constexpr size_t kAppliedMax = 4096;
constexpr uint64_t kSplitIdsMax = 1'000'000;
constexpr unsigned kFlowDigitsMax = 18;

std::string HexText(uint64_t value) { return fmt::format("{:x}", value); }

uint64_t ParseHex(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

}  // namespace

Cluster::Cluster(Deps deps)
    : deps_(std::move(deps)),
      ranges_(deps_.clock),
      stores_({deps_.meta, deps_.config, regions_, deps_.clock, [this] { return KnowsPeers(); },
               [this] { return rules_.InForce(deps_.config.online()->replication); }}),
      safe_points_(deps_.meta, deps_.clock, deps_.cluster_id, [this] { return term_.load(); }),
      labels_(deps_.meta, deps_.clock),
      affinity_({deps_.meta, labels_, stores_, deps_.clock}),
      rules_({deps_.meta, deps_.config, stores_, deps_.clock}),
      hot_history_(deps_.hot_folder) {}

Cluster::~Cluster() { Stop(); }

Result<void> Cluster::Start(Drive drive) {
  if (auto loaded = LoadRegions(); !loaded) return loaded;
  const Nanos now = deps_.clock.Monotonic();
  job_times_ = {now + kStateJobInterval, {}, {}, {}, now + kPruneWait, false};
  by_hand_ = drive == Drive::kByHand;
  if (by_hand_) return {};
  saver_ = std::thread([this] { SaveLoop(); });
  jobs_ = std::thread([this] { JobLoop(); });
  return {};
}

void Cluster::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  jobs_wake_.NotifyAll();
  heartbeats_saved_.NotifyAll();
  if (saver_.joinable()) saver_.join();
  if (jobs_.joinable()) jobs_.join();
}

/// Records come in the order of ids. Taken in by key, neighbours meet in the index's trees, which halves the cost.
void Cluster::TakeLoaded(std::vector<RegionRecord>& records) {
  std::ranges::sort(records, {}, &RegionRecord::start_key);
  PutRegions slice;
  for (RegionRecord& record : records) {
    slice.regions.push_back(std::move(record));
    if (slice.regions.size() < kLoadRegions) continue;
    regions_.PutReplicated(slice, RegionTable::Records::kLoaded);
    slice.regions.clear();
  }
  regions_.PutReplicated(slice, RegionTable::Records::kLoaded);
  records.clear();
}

Result<void> Cluster::LoadRegions() {
  const bool fresh = regions_.size() == 0;
  std::vector<RegionRecord> records;
  std::unordered_set<uint64_t> stored;
  const auto visited = deps_.meta.VisitRegions([&](RegionRecord record) {
    if (!fresh) stored.insert(record.id);
    records.push_back(std::move(record));
    if (records.size() == kSortedRegions) TakeLoaded(records);
    return true;
  });
  if (!visited) return visited;
  TakeLoaded(records);
  if (fresh) return {};
  // After a snapshot: what was known from disk alone and is there no more.
  std::vector<RegionId> gone;
  regions_.Visit({}, [&](const Region& region) {
    if (region.source == scheduler::RegionSource::kStorage && !stored.contains(region.id.value)) {
      gone.push_back(region.id);
    }
    return true;
  });
  for (const RegionId id : gone) regions_.Remove(id, RegionTable::Forget::kMemory);
  return {};
}

Result<void> Cluster::OnLeaderStart(uint64_t term) {
  {
    const MutexLock lock(leading_mutex_);
    leading_ = true;
    term_.store(term);
  }
  TakeApplied();
  regions_.ForgetReports();  // Those that were under way when the lead was lost.
  hot_.Clear();
  {
    const MutexLock lock(mutex_);
    ++leads_;
  }
  return LoadRunning(term);
}

StoreConfig Cluster::store_config() const {
  const MutexLock lock(mutex_);
  return store_config_;
}

void Cluster::SetStoreConfig(StoreConfig config) {
  const MutexLock lock(mutex_);
  store_config_ = std::move(config);
}

/// Nothing happens as long as the cluster is not bootstrapped, or once it runs. A bootstrap loads on a thread of its
/// own, and the lead may have been lost since, and even won again: what a later term loaded is not touched.
Result<void> Cluster::LoadRunning(uint64_t term) {
  const ClusterPaths paths(deps_.cluster_id());
  const MutexLock one(loading_mutex_);
  {
    const MutexLock lock(leading_mutex_);
    if (!leading_ || term_.load() != term) return Fail(ErrorCode::kNotLeader, "not leader");
    if (running()) return {};
    synced_.store(false);
  }
  const auto meta = deps_.meta.Get(paths.Cluster());
  if (!meta) return tl::unexpected<Error>(meta.error());
  if (!*meta) return {};
  auto started = LoadTables(paths, term);
  {
    const MutexLock lock(mutex_);
    serving_since_ = deps_.clock.Monotonic();
  }
  if (started) started = StartRunning(term);
  // No later term has loaded yet: it waits for this.
  if (!started) {
    stores_.Clear();
    affinity_.Clear();
    labels_.Clear();
    rules_.Clear();
  }
  return started;
}

Result<void> Cluster::LoadTables(const ClusterPaths& paths, uint64_t term) {
  if (auto loaded = stores_.Load(paths, term); !loaded) return loaded;
  if (auto loaded = affinity_.Load(paths, term); !loaded) return loaded;
  if (auto loaded = labels_.Load(paths, term); !loaded) return loaded;
  if (auto loaded = rules_.Load(paths, term); !loaded) return loaded;
  if (auto loaded = LoadFirstRegion(paths); !loaded) return loaded;
  const auto read = [&](const std::string& key) -> Result<std::string> {
    const auto kv = deps_.meta.Get(key);
    if (!kv) return tl::unexpected<Error>(kv.error());
    return *kv ? (*kv)->value : std::string();
  };
  const auto time = read(paths.BootstrapTime());
  const auto min_resolved = read(paths.MinResolvedTs());
  const auto external = read(paths.ExternalTimestamp());
  if (!time) return tl::unexpected<Error>(time.error());
  if (!min_resolved) return tl::unexpected<Error>(min_resolved.error());
  if (!external) return tl::unexpected<Error>(external.error());
  uint64_t unix_ns = 0;
  DecodeBigEndian(*time, unix_ns);
  bootstrap_time_unix_ns_.store(static_cast<int64_t>(unix_ns));
  min_resolved_ts_.store(ParseHex(*min_resolved));
  external_ts_.store(ParseHex(*external));
  // Numbers of changes are those of this leader: followers that know others get a full copy.
  feed_.Reset(static_cast<uint64_t>(deps_.clock.UnixNanos() / 1000));
  return {};
}

/// Not if the lead of `term` was lost meanwhile.
Result<void> Cluster::StartRunning(uint64_t term) {
  const MutexLock lock(leading_mutex_);
  if (!leading_ || term_.load() != term) return Fail(ErrorCode::kNotLeader, "not leader");
  running_.store(true, std::memory_order_release);
  return {};
}

/// The region of the bootstrap, as long as no report was ever written down.
Result<void> Cluster::LoadFirstRegion(const ClusterPaths& paths) {
  if (regions_.size() != 0) return {};
  bool any_reported = false;
  const auto visited = deps_.meta.VisitRegions([&](const RegionRecord&) {
    any_reported = true;
    return false;
  });
  if (!visited || any_reported) return visited;
  const auto stored = deps_.meta.GetPrefix(paths.Regions());
  if (!stored) return tl::unexpected<Error>(stored.error());
  if (stored->size() != 1) return {};
  auto region = DecodeRegion(stored->front().value);
  if (!region) return tl::unexpected<Error>(region.error());
  regions_.PutFirst(*region);
  return {};
}

void Cluster::OnLeaderStop() {
  {
    const MutexLock lock(leading_mutex_);
    leading_ = false;
    running_.store(false, std::memory_order_release);
  }
  synced_.store(false);
  stores_.Clear();
  affinity_.Clear();
  labels_.Clear();
  rules_.Clear();
  hot_.Clear();
  regions_.ForgetReports();  // A later lead of this member waits for reports of its own.
  const MutexLock lock(mutex_);
  min_resolved_by_store_.clear();
}

void Cluster::QueueApplied(const AppliedChanges& changes) {
  if (changes.regions.empty()) return;
  const MutexLock lock(mutex_);
  for (const PutRegions& batch : changes.regions) {
    if (applied_.size() >= kAppliedMax) {
      applied_.clear();
      reload_ = true;
    }
    applied_.push_back(batch);
  }
}

void Cluster::QueueReload() {
  const MutexLock lock(mutex_);
  applied_.clear();
  reload_ = true;
}

void Cluster::TakeApplied() {
  const MutexLock one(taking_mutex_);
  std::deque<PutRegions> applied;
  bool reload = false;
  {
    const MutexLock lock(mutex_);
    applied.swap(applied_);
    std::swap(reload, reload_);
  }
  if (reload) {
    if (auto loaded = LoadRegions(); !loaded) {
      deps_.warn(fmt::format("cannot read the regions again: {}", loaded.error().context));
      const MutexLock lock(mutex_);
      reload_ = true;
    }
  }
  for (const PutRegions& batch : applied) regions_.PutReplicated(batch);
}

void Cluster::SaveLoop() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (!stopping_) wake_.WaitFor(mutex_, kSavePause);
      if (stopping_) return;
    }
    TakeApplied();
    if (running()) SaveSome();
  }
}

void Cluster::SaveSome() {
  while (true) {
    // The term first: what is taken now must not be written in a later one, over another leader's newer record.
    const uint64_t term = term_.load();
    const std::optional<PutRegions> batch = regions_.TakeUnsaved(kBatchRegions);
    if (!batch) return;
    const auto written = deps_.meta.PutRegionBatch(*batch, kBatchTimeout, term);
    if (written) continue;
    // It may be done all the same; writing the same again does no harm.
    regions_.Unsaved(*batch);
    if (written.error().code != ErrorCode::kNotLeader) {
      deps_.warn(fmt::format("cannot save {} regions: {}", batch->regions.size(),
                             written.error().context));
    }
    const MutexLock lock(mutex_);
    if (!stopping_) wake_.WaitFor(mutex_, kSaveRetryPause);
    return;
  }
}

void Cluster::JobLoop() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (!stopping_ && !heartbeats_due_) jobs_wake_.WaitFor(mutex_, kJobPause);
      if (stopping_) return;
      heartbeats_due_ = false;
      ++save_rounds_begun_;
    }
    RunJobs(deps_.clock.Monotonic());
  }
}

void Cluster::RunJobs(Nanos now) {
  const bool is_running = running();
  const bool was_running = std::exchange(job_times_.was_running, is_running);
  PruneHotHistory(now);
  if (!is_running) return;
  if (!was_running) {
    job_times_.states = now + kStateJobInterval;
    job_times_.hot = now;
  }
  // As in the reference, what a store holds by a bootstrap is counted by a job, not by the bootstrap.
  if (was_running) regions_.CountBootstrapped();
  stores_.SaveHeartbeats();
  EndSaveRound();
  KeepRules();
  KeepAffinity();
  KeepHotHistory(now);
  if (now >= job_times_.states) {
    stores_.UpdateStates();
    ForgetHeatOfGoneStores();
    job_times_.states = now + kStateJobInterval;
  }
  if (now >= job_times_.labels) {
    job_times_.labels = RemoveExpiredLabels() ? now : now + kLabelJobInterval;
  }
  const Nanos interval = deps_.config.online()->pd_server.min_resolved_ts_persistence_interval;
  if (interval > Nanos{0} && now >= job_times_.resolved) {
    SaveMinResolvedTs();
    job_times_.resolved = now + interval;
  }
}

void Cluster::DoDue() {
  TakeApplied();
  if (running()) SaveSome();
  RunJobs(deps_.clock.Monotonic());
}

/// What fails comes round again: labels that have expired do not count, whether they are still kept or not.
/// True if there are more.
bool Cluster::RemoveExpiredLabels() {
  const auto removed = labels_.RemoveExpired();
  if (removed) return *removed;
  if (removed.error().code != ErrorCode::kNotLeader) {
    deps_.warn(fmt::format("cannot remove expired region labels: {}", removed.error().context));
  }
  return false;
}

/// What fails comes round again.
void Cluster::KeepRules() {
  const auto saved = rules_.KeepUp();
  if (!saved && saved.error().code != ErrorCode::kNotLeader) {
    deps_.warn(fmt::format("cannot keep up with the placement rules: {}", saved.error().context));
  }
}

/// What fails is learned again.
void Cluster::KeepAffinity() {
  const auto saved = affinity_.KeepUp();
  if (!saved && saved.error().code != ErrorCode::kNotLeader) {
    deps_.warn(fmt::format("cannot keep up with the affinity groups: {}", saved.error().context));
  }
}

Result<void> Cluster::CheckRunning() const {
  if (running()) return {};
  return Fail(
      ErrorCode::kNotBootstrapped,
      "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first");
}

Result<void> Cluster::CheckBootstrap(const std::optional<Store>& store,
                                     const std::optional<Region>& region) const {
  const uint64_t cluster_id = deps_.cluster_id();
  const auto refuse = [](std::string text) {
    return Fail(ErrorCode::kInvalidArgument, std::move(text));
  };
  if (running()) return Fail(ErrorCode::kAlreadyExists, "cluster is already bootstrapped");
  if (!store) return refuse(fmt::format("missing store meta for bootstrap {}", cluster_id));
  if (!store->id) return refuse("invalid zero store id");
  if (!region) return refuse(fmt::format("missing region meta for bootstrap {}", cluster_id));
  if (!region->start_key.empty() || !region->end_key.empty()) {
    return refuse(fmt::format("invalid first region key range, must all be empty for bootstrap {}",
                              cluster_id));
  }
  if (!region->id) return refuse("invalid zero region id");
  if (region->peers.size() != 1) {
    return refuse(fmt::format("invalid first region peer count {}, must be 1 for bootstrap {}",
                              region->peers.size(), cluster_id));
  }
  const scheduler::Peer& peer = region->peers[0];
  if (peer.store != store->id) {
    return refuse(fmt::format("invalid peer store id {} != {} for bootstrap {}", peer.store.value,
                              store->id.value, cluster_id));
  }
  if (!peer.id) return refuse("invalid zero peer id");
  return {};
}

Result<void> Cluster::Bootstrap(const std::optional<Store>& store,
                                const std::optional<Region>& region) {
  // Which leadership this is: another may have begun by the time the answer comes.
  uint64_t lead = 0;
  {
    const MutexLock lock(mutex_);
    lead = leads_;
  }
  const uint64_t term = term_.load();
  if (auto checked = CheckBootstrap(store, region); !checked) return checked;
  const ClusterPaths paths(deps_.cluster_id());
  const ClusterMeta meta{deps_.cluster_id(),
                         static_cast<uint32_t>(deps_.config.online()->replication.max_replicas)};
  const auto now = static_cast<uint64_t>(deps_.clock.UnixNanos());
  const auto put = [](std::string key, std::string value) {
    return PutRequest{std::move(key), std::move(value), 0, false, false, false};
  };
  KvTxn txn;
  txn.compares.push_back(Compare::Absent(paths.Cluster()));
  txn.then.emplace_back(put(paths.Cluster(), EncodeClusterMeta(meta)));
  txn.then.emplace_back(put(paths.BootstrapTime(), EncodeBigEndian(now)));
  txn.then.emplace_back(put(paths.Store(store->id.value), EncodeStore(*store)));
  txn.then.emplace_back(put(paths.Region(region->id.value), EncodeRegion(*region)));
  const scheduler::LabelRule keyspace = DefaultKeyspaceRule();
  txn.then.emplace_back(
      put(paths.RegionLabel(keyspace.id), DumpCompact(LabelRuleToJson(keyspace))));
  const auto done = deps_.meta.Txn(std::move(txn), kWriteTimeout, term);
  if (!done) return tl::unexpected<Error>(done.error());
  if (!done->succeeded) {
    // An earlier try was done after all, though its answer was lost: go on from there.
    if (!running()) static_cast<void>(LoadRunning(term));
    return Fail(ErrorCode::kConflict,
                "[PD:etcd:ErrEtcdTxnConflict]etcd transaction failed, conflicted and rolled back");
  }
  {
    const MutexLock lock(mutex_);
    bootstrapped_in_ = std::max(bootstrapped_in_, lead);
  }
  // The replicated table holds what stores reported: the region goes there with its first report.
  regions_.PutBootstrapped(*region);
  return LoadRunning(term);
}

Result<ClusterMeta> Cluster::Meta() const {
  const auto kv = deps_.meta.Get(paths().Cluster());
  if (!kv) return tl::unexpected<Error>(kv.error());
  if (!*kv) return Fail(ErrorCode::kNotBootstrapped, "cluster is not bootstrapped");
  return DecodeClusterMeta((*kv)->value);
}

Result<void> Cluster::PutMeta(const ClusterMeta& meta) {
  const auto written =
      deps_.meta.Put(paths().Cluster(), EncodeClusterMeta(meta), kWriteTimeout, term_.load());
  if (!written) return tl::unexpected<Error>(written.error());
  return {};
}

bool Cluster::IsInitialized() const {
  if (regions_.size() > 1) return true;
  const std::optional<Region> first = regions_.FindByKey("");
  return first && first->pending_peers.empty() &&
         first->VoterCount() >= deps_.config.online()->replication.max_replicas;
}

scheduler::ClassifyOptions Cluster::Options() const {
  const int64_t digits = deps_.config.online()->pd_server.flow_round_by_digit;
  uint64_t divisor = 1;
  for (int64_t i = 0; i < std::min<int64_t>(digits, kFlowDigitsMax); ++i) divisor *= 10;
  return {.flow_divisor = divisor, .flow_divisor_before = divisor};
}

Result<void> Cluster::HandleRegionReport(Region report) {
  report.source = scheduler::RegionSource::kHeartbeat;
  report.on_leaving_store = stores_.AnyLeaving(report.peers);
  auto outcome = regions_.Report(std::move(report), Options());
  if (!outcome) return tl::unexpected<Error>(outcome.error());
  LogRegionChange(*outcome);
  hot_.OnRegionReported(outcome->region, InstantOf(deps_.clock.Monotonic()));
  for (RegionObserver* observer : region_observers_) {
    observer->OnRegionReported(outcome->region, outcome->change);
  }
  return {};
}

Result<scheduler::NodeState> Cluster::HandleStoreReport(StoreTable::Heartbeat heartbeat,
                                                        std::span<const PeerReads> reads) {
  if (stores_.Contains(heartbeat.id)) {
    hot_.OnStoreReported(
        heartbeat.id, heartbeat.stats, reads, [this](RegionId id) { return regions_.Find(id); },
        InstantOf(deps_.clock.Monotonic()));
  }
  const auto answer = stores_.OnHeartbeat(std::move(heartbeat));
  if (!answer) return tl::unexpected(answer.error());
  if (answer->save_due) SaveHeartbeatSoon();
  return answer->node_state;
}

void Cluster::HandleBuckets(RegionId id, const scheduler::Buckets& buckets) {
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  if (regions_.PutBuckets(id, buckets)) return hot_.OnBucketsReported(id, buckets, now);
  // Of the same version: what is new is how they are used.
  const std::optional<Region> region = regions_.Find(id);
  if (!region || region->buckets.version != buckets.version) return;
  hot_.OnBucketsReported(id, buckets, now);
}

scheduler::StoreLoads Cluster::LoadsOf(StoreId store) const {
  scheduler::StoreLoads loads = hot_.LoadsOf(store).value_or(scheduler::StoreLoads{});
  const scheduler::RegionIndex::StoreSums sums = regions_.SumsOf(store);
  loads.regions_write[scheduler::LoadDim::kByte] = static_cast<double>(sums.write_bytes_per_s);
  loads.regions_write[scheduler::LoadDim::kKey] = static_cast<double>(sums.write_keys_per_s);
  return loads;
}

std::vector<scheduler::HotPeer> Cluster::HotPeersOn(scheduler::Access access, StoreId store) const {
  return hot_.PeersOn(access, store,
                      deps_.config.online()->schedule.hot_region_cache_hits_threshold,
                      InstantOf(deps_.clock.Monotonic()));
}

/// Whoever leads: a member that did once has files, too.
void Cluster::PruneHotHistory(Nanos now) {
  if (now < job_times_.pruned) return;
  const auto config = deps_.config.online();
  job_times_.pruned =
      now + std::clamp<Nanos>(config->schedule.hot_regions_write_interval, kJobPause, kPruneMax);
  hot_history_.Prune(deps_.clock.UnixNanos() / 1'000'000,
                     config->schedule.hot_regions_reserved_days);
}

void Cluster::ForgetHeatOfGoneStores() {
  std::vector<StoreId> there;
  for (const scheduler::Store& store : stores_.All()) {
    if (!store.IsRemoved()) there.push_back(store.id);
  }
  hot_.KeepStores(there);
}

/// Every interval, what is hot at that moment. What cannot be written is missing, as it is while nobody leads.
void Cluster::KeepHotHistory(Nanos now) {
  const auto config = deps_.config.online();
  const Nanos interval = std::max<Nanos>(config->schedule.hot_regions_write_interval, kJobPause);
  if (now < job_times_.hot + interval) return;
  job_times_.hot = now;
  const int64_t unix_ms = deps_.clock.UnixNanos() / 1'000'000;
  const uint64_t days = config->schedule.hot_regions_reserved_days;
  if (days == 0) return;
  const auto written = hot_history_.Append(unix_ms, HotRecords(unix_ms));
  if (!written)
    deps_.warn(fmt::format("hot regions are not recorded: {}", written.error().context));
}

std::vector<HotRecord> Cluster::HotRecords(int64_t unix_ms) const {
  std::vector<HotRecord> records;
  for (const scheduler::Access access : {scheduler::Access::kRead, scheduler::Access::kWrite}) {
    for (const Store& store : stores_.All()) {
      for (const scheduler::HotPeer& hot : HotPeersOn(access, store.id)) {
        const std::optional<Region> region = regions_.Find(hot.region);
        const scheduler::Peer* peer = region ? region->PeerOnStore(store.id) : nullptr;
        if (peer == nullptr) continue;
        records.push_back({unix_ms, region->id, peer->id, store.id, region->leader.id == peer->id,
                           IsLearner(*peer), access, hot.degree, hot.load, region->start_key,
                           region->end_key});
      }
    }
  }
  return records;
}

/// A leader that dies in the next moment should not make stores look unheard. As in the reference the answer waits
/// until the time is written; but not for as long as Raft may take.
void Cluster::SaveHeartbeatSoon() {
  if (by_hand_) return stores_.SaveHeartbeats();
  const MutexLock lock(mutex_);
  heartbeats_due_ = true;
  const uint64_t round = save_rounds_begun_ + 1;  // One that has begun may have missed it.
  jobs_wake_.NotifyOne();
  const Nanos until = deps_.clock.Monotonic() + kHeartbeatSavePatience;
  while (save_rounds_ended_ < round && !stopping_ && deps_.clock.Monotonic() < until) {
    heartbeats_saved_.WaitFor(mutex_, kHeartbeatSavePatience);
  }
}

void Cluster::EndSaveRound() {
  const MutexLock lock(mutex_);
  save_rounds_ended_ = save_rounds_begun_;
  heartbeats_saved_.NotifyAll();
}

Result<void> Cluster::CheckAffinity(const Region& current, scheduler::SplitReason reason) const {
  const auto groups = affinity_.groups();
  const auto book = labels_.book();
  const auto* group = FindAffinityGroup(*groups, *book, current, deps_.clock.UnixNanos());
  const auto config = deps_.config.online();
  const scheduler::AffinitySplitOptions options{config->schedule.affinity_schedule_limit,
                                                config->schedule.max_affinity_merge_region_size};
  if (group == nullptr || !RefusesSplit(group->second, current, reason, options)) return {};
  return Fail(ErrorCode::kUnavailable, "cannot split affinity region");
}

Result<std::vector<Cluster::SplitIds>> Cluster::AskSplit(
    const Region& region, uint32_t count, std::optional<scheduler::SplitReason> reason) {
  const auto config = deps_.config.online();
  if (config->schedule.halt_scheduling) {
    return Fail(ErrorCode::kUnavailable, "[PD:cluster:ErrSchedulingIsHalted]scheduling is halted");
  }
  if (!config->schedule.enable_tikv_split_region) {
    return Fail(ErrorCode::kUnavailable,
                "[PD:scheduler:ErrSchedulerTiKVSplitDisabled]tikv split region disabled");
  }
  const std::optional<Region> current = regions_.FindByKey(region.start_key);
  if (!current) {
    return Fail(ErrorCode::kUnavailable,
                fmt::format("region not found, request region: {}", RegionText(region)));
  }
  if (region.epoch.version < current->epoch.version ||
      region.epoch.conf_ver < current->epoch.conf_ver) {
    return Fail(ErrorCode::kUnavailable,
                fmt::format("invalid region epoch, request: {}, current: {}",
                            EpochText(region.epoch), EpochText(current->epoch)));
  }
  if (reason) {
    if (auto checked = CheckAffinity(*current, *reason); !checked) {
      return tl::unexpected(checked.error());
    }
  }
  std::vector<SplitIds> splits;
  const uint64_t per_split = 1 + region.peers.size();
  if (count == 0) return splits;
  if (count * per_split > kSplitIdsMax) {
    return Fail(ErrorCode::kInvalidArgument, "too many new regions in one split");
  }
  const auto last = deps_.ids.Allocate(static_cast<uint32_t>(count * per_split));
  if (!last) return tl::unexpected<Error>(last.error());
  uint64_t next = *last - count * per_split + 1;
  for (uint32_t i = 0; i < count; ++i) {
    SplitIds& ids = splits.emplace_back();
    ids.region_id = next++;
    for (size_t p = 0; p < region.peers.size(); ++p) ids.peer_ids.push_back(next++);
  }
  if (reason) TellGranted(region, *current, splits, *reason);
  return splits;
}

void Cluster::TellGranted(const Region& asked, const Region& current,
                          const std::vector<SplitIds>& splits,
                          scheduler::SplitReason reason) const {
  GrantedSplit granted;
  granted.source = asked.id;
  granted.version = std::max(asked.epoch.version, current.epoch.version);
  granted.range = {asked.start_key, current.end_key};  // `current` holds that key.
  for (const SplitIds& split : splits) granted.regions.push_back({split.region_id});
  granted.reason = reason;
  for (RegionObserver* observer : region_observers_) observer->OnSplitGranted(granted);
}

Result<void> Cluster::ReportMinResolvedTs(StoreId store, uint64_t ts) {
  if (!stores_.Contains(store)) {
    return tl::unexpected<Error>(StoreNotFound(store));
  }
  const MutexLock lock(mutex_);
  min_resolved_by_store_[store] = ts;
  return {};
}

uint64_t Cluster::StoreMinResolvedTs(StoreId store) const {
  if (!stores_.Contains(store)) return std::numeric_limits<uint64_t>::max();
  const MutexLock lock(mutex_);
  const auto it = min_resolved_by_store_.find(store);
  return it == min_resolved_by_store_.end() ? 0 : it->second;
}

void Cluster::SaveMinResolvedTs() {
  if (!IsInitialized()) return;
  {
    const MutexLock lock(mutex_);
    if (min_resolved_by_store_.empty()) return;  // No need to look at the stores.
  }
  uint64_t lowest = std::numeric_limits<uint64_t>::max();
  for (const Store& store : stores_.All()) {
    if (store.IsRemoved() || store.IsTiFlash() || store.counts.leaders == 0) continue;
    const MutexLock lock(mutex_);
    const auto it = min_resolved_by_store_.find(store.id);
    lowest = std::min(lowest, it == min_resolved_by_store_.end() ? 0 : it->second);
  }
  if (lowest == std::numeric_limits<uint64_t>::max() || lowest <= min_resolved_ts_.load()) return;
  const auto written =
      deps_.meta.Put(paths().MinResolvedTs(), HexText(lowest), kWriteTimeout, term_.load());
  if (written) min_resolved_ts_.store(lowest);
}

uint64_t Cluster::ExternalTimestamp() const {
  if (!running()) return 0;
  return IsInitialized() ? external_ts_.load() : std::numeric_limits<uint64_t>::max();
}

Result<void> Cluster::SetExternalTimestamp(uint64_t ts, uint64_t tso) {
  if (ts > tso) {
    return Fail(ErrorCode::kInvalidArgument,
                "the external timestamp should not be larger than global ts");
  }
  const MutexLock one(external_mutex_);
  if (auto checked = CheckRunning(); !checked) return checked;
  if (ts <= ExternalTimestamp()) {
    return Fail(ErrorCode::kInvalidArgument,
                "the external timestamp should be larger than current external timestamp");
  }
  const auto written =
      deps_.meta.Put(paths().ExternalTimestamp(), HexText(ts), kWriteTimeout, term_.load());
  if (!written) return tl::unexpected<Error>(written.error());
  external_ts_.store(ts);
  return {};
}

}  // namespace pd

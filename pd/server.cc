#include "pd/server.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "pd/codec/member_codec.h"
#include "pd/log/log.h"
#include "pd/replication/lease.h"
#include "pd/server_metrics.h"
#include "pd/version.h"

namespace pd {
namespace {

constexpr Millis kWriteTimeout{3000};
constexpr Millis kHandOverTimeout{2000};  // On top of the election timeout.
constexpr Millis kRetryAfter{200};
constexpr Nanos kTsoWindow = Millis(500);  // At most, but see TsoOracle::Options.
constexpr Millis kDutyInterval{50};
constexpr int kHistoryLooks = 12;
constexpr Millis kHistoryPeriodMin{1000};
constexpr Nanos kPriorityInterval = std::chrono::minutes(1);
constexpr Nanos kHealthInterval = std::chrono::seconds(10);
constexpr std::string_view kTemporaryPrefix = "/config/ttl/";
constexpr const char* kClusterIdKey = "/pd/cluster_id";

std::string EncodeU64(uint64_t value) {
  std::string bytes(8, '\0');
  for (size_t i = 8; i-- > 0; value >>= 8U) bytes[i] = static_cast<char>(value & 0xffU);
  return bytes;
}

/// 0 for anything but eight bytes.
uint64_t DecodeU64(std::string_view bytes) {
  if (bytes.size() != 8) return 0;
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

/// The number that is stored under a key, 0 where there is none. Errors: kCorrupt for anything but eight bytes.
Result<uint64_t> NumberIn(const std::string& key, const std::optional<std::string>& value) {
  if (!value) return 0;
  if (value->size() == 8) return DecodeU64(*value);
  return Fail(ErrorCode::kCorrupt,
              fmt::format("{} holds {} bytes, not a number", key, value->size()));
}

/// What this member has applied under a key, if anything. Errors: kIo.
Result<std::optional<std::string>> ReadApplied(const MetaStore& meta, const std::string& key) {
  auto found = meta.Get(key, Consistency::kLocal);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return std::nullopt;
  return std::move((*found)->value);
}

Result<uint64_t> ReadNumber(const MetaStore& meta, const std::string& key) {
  const auto value = ReadApplied(meta, key);
  if (!value) return tl::unexpected(value.error());
  return NumberIn(key, *value);
}

/// The stored form of a TSO window end: nanoseconds.
std::string EncodeEnd(int64_t end_ms) {
  return EncodeU64(static_cast<uint64_t>(end_ms) * 1'000'000);
}
/// Rounded up, so that a window never begins before the end.
int64_t DecodeEnd(uint64_t stored) { return (static_cast<int64_t>(stored) + 999'999) / 1'000'000; }

PutRequest Put(std::string key, std::string value) {
  PutRequest put;
  put.key = std::move(key);
  put.value = std::move(value);
  return put;
}

/// This server's timings, but for those that the user set.
GroupOptions MakeGroupOptions(const Config& config, const MemberIdentity& identity) {
  GroupOptions options;
  options.id = identity.id;
  options.group_id = identity.group_id;
  if (config.IsExplicit("tick-interval")) {
    options.heartbeat_ticks =
        static_cast<uint32_t>(std::max<int64_t>(config.tick_interval / options.tick, 1));
  }
  Nanos election{0};
  if (config.IsExplicit("election-interval")) {
    election = config.election_interval;
  } else if (config.IsExplicit("lease")) {
    election = std::chrono::seconds(config.lease_s);
  }
  if (election > Nanos(0)) {
    options.election_ticks = static_cast<uint32_t>(election / options.tick);
  }
  options.election_ticks = std::max({options.election_ticks, 4 * options.heartbeat_ticks,
                                     static_cast<uint32_t>(kVoterPromise / options.tick)});
  return options;
}

/// History is looked at a dozen times in the time it is kept. What does not parse was refused by FillDefaults().
MetaOptions MakeMetaOptions(const Config& config) {
  MetaOptions options;
  options.request_bytes_max = config.max_request_bytes;
  if (const auto kept = ParseHistoryKept(config)) {
    options.compaction_retention = std::chrono::duration_cast<Millis>(kept->age);
    options.compaction_revisions = kept->revisions;
    if (kept->age > Nanos(0)) {
      options.compaction_period =
          std::max(options.compaction_retention / kHistoryLooks, kHistoryPeriodMin);
    }
  }
  return options;
}

/// Raft gives a hand-over up after the election timeout.
Millis HandOverTimeout(const Config& config) {
  const GroupOptions options = MakeGroupOptions(config, {});
  return options.tick * options.election_ticks + kHandOverTimeout;
}

uint64_t NewClusterId(const Clock& clock) {
  std::random_device random;
  const auto seconds = static_cast<uint64_t>(clock.UnixNanos() / 1'000'000'000);
  return (seconds << 32U) + (random() & 0xffffffffU);
}

}  // namespace

Result<std::unique_ptr<PdServer>> PdServer::Open(Parts parts) {
  const MemberIdentity identity = parts.identity;
  std::unique_ptr<PdServer> server(new PdServer(std::move(parts)));
  if (auto assembled = server->Assemble(identity); !assembled)
    return tl::unexpected(assembled.error());
  return server;
}

PdServer::PdServer(Parts parts)
    : config_(std::move(parts.config)),
      clock_(*parts.clock),
      transport_(*parts.transport, parts.identity.seeds),
      peers_(*parts.peers),
      group_id_(parts.identity.group_id),
      on_removed_(std::move(parts.on_removed)),
      database_(std::move(parts.database)) {}

PdServer::~PdServer() { Stop(); }

Result<void> PdServer::Assemble(const MemberIdentity& identity) {
  const auto initial = ParseInitialCluster(config_.initial_cluster, config_.initial_cluster_token);
  const auto has_state = RaftGroup::HasState(*database_);
  if (!has_state) return tl::unexpected(has_state.error());
  if (!*has_state && !identity.joined) {
    if (!initial) return tl::unexpected(initial.error());
    if (auto made = RaftGroup::Bootstrap(*database_, *initial); !made) return made;
  }
  if (config_.force_new_cluster) {
    if (!*has_state) {
      LogWarn("force-new-cluster has no effect: there is no data of an earlier cluster");
    } else if (auto forced = RaftGroup::ForceAlone(*database_, identity.id); !forced) {
      return Fail(forced.error().code, "cannot force a new cluster: " + forced.error().context);
    }
  }
  auto group = RaftGroup::Open(MakeGroupOptions(config_, identity), *database_, transport_, clock_);
  if (!group) return tl::unexpected(group.error());
  group_ = std::move(*group);
  meta_ = MetaStore::Create(*group_, *database_, clock_, MakeMetaOptions(config_));
  group_->AddListener(*this);

  Member self;
  self.id = identity.id;
  self.name = config_.name;
  const auto peer_urls = ParseUrls(config_.advertise_peer_urls);
  const auto client_urls = ParseUrls(config_.advertise_client_urls);
  if (!peer_urls) return tl::unexpected(peer_urls.error());
  if (!client_urls) return tl::unexpected(client_urls.error());
  self.peer_urls = *peer_urls;
  self.client_urls = *client_urls;
  members_ =
      std::make_unique<Members>(*group_, *meta_, std::move(self), [this] { return Key(""); });

  config_store_ = std::make_unique<ConfigStore>(config_, [this](const OnlineConfig& online) {
    return PersistConfig(online, leading_term());
  });
  config_store_->AddCheck([this](const OnlineConfig&, const OnlineConfig& after) {
    return CheckDashboardAddress(after.pd_server.dashboard_address);
  });
  config_store_->AddObserver([this](const ConfigStore::Snapshot& online) {
    for (const NoEffect& item : online_effects_.News(*online)) {
      LogWarn("config item has no effect here", {{"item", item.key}, {"why", item.why}});
    }
  });
  ids_ = std::make_unique<IdAllocator>([this](uint64_t count) { return ReserveIds(count); });
  TsoOracle::Options tso;
  tso.window = std::min<Nanos>(kTsoWindow, config_.tso_save_interval);
  tso.update_interval = config_.tso_update_physical_interval;
  tso_ = std::make_unique<TsoOracle>(
      tso, clock_,
      [this](int64_t end_ms, TsoOracle::SaveDone done) { SaveTsoEnd(end_ms, std::move(done)); },
      [this] { return group_->LeaseValid(); });
  ReloadReplicated();
  AddServerMetrics(*this);
  return {};
}

Result<void> PdServer::CheckDashboardAddress(const std::string& address) const {
  if (address == "auto" || address == "none") return {};
  for (const Member& member : members_->List()) {
    const auto& urls = member.client_urls;
    if (std::find(urls.begin(), urls.end(), address) != urls.end()) return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("dashboard address {} is not the client url of any member", address));
}

std::string PdServer::Key(std::string_view suffix) const {
  return fmt::format("/pd/{}{}", cluster_id(), suffix);
}

bool PdServer::Serving() const { return serving_term() != 0 && group_->LeaseValid(); }

raft::Term PdServer::leading_term() const {
  const MutexLock lock(mutex_);
  return leading_term_;
}

void PdServer::Start() {
  start_timestamp_s_ = clock_.UnixNanos() / 1'000'000'000;
  leadership_ = std::thread([this] { RunLeadership(); });
  timer_ = std::thread([this] { RunTimer(); });
  duties_ = std::thread([this] { RunDuties(); });
  meta_->Start();
  group_->Start();
  started_.store(true, std::memory_order_release);
}

void PdServer::Stop() {
  if (!started_.exchange(false)) return;
  if (Serving() && group_->members().size() > 1) {
    if (auto handed = TransferLeader(0); !handed) {
      LogWarn("cannot hand leadership over before the stop", {{"error", handed.error()}});
    }
  }
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    woken_.NotifyAll();
  }
  // The three threads may wait for Raft, so it stops after them.
  duties_.join();
  timer_.join();
  leadership_.join();
  tso_->Stop();
  ids_->Stop();
  meta_->Stop();
  group_->Stop();
}

void PdServer::OnLeaderStart(raft::Term term) {
  const MutexLock lock(mutex_);
  leading_term_ = term;
  woken_.NotifyAll();
}

void PdServer::OnLeaderStop(raft::Term) {
  const MutexLock lock(mutex_);
  leading_term_ = 0;
  serving_term_.store(0, std::memory_order_release);
  tso_->Stop();
  ids_->Stop();
  woken_.NotifyAll();
}

void PdServer::OnApplied(raft::LogIndex, const AppliedChanges& changes) {
  for (const Event& event : changes.events) {
    if (TakeTemporary(event) || event.type != Event::Type::kPut) continue;
    if (event.kv.key == kClusterIdKey) {
      cluster_id_.store(DecodeU64(event.kv.value), std::memory_order_release);
    } else if (event.kv.key.ends_with("/config") && event.kv.key == Key("/config") &&
               leading_term() == 0) {
      if (auto read = config_store_->OnReplicated(event.kv.value); !read) {
        LogError("cannot read the replicated configuration", {{"error", read.error()}});
      }
    }
  }
}

bool PdServer::TakeTemporary(const Event& event) {
  if (!event.kv.key.starts_with(kTemporaryPrefix)) return false;
  const bool put = event.type == Event::Type::kPut;
  config_store_->OnTemporary(event.kv.key.substr(kTemporaryPrefix.size()),
                             put ? std::optional(event.kv.value) : std::nullopt);
  return true;
}

void PdServer::OnStateReplaced(raft::LogIndex) { ReloadReplicated(); }

void PdServer::OnRemoved() {
  LogError(
      "this member was removed from the cluster for good, its data directory is of no use any more",
      {{"name", config_.name}, {"data-dir", config_.data_dir}});
  if (on_removed_) on_removed_();
}

std::string PdServer::LocalValue(const std::string& key) const {
  const auto found = ReadApplied(*meta_, key);
  if (found) return found->value_or("");
  LogError("cannot read the replicated state", {{"key", key}, {"error", found.error()}});
  return {};
}

// What a member that does not lead shows; the start of a term reads for itself, and fails when it cannot.
void PdServer::ReloadReplicated() {
  cluster_id_.store(DecodeU64(LocalValue(kClusterIdKey)), std::memory_order_release);
  std::map<std::string, std::string> temporary;
  const auto items = meta_->GetPrefix(std::string(kTemporaryPrefix), Consistency::kLocal);
  if (items) {
    for (const KeyValue& item : *items)
      temporary[item.key.substr(kTemporaryPrefix.size())] = item.value;
  }
  config_store_->ResetTemporary(std::move(temporary));
  const std::string json = LocalValue(Key("/config"));
  if (json.empty()) return;
  if (auto read = config_store_->OnReplicated(json); !read) {
    LogError("cannot read the replicated configuration", {{"error", read.error()}});
  }
}

void PdServer::RunLeadership() {
  raft::Term running = 0;
  while (true) {
    raft::Term wanted = 0;
    bool stopping = false;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && leading_term_ == running) woken_.Wait(mutex_);
      wanted = leading_term_;
      stopping = stopping_;
    }
    if (running != 0) StopServices();
    running = 0;
    if (stopping) return;
    if (wanted == 0) continue;
    if (auto begun = StartServices(wanted)) {
      running = wanted;
      continue;
    } else {
      LogError("cannot start as leader", {{"term", wanted}, {"error", begun.error()}});
    }
    StopServices();
    // Somebody else may do better; where there is nobody, this member tries again.
    if (leading_term() == wanted) {
      static_cast<void>(group_->TransferLeadership(0, HandOverTimeout(config_)));
    }
    const MutexLock lock(mutex_);
    if (!stopping_) woken_.WaitFor(mutex_, kRetryAfter);
  }
}

Result<void> PdServer::StartServices(raft::Term term) {
  if (auto begun = BeginTerm(term); !begun) return begun;
  if (auto loaded = LoadConfig(term); !loaded) return loaded;
  // Followers find the leader, to publish themselves, by the addresses that it published.
  if (const MemberDetail self = SelfDetail(); !members_->IsPublished(self)) {
    if (auto published = members_->Publish(self); !published) return published;
  }
  for (LeaderService* service : leader_services_) {
    ++services_started_;
    if (auto begun = service->OnLeaderStart(term); !begun) return begun;
  }
  const MutexLock lock(mutex_);
  if (leading_term_ != term) return Fail(ErrorCode::kNotLeader, "not leader");
  serving_term_.store(term, std::memory_order_release);
  LogInfo("PD leader is ready to serve", {{"leader-name", config_.name}, {"term", term}});
  return {};
}

void PdServer::StopServices() {
  serving_term_.store(0, std::memory_order_release);
  // They run still when it was the start of a service that failed, in a term that goes on.
  tso_->Stop();
  ids_->Stop();
  while (services_started_ > 0) leader_services_[--services_started_]->OnLeaderStop();
  LogInfo("PD leader services have stopped", {{"name", config_.name}});
}

Result<void> PdServer::BeginTerm(raft::Term term) {
  KvTxn txn;
  // The compares matter when this term has begun before: a late save of then may be under way.
  const auto read = [&](const std::string& key) -> Result<uint64_t> {
    const auto value = ReadApplied(*meta_, key);
    if (!value) return tl::unexpected(value.error());
    txn.compares.push_back(*value ? Compare::ValueIs(key, **value) : Compare::Absent(key));
    return NumberIn(key, *value);
  };
  const auto known_id = read(kClusterIdKey);
  if (!known_id) return tl::unexpected(known_id.error());
  uint64_t cluster_id = *known_id;
  if (cluster_id == 0) {
    cluster_id = NewClusterId(clock_);
    txn.then.emplace_back(Put(kClusterIdKey, EncodeU64(cluster_id)));
  }
  const std::string prefix = fmt::format("/pd/{}", cluster_id);
  const auto time_end = read(prefix + "/timestamp");
  if (!time_end) return tl::unexpected(time_end.error());
  const auto ids_end = read(prefix + "/alloc_id");
  if (!ids_end) return tl::unexpected(ids_end.error());
  const TsoOracle::Window time = tso_->Plan(DecodeEnd(*time_end));
  IdAllocator::Window ids{*ids_end, 0};
  if (ids.base > UINT64_MAX - IdAllocator::kWindow) {
    return Fail(ErrorCode::kExhausted, "[PD:idalloc:ErrIDExhausted]id exhausted");
  }
  ids.end = ids.base + IdAllocator::kWindow;
  txn.then.emplace_back(Put(prefix + "/timestamp", EncodeEnd(time.end_ms)));
  txn.then.emplace_back(Put(prefix + "/alloc_id", EncodeU64(ids.end)));
  txn.then.emplace_back(Put(prefix + "/leader", EncodeLeader(members_->self())));
  const auto written = meta_->Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  if (!written->succeeded) {
    return Fail(ErrorCode::kConflict, "cluster id, time or ids were written meanwhile");
  }

  const MutexLock lock(mutex_);
  if (leading_term_ != term) return Fail(ErrorCode::kNotLeader, "not leader");
  cluster_id_.store(cluster_id, std::memory_order_release);
  tso_->Start(time);
  ids_->Start(ids);
  return {};
}

Result<void> PdServer::LoadConfig(raft::Term term) {
  const auto json = ReadApplied(*meta_, Key("/config"));
  if (!json) return tl::unexpected(json.error());
  if (*json) return config_store_->OnReplicated(**json);
  return PersistConfig(*config_store_->online(), term);
}

Result<void> PdServer::PersistConfig(const OnlineConfig& online, raft::Term term) {
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  KvTxn txn;
  txn.then.emplace_back(Put(Key("/config"), OnlineConfigToJson(online)));
  // Resource control clients read their section under a key of its own.
  txn.then.emplace_back(
      Put("resource_group/controller", SectionToJson(online, ConfigSection::kController)));
  auto written = meta_->Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  return {};
}

void PdServer::RunTimer() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      woken_.WaitFor(mutex_, tso_->options().update_interval);
      if (stopping_) return;
    }
    tso_->Tick();
  }
}

void PdServer::RunDuties() {
  PublishSchedule publishing;
  Nanos priority_at = clock_.Monotonic() + kPriorityInterval;
  Nanos health_at{0};
  bool served = false;
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      woken_.WaitFor(mutex_, kDutyInterval);
      if (stopping_) return;
    }
    const Nanos now = clock_.Monotonic();
    PublishSelf(publishing, now);
    if (now >= priority_at) {
      CheckLeaderPriority();
      priority_at = now + kPriorityInterval;
    }
    const bool serving = Serving();
    if (now >= health_at || serving != served) {
      ShowMemberHealth(*this, kRetryAfter);
      health_at = now + kHealthInterval;
      served = serving;
    }
  }
}

MemberDetail PdServer::SelfDetail() const {
  MemberDetail detail;
  detail.member = members_->self();
  detail.binary_version = kReleaseVersion;
  detail.git_hash = kGitHash;
  detail.deploy_path = DeployPath();
  return detail;
}

void PdServer::PublishSelf(PublishSchedule& schedule, Nanos now) {
  const auto leader = members_->PdLeader();
  if (cluster_id() == 0 || !schedule.Due(now, leader ? leader->id : 0)) return;
  const MemberDetail detail = SelfDetail();
  if (!members_->IsPublished(detail)) {
    if (!leader || leader->client_urls.empty() || leader->id == detail.member.id) return;
    const auto published = peers_.Publish(leader->client_urls, detail, kWriteTimeout);
    if (!published) {
      if (schedule.OnFailed(clock_.Monotonic(), leader->id, published.error().context)) {
        LogWarn("cannot publish this member yet, will try again",
                {{"leader-name", leader->name}, {"error", published.error()}});
      }
      return;
    }
  }
  if (schedule.OnPublished(now)) LogInfo("this member is published", {{"name", config_.name}});
}

void PdServer::CheckLeaderPriority() {
  if (!Serving()) return;
  const raft::NodeId self = members_->self().id;
  raft::NodeId best = 0;
  int32_t highest = members_->LeaderPriority(self);
  for (const Member& member : members_->List()) {
    const int32_t priority = members_->LeaderPriority(member.id);
    if (member.is_learner || member.id == self || priority <= highest) continue;
    if (!peers_.Ping(member.client_urls, kRetryAfter)) continue;
    best = member.id;
    highest = priority;
  }
  if (best == 0) return;
  const auto handed = TransferLeader(best);
  LogInfo("leadership goes to the member with the higher priority",
          {{"member-id", best}, {"priority", highest}, {"done", handed.has_value()}});
}

Result<void> PdServer::TransferLeader(raft::NodeId target) {
  {
    const MutexLock lock(mutex_);
    if (handing_over_) return Fail(ErrorCode::kUnavailable, "another hand-over is under way");
    handing_over_ = true;
  }
  auto handed = HandOver(target);
  const MutexLock lock(mutex_);
  handing_over_ = false;
  return handed;
}

Result<void> PdServer::HandOver(raft::NodeId target) {
  const raft::Term term = serving_term();
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  if (target == members_->self().id) return {};
  const auto members = group_->members();
  const bool possible = std::any_of(members.begin(), members.end(), [&](const Member& member) {
    return !member.is_learner && member.id != members_->self().id &&
           (target == 0 || member.id == target);
  });
  if (!possible) return Fail(ErrorCode::kNotFound, "no valid pd to transfer etcd leader");
  // Timestamps stop for a hand-over, so it is not begun in vain.
  if (auto able = group_->CheckSuccessor(target, kWriteTimeout); !able) return able;

  const int64_t end_ms = tso_->Stop();
  Result<void> handed = WriteTsoEnd(term, end_ms, LeaderKey::kDelete);
  if (handed) handed = group_->TransferLeadership(target, HandOverTimeout(config_));
  if (handed) return {};
  // Timestamps go on. Raft refuses writes while it hands over, and may give that up only after the election timeout.
  while (true) {
    if (const auto saved = ReadNumber(*meta_, Key("/timestamp"))) {
      const TsoOracle::Window again = tso_->Plan(std::max(end_ms, DecodeEnd(*saved)));
      const auto written = WriteTsoEnd(term, again.end_ms, LeaderKey::kWrite);
      const MutexLock lock(mutex_);
      if (written && leading_term_ == term) tso_->Start(again);
      if (written) return handed;
    }
    const MutexLock lock(mutex_);
    if (leading_term_ == term && !stopping_) woken_.WaitFor(mutex_, kRetryAfter);
    if (leading_term_ != term || stopping_) return handed;
  }
}

Result<void> PdServer::WriteTsoEnd(raft::Term term, int64_t end_ms, LeaderKey leader_key) {
  KvTxn txn;
  // 0: nothing was granted since the last hand-over, and the end which that one wrote stands.
  if (end_ms != 0) txn.then.emplace_back(Put(Key("/timestamp"), EncodeEnd(end_ms)));
  if (leader_key == LeaderKey::kWrite) {
    txn.then.emplace_back(Put(Key("/leader"), EncodeLeader(members_->self())));
  } else {
    DeleteRequest gone;
    gone.key = Key("/leader");
    txn.then.emplace_back(std::move(gone));
  }
  auto written = meta_->Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  return {};
}

void PdServer::SaveTsoEnd(int64_t end_ms, TsoOracle::SaveDone done) {
  // Big-endian bytes of positive numbers order as the numbers do: a late save never takes a newer end back.
  Compare lower;
  lower.target = Compare::Target::kValue;
  lower.relation = Compare::Relation::kLess;
  lower.key = Key("/timestamp");
  lower.value = EncodeEnd(end_ms);
  KvTxn txn;
  txn.compares.push_back(lower);
  txn.then.emplace_back(Put(lower.key, lower.value));
  meta_->ProposeTxn(
      std::move(txn), leading_term(),
      [done = std::move(done)](const Result<CommandResult>& result) {
        if (!result) return done(tl::unexpected(result.error()));
        if (!result->succeeded)
          return done(Fail(ErrorCode::kConflict, "a later end of the TSO window is saved"));
        done({});
      });
}

Result<IdAllocator::Window> PdServer::ReserveIds(uint64_t count) {
  const raft::Term term = leading_term();
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  const std::string key = Key("/alloc_id");
  const auto old = meta_->Get(key);
  if (!old) return tl::unexpected(old.error());
  const auto end = NumberIn(key, *old ? std::optional((*old)->value) : std::nullopt);
  if (!end) return tl::unexpected(end.error());
  IdAllocator::Window window{*end, 0};
  const uint64_t windows = (count + IdAllocator::kWindow - 1) / IdAllocator::kWindow;
  if (window.base > UINT64_MAX - windows * IdAllocator::kWindow) {
    return Fail(ErrorCode::kExhausted, "[PD:idalloc:ErrIDExhausted]id exhausted");
  }
  window.end = window.base + windows * IdAllocator::kWindow;
  KvTxn txn;
  txn.compares.push_back(*old ? Compare::ValueIs(key, (*old)->value) : Compare::Absent(key));
  txn.then.emplace_back(Put(key, EncodeU64(window.end)));
  const auto written = meta_->Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  if (!written->succeeded) {
    return Fail(ErrorCode::kConflict,
                "[PD:etcd:ErrEtcdTxnConflict]etcd transaction failed, conflicted and rolled back");
  }
  return window;
}

Result<void> PdServer::SetTemporaryConfig(const std::map<std::string, std::string>& items,
                                          int64_t ttl_s) {
  if (ttl_s < 0 || items.empty()) return {};  // Over before it began.
  const raft::Term term = serving_term();
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  KvTxn txn;
  LeaseId lease = 0;
  if (ttl_s > 0) {
    const auto granted = meta_->GrantLease(0, ttl_s * 1000, kWriteTimeout);
    if (!granted) return tl::unexpected(granted.error());
    lease = granted->id;
  }
  for (const auto& [key, json] : items) {
    const std::string path = std::string(kTemporaryPrefix) + key;
    if (lease == 0) {
      DeleteRequest gone;
      gone.key = path;
      txn.then.emplace_back(std::move(gone));
      continue;
    }
    PutRequest put = Put(path, json);
    put.lease = lease;
    txn.then.emplace_back(std::move(put));
  }
  auto written = meta_->Txn(std::move(txn), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  return {};
}

Result<void> PdServer::SetIdBase(uint64_t base) {
  const raft::Term term = serving_term();
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  auto written = meta_->Put(Key("/alloc_id"), EncodeU64(base), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  ids_->Rebase();
  return {};
}

}  // namespace pd

#include "pd/cluster/store_config_watch.h"

#include <algorithm>

#include "pd/cluster/store_config.h"
#include "pd/log/log.h"

namespace pd {

using scheduler::Store;

namespace {

constexpr const char* kSuccess = "succ";
constexpr const char* kFailure = "fail";
constexpr const char* kRaftV2 = "raft-v2";

}  // namespace

StoreConfigWatch::StoreConfigWatch(Deps deps)
    : deps_(deps),
      attempts_(deps_.metrics.Counters("pd_cluster_store_sync",
                                       "Times that a store was asked for its configuration",
                                       {"address", "state"})) {}

StoreConfigWatch::~StoreConfigWatch() { Stop(); }

void StoreConfigWatch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void StoreConfigWatch::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

Result<void> StoreConfigWatch::OnLeaderStart(uint64_t /*term*/) {
  {
    const MutexLock lock(mutex_);
    leading_ = true;
    ++leads_;
  }
  wake_.NotifyAll();
  return {};
}

void StoreConfigWatch::OnLeaderStop() {
  const MutexLock lock(mutex_);
  leading_ = false;
}

void StoreConfigWatch::Run() {
  Millis wait{0};
  uint64_t looked_in = 0;
  while (true) {
    {
      const MutexLock lock(mutex_);
      // A new lead does not wait.
      if (!stopping_ && leads_ == looked_in) wake_.WaitFor(mutex_, wait);
      while (!stopping_ && !leading_) wake_.Wait(mutex_);
      if (stopping_) return;
      looked_in = leads_;
    }
    wait = Step();
  }
}

Millis StoreConfigWatch::Step() {
  uint64_t lead = 0;
  {
    const MutexLock lock(mutex_);
    if (!leading_) return kLookEvery;
    lead = leads_;
  }
  if (!deps_.cluster.running()) return kLookSoon;
  const std::vector<Source> sources = FindSources();
  ForgetSeries(sources);
  if (sources.empty()) return learned_in_ == lead ? kLookEvery : kLookSoon;
  const Nanos now = deps_.clock.Monotonic();
  const bool due =
      learned_in_ != lead || learned_from_ != sources || now - learned_at_ >= kAskEvery;
  if (due && AskSome(sources, lead)) {
    learned_in_ = lead;
    learned_at_ = now;
    learned_from_ = sources;
  }
  return kLookEvery;
}

bool StoreConfigWatch::AskSome(std::vector<Source> sources, uint64_t lead) {
  std::ranges::rotate(sources, std::ranges::lower_bound(sources, first_, {}, &Source::first));
  for (size_t i = 0; i < std::min(sources.size(), kAskedMax) && StillLeads(lead); ++i) {
    first_ = sources[i].first;
    if (Ask(sources[i], lead)) return true;
    first_ = sources[(i + 1) % sources.size()].first;
  }
  return false;
}

std::vector<StoreConfigWatch::Source> StoreConfigWatch::FindSources() const {
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  std::vector<Source> sources;
  for (const Store& store : deps_.cluster.stores().All()) {
    // Silent ones would only cost their time-outs.
    if (!store.IsUp() || store.IsTiFlash() || store.IsDisconnected(now)) continue;
    std::string address = ReachableStatusAddress(store.status_address, store.address);
    if (!address.empty()) sources.emplace_back(store.id, std::move(address));
  }
  return sources;
}

/// Addresses are what stores say: others are not kept for ever.
void StoreConfigWatch::ForgetSeries(const std::vector<Source>& sources) {
  std::erase_if(shown_, [&](const std::string& address) {
    if (std::ranges::count(sources, address, &Source::second) != 0) return false;
    for (const char* state : {kSuccess, kFailure, kRaftV2}) attempts_.Remove({address, state});
    return true;
  });
}

bool StoreConfigWatch::StillLeads(uint64_t lead) {
  const MutexLock lock(mutex_);
  return leading_ && leads_ == lead && !stopping_;
}

bool StoreConfigWatch::Ask(const Source& source, uint64_t lead) {
  const auto& [store, address] = source;
  const Result<std::string> answer = deps_.client.FetchConfig(address, kTimeout);
  Result<StoreConfig> config =
      answer ? ParseStoreConfig(*answer) : Result<StoreConfig>(tl::unexpected(answer.error()));
  shown_.insert(address);
  attempts_.With({address, config ? kSuccess : kFailure}).Add();
  if (!config) {
    if (complaint_ != config.error().context) {
      complaint_ = config.error().context;
      LogWarn("a store does not say how large its regions may grow",
              {{"store-id", store.value}, {"status-address", address}, {"error", complaint_}});
    }
    return false;
  }
  complaint_.clear();
  if (!StillLeads(lead)) return false;
  Take(source, *std::move(config));
  return true;
}

void StoreConfigWatch::Take(const Source& source, StoreConfig config) {
  const auto& [store, address] = source;
  if (config.engine == "raft-kv2") attempts_.With({address, kRaftV2}).Add();
  if (config == deps_.cluster.store_config()) return;
  LogInfo("stores split regions at other sizes", {{"store-id", store.value},
                                                  {"max-size-mib", config.bounds.max_size_mib},
                                                  {"split-size-mib", config.bounds.split_size_mib},
                                                  {"max-keys", config.bounds.max_keys},
                                                  {"split-keys", config.bounds.split_keys},
                                                  {"engine", config.engine}});
  deps_.cluster.SetStoreConfig(std::move(config));
}

}  // namespace pd

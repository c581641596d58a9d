#include "tests/sim/simulation.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/sim/convert.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kTickMs = 500;
constexpr int64_t kStoreReportMs = 10'000;
constexpr int64_t kRegionReportMs = 60'000;
constexpr int64_t kDriverCheckMs = 5'000;
constexpr int64_t kSettleMs = 2LL * 60 * 60 * 1000;  // It has to come to rest within this.
/// Rest: nothing was done for this long, in which the averages of store heartbeats (30 of them, ten seconds apart, and
/// seven more) have come to what there is since all was mended, and what waits a minute has waited ...
constexpr int64_t kStillMs = 10LL * 60 * 1000;
constexpr int64_t kRestMs = 20LL * 60 * 1000;  // ... and nothing is for this long.
constexpr uint64_t kMib = 1024 * 1024;
constexpr uint64_t kIdsFrom = 1000;  // Of the first regions and their peers.
constexpr uint64_t kReplicas = 3;
constexpr uint64_t kDriverIdsFrom = 1'000'000;

/// Times are shorter than in life, so that an hour is long. Every other seed limits stores by what they send.
void Configure(pd::OnlineConfig& config, uint64_t seed) {
  config.schedule.max_store_down_time = 2min;
  config.schedule.split_merge_interval = 5min;
  config.schedule.store_limit_version = seed % 2 == 1 ? "v2" : "v1";
}

storesim::Timing MakeTiming() {
  storesim::Timing timing;
  timing.conf_change_ms = 200;
  timing.transfer_leader_ms = 300;
  return timing;
}

std::string StepName(const storesim::Step& step) {
  if (std::holds_alternative<storesim::MoveLeader>(step)) return "transfer";
  if (std::holds_alternative<storesim::SplitAt>(step)) return "split";
  if (std::holds_alternative<storesim::MergeInto>(step)) return "merge";
  std::string name = "change";
  for (const storesim::PeerChange& change : std::get<storesim::ChangePeers>(step).changes) {
    const char* kinds[] = {"voter", "learner", "gone"};
    name += fmt::format(" {}:{}", change.peer.store_id, kinds[static_cast<size_t>(change.kind)]);
  }
  return name;
}

Purpose PurposeOf(const std::string& desc) {
  if (desc == "merge-region") return Purpose::kMerge;
  if (desc == "add-rule-peer") return Purpose::kFill;
  if (desc == "move-to-better-location") return Purpose::kSpread;
  if (desc.starts_with("balance-")) return Purpose::kBalance;
  return desc.find("swap-fit") != std::string::npos ? Purpose::kSwap : Purpose::kRepair;
}

}  // namespace

Simulation::Simulation(const Setup& setup)
    : setup_(setup),
      rng_(setup.seed),
      world_(MakeTiming(), setup.seed),
      driver_({setup.seed, kDriverIdsFrom,
               [seed = setup.seed](pd::OnlineConfig& config) { Configure(config, seed); }}) {}

void Simulation::Say(const std::string& text) {
  log_.push_back(fmt::format("{:.1f} s: {}", static_cast<double>(now_ms_) / 1000, text));
}

storesim::Store Simulation::MakeStore() {
  storesim::Store store;
  store.id = ++last_store_;
  store.number = static_cast<int>(store.id);
  store.labels = {{"zone", "z" + std::to_string(store.id % 3)},
                  {"host", "h" + std::to_string(store.id)}};
  store.capacity_bytes = 200 * 1024 * kMib;
  store.io_bytes_per_s = 60 * kMib;
  return store;
}

/// Regions of up to 96 MiB in key order, each on three stores.
void Simulation::Fill() {
  for (int i = 0; i < setup_.stores; ++i) world_.AddStore(MakeStore());
  const auto key = [](int number) { return fmt::format("k{:04}", number); };
  uint64_t id = kIdsFrom;
  for (int number = 1; number <= setup_.regions; ++number) {
    storesim::Region region;
    region.id = id++;
    region.number = number;
    region.version = 2;
    region.conf_ver = kReplicas;
    if (number > 1) region.start_key = key(number);
    if (number < setup_.regions) region.end_key = key(number + 1);
    region.size_bytes = (60 + rng_.Below(37)) * kMib;
    region.keys = region.size_bytes / 100;
    while (region.peers.size() < kReplicas) {
      const uint64_t store = 1 + rng_.Below(last_store_);
      if (region.PeerOn(store) != nullptr) continue;
      region.peers.push_back({id++, store, storesim::Role::kVoter, false, false});
    }
    region.leader_store = region.peers.front().store_id;
    world_.AddRegion(region);
  }
  driver_.Start(pd::Millis(now_ms_));
  storesim::Region first = world_.regions().begin()->second;
  first.end_key.clear();
  first.version = 1;
  first.conf_ver = 1;
  first.peers.resize(1);
  const auto& store = world_.stores().at(first.peers.front().store_id);
  REQUIRE(driver_.cluster().Bootstrap(StoreMetaOf(store), ReportOf(world_, first, now_ms_)));
  for (const auto& [other, spec] : world_.stores()) {
    if (other != store.id) REQUIRE(driver_.cluster().stores().Put(StoreMetaOf(spec)));
  }
}

void Simulation::Run() {
  INFO("seed " << setup_.seed);
  now_ms_ = 1'000'000;
  Fill();
  RunFor(2 * kRegionReportMs);
  next_trouble_ms_ = now_ms_;
  const int64_t end = now_ms_ + setup_.trouble_ms;
  while (now_ms_ < end) {
    MakeTrouble();
    Tick();
  }
  Mend();
  const int64_t mended = now_ms_;
  int64_t still_since = now_ms_;
  std::optional<std::string> unrest;
  while (now_ms_ - still_since < kStillMs && now_ms_ - mended < kSettleMs) {
    Tick();
    unrest = Unrest();
    if (unrest) still_since = now_ms_;
  }
  INFO((unrest ? *unrest : "at rest"));
  REQUIRE_FALSE(unrest.has_value());
  settled_after_ms_ = still_since - mended;
  Say("at rest");
  const size_t told = log_.size();
  RunFor(kRestMs);
  INFO((log_.size() > told ? log_[told] : ""));
  CHECK(log_.size() == told);
}

void Simulation::RunFor(int64_t ms) {
  const int64_t end = now_ms_ + ms;
  while (now_ms_ < end) Tick();
}

void Simulation::Tick() {
  now_ms_ += kTickMs;
  UndoDue();
  world_.Advance(now_ms_);
  for (const uint64_t id : world_.TakeChanged()) region_reported_ms_.erase(id);
  if (!driver_.up()) return;
  ReportStores();
  ReportRegions();
  driver_.Advance(pd::Millis(now_ms_));
  Obey();
  Bury();
  if (now_ms_ % kDriverCheckMs == 0) Invariants::CheckDriver(driver_, pd::Millis(now_ms_));
}

bool Simulation::Hears(uint64_t store) const {
  return driver_.up() && world_.stores().at(store).up && !cut_.contains(store);
}

void Simulation::ReportStores() {
  for (const auto& [id, store] : world_.stores()) {
    int64_t& reported = store_reported_ms_[id];
    if (!Hears(id) || now_ms_ - reported < kStoreReportMs) continue;
    reported = now_ms_;
    // A tombstone is told off; it is about to be taken away.
    static_cast<void>(driver_.cluster().HandleStoreReport(HeartbeatOf(store)));
  }
}

void Simulation::ReportRegions() {
  for (const auto& [id, region] : world_.regions()) {
    const auto reported = region_reported_ms_.find(id);
    if (reported != region_reported_ms_.end() && now_ms_ - reported->second < kRegionReportMs) {
      continue;
    }
    if (region.leader_store == 0 || !Hears(region.leader_store)) continue;
    region_reported_ms_[id] = now_ms_;
    Report(region);
  }
}

void Simulation::Report(const storesim::Region& region) {
  const auto taken = driver_.cluster().HandleRegionReport(ReportOf(world_, region, now_ms_));
  // One of an older epoch may be heard once a leader was cut off; here leaders know the epoch.
  INFO((taken ? "" : taken.error().context));
  CHECK(taken.has_value());
}

void Simulation::Obey() {
  const auto hears = [this](uint64_t store) { return Hears(store); };
  for (const Command& command : driver_.TakeCommands()) {
    const auto received = Receive(driver_, world_, command, now_ms_, hears);
    if (!received) continue;
    const storesim::Region& region = *received->region;
    const std::string& desc = received->op.plan().desc;
    Say(fmt::format("region {} {}, {}", region.id, StepName(received->request.step), desc));
    invariants_.CheckStep(
        world_, region, received->request,
        {now_ms_, received->op.started_at()->since_epoch.count(), PurposeOf(desc)});
    world_.Apply(now_ms_, region.leader_store, received->request);
  }
}

// ---- Rest.

std::optional<std::string> Simulation::Unrest() {
  if (!driver_.up()) return "the driver is down";
  if (!driver_.coordinator().planning()) return "the driver does not plan";
  const pd::OperatorRunner& operators = driver_.coordinator().operators();
  if (operators.running_count() > 0) {
    const scheduler::Proposal plan = operators.Running().front().op.plan();
    return fmt::format("operator {} of region {} runs", plan.desc, plan.region.value);
  }
  for (const auto& [id, store] : world_.stores()) {
    const auto windows = driver_.coordinator().limits().WindowsOf({id});
    if (windows && windows->total_used_mib() != 0) {
      return fmt::format("store {} is taken to send snapshots", id);
    }
  }
  if (!leaving_.empty()) return fmt::format("store {} does not get empty", *leaving_.begin());
  if (world_.running() > 0) return "steps are under way";
  std::optional<std::string> unrest;
  driver_.coordinator().Look([&](const scheduler::PlanContext& context) {
    for (const auto& [id, region] : world_.regions()) {
      if (!unrest) unrest = UnrestOf(region, context);
    }
  });
  return unrest;
}

std::optional<std::string> Simulation::UnrestOf(const storesim::Region& region,
                                                const scheduler::PlanContext& context) {
  const auto known = context.view.FindRegion({region.id});
  if (!known || known->epoch != scheduler::RegionEpoch{region.conf_ver, region.version}) {
    return fmt::format("region {} is not known as it is", region.id);
  }
  if (!known->pending_peers.empty() || !known->down_peers.empty()) {
    return fmt::format("region {} has pending or down peers", region.id);
  }
  if (!context.Fit(*known).IsSatisfied()) {
    return fmt::format("region {} is not as its rules want it", region.id);
  }
  for (const storesim::Peer& peer : region.peers) {
    if (retired_.contains(peer.store_id)) {
      return fmt::format("region {} has a peer on store {}", region.id, peer.store_id);
    }
  }
  return {};
}

}  // namespace sim

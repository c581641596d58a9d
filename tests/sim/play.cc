#include "tests/sim/play.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pd/cluster/placement_codec.h"
#include "tests/sim/convert.h"
#include "tests/sim/dump.h"

namespace sim {
namespace {

constexpr int64_t kStartMs = 1'000'000;
constexpr int64_t kTurnMs = 10;                 // The driver does not turn more often.
constexpr int64_t kStillMs = 5LL * 60 * 1000;   // Settled: nothing has moved for so long.
constexpr int64_t kStuckMs = 60LL * 60 * 1000;  // Nothing moves, and nothing will.
constexpr uint64_t kDriverIdsFrom = 1'000'000'000;
constexpr uint64_t kIdsBehindDump = 900'000'000;

/// Of tests/sim/scenarios.
std::string ReadFile(const std::string& name) {
  const std::string path = std::string(QM_SOURCE_DIR) + "/tests/sim/scenarios/" + name;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error(path + ": cannot be read");
  return text.str();
}

/// Whether any region ever has a load.
bool HasLoad(const storesim::Scenario& scenario) {
  return scenario.load.Any() || !scenario.dump.empty() ||
         std::ranges::any_of(scenario.events, [](const storesim::Event& event) {
           return std::holds_alternative<storesim::HotSpot>(event.what);
         });
}

/// The stores of a region, its leader's first.
std::vector<uint64_t> PlacesOf(const storesim::Region& region) {
  std::vector<uint64_t> places;
  for (const storesim::Peer& peer : region.peers) {
    if (peer.store_id != region.leader_store) places.push_back(peer.store_id);
  }
  std::ranges::sort(places);
  places.insert(places.begin(), region.leader_store);
  return places;
}

}  // namespace

Play::Play(storesim::Scenario scenario, Say say, Dump dump)
    : scenario_(std::move(scenario)),
      say_(std::move(say)),
      dump_(std::move(dump)),
      world_(scenario_.timing, scenario_.seed),
      driver_({scenario_.seed, kDriverIdsFrom, {}}),
      loaded_(HasLoad(scenario_)),
      tally_(scenario_.end),
      now_ms_(kStartMs) {}

// ---- The first state.

void Play::Fill() {
  const storesim::TakeId take_id = [this] { return TakeId(); };
  for (const storesim::StoreSpec& spec : scenario_.stores) {
    storesim::PutStores(world_, numbers_, spec, take_id);
  }
  storesim::PutRegions(world_, numbers_, scenario_, take_id);
  if (!scenario_.dump.empty()) {
    PutDump(world_, numbers_, dump_.stores, dump_.regions, scenario_.dump_io_bytes_per_s);
    next_id_ = kIdsBehindDump;
  }
  driver_.Start(pd::Millis(now_ms_));
  Bootstrap();
  Configure();
  const int64_t interval = scenario_.timing.store_heartbeat_ms;
  const auto count = static_cast<int64_t>(numbers_.stores.size());
  for (int64_t i = 0; i < count; ++i) {
    store_reports_.emplace(now_ms_ + i * interval / count, numbers_.stores[static_cast<size_t>(i)]);
  }
  for (const auto& [id, store] : world_.stores()) {
    REQUIRE(ReportStore(store));
    tally_.NoteStore(store);
  }
  for (auto& [id, region] : world_.regions()) {
    Report(region);
    tally_.NoteRegion(region);
  }
}

void Play::Bootstrap() {
  storesim::Region first = world_.regions().at(numbers_.regions.front());
  first.end_key.clear();
  first.version = 1;
  first.conf_ver = 1;
  first.peers.resize(1);
  const auto& store = world_.stores().at(first.leader_store);
  REQUIRE(driver_.cluster().Bootstrap(StoreMetaOf(store), ReportOf(world_, first, now_ms_)));
  for (const auto& [id, other] : world_.stores()) {
    if (id != store.id) REQUIRE(driver_.cluster().stores().Put(StoreMetaOf(other)));
    SetWeights(other);
  }
}

void Play::SetWeights(const storesim::Store& store) {
  if (store.leader_weight == 1 && store.region_weight == 1) return;
  REQUIRE(
      driver_.cluster().stores().SetWeights({store.id}, store.leader_weight, store.region_weight));
}

void Play::Configure() {
  if (!scenario_.config.empty()) {
    const auto config = nlohmann::json::parse(scenario_.config);
    for (const auto& [key, value] : config.items()) {
      const auto set = driver_.config().SetItem(key, value.dump());
      INFO(key << ": " << (set ? "" : set.error().context));
      REQUIRE(set.has_value());
    }
  }
  if (scenario_.store_limit > 0) {
    REQUIRE(driver_.config().Update([&](pd::OnlineConfig& config) {
      const pd::StoreLimitConfig limit{scenario_.store_limit, scenario_.store_limit};
      config.schedule.default_store_limit = limit;
      for (auto& entry : config.schedule.store_limit) entry.second = limit;
      return pd::Result<void>();
    }));
  }
  if (scenario_.rules.empty()) return;
  auto drafts = pd::ReadRuleDrafts(nlohmann::ordered_json::parse(scenario_.rules));
  REQUIRE(drafts.has_value());
  REQUIRE(driver_.cluster().rules().Change([&](pd::PlacementRules::Editor& editor) {
    for (pd::RuleDraft& draft : *drafts) {
      auto rule = pd::MakeRule(std::move(draft), driver_.cluster().rules().Checks());
      INFO((rule ? "" : rule.error().context));
      REQUIRE(rule.has_value());
      editor.Set(*std::move(rule));
    }
  }));
}

// ---- Time.

PlayResult Play::Run(int64_t rest_ms) {
  Fill();
  started_ms_ = last_move_ms_ = now_ms_;
  PlayResult result;
  const int64_t limit_ms = started_ms_ + scenario_.end.limit_ms;
  while (now_ms_ < limit_ms && !result.settled) {
    Step(limit_ms);
    const int64_t still_ms = now_ms_ - last_move_ms_;
    if (!Happened() || still_ms < kStillMs) continue;
    result.settled = HasSettled();
    if (still_ms > kStuckMs) break;
  }
  result.settled_ms = last_move_ms_ - started_ms_;
  result.spread = storesim::SpreadOf(world_, scenario_.end.alike_by);
  result.load_spread = storesim::LoadSpreadOf(world_, scenario_.end.alike_by);
  result.moves = tally_.MovesTo(world_);
  if (result.settled) result.moves_at_rest = Rest(rest_ms);
  result.reports = reports_;
  return result;
}

int64_t Play::Rest(int64_t ms) {
  const size_t steps_before = steps_.size();
  const int64_t end_ms = now_ms_ + ms;
  while (now_ms_ < end_ms) Step(end_ms);
  return static_cast<int64_t>(steps_.size() - steps_before);
}

/// All that the scenario brings from outside is over.
bool Play::Happened() const {
  return events_started_ == scenario_.events.size() && imports_.empty() && hot_until_.empty();
}

bool Play::HasSettled() const {
  for (const auto& [id, store] : world_.stores()) {
    if (!store.up && store.peers > 0) return false;
  }
  return world_.running() == 0 && storesim::IsBalanced(world_, scenario_.end);
}

int64_t Play::NextMs() const {
  int64_t next = driver_due_ms_;
  if (const auto due = world_.next_due_ms()) next = std::min(next, *due);
  if (!store_reports_.empty()) next = std::min(next, store_reports_.top().first);
  if (!region_reports_.empty()) next = std::min(next, region_reports_.top().first);
  if (events_started_ < scenario_.events.size()) {
    next = std::min(next, started_ms_ + scenario_.events[events_started_].at_ms);
  }
  if (!hot_until_.empty()) next = std::min(next, hot_until_.begin()->first);
  for (const Importing& import : imports_) next = std::min(next, import.next_ms);
  return next;
}

void Play::Step(int64_t end_ms) {
  now_ms_ = std::max(now_ms_, std::min(NextMs(), end_ms));
  driver_.StandAt(pd::Millis(now_ms_));
  world_.Advance(now_ms_);
  StartDueEvents();
  ImportDue();
  HearWorld();
  ReportStores();
  ReportRegions();
  if (now_ms_ >= driver_due_ms_) {
    driver_due_ms_ = now_ms_ + driver_.Advance(pd::Millis(now_ms_)).count();
  }
  Obey();
}

void Play::HearWorld() {
  for (const uint64_t id : world_.TakeChanged()) {
    const auto found = world_.regions().find(id);
    if (found == world_.regions().end()) continue;
    storesim::Region& region = found->second;
    const auto dead = leaders_of_dead_.find(id);
    if (dead != leaders_of_dead_.end() && region.leader_store != dead->second) {
      if (region.leader_store != 0) tally_.NoteElected(dead->second, region.leader_store);
      leaders_of_dead_.erase(dead);
    }
    Report(region);
    // It may be what the driver waits for.
    driver_due_ms_ = std::min(driver_due_ms_, now_ms_ + kTurnMs);
  }
}

bool Play::ReportStore(const storesim::Store& store) {
  if (!loaded_) return driver_.cluster().HandleStoreReport(HeartbeatOf(store)).has_value();
  LoadedHeartbeat loaded =
      LoadedHeartbeatOf(world_, store, scenario_.timing.store_heartbeat_ms, now_ms_);
  return driver_.cluster().HandleStoreReport(std::move(loaded.heartbeat), loaded.reads).has_value();
}

void Play::ReportStores() {
  while (!store_reports_.empty() && store_reports_.top().first <= now_ms_) {
    const auto [at_ms, id] = store_reports_.top();
    store_reports_.pop();
    store_reports_.emplace(at_ms + scenario_.timing.store_heartbeat_ms, id);
    const storesim::Store& store = world_.stores().at(id);
    if (!store.up) continue;
    ++reports_;
    // A tombstone is told off.
    static_cast<void>(ReportStore(store));
  }
}

void Play::ReportRegions() {
  while (!region_reports_.empty() && region_reports_.top().first <= now_ms_) {
    const auto [at_ms, id] = region_reports_.top();
    region_reports_.pop();
    const auto due = region_due_.find(id);
    if (due == region_due_.end() || due->second != at_ms) continue;
    region_due_.erase(due);
    const auto found = world_.regions().find(id);
    if (found != world_.regions().end()) Report(found->second);
  }
}

/// Its next report will say something new.
bool Play::IsLively(const storesim::Region& region) const {
  return region.load.Any() || std::ranges::any_of(region.peers, [&](const storesim::Peer& peer) {
           return peer.pending || !world_.stores().at(peer.store_id).up;
         });
}

void Play::Report(storesim::Region& region) {
  if (region.leader_store == 0 || !world_.stores().at(region.leader_store).up) return;
  const auto taken = driver_.cluster().HandleRegionReport(ReportOf(world_, region, now_ms_));
  INFO((taken ? "" : taken.error().context));
  REQUIRE(taken.has_value());
  ++reports_;
  region.reported_ms = now_ms_;
  if (IsLively(region)) ReportLater(region, now_ms_ + scenario_.timing.region_heartbeat_ms);
}

void Play::ReportLater(const storesim::Region& region, int64_t at_ms) {
  region_due_[region.id] = at_ms;
  region_reports_.emplace(at_ms, region.id);
}

void Play::Obey() {
  const auto hears = [this](uint64_t store) { return world_.stores().at(store).up; };
  for (const Command& command : driver_.TakeCommands()) {
    const auto received = Receive(driver_, world_, command, now_ms_, hears);
    if (!received) continue;
    const storesim::Region& region = *received->region;
    const scheduler::Proposal& plan = received->op.plan();
    steps_.push_back(fmt::format("{} ms: region {} {} {}", now_ms_ - started_ms_, region.id,
                                 plan.desc, plan.brief));
    tally_.NoteStep(region, received->request.step, now_ms_);
    last_move_ms_ = now_ms_;
    world_.Apply(now_ms_, region.leader_store, received->request);
  }
}

// ---- Events.

void Play::Cause(const std::string& text) {
  tally_.NoteCause(world_);
  last_move_ms_ = now_ms_;
  if (say_) say_(fmt::format("{} s: {}", (now_ms_ - started_ms_) / 1000, text));
}

void Play::StartDueEvents() {
  if (started_ms_ == 0) return;
  for (; events_started_ < scenario_.events.size(); ++events_started_) {
    const storesim::Event& event = scenario_.events[events_started_];
    if (started_ms_ + event.at_ms > now_ms_) break;
    std::visit([&](const auto& what) { Start(what); }, event.what);
  }
  while (!hot_until_.empty() && hot_until_.begin()->first <= now_ms_) {
    const storesim::HotSpot spot = hot_until_.extract(hot_until_.begin()).mapped();
    Cause("a hot spot is over");
    storesim::EndHotSpot(world_, numbers_, spot);
    ReportHotSpot(spot);
  }
}

void Play::Start(const storesim::KillStore& event) {
  Cause(fmt::format("store {} dies", event.store));
  const uint64_t id = numbers_.Store(event.store);
  for (const auto& [region_id, region] : world_.regions()) {
    if (region.leader_store == id) leaders_of_dead_[region_id] = id;
    // The leaders elsewhere say so with their next reports.
    if (region.PeerOn(id) == nullptr || region_due_.contains(region_id)) continue;
    const int64_t interval = scenario_.timing.region_heartbeat_ms;
    ReportLater(region, now_ms_ + static_cast<int64_t>(region_id) % interval);
  }
  world_.Kill(now_ms_, id);
}

void Play::Start(const storesim::ReviveStore& event) {
  Cause(fmt::format("store {} is back", event.store));
  world_.Revive(now_ms_, numbers_.Store(event.store));
}

void Play::Start(const storesim::AddStores& event) {
  Cause(fmt::format("{} stores join", event.spec.count));
  const size_t before = numbers_.stores.size();
  storesim::PutStores(world_, numbers_, event.spec, [this] { return TakeId(); });
  for (size_t i = before; i < numbers_.stores.size(); ++i) {
    const storesim::Store& store = world_.stores().at(numbers_.stores[i]);
    REQUIRE(driver_.cluster().stores().Put(StoreMetaOf(store)));
    SetWeights(store);
    store_reports_.emplace(now_ms_, store.id);
  }
}

void Play::Start(const storesim::RemoveStore& event) {
  Cause(fmt::format("store {} is to leave", event.store));
  const uint64_t id = numbers_.Store(event.store);
  REQUIRE(driver_.cluster().stores().Remove({id}, pd::StoreTable::Destroyed::kNo));
  world_.stores().at(id).removing = true;
}

void Play::Start(const storesim::SlowStore& event) {
  Cause(fmt::format("store {} says that it is slow: {}", event.store, event.score));
  world_.stores().at(numbers_.Store(event.store)).slow_score = event.score;
}

void Play::Start(const storesim::Import& event) {
  Cause(fmt::format("{} regions are imported", event.spec.count));
  imports_.push_back({event.spec,
                      now_ms_,
                      std::max<int64_t>(1, event.for_ms / event.spec.count),
                      event.spec.count,
                      {}});
}

void Play::Start(const storesim::HotSpot& event) {
  Cause(fmt::format("{} regions become hot", event.count));
  storesim::StartHotSpot(world_, numbers_, event);
  ReportHotSpot(event);
  if (event.for_ms > 0) hot_until_.emplace(now_ms_ + event.for_ms, event);
}

/// Regions that were at rest begin to report.
void Play::ReportHotSpot(const storesim::HotSpot& spot) {
  storesim::VisitRegionsOf(world_, numbers_, spot, [&](storesim::Region& region) {
    if (!region_due_.contains(region.id)) {
      ReportLater(region, now_ms_ + scenario_.timing.region_heartbeat_ms);
    }
    region.reported_ms = now_ms_;
  });
}

void Play::ImportDue() {
  for (Importing& import : imports_) {
    while (import.left > 0 && import.next_ms <= now_ms_) {
      const bool done = ImportOne(import);
      import.left -= done ? 1 : 0;
      import.next_ms = done ? import.next_ms + import.every_ms : now_ms_ + kTurnMs;
    }
  }
  std::erase_if(imports_, [](const Importing& import) { return import.left == 0; });
}

/// The last region splits, and the part before the new key is full at once.
bool Play::ImportOne(Importing& import) {
  storesim::Region& last = world_.regions().at(numbers_.regions.back());
  storesim::SplitAt split;
  split.keys.push_back(storesim::RegionKey(numbers_.regions.size() + 1));
  const bool still = !last.changing && last.leader_store != 0 &&
                     std::ranges::none_of(last.peers, &storesim::Peer::pending);
  if (still) AskSplitIds(driver_, world_, last, now_ms_, split);
  if (split.ids.empty()) return false;
  storesim::Region part = last;
  part.id = split.ids.front().region_id;
  part.end_key = split.keys.front();
  part.version = ++last.version;
  part.size_bytes = import.spec.size_bytes;
  part.keys = import.spec.keys;
  part.load = part.usual_load = {};
  for (size_t i = 0; i < part.peers.size(); ++i) {
    part.peers[i].id = split.ids.front().peer_ids[i];
  }
  last.start_key = part.end_key;
  numbers_.regions.insert(numbers_.regions.end() - 1, part.id);
  if (import.places.empty()) import.places = PlacesOf(last);
  tally_.NoteNewRegion(part.size_bytes, import.places);
  world_.AddRegion(part);
  Report(world_.regions().at(part.id));
  Report(last);
  last_move_ms_ = now_ms_;
  return true;
}

storesim::Scenario ReadScenario(const std::string& name) {
  return storesim::ParseScenario(ReadFile(name + ".json"));
}

Play::Dump ReadDump(const storesim::Scenario& scenario) {
  if (scenario.dump.empty()) return {};
  return {ReadFile("dumps/" + scenario.dump + ".stores.json"),
          ReadFile("dumps/" + scenario.dump + ".regions.json")};
}

}  // namespace sim

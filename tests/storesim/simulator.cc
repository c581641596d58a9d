#include "tests/storesim/simulator.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "tests/harness/pd_group.h"
#include "tests/storesim/convert.h"

namespace storesim {
namespace {

using harness::Millis;

// Regions to ask for before the stores are seen to again.
constexpr size_t kAskAtOnce = 64;

uint64_t UnixSeconds() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace

Simulator::Simulator(Scenario scenario, Options options)
    : scenario_(std::move(scenario)),
      options_(std::move(options)),
      link_(options_.endpoints),
      world_(scenario_.timing, scenario_.seed),
      watch_(scenario_.end, scenario_.replicas) {}

int64_t Simulator::NowMs() const {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string Simulator::Run(bool& balanced) {
  balanced = false;
  SetUp();
  link_.Start();
  ReportStores(/*all=*/true);
  ReportAllRegions();
  WaitUntilKnown();
  started_ms_ = NowMs();
  options_.progress("all regions are reported");
  RunUntilEnd(balanced);
  const RunFacts facts{balanced, NowMs() - started_ms_, link_.leader_changes(), LostForGood()};
  const std::string line = ResultLine(scenario_, world_, watch_, facts);
  if (options_.hold && !options_.stop()) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    while (!options_.stop()) Tick();
  }
  link_.Stop();
  return line;
}

void Simulator::SetUp() {
  if (!link_.client().FindLeader(Millis(20'000))) throw std::runtime_error("no leader answers");
  pdpb::IsBootstrappedRequest ask;
  pdpb::IsBootstrappedResponse answer;
  const std::string failure =
      link_.client().CallUntilOk("/pdpb.PD/IsBootstrapped", ask, answer, Millis(10'000));
  if (!failure.empty()) throw std::runtime_error(failure);
  if (answer.bootstrapped()) {
    throw std::runtime_error("the cluster is bootstrapped already; the simulation needs a new one");
  }
  if (!scenario_.dump.empty()) {
    throw std::runtime_error("dump: plays on virtual time only, see tests/sim");
  }
  for (const Event& event : scenario_.events) {
    if (std::holds_alternative<Import>(event.what)) {
      throw std::runtime_error("import: plays on virtual time only, see tests/sim");
    }
  }
  const std::vector<uint64_t> ids = link_.AllocIds(IdsNeeded(scenario_));
  const TakeId take_id = [next = ids.begin()]() mutable { return *next++; };
  for (const StoreSpec& spec : scenario_.stores) PutStores(world_, numbers_, spec, take_id);
  PutRegions(world_, numbers_, scenario_, take_id);
  Bootstrap();
  for (const uint64_t id : numbers_.stores) PutStore(world_.stores().at(id));
  Configure();
}

void Simulator::Post(const std::string& path, const std::string& body) {
  std::string answer;
  const int status =
      harness::HttpRequest(link_.client().leader(), "POST", path.c_str(), &answer, body);
  if (status != 200) {
    throw std::runtime_error("POST " + path + ": HTTP " + std::to_string(status) + " " + answer);
  }
}

void Simulator::Configure() {
  if (!scenario_.config.empty()) Post("/pd/api/v1/config", scenario_.config);
  if (!scenario_.rules.empty()) Post("/pd/api/v1/config/rules", scenario_.rules);
  if (scenario_.store_limit > 0) {
    Post("/pd/api/v1/stores/limit", "{\"rate\":" + std::to_string(scenario_.store_limit) + "}");
  }
}

void Simulator::SetWeights(const Store& store) {
  if (store.leader_weight == 1 && store.region_weight == 1) return;
  Post("/pd/api/v1/store/" + std::to_string(store.id) + "/weight",
       "{\"leader\":" + std::to_string(store.leader_weight) +
           ",\"region\":" + std::to_string(store.region_weight) + "}");
}

void Simulator::Bootstrap() {
  const Region& first = world_.regions().at(numbers_.regions.front());
  pdpb::BootstrapRequest request;
  pdpb::BootstrapResponse response;
  *request.mutable_store() = StoreMeta(world_.stores().at(first.leader_store), UnixSeconds());
  metapb::Region* region = request.mutable_region();
  *region = RegionMeta(first);
  region->clear_end_key();
  region->mutable_region_epoch()->set_conf_ver(1);
  region->mutable_region_epoch()->set_version(1);
  while (region->peers_size() > 1) region->mutable_peers()->RemoveLast();
  const std::string failure =
      link_.client().CallUntilOk("/pdpb.PD/Bootstrap", request, response, Millis(10'000));
  if (!failure.empty()) throw std::runtime_error(failure);
}

void Simulator::PutStore(const Store& store) {
  pdpb::PutStoreRequest request;
  pdpb::PutStoreResponse response;
  *request.mutable_store() = StoreMeta(store, UnixSeconds());
  const std::string failure =
      link_.client().CallUntilOk("/pdpb.PD/PutStore", request, response, Millis(10'000));
  if (!failure.empty()) throw std::runtime_error(failure);
  SetWeights(store);
}

void Simulator::ReportAllRegions() {
  const int64_t now = NowMs();
  // The first reports come at once, the next ones spread over the interval.
  const int64_t interval = std::max<int64_t>(1, scenario_.timing.region_heartbeat_ms);
  int64_t spread = 0;
  for (auto& [id, region] : world_.regions()) {
    region.reported_ms = now - 1000;
    Report(region);
    report_times_.emplace(now + 1 + spread++ % interval, id);
    region.reported_ms = now - interval;  // So that the next one is not put off.
  }
}

// The driver knows a region once it can name its leader. Streams keep order, but a driver may take the reports of one
// stream in side by side, so the last region of each store is asked for, and it says enough.
void Simulator::WaitUntilKnown() {
  std::map<uint64_t, uint64_t> last;
  for (const auto& [id, region] : world_.regions()) last[region.leader_store] = id;
  const int64_t deadline = NowMs() + 60'000;
  for (const auto& [store_id, region_id] : last) {
    for (;;) {
      if (options_.stop()) return;
      if (NowMs() > deadline) throw std::runtime_error("the driver does not take the regions in");
      pdpb::GetRegionByIDRequest request;
      pdpb::GetRegionResponse response;
      request.set_region_id(region_id);
      const grpc::Status status =
          link_.client().Call("/pdpb.PD/GetRegionByID", request, response, Millis(2000));
      if (status.ok() && response.leader().store_id() == store_id) break;
      TakeSteps(Millis(20));
      Report(world_.regions().at(region_id));
    }
  }
}

void Simulator::RunUntilEnd(bool& balanced) {
  int64_t told_ms = 0;
  for (;;) {
    const int64_t since = NowMs() - started_ms_;
    if (options_.stop() || since > scenario_.end.limit_ms) return;
    StartDueEvents(since);
    Tick();
    const bool quiet = watch_.Look(since, world_);
    const bool all_events = events_started_ == scenario_.events.size() && hot_until_.empty();
    if (!all_events) watch_.Disturb();
    if (quiet && all_events) {
      const DriverSays says = OperatorsRunning();
      if (says == DriverSays::kNothingRuns) {
        balanced = true;
        return;
      }
      if (says == DriverSays::kRunning) watch_.Disturb();
    }
    if (since - told_ms >= 1000) {
      told_ms = since;
      std::string line = std::to_string(since / 1000) + " s:";
      for (const auto& [id, store] : world_.stores()) {
        line += " " + std::to_string(store.leaders) + "/" + std::to_string(store.peers);
      }
      line += "  under way " + std::to_string(world_.running());
      options_.progress(line);
    }
  }
}

void Simulator::Tick() {
  int64_t wait = 10;
  if (const std::optional<int64_t> due = world_.next_due_ms()) {
    wait = std::clamp<int64_t>(*due - NowMs(), 0, 10);
  }
  TakeSteps(Millis(wait));
  world_.Advance(NowMs());
  for (const uint64_t id : world_.TakeChanged()) {
    const auto found = world_.regions().find(id);
    if (found == world_.regions().end()) continue;  // Merged since.
    Region& region = found->second;
    if (region.reported_ms == 0) report_times_.emplace(NowMs(), id);  // Split off just now.
    Report(region);
  }
  ReportDue();
  ReportStores(/*all=*/false);
}

void Simulator::TakeSteps(Millis timeout) {
  for (const DriverLink::Answer& answer : link_.TakeAnswers(timeout)) {
    const Store& store = world_.stores().at(answer.store_id);
    std::optional<StepRequest> request = ReadStep(answer.response);
    if (!store.up || !request) continue;
    if (auto* split = std::get_if<SplitAt>(&request->step)) AskSplitIds(request->region_id, *split);
    watch_.Disturb();
    touched_.Touch(request->region_id);
    world_.Apply(NowMs(), answer.store_id, *request);
  }
}

// Without ids the world will not split.
void Simulator::AskSplitIds(uint64_t region_id, SplitAt& split) {
  const auto region = world_.regions().find(region_id);
  if (region == world_.regions().end() || region->second.changing) return;
  pdpb::AskBatchSplitRequest request;
  pdpb::AskBatchSplitResponse response;
  *request.mutable_region() = RegionMeta(region->second);
  request.set_split_count(static_cast<uint32_t>(split.keys.size()));
  const grpc::Status status =
      link_.client().Call("/pdpb.PD/AskBatchSplit", request, response, Millis(1000));
  if (status.ok()) split.ids = ReadSplitIds(response);
}

void Simulator::Report(Region& region) {
  if (region.leader_store == 0 || !world_.stores().at(region.leader_store).up) return;
  const int64_t now = NowMs();
  pdpb::RegionHeartbeatRequest report = RegionReport(world_, region, now, UnixSeconds());
  report.mutable_header()->set_cluster_id(link_.client().cluster_id());
  region.reported_ms = now;
  link_.SendRegion(region.leader_store, report);
}

void Simulator::ReportDue() {
  const int64_t now = NowMs();
  while (!report_times_.empty() && report_times_.top().first <= now) {
    const uint64_t id = report_times_.top().second;
    report_times_.pop();
    const auto found = world_.regions().find(id);
    if (found == world_.regions().end()) continue;
    Region& region = found->second;
    const int64_t interval = scenario_.timing.region_heartbeat_ms;
    if (region.reported_ms + interval <= now) Report(region);
    report_times_.emplace(std::max(now, region.reported_ms) + interval, id);
  }
}

void Simulator::ReportStores(bool all) {
  const int64_t now = NowMs();
  const int64_t interval = scenario_.timing.store_heartbeat_ms;
  if (!all && now - stores_reported_ms_ < interval) return;
  stores_reported_ms_ = now;
  const std::map<uint64_t, Load> loads = StoreLoads(world_);
  std::map<uint64_t, pdpb::StoreHeartbeatRequest> reports;
  for (const auto& [id, store] : world_.stores()) {
    if (!store.up) continue;
    const auto load = loads.find(id);
    reports[id] =
        StoreReport(store, load == loads.end() ? Load() : load->second, interval, UnixSeconds());
  }
  for (const auto& entry : world_.regions()) {
    const auto report = reports.find(entry.second.leader_store);
    if (report != reports.end()) AddReads(entry.second, interval, *report->second.mutable_stats());
  }
  for (auto& entry : reports) link_.SendStore(std::move(entry.second));
}

void Simulator::StartDueEvents(int64_t since_start_ms) {
  for (; events_started_ < scenario_.events.size(); ++events_started_) {
    const Event& event = scenario_.events[events_started_];
    if (event.at_ms > since_start_ms) break;
    watch_.Disturb();
    std::visit([&](const auto& what) { Start(what); }, event.what);
  }
  std::erase_if(hot_until_, [&](const auto& entry) {
    if (entry.first > since_start_ms) return false;
    EndHotSpot(world_, numbers_, entry.second);
    return true;
  });
}

void Simulator::Start(const KillStore& event) {
  options_.progress("store " + std::to_string(event.store) + " dies");
  const Store& store = world_.stores().at(numbers_.Store(event.store));
  lost_[store.id] = {NowMs() - started_ms_, store.peers, store.used_bytes};
  world_.Kill(NowMs(), numbers_.Store(event.store));
  link_.CloseStream(numbers_.Store(event.store));
}

std::optional<Lost> Simulator::LostForGood() const {
  std::optional<Lost> sum;
  for (const auto& [id, lost] : lost_) {
    if (!sum) sum = Lost{lost.first_at_ms, 0, 0};
    sum->first_at_ms = std::min(sum->first_at_ms, lost.first_at_ms);
    sum->peers += lost.peers;
    sum->bytes += lost.bytes;
  }
  return sum;
}

void Simulator::Start(const ReviveStore& event) {
  options_.progress("store " + std::to_string(event.store) + " is back");
  lost_.erase(numbers_.Store(event.store));
  world_.Revive(NowMs(), numbers_.Store(event.store));
  PutStore(world_.stores().at(numbers_.Store(event.store)));
  stores_reported_ms_ = 0;
}

void Simulator::Start(const AddStores& event) {
  options_.progress(std::to_string(event.spec.count) + " stores join");
  const size_t before = numbers_.stores.size();
  const std::vector<uint64_t> ids = link_.AllocIds(static_cast<size_t>(event.spec.count));
  storesim::PutStores(world_, numbers_, event.spec,
                      [next = ids.begin()]() mutable { return *next++; });
  for (size_t i = before; i < numbers_.stores.size(); ++i) {
    PutStore(world_.stores().at(numbers_.stores[i]));
  }
  stores_reported_ms_ = 0;
}

void Simulator::Start(const RemoveStore& event) {
  options_.progress("store " + std::to_string(event.store) + " is to leave");
  const uint64_t id = numbers_.Store(event.store);
  const int status = harness::HttpRequest(link_.client().leader(), "DELETE",
                                          "/pd/api/v1/store/" + std::to_string(id));
  if (status != 200) throw std::runtime_error("DELETE of a store: HTTP " + std::to_string(status));
  world_.stores().at(id).removing = true;
}

void Simulator::Start(const SlowStore& event) {
  options_.progress("store " + std::to_string(event.store) +
                    " says that it is slow: " + std::to_string(event.score));
  world_.stores().at(numbers_.Store(event.store)).slow_score = event.score;
  stores_reported_ms_ = 0;
}

void Simulator::Start(const Import& /*event*/) {}  // SetUp has refused it.

void Simulator::Start(const HotSpot& event) {
  StartHotSpot(world_, numbers_, event);
  if (event.for_ms > 0) hot_until_.emplace_back(NowMs() - started_ms_ + event.for_ms, event);
}

DriverSays Simulator::OperatorsRunning() {
  const auto ask = [&](uint64_t region_id) {
    pdpb::GetOperatorRequest request;
    pdpb::GetOperatorResponse response;
    request.set_region_id(region_id);
    const grpc::Status status =
        link_.client().Call("/pdpb.PD/GetOperator", request, response, Millis(1000));
    return ReadOperator(status, response);
  };
  return touched_.Ask(ask, kAskAtOnce);
}

}  // namespace storesim

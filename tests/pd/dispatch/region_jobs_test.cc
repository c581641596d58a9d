#include "pd/dispatch/region_jobs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"
#include "tests/pd/dispatch/dispatch_fakes.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using harness::Eventually;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::StoreId;
using test::Server;
using test::ThreeVoters;

using SplitAnswer = Result<RegionJobs::Splits>;

/// A job on a thread of its own.
class Job {
 public:
  template <class Work>
  explicit Job(Work work)
      : answer_(std::make_unique<SplitAnswer>()),
        done_(std::make_unique<std::atomic<bool>>(false)) {
    thread_ = std::thread([answer = answer_.get(), done = done_.get(), work] {
      *answer = work();
      *done = true;
    });
  }
  Job(Job&&) = default;
  Job& operator=(Job&&) = delete;
  ~Job() {
    if (thread_.joinable()) thread_.join();
  }
  bool done() const { return *done_; }
  SplitAnswer get() {
    thread_.join();
    return *answer_;
  }

 private:
  std::unique_ptr<SplitAnswer> answer_;
  std::unique_ptr<std::atomic<bool>> done_;
  std::thread thread_;
};

struct Prepared : Server {
  Prepared() {
    Fill();
    // Nothing is balanced.
    REQUIRE(config().Update([](OnlineConfig& online) -> Result<void> {
      online.schedule.leader_schedule_limit = 0;
      online.schedule.region_schedule_limit = 0;
      return {};
    }));
    REQUIRE(cluster().HandleRegionReport(ThreeVoters()));
    REQUIRE(Eventually([this] { return coordinator().planning(); }));
  }
  Job Split(const std::vector<std::string>& keys, uint64_t retries = 0) {
    return Job([this, keys, retries] { return coordinator().jobs().Split(keys, retries); });
  }
  /// What a store does with a command to split: the region as it was keeps the last range.
  void CarryOutSplit(RegionId id, uint64_t new_id) {
    std::optional<scheduler::StepCommand> command;
    // What an earlier operator sent may still lie there.
    REQUIRE(Eventually([&] {
      command = commands.Take(id);
      return command && std::holds_alternative<scheduler::SplitCommand>(*command);
    }));
    const auto* split = std::get_if<scheduler::SplitCommand>(&*command);
    Region whole = *cluster().regions().Find(id);
    whole.epoch.version += split->keys.size();
    for (const std::string& key : split->keys) {
      Region part = whole;
      part.id = {new_id++};
      part.end_key = key;
      whole.start_key = key;
      REQUIRE(cluster().HandleRegionReport(part));
    }
    REQUIRE(cluster().HandleRegionReport(whole));
  }
};

TEST_CASE("a job splits regions at keys and tells the new ones", "[jobs]") {
  Prepared server;
  auto job = server.Split({"d", "b", "d"});
  server.CarryOutSplit({101}, 201);
  const SplitAnswer splits = job.get();
  REQUIRE(splits);
  CHECK(splits->percentage == 100);
  CHECK(splits->regions == std::vector<RegionId>{{202}, {101}});
  // Another job, at a key that is there and one that is not.
  auto more = server.Split({"b", "x"});
  server.CarryOutSplit({101}, 203);
  const SplitAnswer half = more.get();
  REQUIRE(half);
  CHECK(half->percentage == 50);
  CHECK(half->regions == std::vector<RegionId>{{101}});
}

TEST_CASE("what cannot be split is left", "[jobs]") {
  Prepared server;
  CHECK(server.Split({}).get()->percentage == 0);
  CHECK(server.Split({""}, 1).get()->percentage == 0);  // The first region starts there.
  Region lacking = ThreeVoters();
  SECTION("a region that lacks a peer") { lacking.peers.pop_back(); }
  SECTION("one without a leader") { lacking.leader = {}; }
  ++lacking.epoch.conf_ver;
  REQUIRE(server.cluster().HandleRegionReport(lacking));
  CHECK(server.Split({"k"}).get()->percentage == 0);
  const auto repair = server.coordinator().operators().Find({101});
  CHECK((!repair || repair->op.plan().desc != "region-splitter"));
}

TEST_CASE("stores that are given no ids are not asked to split", "[jobs]") {
  Prepared server;
  REQUIRE(server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.schedule.enable_tikv_split_region = false;
    return {};
  }));
  CHECK(server.Split({"k"}).get()->percentage == 0);
  CHECK(server.commands.count == 0);
}

TEST_CASE("a region that is busy is tried again", "[jobs]") {
  Prepared server;
  REQUIRE(server.coordinator().RemovePeers({3}, {{101}}).planned == 1);
  CHECK(server.Split({"k"}).get()->percentage == 0);
  auto job = server.Split({"k"}, 20);
  server.coordinator().operators().Cancel({101}, scheduler::CancelReason::kAdminStop);
  REQUIRE(Eventually([&] {
    const auto info = server.coordinator().operators().Find({101});
    return info && !info->ended && info->op.plan().desc == "region-splitter";
  }));
  server.CarryOutSplit({101}, 201);
  CHECK(job.get()->percentage == 100);
}

TEST_CASE("a region is split at many keys in turns", "[jobs]") {
  Prepared server;
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) keys.push_back(fmt::format("k{:03}", i));
  auto job = server.Split(keys);  // No retry is needed for that.
  server.CarryOutSplit({101}, 1001);
  CHECK(server.cluster().regions().size() == 257);
  // The rest lies in many of the new regions.
  std::set<uint64_t> done;
  REQUIRE(Eventually([&] {
    for (uint64_t id = 1000; id < 1257; ++id) {
      const RegionId region{id == 1000 ? 101 : id};  // The last range stays with the first region.
      const auto info = server.coordinator().operators().Find(region);
      if (!info || info->ended || !done.insert(id).second) continue;
      server.CarryOutSplit(region, 2000 + id);
    }
    return server.cluster().regions().size() == 301;
  }));
  CHECK(done.size() > 30);
  CHECK(job.get()->percentage == 100);
}

TEST_CASE("percentages are rounded as in the reference", "[jobs]") {
  Prepared server;
  auto job = server.Split({"", "b", "d"});
  server.CarryOutSplit({101}, 201);
  CHECK(job.get()->percentage == 67);
}

TEST_CASE("jobs are bounded", "[jobs]") {
  Prepared server;
  RegionJobs& jobs = server.coordinator().jobs();
  const auto invalid = [](const auto& result) {
    return !result && result.error().code == ErrorCode::kInvalidArgument;
  };
  CHECK(invalid(jobs.Split({std::string(RegionJobs::kKeyBytesMax + 1, 'k')}, 0)));
  CHECK(invalid(jobs.Split(std::vector<std::string>(RegionJobs::kNamedMax + 1, "k"), 0)));
  const std::string long_name(RegionJobs::kGroupBytesMax + 1, 'g');
  CHECK(invalid(jobs.Scatter({{101}}, long_name, 0)));
  CHECK(invalid(jobs.ScatterOne(ThreeVoters(), long_name)));
  CHECK(invalid(jobs.Scatter(std::vector<RegionId>(RegionJobs::kNamedMax + 1), "g", 0)));
}

TEST_CASE("jobs end with the lead, and few wait at a time", "[jobs]") {
  Prepared server;
  REQUIRE(server.coordinator().RemovePeers({3}, {{101}}).planned == 1);  // Nothing can be split.
  constexpr int kMore = 4;
  std::vector<Job> jobs;
  for (int i = 0; i < RegionJobs::kWaitingMax + kMore; ++i) jobs.push_back(server.Split({"k"}, 30));
  // Those that may not wait say at once how far they got; the others try for minutes.
  const auto done = [&] { return std::ranges::count_if(jobs, &Job::done); };
  REQUIRE(Eventually([&] { return done() == kMore; }));
  server.StopLeading();
  int ended = 0;
  for (auto& job : jobs) {
    const SplitAnswer answer = job.get();
    if (answer) {
      CHECK(answer->percentage == 0);
    } else {
      CHECK(answer.error().code == ErrorCode::kNotLeader);
      ++ended;
    }
  }
  CHECK(ended == RegionJobs::kWaitingMax);
  CHECK(server.coordinator().jobs().Split({"k"}, 0).error().code == ErrorCode::kNotLeader);
}

/// Regions 101 to 106 between one-letter keys, all on stores 1 to 3 and led by store 1; store 4 is empty.
struct Crowded : Server {
  Crowded() {
    Fill();
    AddStore(4);
    // Only what is asked for moves.
    REQUIRE(config().Update([](OnlineConfig& online) -> Result<void> {
      online.schedule.leader_schedule_limit = 0;
      online.schedule.region_schedule_limit = 0;
      for (const uint64_t store : {1U, 2U, 3U, 4U}) {
        online.schedule.store_limit[store] = {1e6, 1e6};
      }
      return {};
    }));
    std::string start;
    for (uint64_t id = 101; id <= 106; ++id) {
      Region region = ThreeVoters();
      region.id = {id};
      for (scheduler::Peer& peer : region.peers) peer.id = {10 * id + peer.store.value};
      region.leader = region.peers.front();
      region.start_key = start;
      start = id == 106 ? "" : std::string(1, static_cast<char>('a' + (id - 101)));
      region.end_key = start;
      region.epoch.version = 2;
      REQUIRE(cluster().HandleRegionReport(region));
    }
    REQUIRE(Eventually([this] { return coordinator().planning(); }));
  }
  static std::vector<RegionId> All() { return {{101}, {102}, {103}, {104}, {105}, {106}}; }
  Region Find(uint64_t id) { return *cluster().regions().Find({id}); }
};

TEST_CASE("regions of a group are scattered, others know nothing of it", "[jobs]") {
  Crowded server;
  const auto scattered = server.coordinator().jobs().Scatter(Crowded::All(), "g", 0);
  REQUIRE(scattered);
  for (const auto& [id, why] : scattered->refused) UNSCOPED_INFO(id.value << ": " << why);
  CHECK(scattered->refused.empty());
  CHECK(scattered->percentage == 100);
  int moved = 0;
  for (const RegionId id : Crowded::All()) {
    const auto info = server.coordinator().operators().Find(id);
    if (!info || info->ended) continue;  // It stays where it is.
    ++moved;
    CHECK(info->op.plan().desc == "scatter-region");
  }
  CHECK(moved >= 4);
  // They are under way: asking again changes nothing.
  CHECK(server.coordinator().jobs().Scatter(Crowded::All(), "g", 0)->percentage == 100);
  // The first region of another group stays where it is.
  server.coordinator().operators().CancelAll(scheduler::CancelReason::kAdminStop);
  CHECK(server.coordinator().jobs().ScatterOne(server.Find(101), "other"));
  const auto first = server.coordinator().operators().Find({101});
  CHECK((!first || first->ended));
}

TEST_CASE("what cannot be scattered is told with why", "[jobs]") {
  Crowded server;
  RegionJobs& jobs = server.coordinator().jobs();
  CHECK(jobs.Scatter({{999}}, "g", 0).error().code == ErrorCode::kNotFound);
  Region lacking = server.Find(102);
  lacking.peers.pop_back();
  ++lacking.epoch.conf_ver;
  const auto few = jobs.ScatterOne(lacking, "g");
  CHECK(few.error().context == "region 102 is not fully replicated");
  Region led_by_nobody = server.Find(103);
  led_by_nobody.leader = {};
  CHECK(jobs.ScatterOne(led_by_nobody, "g").error().context == "region 103 has no leader");
  REQUIRE(server.coordinator().RemovePeers({3}, {{104}}).planned == 1);
  const auto mixed = jobs.Scatter({{101}, {104}, {999}}, "g", 1);
  REQUIRE(mixed);
  CHECK(mixed->percentage == 50);
  REQUIRE(mixed->refused.size() == 1);
  CHECK(mixed->refused.at({104}) == "the operator of region 104 already exist");
}

TEST_CASE("store limits hold scattering back, unless they are passed by", "[jobs]") {
  Crowded server;
  REQUIRE(server.config().Update([](OnlineConfig& online) -> Result<void> {
    for (auto& [store, limit] : online.schedule.store_limit) limit = {0.001, 0.001};
    return {};
  }));
  RegionJobs& jobs = server.coordinator().jobs();
  const auto refused = jobs.Scatter(Crowded::All(), "g", 0);
  REQUIRE(refused);
  CHECK(refused->percentage < 100);
  CHECK(refused->refused.begin()->second ==
        "operator canceled because cannot add an operator to the execute queue");
  server.coordinator().operators().CancelAll(scheduler::CancelReason::kAdminStop);
  CHECK(jobs.Scatter(Crowded::All(), "h", 0, scheduler::Limits::kPassed)->percentage == 100);
}

TEST_CASE("groups are forgotten when nobody uses them, and bounded", "[jobs]") {
  test::HandClock clock;
  ScatterGroups groups(clock);
  const auto add = [](scheduler::ScatterCounts& counts) {
    const std::vector<StoreId> stores = {{1}};
    counts.Add(stores, {1});
  };
  const auto peers = [&](const std::string& group) {
    uint64_t count = 0;
    groups.Use(group, [&](scheduler::ScatterCounts& counts) { count = counts.PeersOn({1}); });
    return count;
  };
  groups.Use("g", add);
  clock.monotonic += std::chrono::minutes(2);
  CHECK(peers("g") == 1);
  clock.monotonic += std::chrono::minutes(2);
  CHECK(peers("g") == 1);
  clock.monotonic += std::chrono::minutes(4);
  CHECK(peers("g") == 0);
  groups.Use("old", add);
  clock.monotonic += std::chrono::seconds(1);
  for (size_t i = 1; i <= ScatterGroups::kGroupsMax; ++i) groups.Use(std::to_string(i), add);
  CHECK(peers("old") == 0);
  CHECK(peers("9999") == 1);
  groups.Clear();
  CHECK(peers("9999") == 0);
}

}  // namespace
}  // namespace pd

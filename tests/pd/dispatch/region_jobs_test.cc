#include "pd/dispatch/region_jobs.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using harness::Eventually;
using scheduler::Region;
using scheduler::RegionId;
using test::Server;
using test::ThreeVoters;

using SplitAnswer = Result<RegionJobs::Splits>;

/// A job on a thread of its own.
class Job {
 public:
  template <class Work>
  explicit Job(Work work) : answer_(std::make_unique<SplitAnswer>()) {
    thread_ = std::thread([answer = answer_.get(), work] { *answer = work(); });
  }
  Job(Job&&) = default;
  Job& operator=(Job&&) = delete;
  ~Job() {
    if (thread_.joinable()) thread_.join();
  }
  SplitAnswer get() {
    thread_.join();
    return *answer_;
  }

 private:
  std::unique_ptr<SplitAnswer> answer_;
  std::thread thread_;
};

struct Prepared : Server {
  Prepared() {
    Fill();
    REQUIRE(cluster().HandleRegionReport(ThreeVoters()));
    REQUIRE(Eventually([this] { return coordinator().planning(); }));
  }
  Job Split(const std::vector<std::string>& keys, uint64_t retries = 0) {
    return Job([this, keys, retries] { return coordinator().jobs().Split(keys, retries); });
  }
  /// What a store does with a command to split: the region as it was keeps the last range.
  void CarryOutSplit(RegionId id, uint64_t new_id) {
    std::optional<scheduler::StepCommand> command;
    REQUIRE(Eventually([&] { return (command = commands.Take(id)).has_value(); }));
    const auto* split = std::get_if<scheduler::SplitCommand>(&*command);
    REQUIRE(split != nullptr);
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
  auto job = server.Split({"k"}, 20);
  std::this_thread::sleep_for(150ms);
  server.coordinator().operators().Cancel({101}, scheduler::CancelReason::kAdminStop);
  (void)server.commands.Take({101});
  server.CarryOutSplit({101}, 201);
  CHECK(job.get()->percentage == 100);
}

TEST_CASE("jobs end with the lead, and are few at a time", "[jobs]") {
  Prepared server;
  std::vector<Job> jobs;
  for (int i = 0; i < RegionJobs::kJobsMax; ++i) jobs.push_back(server.Split({"k"}, 30));
  std::optional<SplitAnswer> refused;
  REQUIRE(Eventually([&] {
    refused = server.coordinator().jobs().Split({}, 0);
    return !*refused;
  }));
  CHECK(refused->error().code == ErrorCode::kQueueFull);
  server.StopLeading();
  for (auto& job : jobs) {
    const SplitAnswer ended = job.get();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code == ErrorCode::kNotLeader);
  }
  server.Lead();
  CHECK(server.coordinator().jobs().Split({}, 0));
}

}  // namespace
}  // namespace pd

// Schedulers over HTTP, beyond what the recorded answers show.
#include <string>

#include <catch2/catch.hpp>

#include "api/http/app.h"
#include "api/http/scheduler_setters.h"
#include "api/http/scheduling_routes.h"
#include "tests/api/http/ask.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {
namespace {

struct Fixture {
  Fixture() {
    server.Fill();
    AddSchedulerRoutes(router, routes);
    AddSchedulerConfigRoutes(router, routes);
  }

  /// See TextOf.
  std::string Ask(const std::string& method, const std::string& tail,
                  const std::string& body = "") {
    return TextOf(app.Serve(MakeRequest(method, "/pd/api/v1/" + tail, body)));
  }
  std::string Add(const std::string& body) { return Ask("POST", "schedulers", body); }

  pd::test::Server server;
  SchedulingRoutes routes{server.coordinator(), [] { return true; }};
  Router router;
  HttpApp app{router, {nullptr, nullptr, nullptr}};
};

constexpr const char* kCreated = R"(200 "The scheduler is created.")";
constexpr const char* kNotImplements = "200 not implements";

TEST_CASE("every scheduler can be made, seen and removed") {
  Fixture f;
  for (const char* name :
       {"shuffle-leader", "shuffle-region", "label", "random-merge", "balance-witness",
        "transfer-witness-leader", "evict-slow-trend", "shuffle-hot-region"}) {
    CAPTURE(name);
    const std::string full = std::string(name) + "-scheduler";
    CHECK(f.Add(R"({"name":")" + full + R"("})") == kCreated);
    CHECK(f.Add(R"({"name":")" + full + R"("})") ==
          R"(400 "[PD:scheduler:ErrSchedulerExisted]scheduler existed")");
    CHECK(f.server.coordinator().schedulers().Find(full));
    CHECK(f.Ask("DELETE", "schedulers/" + full) == R"(200 "The scheduler is removed.")");
    CHECK(f.Ask("GET", "scheduler-config/" + full + "/list") == "404 404 page not found");
    // Not by its short name.
    CHECK(f.Add(R"({"name":")" + std::string(name) + R"("})") == R"(400 "unknown scheduler")");
  }
}

TEST_CASE("schedulers without settings say so, whatever is asked") {
  Fixture f;
  for (const char* name : {"shuffle-leader-scheduler", "label-scheduler", "random-merge-scheduler",
                           "transfer-witness-leader-scheduler"}) {
    CAPTURE(name);
    REQUIRE(f.Add(R"({"name":")" + std::string(name) + R"("})") == kCreated);
    CHECK(f.Ask("GET", "scheduler-config/" + std::string(name) + "/list") == kNotImplements);
    CHECK(f.Ask("POST", "scheduler-config/" + std::string(name) + "/x", "{}") == kNotImplements);
  }
}

TEST_CASE("ranges are scattered under names of their own") {
  Fixture f;
  REQUIRE(
      f.Add(R"({"name":"scatter-range","start_key":"a%FF","end_key":"b+","range_name":"t1"})") ==
      kCreated);
  const auto entry = f.server.coordinator().schedulers().Find("scatter-range-scheduler-t1");
  REQUIRE(entry);
  CHECK(std::get<scheduler::ScatterRangeConfig>(entry->config).range ==
        scheduler::KeyRange{"a\xff", "b "});
  const std::string config = "scheduler-config/scatter-range-scheduler-t1/config";
  CHECK(f.Ask("POST", config, R"({"range_name":"t2"})") ==
        R"(500 "Cannot change the range name, please delete this schedule")");
  CHECK(f.Ask("POST", config, R"({"range_name":"t1","start_key":"c","end_key":"d"})") ==
        "200 null");
  CHECK(f.Ask("GET", "scheduler-config/scatter-range-scheduler-t1/list") ==
        R"(200 {"range-name": "t1","start-key": "c","end-key": "d"})");
  CHECK(f.Ask("POST", config, R"({"start_key":"e"})") ==
        R"(400 "start_key must be below end_key")");
  const auto add = [&](const std::string& rest) {
    return f.Add(R"({"name":"scatter-range-scheduler",)" + rest + "}");
  };
  CHECK(add(R"("start_key":"b","end_key":"a","range_name":"t")") ==
        R"(400 "start_key must be below end_key")");
  CHECK(add(R"("start_key":"","end_key":"","range_name":"")") ==
        R"(400 "range_name must have 1 to 255 bytes")");
  CHECK(add(R"("start_key":1)") ==
        R"(500 "[PD:apiutil:ErrOptionTypeInvalid]the type of option start_key is invalid")");
  CHECK(add(R"("start_key":"%41%4","end_key":"","range_name":"t")") ==
        R"(500 "invalid URL escape \"%4\"")");
  CHECK(add(R"("start_key":"","end_key":"","range_name":"all")") == kCreated);
}

TEST_CASE("roles of shuffle-region are listed and set") {
  Fixture f;
  REQUIRE(f.Add(R"({"name":"shuffle-region-scheduler"})") == kCreated);
  const std::string roles = "scheduler-config/shuffle-region-scheduler/roles";
  CHECK(f.Ask("POST", roles, R"(["learner"])") == "200 Config is updated.");
  CHECK(f.Ask("GET", roles) == R"(200 ["learner"])");
  CHECK(f.Ask("PUT", roles, "[]") == "405 ");
  CHECK(f.Ask("POST", roles, R"(["leader",1])").starts_with("400 "));
  CHECK(f.Ask("GET", roles) == R"(200 ["learner"])");
}

constexpr const char* kJob = "scheduler-config/balance-range-scheduler/job";

std::string Job(const std::string& more) {
  return R"({"name":"balance-range-scheduler","rule":"peer-scatter","engine":"tikv",)" + more + "}";
}

TEST_CASE("jobs of balance-range are put, listed and cancelled") {
  Fixture f;
  CHECK(f.Ask("PUT", kJob, "{}") == "404 404 page not found");
  REQUIRE(f.Add(Job(R"("alias":"a","start-key":"a,%6D","end-key":"c,","timeout":"5m")")) ==
          kCreated);
  const auto entry = f.server.coordinator().schedulers().Find("balance-range-scheduler");
  REQUIRE(entry);
  const auto& job = std::get<scheduler::BalanceRangeConfig>(entry->config).jobs.front();
  CHECK(job.ranges == std::vector<scheduler::KeyRange>{{"a", "c"}, {"m", ""}});
  CHECK(job.timeout == std::chrono::minutes{5});
  CHECK(f.Ask("PUT", kJob, Job(R"("alias":"b","start-key":"","end-key":"")")) == "200 null");
  CHECK(f.Ask("PUT", kJob, Job(R"("alias":"b","start-key":"","end-key":"")")) ==
        R"(400 "job already exists")");
  CHECK(f.Ask("DELETE", std::string(kJob) + "?job-id=1") == "200 null");
  CHECK(f.Ask("DELETE", std::string(kJob) + "?job-id=1") == "500 {}");
  CHECK(f.Ask("GET", "scheduler-config/balance-range-scheduler/list").find("cancelled") !=
        std::string::npos);
  // Now there may be another one.
  CHECK(f.Ask("PUT", kJob, Job(R"("alias":"b","start-key":"","end-key":"")")) == "200 null");
}

TEST_CASE("what is wrong with a job is said") {
  Fixture f;
  REQUIRE(f.Add(Job(R"("alias":"a","start-key":"a","end-key":"b")")) == kCreated);
  const auto put = [&](const std::string& body) { return f.Ask("PUT", kJob, body); };
  CHECK(put("{}") == R"(400 "engine is required and must be a string")");
  CHECK(put(R"({"engine":"tikv"})") == R"(400 "rule is required and must be a string")");
  CHECK(put(R"({"engine":"tikv","rule":"peer-scatter"})") ==
        R"(400 "alias is required and must be a string")");
  CHECK(put(Job(R"("alias":"b","timeout":5)")) == R"(400 "timeout must be a string")");
  CHECK(put(Job(R"("alias":"b")")) == R"(400 "start-key is required and must be a string")");
  CHECK(put(Job(R"("alias":"b","start-key":"b","end-key":"a")")) ==
        R"(400 "start-key must be below end-key")");
  CHECK(put(Job(R"("alias":"b","start-key":"a,b","end-key":"c")")) ==
        R"(400 "2 start keys and 1 end keys: as many of each are wanted, up to 1024")");
  CHECK(put(Job(R"("alias":"b","start-key":"%z","end-key":"c")")) ==
        R"(400 "invalid URL escape \"%z\"")");
}

TEST_CASE("one scheduler of hot regions at a time pulls them about") {
  Fixture f;
  REQUIRE(f.Ask("DELETE", "schedulers/balance-hot-region-scheduler").starts_with("200 "));
  const auto grant = [&](const std::string& rest) {
    return f.Add(R"({"name":"grant-hot-region-scheduler",)" + rest + "}");
  };
  CHECK(grant(R"("store-leader-id":"1","store-id":3)") == R"(400 "missing store id")");
  REQUIRE(grant(R"("store-leader-id":"1","store-id":"1,2")") == kCreated);
  CHECK(f.Ask("POST", "scheduler-config/grant-hot-region-scheduler/config",
              R"({"store-leader-id":"1","store-id":"x"})")
            .find("ErrBytesToUint64") != std::string::npos);
  CHECK(f.Ask("GET", "scheduler-config/grant-hot-region-scheduler/list") ==
        R"(200 {"store-id": [1,2],"store-leader-id": 1})");
}

TEST_CASE("a setting that is changed leaves what others have set meanwhile") {
  Fixture f;
  pd::SchedulerTable& table = f.server.coordinator().schedulers();
  SECTION("of evict-slow-store") {
    const auto before = table.Find("evict-slow-store-scheduler");
    REQUIRE(table.Update(before->name, [](auto& config) -> pd::Result<void> {
      auto& slow = std::get<scheduler::EvictSlowStoreConfig>(config);
      slow.recovery_duration_s = 60;
      slow.evicted = {{1}};
      return {};
    }));
    CHECK(SetSlowStore(f.routes, MakeRequest("POST", "", R"({"batch":5})"), *before).status == 200);
    const auto after = table.Find(before->name);
    const auto& slow = std::get<scheduler::EvictSlowStoreConfig>(after->config);
    CHECK(slow.batch == 5);
    CHECK(slow.recovery_duration_s == 60);
    CHECK(slow.evicted == std::vector<scheduler::StoreId>{{1}});
  }
  SECTION("of balance-hot-region") {
    const auto before = table.Find("balance-hot-region-scheduler");
    REQUIRE(table.Update(before->name, [](auto& config) -> pd::Result<void> {
      std::get<scheduler::HotRegionConfig>(config).max_zombie_rounds = 7;
      return {};
    }));
    const auto request = MakeRequest("POST", "", R"({"max-peer-number":50})");
    CHECK(SetHotRegion(f.routes, request, *before).status == 200);
    const auto after = table.Find(before->name);
    const auto& hot = std::get<scheduler::HotRegionConfig>(after->config);
    CHECK(hot.max_zombie_rounds == 7);
    CHECK(hot.max_peer_number == 50);
  }
}

TEST_CASE("a store id is a whole number") {
  Fixture f;
  const auto add = [&](const std::string& id) {
    return f.Add(R"({"name":"evict-leader-scheduler","store_id":)" + id + "}");
  };
  const std::string config = "scheduler-config/evict-leader-scheduler/config";
  for (const char* id : {"1.5", "1e300", "-1", "-1.0", "18446744073709551616", "true"}) {
    CAPTURE(id);
    CHECK(add(id) == R"(400 "please input a right store id")");
  }
  REQUIRE(add("1.0") == kCreated);
  for (const char* id : {"1.5", "1e300", "-1", "18446744073709551616"}) {
    CAPTURE(id);
    CHECK(f.Ask("POST", config, R"({"store_id":)" + std::string(id) + "}") ==
          R"(400 "please input a right store id")");
  }
  CHECK(f.Ask("POST", config, R"({"store_id":2e0})") ==
        R"(200 "The scheduler has been applied to the store.")");
  CHECK(f.Ask("DELETE", "scheduler-config/evict-leader-scheduler/delete/1") == "200 null");
  CHECK(f.Ask("DELETE", "scheduler-config/evict-leader-scheduler/delete/1").starts_with("404 "));
  CHECK(f.Ask("DELETE", "scheduler-config/evict-leader-scheduler/delete/2") ==
        R"(200 "The last store has been deleted")");
}

TEST_CASE("a pause that no number of seconds can say is refused") {
  Fixture f;
  const auto pause = [&](const std::string& delay) {
    return f.Ask("POST", "schedulers/balance-leader-scheduler", R"({"delay":)" + delay + "}");
  };
  const auto& table = f.server.coordinator().schedulers();
  for (const char* delay :
       {"9223372036854775808", "18446744073709551616", "1e300", "1.5", "-9223372036854775809"}) {
    CAPTURE(delay);
    CHECK(pause(delay).find("json: cannot unmarshal number " + std::string(delay) +
                            " into Go value of type int64") != std::string::npos);
    CHECK(pause(delay).starts_with("400 "));
    CHECK_FALSE(table.IsPaused(*table.Find("balance-leader-scheduler")));
  }
  CHECK(pause("9223372036854775807").starts_with("200 "));
  CHECK(table.IsPaused(*table.Find("balance-leader-scheduler")));
  CHECK(pause("-9223372036854775808").starts_with("200 "));
  CHECK_FALSE(table.IsPaused(*table.Find("balance-leader-scheduler")));
}

TEST_CASE("numbers that are none are refused") {
  Fixture f;
  REQUIRE(f.Add(R"({"name":"evict-slow-trend-scheduler"})") == kCreated);
  REQUIRE(f.Add(R"({"name":"shuffle-hot-region-scheduler","limit":-3})") == kCreated);
  CHECK(f.Ask("GET", "scheduler-config/shuffle-hot-region-scheduler/list") ==
        R"(200 {"limit": 1})");
  for (const char* value : {"-1", "1e300", "null", "true"}) {
    CAPTURE(value);
    CHECK(f.Ask("POST", "scheduler-config/evict-slow-trend-scheduler/config",
                R"({"recovery-duration":)" + std::string(value) + "}") ==
          R"(400 "invalid argument for 'recovery-duration'")");
    CHECK(f.Ask("POST", "scheduler-config/shuffle-hot-region-scheduler/config",
                R"({"limit":)" + std::string(value) + "}") == R"(400 "invalid limit")");
  }
}

}  // namespace
}  // namespace api

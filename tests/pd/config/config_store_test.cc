#include "pd/config/config_store.h"

#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace pd {
namespace {

using Json = nlohmann::json;

/// A store that writes into memory.
struct Bench {
  std::vector<std::string> written;
  ConfigStore store{Config{}, [this](const OnlineConfig& online) -> Result<void> {
                      written.push_back(OnlineConfigToJson(online));
                      return {};
                    }};

  std::string Set(std::string_view key, std::string_view json) {
    const auto set = store.SetItem(key, json);
    return set ? "ok" : set.error().context;
  }
};

TEST_CASE("POST /config answers as recorded", "[config]") {
  // What hangs on more than the configuration is not decided here.
  const std::vector<std::string> elsewhere = {"dashboard-address"};
  Bench bench;
  std::ifstream file(QM_SOURCE_DIR "/tests/golden/config_set.jsonl");
  REQUIRE(file);
  std::string line;
  int compared = 0;
  while (std::getline(file, line)) {
    const Json step = Json::parse(line);
    if (step.value("http", "") != "POST /pd/api/v1/config" || !step.contains("body")) continue;
    if (step["body"].contains("dashboard-address")) continue;
    std::string answer = "The config is updated.";
    for (const auto& [key, value] : step["body"].items()) {
      const std::string set = bench.Set(key, value.dump());
      if (set != "ok") answer = set;
    }
    INFO(line);
    CHECK(answer == step["answer"]["body"].get<std::string>());
    ++compared;
  }
  CHECK(compared > 80);
}

TEST_CASE("a change is written before it shows, an unchanged value is not written", "[config]") {
  Bench bench;
  CHECK(bench.Set("leader-schedule-limit", "8") == "ok");
  CHECK(bench.written.size() == 1);
  CHECK(bench.Set("schedule.leader-schedule-limit", "8") == "ok");
  CHECK(bench.written.size() == 1);
  CHECK(bench.store.online()->schedule.leader_schedule_limit == 8);

  OnlineConfig other;
  REQUIRE(ReadOnlineConfig(bench.written.back(), other));
  CHECK(other.schedule.leader_schedule_limit == 8);
  CHECK(OnlineConfigToJson(other) == bench.written.back());
}

TEST_CASE("what cannot be written does not show", "[config]") {
  ConfigStore store(Config{}, [](const OnlineConfig&) -> Result<void> {
    return Fail(ErrorCode::kNotLeader, "not leader");
  });
  CHECK(store.SetItem("leader-schedule-limit", "8").error().code == ErrorCode::kNotLeader);
  CHECK(store.online()->schedule.leader_schedule_limit == 4);
}

TEST_CASE("what may have been written all the same is written over, though nothing is changed",
          "[config]") {
  std::vector<uint64_t> written;
  bool answers = false;
  ConfigStore store(Config{}, [&](const OnlineConfig& online) -> Result<void> {
    written.push_back(online.schedule.leader_schedule_limit);
    if (answers) return {};
    return Fail(ErrorCode::kTimeout, "no answer");
  });
  CHECK_FALSE(store.SetItem("leader-schedule-limit", "8"));
  answers = true;
  CHECK(store.SetItem("leader-schedule-limit", "4"));
  CHECK(written == std::vector<uint64_t>{8, 4});
  CHECK(store.SetItem("leader-schedule-limit", "4"));
  CHECK(written.size() == 2);
}

TEST_CASE("checks may refuse, observers are told", "[config]") {
  Bench bench;
  bench.store.AddCheck([](const OnlineConfig&, const OnlineConfig& after) -> Result<void> {
    if (after.replication.max_replicas > 5) return Fail(ErrorCode::kInvalidArgument, "too many");
    return {};
  });
  uint64_t seen = 0;
  bench.store.AddObserver(
      [&](const ConfigStore::Snapshot& now) { seen = now->replication.max_replicas; });
  CHECK(bench.Set("max-replicas", "7") == "too many");
  CHECK(seen == 0);
  CHECK(bench.Set("max-replicas", "5") == "ok");
  CHECK(seen == 5);
}

TEST_CASE("replicated text replaces what a member shows, and bad text does not", "[config]") {
  Bench bench;
  REQUIRE(bench.store.OnReplicated(R"({"schedule":{"region-schedule-limit":7}})"));
  CHECK(bench.store.online()->schedule.region_schedule_limit == 7);
  CHECK(bench.store.OnReplicated("{").error().code == ErrorCode::kCorrupt);
  CHECK(bench.store.online()->schedule.region_schedule_limit == 7);
  CHECK(bench.written.empty());
}

TEST_CASE("temporary items lie over the lasting ones and lock them", "[config]") {
  Bench bench;
  CHECK(bench.store.CheckTemporary("schedule.bogus", "1").error().context ==
        "unsupported ttl config schedule.bogus");
  CHECK(bench.store.CheckTemporary("leader-schedule-limit", "1").error().context ==
        "unsupported ttl config leader-schedule-limit");
  CHECK_FALSE(bench.store.CheckTemporary("schedule.leader-schedule-limit", "\"x\""));
  REQUIRE(bench.store.CheckTemporary("schedule.leader-schedule-limit", "99"));
  bench.store.OnTemporary("schedule.leader-schedule-limit", "99");
  CHECK(bench.store.online()->schedule.leader_schedule_limit == 99);
  CHECK(bench.store.lasting()->schedule.leader_schedule_limit == 4);
  CHECK(bench.Set("leader-schedule-limit", "5") ==
        "need to clean up TTL first for schedule.leader-schedule-limit");
  const auto refusal =
      bench.store.CheckScheduleItems({"max-store-down-time", "leader-schedule-limit"});
  REQUIRE_FALSE(refusal);
  CHECK(refusal.error().code == ErrorCode::kConflict);
  CHECK(refusal.error().context == "need to clean up TTL first for schedule.leader-schedule-limit");
  CHECK(bench.store.CheckScheduleItems({"region-schedule-limit"}));
  const auto gone = bench.store.CheckScheduleItems({"store-balance-rate"});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::kInvalidArgument);
  CHECK(gone.error().context == "store-balance-rate has already been deprecated");
  CHECK(bench.Set("region-schedule-limit", "5") == "ok");
  CHECK(bench.store.online()->schedule.leader_schedule_limit == 99);
  CHECK(bench.store.online()->schedule.region_schedule_limit == 5);
  bench.store.OnTemporary("schedule.leader-schedule-limit", std::nullopt);
  CHECK(bench.store.online()->schedule.leader_schedule_limit == 4);
  CHECK(bench.Set("leader-schedule-limit", "5") == "ok");
}

TEST_CASE("floats are written as the reference's encoder does", "[config]") {
  OnlineConfig online;
  online.controller.request_unit.write_base_cost = 1e-7;
  CHECK(SectionToJson(online, ConfigSection::kController)
            .find(R"("read-cost-per-byte":0.0000152587890625,)") != std::string::npos);
  CHECK(SectionToJson(online, ConfigSection::kController).find(R"("write-base-cost":1e-7,)") !=
        std::string::npos);
  CHECK(SectionToJson(online, ConfigSection::kController)
            .find(R"("read-cpu-ms-cost":0.3333333333333333})") != std::string::npos);
}

TEST_CASE("whole sections ignore what they do not know", "[config]") {
  OnlineConfig online;
  REQUIRE(ReadSection(R"({"max-replicas":5,"bogus":1})", ConfigSection::kReplication, online));
  CHECK(online.replication.max_replicas == 5);
  CHECK(
      ReadSection(R"({"max-replicas":"5"})", ConfigSection::kReplication, online).error().context ==
      "json: cannot unmarshal string into Go struct field ReplicationConfig.max-replicas of type "
      "uint64");
  CHECK(SectionToJson(online, ConfigSection::kLabelProperty) == "{}");
  CHECK(Json::parse(SectionToJson(online, ConfigSection::kSchedule))["max-merge-region-keys"] ==
        540'000);
}

}  // namespace
}  // namespace pd

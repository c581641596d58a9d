#include "pd/dispatch/scheduler_codec.h"

#include <catch2/catch.hpp>

#include "pd/dispatch/hot_region_codec.h"
#include "pd/dispatch/range_job_codec.h"

namespace pd {
namespace {

using scheduler::FindSchedulerType;
using scheduler::StoreId;

TEST_CASE("settings of schedulers survive their JSON", "[codec]") {
  scheduler::EvictLeaderConfig evict;
  evict.stores[{2}] = {{"a\xff", ""}};
  evict.stores[{10}] = {{}};
  evict.batch = 7;
  const std::string json = SchedulerConfigToJson(evict, false).dump();
  CHECK(json == R"({"store-id-ranges":{"10":[{"start-key":"","end-key":""}],)"
                R"("2":[{"start-key":"61ff","end-key":""}]},"batch":7})");
  const auto back = SchedulerConfigFromJson(*FindSchedulerType("evict-leader"), json);
  REQUIRE(back);
  const auto& read = std::get<scheduler::EvictLeaderConfig>(back->config);
  CHECK(read.stores == evict.stores);
  CHECK(read.batch == 7);
}

/// As it comes back from where it is kept.
template <class Config>
Config Kept(const char* type, const Config& config) {
  const auto back =
      SchedulerConfigFromJson(*FindSchedulerType(type), StoredSchedulerText(config, false));
  REQUIRE(back);
  return std::get<Config>(back->config);
}

TEST_CASE("what schedulers have found survives", "[codec]") {
  scheduler::EvictSlowStoreConfig slow;
  slow.evicted = {StoreId{1}};
  slow.network_paused = {StoreId{2}};
  slow.network_evicted = {StoreId{3}};
  slow.network_slow_store = true;
  CHECK(Kept("evict-slow-store", slow) == slow);
  scheduler::EvictSlowTrendConfig trend{100, {StoreId{4}}};
  CHECK(Kept("evict-slow-trend", trend) == trend);
  CHECK(SchedulerConfigToJson(trend, false).dump() ==
        R"({"recovery-duration":100,"evict-by-trend-stores":[4]})");
  CHECK(Kept("evict-stopping-store", scheduler::EvictStoppingStoreConfig{7, {StoreId{5}}}) ==
        scheduler::EvictStoppingStoreConfig{7, {StoreId{5}}});
}

TEST_CASE("jobs of balance-range survive, whatever became of them", "[codec]") {
  scheduler::BalanceRangeConfig config;
  scheduler::RangeJob job;
  job.id = 3;
  job.rule = scheduler::RangeJobRule::kLearnerScatter;
  job.engine = scheduler::RangeJobEngine::kTiFlash;
  job.timeout = std::chrono::minutes{5};
  job.ranges = {{"a\xff", "b"}, {"x", ""}};
  job.alias = "db.t";
  job.create_unix_ns = 1'700'000'000'123'456'700;
  config.jobs.push_back(job);
  job.id = 4;
  job.status = scheduler::RangeJobStatus::kCancelled;
  job.start_unix_ns = 1'700'000'001'000'000'000;
  job.finish_unix_ns = 1'700'000'002'000'000'001;
  config.jobs.push_back(job);
  CHECK(Kept("balance-range", config) == config);
  CHECK(
      SchedulerConfigToJson(config, false)[1].dump() ==
      R"({"job-id":4,"rule":"learner-scatter","engine":"tiflash","timeout":300000000000,)"
      R"("ranges":[{"start-key":"61ff","end-key":"62"},{"start-key":"78","end-key":""}],)"
      R"("alias":"db.t","start":"2023-11-14T22:13:21Z","finish":"2023-11-14T22:13:22.000000001Z",)"
      R"("create":"2023-11-14T22:13:20.1234567Z","status":"cancelled"})");
  // One whose state cannot be read does not begin anew.
  const auto strange = SchedulerConfigFromJson(*FindSchedulerType("balance-range"),
                                               R"([{"job-id":1,"rule":"peer-scatter","engine":)"
                                               R"("tikv","ranges":[{"start-key":"","end-key":""}],)"
                                               R"("status":"new"}])");
  REQUIRE(strange);
  CHECK(std::get<scheduler::BalanceRangeConfig>(strange->config).jobs.front().IsOver());
  CHECK_FALSE(SchedulerConfigFromJson(*FindSchedulerType("balance-range"), "{}"));
}

TEST_CASE("times have one text", "[codec]") {
  for (const int64_t unix_ns :
       {int64_t{0}, int64_t{1}, int64_t{1'700'000'000'500'000'000}, int64_t{-1}}) {
    CHECK(TimeFromText(TimeText(unix_ns)) == unix_ns);
  }
  // As the reference writes them where clocks show local time.
  CHECK(TimeFromText("2023-11-15T06:13:20.5+08:00") == 1'700'000'000'500'000'000);
  CHECK(TimeFromText("2023-11-14T19:43:20-02:30") == 1'700'000'000'000'000'000);
  for (const char* text :
       {"", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20.1234567890Z", "2023-11-14T22:13:20.1", "2023-11-14T22:13:20+8:00",
        "2023-11-14T22:13:20+0800", "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20Z ",
        " 2023-11-14T22:13:2Z", "2023-13-14T22:13:20Z", "2023-02-29T22:13:20Z",
        "2023-11-14T24:13:20Z", "2023-11-14T22:13:60Z", "12023-11-14T22:13:20Z",
        "2263-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(TimeFromText(text));
  }
}

TEST_CASE("a job that is half understood is dropped, and never gets wider", "[codec]") {
  const auto jobs = [](const std::string& members) {
    const auto read = SchedulerConfigFromJson(
        *FindSchedulerType("balance-range"),
        R"([{"job-id":1,"rule":"peer-scatter","engine":"tikv","status":"pending",)" + members +
            "}]");
    REQUIRE(read);
    return std::get<scheduler::BalanceRangeConfig>(read->config).jobs.size();
  };
  const std::string range = R"("ranges":[{"start-key":"61","end-key":"62"}])";
  CHECK(jobs(range) == 1);
  CHECK(jobs(range + R"(,"start":"2023-11-15T06:13:20+08:00")") == 1);
  for (const char* members :
       {R"("alias":"a")", R"("ranges":null)", R"("ranges":[])", R"("ranges":{})",
        R"("ranges":["61"])", R"("ranges":[{"start-key":"61"}])",
        R"("ranges":[{"start-key":"6","end-key":"62"}])",
        R"("ranges":[{"start-key":"61","end-key":"6z"}])",
        R"("ranges":[{"start-key":"62","end-key":"61"}])"}) {
    CAPTURE(members);
    CHECK(jobs(members) == 0);
  }
  for (const char* members :
       {R"("start":"then")", R"("start":5)", R"("create":"99999-01-01T00:00:00Z")",
        R"("timeout":-1)", R"("timeout":"5m")", R"("timeout":18446744073709551615)",
        R"("rule":"bogus")", R"("engine":1)"}) {
    CAPTURE(members);
    CHECK(jobs(range + "," + members) == 0);
  }
}

TEST_CASE("a scheduler whose ranges cannot be read is none", "[codec]") {
  for (const auto& [type, json] : std::initializer_list<std::pair<const char*, const char*>>{
           {"balance-leader", R"({"ranges":[{"start-key":"xy","end-key":""}]})"},
           {"balance-leader", R"({"ranges":"all"})"},
           {"evict-leader", R"({"store-id-ranges":{"1":[{"start-key":"61","end-key":"6"}]}})"},
           {"grant-leader", R"({"store-id-ranges":{"1x":[]}})"},
           {"scatter-range",
            R"({"range-name":"t","start-key":"","start-key-hex":"6","end-key":"b"})"},
       }) {
    CAPTURE(type, json);
    CHECK_FALSE(SchedulerConfigFromJson(*FindSchedulerType(type), json));
  }
}

TEST_CASE("a range that is scattered keeps keys that are no text", "[codec]") {
  const scheduler::ScatterRangeConfig scatter{"t1", {"a\xff\x00z", "\xff\xff"}};
  const auto back = Kept("scatter-range", scatter);
  CHECK(back.range == scatter.range);
  CHECK(back.range_name == "t1");
  // What the reference has kept: text only.
  const auto old = SchedulerConfigFromJson(*FindSchedulerType("scatter-range"),
                                           R"({"range-name":"t","start-key":"a","end-key":"b"})");
  REQUIRE(old);
  CHECK(std::get<scheduler::ScatterRangeConfig>(old->config).range ==
        scheduler::KeyRange{"a", "b"});
}

TEST_CASE("settings of the other schedulers survive", "[codec]") {
  scheduler::ShuffleRegionConfig shuffle;
  shuffle.roles = {scheduler::ShuffleRole::kLearner, scheduler::ShuffleRole::kLeader};
  CHECK(Kept("shuffle-region", shuffle).roles == shuffle.roles);
  CHECK(SchedulerConfigToJson(shuffle, false).dump() == R"(["learner","leader"])");
  CHECK(RolesFromJson({"bogus"}).error().context == "invalid role:bogus");
  scheduler::BalanceWitnessConfig witness;
  witness.batch = 9;
  witness.ranges = {{"a", "b"}};
  CHECK(Kept("balance-witness", witness).batch == 9);
  CHECK(Kept("balance-witness", witness).ranges == witness.ranges);
  CHECK(Kept("shuffle-hot-region", scheduler::ShuffleHotRegionConfig{5}).limit == 5);
  const scheduler::GrantHotRegionConfig grant{{2}, {{1}, {2}, {4}}};
  CHECK(Kept("grant-hot-region", grant).leader_store == grant.leader_store);
  CHECK(Kept("grant-hot-region", grant).stores == grant.stores);
  CHECK(Kept("label", scheduler::LabelConfig{{{"a", "b"}}}).ranges.front() ==
        scheduler::KeyRange{"a", "b"});
}

TEST_CASE("every scheduler's default settings survive", "[codec]") {
  for (const scheduler::SchedulerType& type : scheduler::SchedulerTypes()) {
    CAPTURE(type.type);
    const std::string text = StoredSchedulerText(DefaultSchedulerConfig(type), type.by_default);
    const auto back = SchedulerConfigFromJson(type, text);
    REQUIRE(back);
    CHECK(StoredSchedulerText(back->config, back->disabled) == text);
  }
}

TEST_CASE("what is missing in the JSON keeps its default", "[codec]") {
  const auto slow = SchedulerConfigFromJson(*FindSchedulerType("evict-slow-store"),
                                            R"({"disabled":true,"batch":9,"other":[1]})");
  REQUIRE(slow);
  CHECK(slow->disabled);
  CHECK(std::get<scheduler::EvictSlowStoreConfig>(slow->config).batch == 9);
  CHECK(std::get<scheduler::EvictSlowStoreConfig>(slow->config).recovery_duration_s == 1800);
}

TEST_CASE("hot region settings are read one by one and checked together", "[codec]") {
  using nlohmann::ordered_json;
  scheduler::HotRegionConfig config;
  CHECK(ReadHotRegionConfig(ordered_json::parse(R"({"other":1})"), config) ==
        HotRegionChange::kNoneNamed);
  CHECK(ReadHotRegionConfig(ordered_json::parse(R"({"max-zombie-rounds":3})"), config) ==
        HotRegionChange::kSame);
  CHECK(ReadHotRegionConfig(ordered_json::parse(R"({"strict-picking-store":"false"})"), config) ==
        HotRegionChange::kChanged);
  const auto error = [](const char* json) {
    scheduler::HotRegionConfig fresh;
    const auto read = ReadHotRegionConfig(ordered_json::parse(json), fresh);
    return read ? std::string("fine") : read.error().context;
  };
  CHECK(error(R"({"read-priorities":["byte"]})") ==
        "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config priorities should have at least 2 "
        "dimensions");
  CHECK(error(R"({"history-sample-interval":"x"})") == "time: invalid duration \"x\"");
  const auto back = SchedulerConfigFromJson(*FindSchedulerType("hot-region"),
                                            HotRegionConfigToJson(config).dump());
  REQUIRE(back);
  CHECK(std::get<scheduler::HotRegionConfig>(back->config) == config);
}

TEST_CASE("hot region settings that no number of their kind can have are refused", "[codec]") {
  const auto error = [](const char* json) {
    scheduler::HotRegionConfig fresh;
    const auto read = ReadHotRegionConfig(nlohmann::ordered_json::parse(json), fresh);
    return read ? std::string("fine") : read.error().context;
  };
  const std::string wrong = "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config invalid ";
  CHECK(error(R"({"max-peer-number":18446744073709551615})") ==
        "json: cannot unmarshal number into Go value of type int");
  CHECK(error(R"({"max-peer-number":-1})") == wrong + "max-peer-number, should not be negative");
  CHECK(error(R"({"min-hot-byte-rate":-1})") == "fine");  // As in the reference.
  CHECK(error(R"({"history-sample-duration":"-1s"})") ==
        wrong + "history-sample-duration, should not be negative");
  CHECK(error(R"({"split-thresholds":1.5})") ==
        wrong + "split-thresholds, should be in range [0.01, 1]");
  CHECK(error(R"({"min-hot-byte-rate":1e300})") == "fine");
  scheduler::HotRegionConfig large;
  large.min_hot_byte_rate = 1e300;
  CHECK(HotRegionConfigToJson(large)["min-hot-byte-rate"] == 1e300);
}

TEST_CASE("one stored hot region setting that makes no sense leaves the others as they are",
          "[codec]") {
  const auto stored = SchedulerConfigFromJson(
      *FindSchedulerType("hot-region"),
      R"({"min-hot-byte-rate":500,"split-thresholds":7,"read-priorities":["byte","lightyear"],)"
      R"("max-peer-number":"x","src-tolerance-ratio":1.2,"write-peer-priorities":["key","byte"]})");
  REQUIRE(stored);
  scheduler::HotRegionConfig wanted;
  wanted.min_hot_byte_rate = 500;
  wanted.src_tolerance_ratio = 1.2;
  wanted.write_peer_priorities = {"key", "byte"};
  CHECK(std::get<scheduler::HotRegionConfig>(stored->config) == wanted);
}

TEST_CASE("nonsense is refused, not obeyed", "[codec]") {
  const auto& type = *FindSchedulerType("balance-leader");
  CHECK_FALSE(SchedulerConfigFromJson(type, ""));
  CHECK_FALSE(SchedulerConfigFromJson(type, "[]"));
  CHECK_FALSE(SchedulerConfigFromJson(type, R"({"batch":"x"})"));
}

}  // namespace
}  // namespace pd

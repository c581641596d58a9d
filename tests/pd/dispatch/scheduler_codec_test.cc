#include "pd/dispatch/scheduler_codec.h"

#include <catch2/catch.hpp>

#include "pd/dispatch/hot_region_codec.h"

namespace pd {
namespace {

using scheduler::FindSchedulerType;

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

TEST_CASE("nonsense is refused, not obeyed", "[codec]") {
  const auto& type = *FindSchedulerType("balance-leader");
  CHECK_FALSE(SchedulerConfigFromJson(type, ""));
  CHECK_FALSE(SchedulerConfigFromJson(type, "[]"));
  CHECK_FALSE(SchedulerConfigFromJson(type, R"({"batch":"x"})"));
}

}  // namespace
}  // namespace pd

#include "pd/dispatch/scheduler_codec.h"

#include <catch2/catch.hpp>

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

TEST_CASE("nonsense is refused, not obeyed", "[codec]") {
  const auto& type = *FindSchedulerType("balance-leader");
  CHECK_FALSE(SchedulerConfigFromJson(type, ""));
  CHECK_FALSE(SchedulerConfigFromJson(type, "[]"));
  CHECK_FALSE(SchedulerConfigFromJson(type, R"({"batch":"x"})"));
}

}  // namespace
}  // namespace pd

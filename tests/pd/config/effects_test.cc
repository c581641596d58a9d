#include "pd/config/effects.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

std::vector<std::string> Names(const std::vector<NoEffect>& found) {
  std::vector<std::string> names;
  for (const NoEffect& item : found) {
    CHECK_FALSE(item.why.empty());
    names.emplace_back(item.key);
  }
  return names;
}

TEST_CASE("keys without effect are named where they were set, and only there", "[config]") {
  Config config;
  REQUIRE(FillDefaults(config, "vm"));
  CHECK(KeysWithoutEffect(config).empty());
  REQUIRE(ReadToml(R"(
quota-backend-bytes = "2GB"
enable-prevote = false
max-request-bytes = 1048576
auto-compaction-mode = "revision"
auto-compaction-retention = "1000"
max-concurrent-tso-proxy-streamings = 10
tso-proxy-recv-from-client-timeout = "1m"
[replication-mode]
replication-mode = "dr-auto-sync"
[schedule]
leader-schedule-limit = 5
[metric]
address = "a:1"
interval = "15s"
[log]
level = "info"
error-output-path = "/x"
[log.sampling]
initial = 5
)",
                   config));
  config.explicit_keys.push_back("metric.address");  // By a flag as well.
  auto names = Names(KeysWithoutEffect(config));
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{
                     "enable-prevote", "log.error-output-path", "log.sampling.initial",
                     "max-concurrent-tso-proxy-streamings", "metric.address", "metric.interval",
                     "quota-backend-bytes", "replication-mode.replication-mode",
                     "tso-proxy-recv-from-client-timeout"});
  CHECK(config.warnings.empty());  // A check of the file passes.
}

TEST_CASE("items without effect are told once, until they are taken back", "[config]") {
  OnlineEffects effects;
  OnlineConfig online;
  CHECK(effects.News(online).empty());
  online.schedule.store_limit_version = "v2";  // Has one.
  CHECK(effects.News(online).empty());
  online.schedule.store_limit_version = "v3";
  CHECK(Names(effects.News(online)) == std::vector<std::string>{"schedule.store-limit-version"});
  online.schedule.store_limit_version = "v1";
  online.schedule.patrol_region_worker_count = 4;
  CHECK(Names(effects.News(online)) ==
        std::vector<std::string>{"schedule.patrol-region-worker-count"});
  online.schedule.scheduler_max_waiting_operator = 9;
  CHECK(Names(effects.News(online)) ==
        std::vector<std::string>{"schedule.scheduler-max-waiting-operator"});
  CHECK(effects.News(online).empty());
  online.schedule.patrol_region_worker_count = 1;
  CHECK(effects.News(online).empty());
  online.schedule.patrol_region_worker_count = 4;
  CHECK(effects.News(online).size() == 1);
}

}  // namespace
}  // namespace pd

#include "pd/config/effects.h"

#include <algorithm>

namespace pd {
namespace {

constexpr std::string_view kLogWhy = "lines are written whole, all of them, to one place";
constexpr std::string_view kProxyWhy = "forwarded timestamp streams are bound like all streams";

constexpr std::string_view kServicesWhy = "all services are in this server";
constexpr std::string_view kGarbageWhy = "this server collects no garbage";

/// One that ends with a dot stands for all below it.
constexpr NoEffect kKeys[] = {
    {"metric.", "metrics are read from /metrics, never pushed"},
    {"enable-prevote", "elections always begin with a pre-vote"},
    {"enable-grpc-gateway", "there is no such gateway"},
    {"enable-local-tso", "timestamps are global"},
    {"quota-backend-bytes", "the size of the data is not limited"},
    {"max-concurrent-tso-proxy-streamings", kProxyWhy},
    {"tso-proxy-recv-from-client-timeout", kProxyWhy},
    {"log.sampling.", kLogWhy},
    {"log.error-output-path", kLogWhy},
    {"log.development", kLogWhy},
    {"log.disable-stacktrace", kLogWhy},
    {"log.disable-error-verbose", kLogWhy},
    {"security.encryption.", "data is not encrypted at rest"},
    {"replication-mode.", "there is one mode of replication, majority"},
    {"keyspace.", "keyspaces are not served"},
    {"micro-service.", kServicesWhy},
    {"controller.", "requests are not accounted for"},
    {"dashboard.", "the dashboard is this server's own, at /dashboard"},
    {"pd-server.use-region-storage", "regions always have a storage of their own"},
    {"pd-server.block-safe-point-v1", "the older calls for safe points are always served"},
    {"pd-server.runtime-services", kServicesWhy},
    {"pd-server.server-memory-limit", kGarbageWhy},
    {"pd-server.server-memory-limit-gc-trigger", kGarbageWhy},
    {"pd-server.enable-gogc-tuner", kGarbageWhy},
    {"pd-server.gc-tuner-threshold", kGarbageWhy},
    {"schedule.enable-debug-metrics", "there are no metrics for debugging alone"},
    {"schedule.enable-heartbeat-breakdown-metrics", "heartbeats are not timed in parts"},
    {"schedule.enable-heartbeat-concurrent-runner", "heartbeats always run beside each other"},
};

bool Covers(std::string_view entry, std::string_view key) {
  return entry.ends_with('.') ? key.starts_with(entry) : key == entry;
}

std::vector<NoEffect> ItemsWithoutEffect(const OnlineConfig& online) {
  const OnlineConfig standard;
  const ScheduleConfig& schedule = online.schedule;
  std::vector<NoEffect> found;
  if (schedule.patrol_region_worker_count != standard.schedule.patrol_region_worker_count) {
    found.push_back({"schedule.patrol-region-worker-count", "one worker looks at the regions"});
  }
  if (schedule.scheduler_max_waiting_operator != standard.schedule.scheduler_max_waiting_operator) {
    found.push_back(
        {"schedule.scheduler-max-waiting-operator", "an operator starts at once or not at all"});
  }
  if (schedule.store_limit_version != "v1" && schedule.store_limit_version != "v2") {
    found.push_back({"schedule.store-limit-version", "only v1 and v2 are known; it is v1"});
  }
  return found;
}

}  // namespace

std::vector<NoEffect> KeysWithoutEffect(const Config& config) {
  std::vector<NoEffect> found;
  for (const std::string& key : config.explicit_keys) {
    const auto* const entry =
        std::find_if(std::begin(kKeys), std::end(kKeys),
                     [&](const NoEffect& candidate) { return Covers(candidate.key, key); });
    const bool twice = std::any_of(found.begin(), found.end(),
                                   [&](const NoEffect& other) { return other.key == key; });
    if (entry != std::end(kKeys) && !twice) found.push_back({key, entry->why});
  }
  return found;
}

std::vector<NoEffect> OnlineEffects::News(const OnlineConfig& online) {
  const std::vector<NoEffect> now = ItemsWithoutEffect(online);
  std::vector<NoEffect> news;
  std::set<std::string_view> told;
  const MutexLock lock(mutex_);
  for (const NoEffect& item : now) {
    if (!told_.contains(item.key)) news.push_back(item);
    told.insert(item.key);
  }
  told_ = std::move(told);
  return news;
}

}  // namespace pd

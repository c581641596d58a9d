#include "api/http/dashboard_cluster.h"

#include <algorithm>

#include "api/http/store_json.h"
#include "pd/cluster/store_scores.h"

namespace api {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

DashboardStore StoreOf(const scheduler::Store& store, const pd::OnlineConfig& config,
                       int64_t now_ns) {
  const pd::StoreScores scores = pd::ScoresOf(store, config.schedule);
  DashboardStore entry;
  entry.store = store;
  entry.state = StateName(store, now_ns, config.schedule.max_store_down_time);
  entry.leader_score = scores.leader;
  entry.region_score = scores.region;
  entry.low_space = scheduler::IsLowSpace(store, config.schedule.low_space_ratio);
  if (store.last_heartbeat_unix_ns > 0) {
    entry.heartbeat_age_ms = std::max<int64_t>(0, now_ns - store.last_heartbeat_unix_ns) / kNsPerMs;
  }
  return entry;
}

}  // namespace

void FillCluster(const pd::Cluster& cluster, const pd::OnlineConfig& config,
                 DashboardSnapshot& snapshot) {
  snapshot.bootstrapped = cluster.running();
  if (!snapshot.bootstrapped) return;
  const int64_t now_ns = cluster.clock().UnixNanos();
  for (const scheduler::Store& store : cluster.stores().All()) {
    snapshot.stores.push_back(StoreOf(store, config, now_ns));
    snapshot.stores.back().progress = cluster.stores().progress().Find(store.id);
  }
  snapshot.region_count = cluster.regions().size();
  snapshot.region_size_mib = cluster.regions().total_size_mib();
  snapshot.regions_reported = cluster.regions().refreshed();
}

}  // namespace api

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "pd/cluster/cluster.h"
#include "pd/metrics/metrics.h"

namespace pd {

/// The cluster on the metrics page (under the reference's names): what stores are like and hold, the
/// settings of planning, the GC safe point, affinity groups and the feed are read when somebody looks, a few
/// microseconds a store and no walk over regions; what reports change is counted as they come.
///
/// Only the PD leader of a bootstrapped cluster shows the former: on other members they vanish.
/// A store's rates, the smoothed ones too, are those of its last heartbeat's interval.
///
/// Construct before Cluster::Start(); the cluster and the registry outlive it. Thread-safe.
class ClusterMetrics final : public RegionObserver {
 public:
  /// How full the windows are that bound what a store sends (store limits v2), by priority, lowest first.
  struct SnapshotUse {
    int64_t capacity_mib = 0;  // Of the lowest window.
    std::array<int64_t, 4> used_mib{};
  };
  /// Nothing when there are no windows.
  using SnapshotUseOf = std::function<std::optional<SnapshotUse>(scheduler::StoreId)>;

  ClusterMetrics(Cluster& cluster, MetricsRegistry& registry);
  ~ClusterMetrics() override;
  ClusterMetrics(const ClusterMetrics&) = delete;
  ClusterMetrics& operator=(const ClusterMetrics&) = delete;

  /// Planning knows them; asked whenever somebody looks. Not while somebody does.
  void ShowSnapshots(SnapshotUseOf use_of) { snapshot_use_of_ = std::move(use_of); }

  void OnRegionReported(const scheduler::Region& region,
                        const scheduler::RegionChange& change) override;

 private:
  void Collect();
  void CollectProgress();

  Cluster& cluster_;
  MetricsRegistry& registry_;
  GaugeFamily& cluster_status_;
  GaugeFamily& store_status_;
  GaugeFamily& placement_;
  GaugeFamily& store_limit_;
  GaugeFamily& config_;
  GaugeFamily& syncer_;
  GaugeFamily& gc_;
  GaugeFamily& progress_;
  GaugeFamily& speed_;
  GaugeFamily& eta_;
  GaugeFamily& affinity_;
  Counter& cached_;
  Counter& saved_;
  SnapshotUseOf snapshot_use_of_ = [](scheduler::StoreId) { return std::nullopt; };
  const uint64_t collector_;
};

}  // namespace pd

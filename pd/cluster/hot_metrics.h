#pragma once

#include "pd/cluster/cluster.h"
#include "pd/metrics/metrics.h"

namespace pd {

/// Hot peers on the metrics page (under the reference's names), read when somebody looks, at a look-up for each hot
/// peer. Only the PD leader of a bootstrapped cluster shows them. The cluster and the registry outlive it.
class HotMetrics {
 public:
  HotMetrics(const Cluster& cluster, MetricsRegistry& registry);
  ~HotMetrics();
  HotMetrics(const HotMetrics&) = delete;
  HotMetrics& operator=(const HotMetrics&) = delete;

 private:
  void Collect();

  const Cluster& cluster_;
  MetricsRegistry& registry_;
  GaugeFamily& hotspot_;
  GaugeFamily& cache_;
  const uint64_t collector_;
};

}  // namespace pd

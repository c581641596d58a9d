#include "pd/cluster/hot_metrics.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace pd {
namespace {

using scheduler::Access;
using scheduler::HotPeer;
using scheduler::Load;
using scheduler::LoadDim;
using scheduler::Store;

void Set(GaugeFamily::SeriesByValues& gauges, std::vector<std::string> labels, double value) {
  auto gauge = std::make_unique<Gauge>();
  gauge->Set(value);
  gauges[std::move(labels)] = std::move(gauge);
}

/// "bytes", "keys", "query", "cpu".
std::string PluralOf(LoadDim dim) {
  const std::string name = LoadDimText(dim);
  return dim == LoadDim::kByte || dim == LoadDim::kKey ? name + "s" : name;
}

struct Sum {
  Load load;
  size_t count = 0;

  void Add(const HotPeer& peer) {
    load += peer.load;
    ++count;
  }
};

void AddHotspot(const Store& store, Access access, const std::vector<HotPeer>& peers,
                GaugeFamily::SeriesByValues& out) {
  Sum as_leader;
  Sum as_peer;
  for (const HotPeer& peer : peers) {
    as_peer.Add(peer);
    if (peer.leads) as_leader.Add(peer);
  }
  const std::string id = std::to_string(store.id.value);
  const char* const kind = AccessText(access);
  for (const auto& [sum, side] : {std::pair{as_leader, "leader"}, std::pair{as_peer, "peer"}}) {
    for (const LoadDim dim : scheduler::kLoadDims) {
      if (dim == LoadDim::kCpu && access == Access::kWrite) continue;
      Set(out, {store.address, id, fmt::format("total_{}_{}_as_{}", kind, PluralOf(dim), side)},
          sum.load[dim]);
    }
    Set(out, {store.address, id, fmt::format("hot_{}_region_as_{}", kind, side)},
        static_cast<double>(sum.count));
  }
}

void AddCache(const HotStatistics::CacheStatus& status, Access access,
              GaugeFamily::SeriesByValues& out) {
  for (const auto& [store, one] : status) {
    const std::string id = fmt::format("store-{}", store.value);
    const auto set = [&](const std::string& name, double value) {
      Set(out, {name, id, AccessText(access)}, value);
    };
    for (const LoadDim dim : scheduler::kLoadDims) {
      set(fmt::format("{}-rate-threshold", LoadDimText(dim)), one.thresholds[dim]);
    }
    set("total_length", static_cast<double>(one.peers));
    set("add_item", static_cast<double>(one.added));
    set("update_item", static_cast<double>(one.updated));
    set("remove_item", static_cast<double>(one.removed));
  }
}

}  // namespace

HotMetrics::HotMetrics(const Cluster& cluster, MetricsRegistry& registry)
    : cluster_(cluster),
      registry_(registry),
      hotspot_(registry.Gauges("pd_hotspot_status", "Sums over the hot peers of a store",
                               {"address", "store", "type"})),
      cache_(registry.Gauges("pd_hotcache_status", "What is known of the hot peers of a store",
                             {"name", "store", "type"})),
      collector_(registry.AddCollector([this] { Collect(); })) {}

HotMetrics::~HotMetrics() { registry_.RemoveCollector(collector_); }

void HotMetrics::Collect() {
  GaugeFamily::SeriesByValues hotspot;
  GaugeFamily::SeriesByValues cache;
  if (cluster_.running()) {
    for (const Access access : {Access::kRead, Access::kWrite}) {
      for (const Store& store : cluster_.stores().All()) {
        if (store.IsRemoved()) continue;
        AddHotspot(store, access, cluster_.HotPeersOn(access, store.id), hotspot);
      }
      AddCache(cluster_.hot().StatusOf(access), access, cache);
    }
  }
  hotspot_.Replace(std::move(hotspot));
  cache_.Replace(std::move(cache));
}

}  // namespace pd

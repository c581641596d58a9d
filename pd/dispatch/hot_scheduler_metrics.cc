#include "pd/dispatch/hot_scheduler_metrics.h"

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace pd {
namespace {

using scheduler::Access;
using scheduler::HotMove;
using scheduler::Load;
using scheduler::LoadDim;

constexpr std::array kAccesses{Access::kWrite, Access::kRead};

const Load& LoadOf(const HotMove& move, Access access) {
  return access == Access::kRead ? move.read : move.write;
}

const char* TypeOf(const HotMove& move) {
  if (!move.moves_peer) return "transfer-leader";
  return move.moves_leader ? "move-leader" : "move-peer";
}

std::string IdText(scheduler::StoreId store) { return std::to_string(store.value); }

/// In each dimension that it has.
template <class Note>
void ForEachDim(const HotMove& move, const Note& note) {
  for (const Access access : kAccesses) {
    for (const LoadDim dim : scheduler::kLoadDims) {
      const double rate = LoadOf(move, access)[dim];
      if (rate > 0) note(AccessText(access), LoadDimText(dim), rate);
    }
  }
}

void NoteChoice(const HotMove& move, CounterFamily& stores, MetricsRegistry& registry) {
  stores.With({"source", IdText(move.from)}).Add();
  stores.With({"target", IdText(move.to)}).Add();
  HistogramFamily& peers =
      registry.Histograms("pd_scheduler_hot_peer", "Loads of the peers chosen to be moved",
                          ExponentialBounds(1, 2, 30), {"type", "rw", "dim"});
  ForEachDim(move, [&](const char* rw, const char* dim, double rate) {
    peers.With({TypeOf(move), rw, dim}).Observe(rate);
  });
}

void NoteDone(const HotMove& move, MetricsRegistry& registry) {
  CounterFamily& moves =
      registry.Counters("pd_scheduler_hot_region_direction", "Hot peers that were moved",
                        {"type", "rw", "store", "direction", "dim"});
  ForEachDim(move, [&](const char* rw, const char* dim, double) {
    moves.With({TypeOf(move), rw, IdText(move.from), "out", dim}).Add();
    moves.With({TypeOf(move), rw, IdText(move.to), "in", dim}).Add();
  });
}

GaugeFamily& PendingSums(MetricsRegistry& registry) {
  return registry.Gauges("pd_scheduler_hot_pending_sum",
                         "Loads that were moved and do not show yet", {"store", "rw", "dim"});
}

GaugeFamily& PeersSummaries(MetricsRegistry& registry) {
  return registry.Gauges(
      "pd_scheduler_hot_peers_summary",
      "Means and deviations of the loads that hot peers are spread by, and of their numbers",
      {"type", "store"});
}

void ShowPending(const scheduler::HotRegionMemory& memory, MetricsRegistry& registry) {
  std::map<scheduler::StoreId, std::array<Load, scheduler::kAccessCount>> sums;
  for (const auto& entry : memory.moves) {
    for (const Access access : kAccesses) {
      const Load& load = LoadOf(entry.second, access);
      sums[entry.second.from][static_cast<size_t>(access)] -= load;
      sums[entry.second.to][static_cast<size_t>(access)] += load;
    }
  }
  GaugeFamily::SeriesByValues gauges;
  for (const auto& [store, loads] : sums) {
    for (const Access access : kAccesses) {
      for (const LoadDim dim : scheduler::kLoadDims) {
        auto gauge = std::make_unique<Gauge>();
        gauge->Set(loads[static_cast<size_t>(access)][dim]);
        gauges[{IdText(store), AccessText(access), LoadDimText(dim)}] = std::move(gauge);
      }
    }
  }
  PendingSums(registry).Replace(std::move(gauges));
}

/// The reference's names: peers are regions there.
void ShowSummaries(const scheduler::HotRegionMemory& memory, MetricsRegistry& registry) {
  GaugeFamily::SeriesByValues gauges;
  for (const auto& [key, summary] : memory.summaries) {
    const auto [task, engine] = key;
    const std::string kind = std::string("-rate-") + AccessText(AccessOf(task)) +
                             (MovesLeaders(task) ? "-leader" : "-region");
    const char* const store = engine == scheduler::Engine::kTiFlash ? "tiflash" : "tikv";
    const auto set = [&](const std::string& name, double mean, double deviation) {
      for (const auto& [prefix, value] :
           {std::pair{"exp-", mean}, std::pair{"stddev-", deviation}}) {
        auto gauge = std::make_unique<Gauge>();
        gauge->Set(value);
        gauges[{prefix + name + kind, store}] = std::move(gauge);
      }
    };
    for (const LoadDim dim : scheduler::kLoadDims) {
      if (dim == LoadDim::kCpu && AccessOf(task) == Access::kWrite) continue;
      set(LoadDimText(dim), summary.mean[dim], summary.deviation[dim]);
    }
    set("count", summary.peers_mean, summary.peers_deviation);
  }
  PeersSummaries(registry).Replace(std::move(gauges));
}

}  // namespace

void NoteHotRun(const scheduler::HotRegionMemory& memory, const scheduler::Decision& decision,
                scheduler::Instant now, MetricsRegistry& registry) {
  CounterFamily& stores = registry.Counters(
      "pd_scheduler_hot_region", "Stores looked at to even out hot loads", {"type", "store"});
  for (const scheduler::Refusal& refusal : decision.refusals) {
    if (!refusal.store) continue;
    stores.With({ReasonText(refusal.reason), IdText(refusal.store)}).Add(refusal.times);
  }
  for (const auto& entry : memory.moves) {
    if (entry.second.planned == now) NoteChoice(entry.second, stores, registry);
    if (entry.second.done == now) NoteDone(entry.second, registry);
  }
  ShowPending(memory, registry);
  ShowSummaries(memory, registry);
}

void WithdrawHotRuns(MetricsRegistry& registry) {
  PendingSums(registry).Replace({});
  PeersSummaries(registry).Replace({});
}

}  // namespace pd

#include "scheduler/schedulers/hot_region_loads.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

namespace scheduler {
namespace {

constexpr Millis kStoreReportInterval = Seconds{10};
constexpr Millis kRegionReportInterval = Seconds{60};
constexpr size_t kTenth = 10;

bool TakesPart(const PlanContext& context, const Store& store, Engine engine) {
  return store.state != StoreState::kTombstone && !store.IsDisconnected(context.now) &&
         store.has_stats && store.IsTiFlash() == (engine == Engine::kTiFlash);
}

Load SumOf(const std::vector<HotPeer>& peers) {
  Load sum;
  for (const HotPeer& peer : peers) sum += peer.load;
  return sum;
}

std::vector<HotPeer> PeersOf(const PlanContext& context, StoreId store, HotTask task) {
  std::vector<HotPeer> peers = context.view.HotPeers(AccessOf(task), store);
  if (MovesLeaders(task)) std::erase_if(peers, [](const HotPeer& peer) { return !peer.leads; });
  return peers;
}

/// What a store writes for leaders is known of its hot regions alone, but for the queries, which only leaders serve.
Load LoadOf(const PlanContext& context, const HotField& field, StoreId store,
            const std::vector<HotPeer>& peers) {
  const StoreLoads loads = context.view.LoadsOf(store);
  if (AccessOf(field.task) == Access::kRead) return loads.read;
  if (field.engine == Engine::kTiFlash) {
    return context.options.trace_region_flow ? loads.regions_write : SumOf(peers);
  }
  if (field.task == HotTask::kWritePeer) return loads.write;
  Load sum = SumOf(peers);
  sum[LoadDim::kQuery] = loads.write[LoadDim::kQuery];
  return sum;
}

/// A move counts for what it moves: written bytes go with the peer, written queries and what leaders write with the
/// leader, reads with either.
Load PendingOf(const HotRegionMemory& memory, HotTask task, StoreId store) {
  Load pending;
  for (const auto& entry : memory.moves) {
    const HotMove& move = entry.second;
    if (task == HotTask::kWritePeer && !move.moves_peer) continue;
    if (task == HotTask::kWriteLeader && !move.moves_leader) continue;
    const Load& load = AccessOf(task) == Access::kRead ? move.read : move.write;
    if (move.to == store) pending += load;
    if (move.from == store) pending -= load;
  }
  return pending;
}

Load TenthOf(const std::vector<HotPeer>& peers) {
  Load tenth;
  for (const LoadDim dim : kLoadDims) {
    tenth[dim] = std::numeric_limits<double>::infinity();
    if (peers.size() < kTenth) continue;
    std::vector<double> rates;
    rates.reserve(peers.size());
    for (const HotPeer& peer : peers) rates.push_back(peer.load[dim]);
    const auto nth = rates.begin() + (kTenth - 1);
    std::ranges::nth_element(rates, nth, std::greater<>());
    tenth[dim] = *nth;
  }
  return tenth;
}

void Summarize(HotField& field) {
  const auto count = static_cast<double>(field.stores.size());
  if (field.stores.empty()) return;
  Load squares;
  for (const HotStore& store : field.stores) {
    field.mean += store.now * (1 / count);
    for (const LoadDim dim : kLoadDims) {
      field.highest[dim] = std::max(field.highest[dim], store.now[dim]);
    }
  }
  for (const HotStore& store : field.stores) {
    for (const LoadDim dim : kLoadDims) {
      squares[dim] += std::pow(store.now[dim] - field.mean[dim], 2);
    }
  }
  for (const LoadDim dim : kLoadDims) {
    if (field.mean[dim] > 0) {
      field.deviation[dim] = std::sqrt(squares[dim] / count) / field.mean[dim];
    }
  }
  for (size_t i = 0;; ++i) {
    Load sum;
    double known = 0;
    for (const HotStore& store : field.stores) {
      if (i >= store.history.size()) continue;
      sum += store.history[i];
      ++known;
    }
    if (known == 0) return;
    field.mean_history.push_back(sum * (1 / known));
  }
}

bool IsDone(const Region& region, const HotMove& move) {
  if (move.moves_leader && region.leader.store != move.to) return false;
  if (!move.moves_peer) return true;
  return region.PeerOnStore(move.to) != nullptr && region.PeerOnStore(move.from) == nullptr;
}

/// False when nothing is left of it.
bool Review(const PlanContext& context, RegionId id, HotMove& move) {
  if (move.done) return context.now - *move.done < move.shows_after;
  if (context.busy_regions.contains(id)) return true;
  const auto region = context.view.FindRegion(id);
  if (!region || !IsDone(*region, move)) return false;
  move.done = context.now;
  return true;
}

}  // namespace

void ReviewMoves(const PlanContext& context, HotRegionMemory& memory) {
  for (auto it = memory.moves.begin(); it != memory.moves.end();) {
    it = Review(context, it->first, it->second) ? std::next(it) : memory.moves.erase(it);
  }
}

void SampleLoads(const PlanContext& context, const HotRegionConfig& config,
                 HotRegionMemory& memory) {
  const Millis interval = std::max(config.history_sample_interval, Millis{1});
  const auto samples_max =
      static_cast<size_t>(std::clamp<int64_t>(config.history_sample_duration / interval, 0, 1000));
  for (const HotTask task : {HotTask::kWritePeer, HotTask::kWriteLeader, HotTask::kReadLeader}) {
    const auto kind = static_cast<size_t>(LoadKindOf(task));
    std::optional<Instant>& sampled = memory.sampled[kind];
    HotRegionMemory::History& history = memory.history[kind];
    std::erase_if(
        history, [&](const auto& entry) { return context.view.FindStore(entry.first) == nullptr; });
    if (sampled && context.now - *sampled < interval) continue;
    sampled = context.now;
    for (const Engine engine : {Engine::kTiKv, Engine::kTiFlash}) {
      if (engine == Engine::kTiFlash && task != HotTask::kWritePeer) continue;
      for (const Store& store : context.view.stores()) {
        if (!TakesPart(context, store, engine)) continue;
        HotField field;
        field.task = task;
        field.engine = engine;
        std::deque<Load>& samples = history[store.id];
        samples.push_back(LoadOf(context, field, store.id, PeersOf(context, store.id, task)));
        while (samples.size() > samples_max) samples.pop_front();
      }
    }
  }
}

HotField MakeField(const PlanContext& context, const HotRegionConfig& config,
                   const HotRegionMemory& memory, HotTask task, Engine engine) {
  HotField field;
  field.task = task;
  field.engine = engine;
  const HotRegionMemory::History& history = memory.history[static_cast<size_t>(LoadKindOf(task))];
  for (const Store& store : context.view.stores()) {
    if (!TakesPart(context, store, engine)) continue;
    const bool paused = store.pauses.leader_transfer_in > 0 || store.pauses.leader_transfer_out > 0;
    if (MovesLeaders(task) && paused) continue;
    HotStore& added = field.stores.emplace_back();
    added.store = &store;
    added.peers = PeersOf(context, store.id, task);
    added.now = LoadOf(context, field, store.id, added.peers);
    added.pending = PendingOf(memory, task, store.id) * std::max(config.pending_weight, 0.0);
    added.tenth = TenthOf(added.peers);
    const auto known = history.find(store.id);
    if (known == history.end()) continue;
    added.history.assign(known->second.rbegin(), known->second.rend());
  }
  Summarize(field);
  return field;
}

HotSummary SummaryOf(const HotField& field) {
  HotSummary summary{field.mean, field.deviation, 0, 0};
  const auto count = static_cast<double>(field.stores.size());
  for (const HotStore& store : field.stores) {
    summary.peers_mean += static_cast<double>(store.peers.size()) / count;
  }
  if (summary.peers_mean == 0) return summary;
  double squares = 0;
  for (const HotStore& store : field.stores) {
    squares += std::pow(static_cast<double>(store.peers.size()) - summary.peers_mean, 2);
  }
  summary.peers_deviation = std::sqrt(squares / count) / summary.peers_mean;
  return summary;
}

Millis MoveShowsAfter(const HotRegionConfig& config, HotTask task, Engine engine) {
  const bool by_queries =
      !config.write_leader_priorities.empty() && config.write_leader_priorities.front() == "query";
  const bool by_regions =
      engine == Engine::kTiFlash || (task == HotTask::kWriteLeader && !by_queries);
  const Millis interval = by_regions ? kRegionReportInterval : kStoreReportInterval;
  return Millis{static_cast<int64_t>(static_cast<double>(interval.count()) *
                                     std::clamp(config.max_zombie_rounds, 0.0, 1000.0))};
}

}  // namespace scheduler

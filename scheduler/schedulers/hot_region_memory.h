#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "scheduler/model/load.h"

namespace scheduler {

/// What balance-hot-region looks for.
enum class HotTask : uint8_t { kWritePeer, kWriteLeader, kReadLeader, kReadPeer };
inline constexpr size_t kHotTaskCount = 4;
constexpr Access AccessOf(HotTask task) {
  return task == HotTask::kReadLeader || task == HotTask::kReadPeer ? Access::kRead
                                                                    : Access::kWrite;
}
/// Moves leaders, of what leads; else peers, of all.
constexpr bool MovesLeaders(HotTask task) {
  return task == HotTask::kWriteLeader || task == HotTask::kReadLeader;
}
constexpr const char* HotTaskText(HotTask task) {
  constexpr std::array<const char*, kHotTaskCount> kNames{"write-peer", "write-leader",
                                                          "read-leader", "read-peer"};
  return kNames[static_cast<size_t>(task)];
}

/// The loads that tasks go by: both of reads go by the same.
enum class LoadKind : uint8_t { kWritePeer, kWriteLeader, kRead };
inline constexpr size_t kLoadKindCount = 3;
constexpr LoadKind LoadKindOf(HotTask task) {
  if (task == HotTask::kWritePeer) return LoadKind::kWritePeer;
  return task == HotTask::kWriteLeader ? LoadKind::kWriteLeader : LoadKind::kRead;
}

/// What loads are evened out among.
enum class Engine : uint8_t { kTiKv, kTiFlash };

/// How a task last saw the stores of an engine, for the metrics page.
struct HotSummary {
  Load mean;
  Load deviation;         // Standard deviation as a share of the mean; 0 for a mean of 0.
  double peers_mean = 0;  // Hot peers of a store, in number.
  double peers_deviation = 0;
};

/// A move that was planned, as long as the loads of the stores do not show it yet.
struct HotMove {
  StoreId from;
  StoreId to;
  Load read;  // Of the peer that moved.
  Load write;
  bool moves_leader = false;
  bool moves_peer = false;
  Instant planned;
  std::optional<Instant> done;  // When it was first seen done.
  Millis shows_after{0};        // So long after that the loads show it.
};

/// What balance-hot-region remembers from run to run.
struct HotRegionMemory {
  /// By region; at most as many as operators of its kind ran within shows_after.
  std::map<RegionId, HotMove> moves;
  /// The loads of stores at regular times, newest last; of each kind for itself.
  using History = std::map<StoreId, std::deque<Load>>;
  std::array<History, kLoadKindCount> history;
  std::array<std::optional<Instant>, kLoadKindCount> sampled;
  /// The last search of a task found little: the next one also looks at peers that change places.
  std::array<bool, kHotTaskCount> exchange{true, true, true, true};
  std::map<std::pair<HotTask, Engine>, HotSummary> summaries;
  /// The task that comes first in the next run.
  size_t turn = 0;
};

}  // namespace scheduler

#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// Values as in metapb.StoreState.
enum class StoreState : uint8_t { kUp = 0, kOffline = 1, kTombstone = 2 };
/// Values as in metapb.NodeState: the finer state, kept in step with StoreState (Up is Preparing or
/// Serving).
enum class NodeState : uint8_t { kPreparing = 0, kServing = 1, kRemoving = 2, kRemoved = 3 };

struct StoreLabel {
  std::string key;
  std::string value;

  friend bool operator==(const StoreLabel&, const StoreLabel&) = default;
};

/// A name with a number, as in the per-thread usage lists of a store heartbeat.
struct NamedValue {
  std::string name;
  uint64_t value = 0;

  friend bool operator==(const NamedValue&, const NamedValue&) = default;
};

/// The last store heartbeat's contents, in the units of pdpb.StoreStats (bytes, unix seconds).
struct StoreStats {
  uint64_t capacity_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t used_bytes = 0;
  uint32_t region_count = 0;  // As the store counts; ours is in StoreCounts.
  uint32_t sending_snapshots = 0;
  uint32_t receiving_snapshots = 0;
  uint32_t applying_snapshots = 0;
  uint32_t start_time_s = 0;
  bool busy = false;
  bool apply_busy = false;
  bool grpc_paused = false;
  bool stopping = false;
  uint64_t bytes_written = 0;
  uint64_t keys_written = 0;
  uint64_t bytes_read = 0;
  uint64_t keys_read = 0;
  uint64_t write_queries = 0;
  uint64_t read_queries = 0;
  uint64_t interval_start_s = 0;
  uint64_t interval_end_s = 0;
  std::vector<NamedValue> cpu_usages;
  std::vector<NamedValue> read_io_rates;
  std::vector<NamedValue> write_io_rates;
  uint64_t slow_score = 0;
  bool has_slow_trend = false;
  double slow_trend_cause_value = 0;
  double slow_trend_cause_rate = 0;
  double slow_trend_result_value = 0;
  double slow_trend_result_rate = 0;
  std::map<uint64_t, uint64_t> network_slow_scores;  // By the other store's id.

  friend bool operator==(const StoreStats&, const StoreStats&) = default;
};

/// Regions of a store by the role its peers play, from sums that the region index keeps (never from
/// scans). A follower is any voter but the leader; `pending` and `witness` peers are counted in
/// their role as well.
struct StoreCounts {
  uint64_t leaders = 0;
  uint64_t followers = 0;
  uint64_t learners = 0;
  uint64_t witnesses = 0;
  uint64_t pending = 0;
  uint64_t leader_size_mib = 0;
  uint64_t follower_size_mib = 0;
  uint64_t learner_size_mib = 0;

  [[nodiscard]] uint64_t regions() const { return leaders + followers + learners; }
  [[nodiscard]] uint64_t region_size_mib() const {
    return leader_size_mib + follower_size_mib + learner_size_mib;
  }
  friend bool operator==(const StoreCounts&, const StoreCounts&) = default;
};

/// Configured rates, in operations a minute; kUnlimitedRate and above never wait, and so does 0 (as
/// the reference does).
struct StoreLimitRates {
  static constexpr double kUnlimitedRate = 1e8;
  double add_peer = 15;
  double remove_peer = 15;

  friend bool operator==(const StoreLimitRates&, const StoreLimitRates&) = default;
};

/// Room left in a store's limiters at the moment the view was made, in cost units (one region of
/// normal size costs 1000). The limiters themselves belong to the admission of operators.
struct StoreLimitRoom {
  static constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();
  int64_t add_peer = kUnlimited;
  int64_t remove_peer = kUnlimited;
  std::array<int64_t, 4> send_snapshot{kUnlimited, kUnlimited, kUnlimited,
                                       kUnlimited};  // By level.

  friend bool operator==(const StoreLimitRoom&, const StoreLimitRoom&) = default;
};

/// What schedulers and people have asked of a store; counters, since several may ask for the same.
struct StorePauses {
  uint32_t leader_transfer_in = 0;
  uint32_t leader_transfer_out = 0;
  uint32_t slow_evicted = 0;
  uint32_t stopping_evicted = 0;
  uint32_t slow_trend_evicted = 0;

  friend bool operator==(const StorePauses&, const StorePauses&) = default;
};

/// Heartbeat ages (as in the reference). Down is a setting (`max-store-down-time`, 30 min by
/// default).
inline constexpr Millis kStoreDisconnected = Seconds{20};
inline constexpr Millis kStoreUnhealthy = Seconds{600};
/// A slow score from here on means slow.
inline constexpr uint64_t kSlowScoreThreshold = 80;

inline constexpr std::string_view kEngineLabel = "engine";
inline constexpr std::string_view kEngineTiFlash = "tiflash";

/// One store as PD knows it: a plain value.
struct Store {
  StoreId id;
  std::string address;
  std::string peer_address;
  std::string status_address;
  std::string version;  // Semantic version text as the store sent it; empty counts as 1.0.0.
  std::string git_hash;
  std::string deploy_path;
  int64_t start_timestamp_s = 0;
  std::vector<StoreLabel> labels;
  StoreState state = StoreState::kUp;
  NodeState node_state = NodeState::kPreparing;
  bool physically_destroyed = false;
  int64_t last_heartbeat_unix_ns = 0;     // For people and for storage; 0: never.
  std::optional<Instant> last_heartbeat;  // For planning; none: never.

  StoreStats stats;
  bool has_stats = false;                // A heartbeat came since this server leads.
  double smoothed_available_bytes = 0;   // Hull moving average of 60 samples (as in the reference).
  double smoothed_region_size_mib = -1;  // The same of what its regions come to; negative: unknown.
  StoreCounts counts;
  double leader_weight = 1;
  double region_weight = 1;
  StoreLimitRates limits;
  StoreLimitRoom room;
  StorePauses pauses;
  uint32_t network_slow_heartbeats = 0;  // See network_slow_store.h.

  friend bool operator==(const Store&, const Store&) = default;

  [[nodiscard]] bool IsUp() const { return state == StoreState::kUp; }
  [[nodiscard]] bool IsPreparing() const { return node_state == NodeState::kPreparing; }
  [[nodiscard]] bool IsServing() const { return node_state == NodeState::kServing; }
  [[nodiscard]] bool IsRemoving() const { return node_state == NodeState::kRemoving; }
  [[nodiscard]] bool IsRemoved() const { return node_state == NodeState::kRemoved; }

  /// Age of the last heartbeat; the largest value when there was none.
  [[nodiscard]] Millis DownTime(Instant now) const {
    return last_heartbeat ? now - *last_heartbeat : Millis::max();
  }
  [[nodiscard]] bool IsDisconnected(Instant now) const {
    return DownTime(now) > kStoreDisconnected;
  }
  [[nodiscard]] bool IsUnhealthy(Instant now) const { return DownTime(now) > kStoreUnhealthy; }
  [[nodiscard]] bool IsSlow() const {
    return stats.slow_score >= kSlowScoreThreshold || pauses.slow_trend_evicted > 0;
  }
  /// Value of a label, empty when absent. Keys compare without case (ASCII), values exactly.
  [[nodiscard]] std::string_view Label(std::string_view key) const;
  [[nodiscard]] bool IsTiFlash() const { return Label(kEngineLabel) == kEngineTiFlash; }
};

/// ASCII, without case: how label keys compare.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

/// `current` with `changes` laid over it: keys compare without case, the new spelling and value win
/// in place, an empty value removes the label, new keys go to the end.
std::vector<StoreLabel> MergeLabels(std::vector<StoreLabel> current,
                                    const std::vector<StoreLabel>& changes);

/// Little room left (as in the reference): never for an unknown capacity, nor for a store of less
/// than 100 regions with more than 8 GiB free; else when available / capacity < 1 - ratio.
bool IsLowSpace(const Store& store, double low_space_ratio);

}  // namespace scheduler

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model/ids.h"

namespace scheduler {

/// Values as in metapb.PeerRole. Incoming voters and demoting voters exist only inside a joint
/// state.
enum class PeerRole : uint8_t { kVoter = 0, kLearner = 1, kIncomingVoter = 2, kDemotingVoter = 3 };

/// One replica of a region on a store. A witness votes (or learns) without data. id 0 means "no
/// peer".
struct Peer {
  PeerId id;
  StoreId store;
  PeerRole role = PeerRole::kVoter;
  bool witness = false;

  friend bool operator==(const Peer&, const Peer&) = default;
};

/// Anything but a plain learner counts as a voter, joint states included.
inline bool IsLearner(const Peer& peer) { return peer.role == PeerRole::kLearner; }
inline bool IsVoter(const Peer& peer) { return peer.role != PeerRole::kLearner; }
inline bool InJointState(const Peer& peer) {
  return peer.role == PeerRole::kIncomingVoter || peer.role == PeerRole::kDemotingVoter;
}

struct DownPeer {
  Peer peer;
  uint64_t down_s = 0;

  friend bool operator==(const DownPeer&, const DownPeer&) = default;
};

/// Both only grow: `conf_ver` with each change of peers, `version` with each split or merge.
struct RegionEpoch {
  uint64_t conf_ver = 0;
  uint64_t version = 0;

  friend bool operator==(const RegionEpoch&, const RegionEpoch&) = default;
};

/// Keys are raw bytes, compared bytewise; [start, end); an empty start is minus infinity, an empty
/// end plus infinity.
struct KeyRange {
  std::string start;
  std::string end;

  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

/// start <= key < end.
inline bool Contains(std::string_view start, std::string_view end, std::string_view key) {
  return start <= key && (end.empty() || key < end);
}

/// True when `end_a` lies beyond `end_b`; an empty end is the highest.
inline bool EndsAfter(std::string_view end_a, std::string_view end_b) {
  if (end_b.empty()) return false;
  return end_a.empty() || end_a > end_b;
}

/// What flowed during one report interval, as reported; a value of 2^50 or more never gets here
/// (ingest zeroes it).
struct RegionFlow {
  uint64_t bytes_written = 0;
  uint64_t keys_written = 0;
  uint64_t bytes_read = 0;
  uint64_t keys_read = 0;
  uint64_t write_queries = 0;
  uint64_t read_queries = 0;
  uint64_t cpu_usage = 0;         // CPU time in percent of one core during the interval.
  uint64_t interval_start_s = 0;  // Unix seconds.
  uint64_t interval_end_s = 0;

  /// Rates only count for intervals of 3 to 300 s (as in the reference).
  [[nodiscard]] uint64_t interval_s() const {
    return interval_end_s > interval_start_s ? interval_end_s - interval_start_s : 0;
  }
  friend bool operator==(const RegionFlow&, const RegionFlow&) = default;
};

/// Values as in replication_modepb.RegionReplicationState.
enum class ReplicationState : uint8_t {
  kUnknown = 0,
  kSimpleMajority = 1,
  kIntegrityOverLabel = 2
};

struct ReplicationStatus {
  ReplicationState state = ReplicationState::kUnknown;
  uint64_t state_id = 0;

  friend bool operator==(const ReplicationStatus&, const ReplicationStatus&) = default;
};

/// Sub-ranges of a region with their load. `keys` holds the boundaries, region ends included; each
/// list of stats has one entry less. version 0 means "no buckets".
struct Buckets {
  uint64_t version = 0;
  uint64_t period_ms = 0;
  std::vector<std::string> keys;
  std::vector<uint64_t> read_bytes;
  std::vector<uint64_t> write_bytes;
  std::vector<uint64_t> read_qps;
  std::vector<uint64_t> write_qps;
  std::vector<uint64_t> read_keys;
  std::vector<uint64_t> write_keys;

  friend bool operator==(const Buckets&, const Buckets&) = default;
};

/// Where our knowledge of a region comes from: loaded from disk, received from the PD leader, or
/// reported by its store.
enum class RegionSource : uint8_t { kStorage, kSync, kHeartbeat };

/// Size up to which a region counts as empty (MiB).
inline constexpr uint64_t kEmptyRegionSizeMib = 1;

/// At what size stores split a region, and into what parts (TiKV's region-max-size and so on). Where nothing is known
/// of the stores: the reference's defaults.
struct RegionBounds {
  uint64_t max_size_mib = 144;
  uint64_t split_size_mib = 96;
  uint64_t max_keys = 1'440'000;
  uint64_t split_keys = 960'000;

  friend bool operator==(const RegionBounds&, const RegionBounds&) = default;
};

/// No region has more keys. What stores say is taken for no more, so that sums stay far from overflow.
inline constexpr uint64_t kRegionKeysMost = 1'000'000'000'000'000;

/// One region as PD knows it: a plain value, copied out of the index, never shared. Only keys,
/// epoch, peers, flashback and encryption meta are replicated through Raft; the rest comes with
/// heartbeats.
struct Region {
  RegionId id;
  std::string start_key;
  std::string end_key;
  RegionEpoch epoch;
  std::vector<Peer> peers;
  Peer leader;                       // id 0: unknown, as after a load from disk.
  uint64_t term = 0;                 // Raft term of the leader that reported; 0: unknown.
  std::vector<DownPeer> down_peers;  // By ascending peer id.
  std::vector<Peer> pending_peers;   // By ascending peer id.
  uint64_t size_mib = 0;             // 0: unknown.
  uint64_t keys = 0;
  uint64_t kv_size_mib = 0;
  uint64_t columnar_size_mib = 0;
  RegionFlow flow;
  ReplicationStatus replication;
  Buckets buckets;  // With stats from ReportBuckets, or version and keys alone from a heartbeat.
  bool in_flashback = false;
  uint64_t flashback_start_ts = 0;
  std::string
      encryption_meta;  // Encoded encryptionpb.EncryptionMeta, kept as it came; mostly empty.
  RegionSource source = RegionSource::kStorage;
  bool on_leaving_store = false;  // A store of its peers was leaving when it was last reported.

  friend bool operator==(const Region&, const Region&) = default;

  [[nodiscard]] const Peer* PeerOnStore(StoreId store) const {
    const auto it = std::ranges::find(peers, store, &Peer::store);
    return it == peers.end() ? nullptr : &*it;
  }
  [[nodiscard]] bool HasLeader() const { return leader.id.value != 0; }
  [[nodiscard]] bool IsDown(PeerId peer_id) const {
    return std::ranges::any_of(down_peers,
                               [&](const DownPeer& down) { return down.peer.id == peer_id; });
  }
  [[nodiscard]] bool IsPending(PeerId peer_id) const {
    return std::ranges::any_of(pending_peers, [&](const Peer& peer) { return peer.id == peer_id; });
  }
  [[nodiscard]] bool InJointState() const {
    return std::ranges::any_of(peers,
                               [](const Peer& peer) { return scheduler::InJointState(peer); });
  }
  [[nodiscard]] size_t VoterCount() const {
    return static_cast<size_t>(
        std::ranges::count_if(peers, [](const Peer& p) { return IsVoter(p); }));
  }
  /// For a peer that is only imagined.
  [[nodiscard]] PeerId UnusedPeerId() const {
    uint64_t last = 0;
    for (const Peer& peer : peers) last = std::max(last, peer.id.value);
    return {last + 1};
  }
  [[nodiscard]] bool Covers(std::string_view key) const {
    return Contains(start_key, end_key, key);
  }
};

/// Not above the bounds in size nor in keys: worth merging away (as in the reference, where max-merge-region-size 0
/// turns it off).
inline bool IsSmall(const Region& region, uint64_t size_mib_max, uint64_t keys_max) {
  return region.size_mib <= size_mib_max && region.keys <= keys_max;
}

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/storesim/scenario.h"

namespace storesim {

enum class Role { kVoter, kLearner, kIncomingVoter, kDemotingVoter };

struct Peer {
  uint64_t id = 0;
  uint64_t store_id = 0;
  Role role = Role::kVoter;
  bool pending = false;  // Its snapshot has not arrived.
  bool awaits = false;   // Its snapshot is on the way.
};

struct Region {
  uint64_t id = 0;
  int number = 0;  // In key order, from 1.
  std::string start_key;
  std::string end_key;
  uint64_t conf_ver = 1;
  uint64_t version = 1;
  uint64_t term = 5;
  std::vector<Peer> peers;
  uint64_t leader_store = 0;  // 0: none, an election is due.
  bool changing = false;      // A step is being carried out.
  uint64_t size_bytes = 0;
  uint64_t keys = 0;
  Load load;
  Load usual_load;          // Outside of hot spots.
  int64_t reported_ms = 0;  // The last heartbeat.

  const Peer* PeerOn(uint64_t store_id) const;
  Peer* PeerOn(uint64_t store_id);
};

struct Store {
  uint64_t id = 0;
  int number = 0;
  std::map<std::string, std::string> labels;
  uint64_t capacity_bytes = 0;
  uint64_t io_bytes_per_s = 0;
  double leader_weight = 1;
  double region_weight = 1;
  int slow_score = 1;
  bool up = true;
  bool removing = false;
  int64_t down_since_ms = 0;
  int64_t started_ms = 0;
  // Kept as sums, so that nothing scans the regions.
  int64_t leaders = 0;
  int64_t peers = 0;
  int64_t pending = 0;  // Of the peers.
  uint64_t used_bytes = 0;
  // When the snapshots that were promised so far will have been read, or written.
  int64_t send_free_ms = 0;
  int64_t receive_free_ms = 0;
  int sending = 0;
  int receiving = 0;
};

/// One change of a region's members.
struct PeerChange {
  enum class Kind { kAddVoter, kAddLearner, kRemove } kind = Kind::kAddVoter;
  Peer peer;
};

/// What a placement driver may ask of a region's leader.
struct ChangePeers {
  std::vector<PeerChange> changes;  // Two or more begin a joint configuration; none leaves it.
};
struct MoveLeader {
  std::vector<uint64_t> to_stores;
};
/// Ids of a region that splits off, and of its peers.
struct SplitIds {
  uint64_t region_id = 0;
  std::vector<uint64_t> peer_ids;
};
struct SplitAt {
  std::vector<std::string> keys;  // Ascending.
  std::vector<SplitIds> ids;  // As many: those of the parts but the last, which stays the region.
};
/// Into this neighbour, if it is still as the driver saw it.
struct MergeInto {
  uint64_t region_id = 0;
  uint64_t conf_ver = 0;
  uint64_t version = 0;
};
using Step = std::variant<ChangePeers, MoveLeader, SplitAt, MergeInto>;

struct StepRequest {
  uint64_t region_id = 0;
  uint64_t conf_ver = 0;
  uint64_t version = 0;
  Step step;
};

struct Counters {
  std::map<std::string, int64_t> moves;  // By type.
  int64_t snapshots = 0;
  uint64_t bytes_moved = 0;
  int64_t ignored_steps = 0;  // Stale epoch, busy region, or not from its leader.
};

/// Stores and regions as they are, and how they change with time: pure, driven by the clock that the caller passes in.
/// A step takes the times of `Timing`; a new peer is pending until its snapshot has passed the sender and the receiver,
/// each of which carries all its snapshots at its I/O rate: no peer arrives faster than size / rate. A snapshot is lost
/// when the store at either end dies; whoever leads sends it again once both ends are up.
class World {
 public:
  World(const Timing& timing, uint64_t seed);

  Store& AddStore(Store store);
  void AddRegion(Region region);

  /// Carries a step out, in time, or ignores it as a real store would. `from_store`: whose stream it came on.
  void Apply(int64_t now_ms, uint64_t from_store, const StepRequest& request);

  void Kill(int64_t now_ms, uint64_t store_id);
  void Revive(int64_t now_ms, uint64_t store_id);

  /// Lets everything happen that is due. The regions whose leader has something new to report are in TakeChanged.
  void Advance(int64_t now_ms);
  std::vector<uint64_t> TakeChanged();

  /// When Advance has something to do next; nothing if nothing is under way.
  std::optional<int64_t> next_due_ms() const;

  /// Steps and snapshots under way (elections not counted).
  int64_t running() const { return running_; }
  /// Regions with fewer than `replicas` healthy peers: on an up store, no learner, not pending. Scans all regions.
  int64_t ShortOfReplicas(int replicas) const;

  const std::map<uint64_t, Store>& stores() const { return stores_; }
  std::map<uint64_t, Store>& stores() { return stores_; }
  const std::map<uint64_t, Region>& regions() const { return regions_; }
  std::map<uint64_t, Region>& regions() { return regions_; }
  const Counters& counters() const { return counters_; }

 private:
  struct FinishStep {
    uint64_t region_id;
    uint64_t leader_store;
    uint64_t conf_ver;
    uint64_t version;
    Step step;
  };
  struct SnapshotArrives {
    uint64_t region_id;
    uint64_t peer_id;
    uint64_t from_store;
    uint64_t to_store;
  };
  struct Election {
    uint64_t region_id;
  };
  using Happening = std::variant<FinishStep, SnapshotArrives, Election>;

  void Schedule(int64_t at_ms, Happening what);
  void Finish(int64_t now_ms, const FinishStep& finish);
  void Finish(int64_t now_ms, const SnapshotArrives& arrival);
  void Finish(int64_t now_ms, const Election& election);
  bool FinishChange(int64_t now_ms, Region& region, const ChangePeers& change);
  bool FinishTransfer(Region& region, const MoveLeader& move);
  bool FinishSplit(Region& region, const SplitAt& split);
  bool FinishMerge(Region& source, const MergeInto& merge);
  void LeaveJoint(Region& region);
  static bool IsInJoint(const Region& region);
  bool Possible(const Region& region, const PeerChange& change, bool joint) const;
  void ChangeOne(int64_t now_ms, Region& region, const PeerChange& change, bool joint);
  void AddPeer(int64_t now_ms, Region& region, const PeerChange& change, bool joint);
  void SendSnapshot(int64_t now_ms, const Region& region, Peer& peer);
  /// Sends whatever snapshots the region's pending peers lack, as far as both ends are up.
  void SendMissing(int64_t now_ms, Region& region);
  void LoseSnapshots(int64_t now_ms, uint64_t store_id);
  void SetLeader(Region& region, uint64_t store_id);
  void ErasePeer(Region& region, uint64_t store_id);
  bool HasQuorum(const Region& region) const;
  const Store* StoreOf(uint64_t id) const;
  void Count(const char* move) { ++counters_.moves[move]; }

  const Timing timing_;
  std::mt19937_64 rng_;
  std::map<uint64_t, Store> stores_;
  std::map<uint64_t, Region> regions_;
  std::map<std::pair<int64_t, uint64_t>, Happening>
      due_;  // By time, then in the order of their making.
  uint64_t order_ = 0;
  int64_t running_ = 0;
  std::vector<uint64_t> changed_;
  Counters counters_;
};

}  // namespace storesim

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace storesim {

/// A number of stores alike. In labels, {n} stands for the store's number, counted from 1.
struct StoreSpec {
  int count = 1;
  std::map<std::string, std::string> labels;
  uint64_t capacity_bytes = 0;
  uint64_t io_bytes_per_s = 0;  // For snapshots, each way.
  double leader_weight = 1;
  double region_weight = 1;
};

/// Flow of one region.
struct Load {
  uint64_t write_bytes_per_s = 0;
  uint64_t read_bytes_per_s = 0;

  [[nodiscard]] bool Any() const { return write_bytes_per_s != 0 || read_bytes_per_s != 0; }
};

/// A number of regions alike, behind those before them in key order.
struct RegionSpec {
  int count = 1;
  uint64_t size_bytes = 0;
  uint64_t keys = 0;
  /// Store numbers; the replicas of each region go round them. Empty: all stores.
  std::vector<int> on_stores;
  /// Of these each leads its share of them. Empty: each store leads what it holds first.
  std::vector<int> leaders_on;
  /// The load of the scenario is that of the busiest one; the one of rank r has 1 / r^zipf of it. 0: all have the same.
  double zipf = 0;
};

struct Timing {
  int64_t store_heartbeat_ms = 10'000;
  int64_t region_heartbeat_ms = 60'000;
  int64_t conf_change_ms = 10;
  int64_t transfer_leader_ms = 20;
  int64_t election_ms = 10'000;  // A store's death is noticed after one to two of these.
};

struct KillStore {
  int store = 0;
};
struct ReviveStore {
  int store = 0;
};
struct AddStores {
  StoreSpec spec;
};
/// Takes the store off-line as an operator does, over HTTP; it goes on serving until it is empty.
struct RemoveStore {
  int store = 0;
};
/// What the store says of its own speed from now on: 1 is fast, 100 as slow as can be.
struct SlowStore {
  int store = 0;
  int score = 1;
};
/// Regions come into being behind the last one, on its stores, spread evenly over the time.
struct Import {
  RegionSpec spec;  // Without stores of its own.
  int64_t for_ms = 0;
};
struct HotSpot {
  int first_region = 1;  // Regions are numbered from 1 in key order.
  int count = 1;
  int every = 1;  // Only each so manieth from the first on.
  Load load;
  int64_t for_ms = 0;  // 0: until the end.
};
struct Event {
  int64_t at_ms = 0;  // After all regions have been reported.
  std::variant<KillStore, ReviveStore, AddStores, RemoveStore, SlowStore, Import, HotSpot> what;
};

struct End {
  bool repaired = false;  // Rather than balanced: no region is short of replicas.
  int balanced_within_percent = 5;
  int64_t quiet_ms = 5'000;
  int64_t limit_ms = 600'000;
  /// Stores are compared with those that have the same value of this label. Empty: all of an engine are.
  std::string alike_by;
  /// Of the load of a store from the mean. 0: not judged.
  int hot_within_percent = 0;
  /// Times the fewest moves that lead from the first state to the last one, as tests/sim counts them; 0: that is not
  /// judged.
  double moves_most = 1.2;
  double leader_moves_most = 1.2;
};

struct Scenario {
  std::string name;
  uint64_t seed = 1;
  std::string config;      // JSON that the driver's configuration is set to first; empty: as it is.
  double store_limit = 0;  // Peers a minute that each store may take and give; 0: as it is.
  int replicas = 3;
  /// A cluster as it was, in place of stores and regions: the files NAME.stores.json and NAME.regions.json in its
  /// folder dumps, as GET /pd/api/v1/stores and /pd/api/v1/regions answer. For tests/sim.
  std::string dump;
  uint64_t dump_io_bytes_per_s = 100ULL << 20U;
  std::vector<StoreSpec> stores;
  std::vector<RegionSpec> regions;
  std::string rules;  // JSON list of placement rules that are set first; empty: as they are.
  Load load;
  Timing timing;
  std::vector<Event> events;  // In the order of time.
  End end;
};

/// Reads the JSON form that README.md describes. Throws std::runtime_error that names the key at fault.
Scenario ParseScenario(const std::string& json);

}  // namespace storesim

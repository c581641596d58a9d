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
};

struct RegionSpec {
  int count = 1;
  uint64_t size_bytes = 0;
  uint64_t keys = 0;
  std::vector<int>
      on_stores;  // Store numbers; the replicas of each region go round them. Empty: all stores.
};

/// Flow of one region.
struct Load {
  uint64_t write_bytes_per_s = 0;
  uint64_t read_bytes_per_s = 0;
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
struct HotSpot {
  int first_region = 1;  // Regions are numbered from 1 in key order.
  int count = 1;
  Load load;
  int64_t for_ms = 0;  // 0: until the end.
};
struct Event {
  int64_t at_ms = 0;  // After all regions have been reported.
  std::variant<KillStore, ReviveStore, AddStores, RemoveStore, HotSpot> what;
};

struct End {
  bool repaired = false;  // Rather than balanced: no region is short of replicas.
  int balanced_within_percent = 5;
  int64_t quiet_ms = 5'000;
  int64_t limit_ms = 600'000;
};

struct Scenario {
  std::string name;
  uint64_t seed = 1;
  std::string config;      // JSON that the driver's configuration is set to first; empty: as it is.
  double store_limit = 0;  // Peers a minute that each store may take and give; 0: as it is.
  int replicas = 3;
  std::vector<StoreSpec> stores;
  RegionSpec regions;
  Load load;
  Timing timing;
  std::vector<Event> events;  // In the order of time.
  End end;
};

/// Reads the JSON form that README.md describes. Throws std::runtime_error that names the key at fault.
Scenario ParseScenario(const std::string& json);

}  // namespace storesim

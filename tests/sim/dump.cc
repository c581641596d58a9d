#include "tests/sim/dump.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/config/values.h"
#include "scheduler/model/hex.h"

namespace sim {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMib = 1024 * 1024;
constexpr uint64_t kReportSeconds = 60;  // What a region's flow is counted over.

[[noreturn]] void Fail(const std::string& text) { throw std::runtime_error("dump: " + text); }

std::string KeyOf(const Json& region, const char* name) {
  const auto key = scheduler::FromHex(region.value(name, ""));
  if (!key) Fail(std::string(name) + " is not hexadecimal");
  return *key;
}

storesim::Store StoreFrom(const Json& entry, int number, uint64_t io_bytes_per_s) {
  const Json& meta = entry.at("store");
  const Json& status = entry.at("status");
  storesim::Store store;
  store.id = meta.at("id").get<uint64_t>();
  store.number = number;
  for (const Json& label : meta.value("labels", Json::array())) {
    store.labels[label.at("key").get<std::string>()] = label.value("value", "");
  }
  const auto capacity = pd::ParseByteSize(status.at("capacity").get<std::string>());
  if (!capacity) Fail("capacity of store " + std::to_string(store.id));
  store.capacity_bytes = capacity->bytes;
  store.io_bytes_per_s = io_bytes_per_s;
  store.leader_weight = status.value("leader_weight", 1.0);
  store.region_weight = status.value("region_weight", 1.0);
  return store;
}

storesim::Role RoleFrom(const Json& peer) {
  const std::string role = peer.value("role_name", "Voter");
  if (role == "Voter") return storesim::Role::kVoter;
  if (role == "Learner") return storesim::Role::kLearner;
  if (role == "IncomingVoter") return storesim::Role::kIncomingVoter;
  if (role == "DemotingVoter") return storesim::Role::kDemotingVoter;
  Fail("role " + role);
}

storesim::Region RegionFrom(const Json& json) {
  storesim::Region region;
  region.id = json.at("id").get<uint64_t>();
  region.start_key = KeyOf(json, "start_key");
  region.end_key = KeyOf(json, "end_key");
  region.conf_ver = json.at("epoch").value("conf_ver", uint64_t{1});
  region.version = json.at("epoch").value("version", uint64_t{1});
  for (const Json& peer : json.at("peers")) {
    region.peers.push_back(
        {peer.at("id").get<uint64_t>(), peer.at("store_id").get<uint64_t>(), RoleFrom(peer)});
  }
  region.leader_store = json.value("leader", Json::object()).value("store_id", uint64_t{0});
  region.size_bytes = json.value("approximate_size", uint64_t{1}) * kMib;
  region.keys = json.value("approximate_keys", uint64_t{0});
  region.load = {json.value("written_bytes", uint64_t{0}) / kReportSeconds,
                 json.value("read_bytes", uint64_t{0}) / kReportSeconds};
  region.usual_load = region.load;
  return region;
}

}  // namespace

void PutDump(storesim::World& world, storesim::Numbers& numbers, const std::string& stores,
             const std::string& regions, uint64_t io_bytes_per_s) {
  try {
    const Json all_stores = Json::parse(stores);
    for (const Json& entry : all_stores.at("stores")) {
      if (entry.at("store").value("state_name", "Up") == "Tombstone") continue;
      const int number = static_cast<int>(numbers.stores.size()) + 1;
      numbers.stores.push_back(world.AddStore(StoreFrom(entry, number, io_bytes_per_s)).id);
    }
    const Json all_regions = Json::parse(regions);
    std::vector<storesim::Region> all;
    for (const Json& json : all_regions.at("regions")) {
      storesim::Region region = RegionFrom(json);
      if (region.leader_store == 0) continue;
      for (const storesim::Peer& peer : region.peers) {
        if (!world.stores().contains(peer.store_id)) {
          Fail("region " + std::to_string(region.id) + " is on a store that is not there");
        }
      }
      all.push_back(std::move(region));
    }
    std::ranges::sort(all, {}, &storesim::Region::start_key);
    for (storesim::Region& region : all) {
      numbers.regions.push_back(region.id);
      region.number = static_cast<int>(numbers.regions.size());
      world.AddRegion(std::move(region));
    }
  } catch (const Json::exception& error) {
    Fail(error.what());
  }
  if (numbers.regions.empty()) Fail("no regions");
}

}  // namespace sim

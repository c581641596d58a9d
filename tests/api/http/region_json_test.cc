#include "api/http/region_json.h"

#include <array>
#include <limits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scheduler/model/rng.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Peer;
using scheduler::PeerId;
using scheduler::PeerRole;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::Rng;
using scheduler::StoreId;

// The dumb twin: a region as a tree of values.

Json TwinPeer(const Peer& peer) {
  constexpr std::array<const char*, 4> kRoles = {"Voter", "Learner", "IncomingVoter",
                                                 "DemotingVoter"};
  Json json = Json::object();
  json["role_name"] = kRoles[static_cast<size_t>(peer.role)];
  if (scheduler::IsLearner(peer)) json["is_learner"] = true;
  if (peer.id) json["id"] = peer.id.value;
  if (peer.store) json["store_id"] = peer.store.value;
  if (peer.role != PeerRole::kVoter) json["role"] = static_cast<int>(peer.role);
  if (peer.witness) json["is_witness"] = true;
  return json;
}

std::string TwinHex(const std::string& key) {
  std::string text;
  for (const char c : key) text += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return text;
}

void AddTwinPeers(const Region& region, Json& json) {
  for (const Peer& peer : region.peers) json["peers"].push_back(TwinPeer(peer));
  json["leader"] = region.HasLeader() ? TwinPeer(region.leader) : Json{{"role_name", ""}};
  for (const scheduler::DownPeer& down : region.down_peers) {
    Json entry = {{"peer", TwinPeer(down.peer)}};
    if (down.down_s != 0) entry["down_seconds"] = down.down_s;
    json["down_peers"].push_back(std::move(entry));
  }
  for (const Peer& peer : region.pending_peers) json["pending_peers"].push_back(TwinPeer(peer));
}

Json Twin(const Region& region) {
  constexpr std::array<const char*, 3> kStates = {"UNKNOWN", "SIMPLE_MAJORITY",
                                                  "INTEGRITY_OVER_LABEL"};
  Json json = {{"id", region.id.value},
               {"start_key", TwinHex(region.start_key)},
               {"end_key", TwinHex(region.end_key)}};
  if (region.epoch != scheduler::RegionEpoch{}) {
    Json& epoch = json["epoch"] = Json::object();
    if (region.epoch.conf_ver != 0) epoch["conf_ver"] = region.epoch.conf_ver;
    if (region.epoch.version != 0) epoch["version"] = region.epoch.version;
  }
  AddTwinPeers(region, json);
  json["cpu_usage"] = region.flow.cpu_usage;
  json["written_bytes"] = region.flow.bytes_written;
  json["read_bytes"] = region.flow.bytes_read;
  json["written_keys"] = region.flow.keys_written;
  json["read_keys"] = region.flow.keys_read;
  json["approximate_size"] = region.size_mib;
  json["approximate_keys"] = region.keys;
  json["approximate_kv_size"] = region.kv_size_mib;
  json["approximate_columnar_kv_size"] = region.columnar_size_mib;
  for (const std::string& key : region.buckets.keys) json["buckets"].push_back(TwinHex(key));
  if (region.buckets.version != 0) json["bucket_version"] = region.buckets.version;
  if (region.replication != scheduler::ReplicationStatus{}) {
    json["replication_status"] = {{"state", kStates[static_cast<size_t>(region.replication.state)]},
                                  {"state_id", region.replication.state_id}};
  }
  return json;
}

std::string TwinBody(const std::vector<Region>& regions) {
  Json list = Json::array();
  for (const Region& region : regions) list.push_back(Twin(region));
  return DumpJson(Json{{"count", regions.size()}, {"regions", std::move(list)}}, -1);
}

/// Often 0, sometimes the largest.
uint64_t AnyNumber(Rng& rng) {
  switch (rng.Below(4)) {
    case 0:
      return 0;
    case 1:
      return std::numeric_limits<uint64_t>::max();
    default:
      return rng.Next() >> rng.Below(64);
  }
}

std::string AnyKey(Rng& rng) {
  std::string key(rng.Below(8), '\0');
  for (char& c : key) c = static_cast<char>(rng.Below(256));
  return key;
}

Peer AnyPeer(Rng& rng) {
  return {PeerId{AnyNumber(rng)}, StoreId{AnyNumber(rng)}, static_cast<PeerRole>(rng.Below(4)),
          rng.Below(2) == 0};
}

Region AnyRegion(Rng& rng) {
  Region region;
  region.id = RegionId{AnyNumber(rng)};
  region.start_key = AnyKey(rng);
  region.end_key = AnyKey(rng);
  region.epoch = {AnyNumber(rng), AnyNumber(rng)};
  for (uint64_t n = rng.Below(4); n > 0; --n) region.peers.push_back(AnyPeer(rng));
  region.leader = AnyPeer(rng);
  for (uint64_t n = rng.Below(3); n > 0; --n) {
    region.down_peers.push_back({AnyPeer(rng), AnyNumber(rng)});
  }
  for (uint64_t n = rng.Below(3); n > 0; --n) region.pending_peers.push_back(AnyPeer(rng));
  region.size_mib = AnyNumber(rng);
  region.keys = AnyNumber(rng);
  region.kv_size_mib = AnyNumber(rng);
  region.columnar_size_mib = AnyNumber(rng);
  region.flow.cpu_usage = AnyNumber(rng);
  region.flow.bytes_written = AnyNumber(rng);
  region.flow.bytes_read = AnyNumber(rng);
  region.flow.keys_written = AnyNumber(rng);
  region.flow.keys_read = AnyNumber(rng);
  region.replication = {static_cast<scheduler::ReplicationState>(rng.Below(3)), AnyNumber(rng)};
  region.buckets.version = AnyNumber(rng);
  for (uint64_t n = rng.Below(3); n > 0; --n) region.buckets.keys.push_back(AnyKey(rng));
  return region;
}

TEST_CASE("a region is written as its tree of values would be") {
  Rng rng(20);
  for (int round = 0; round < 2000; ++round) {
    const Region region = AnyRegion(rng);
    const HttpResponse response = RegionResponse(region);
    REQUIRE(response.body == DumpJson(Twin(region), -1));
    REQUIRE(response.headers == HttpFields{{"Content-Type", "application/octet-stream"}});
  }
  CHECK(RegionResponse({}).body == DumpJson(Twin({}), -1));
}

TEST_CASE("many regions are written with their count in front") {
  Rng rng(21);
  for (const size_t count : {0U, 1U, 2U, 9U, 10U, 1001U}) {
    std::vector<Region> regions;
    RegionsBody body;
    for (size_t i = 0; i < count; ++i) {
      regions.push_back(AnyRegion(rng));
      body.Add(regions.back());
    }
    CHECK(body.size() == count);
    CHECK(std::move(body).Respond().body == TwinBody(regions));
  }
}

TEST_CASE("a range of the table is written up to its limit") {
  constexpr uint64_t kRegions = 1500;
  pd::RegionTable table;
  for (uint64_t i = 0; i < kRegions; ++i) {
    Region region;
    region.id = RegionId{i + 1};
    region.start_key = i == 0 ? "" : fmt::format("k{:05}", i);
    region.end_key = i + 1 == kRegions ? "" : fmt::format("k{:05}", i + 1);
    region.epoch = {1, 1};
    region.peers = {{PeerId{i + 2000}, StoreId{1}}};
    table.PutSynced(region);
  }
  const scheduler::KeyRange ranges[] = {{}, {"k00010", "k01400"}, {"k00010x", ""}};
  for (const scheduler::KeyRange& range : ranges) {
    for (const size_t limit : {size_t{0}, size_t{1}, size_t{512}, size_t{513}, size_t{1024},
                               std::numeric_limits<size_t>::max()}) {
      RegionsBody body;
      body.AddRange(table, range, limit);
      CHECK(std::move(body).Respond().body == TwinBody(table.Scan(range, limit)));
    }
  }
}

}  // namespace
}  // namespace api

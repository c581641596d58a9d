#include "api/http/region_json.h"

#include <array>

#include <fmt/format.h>

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Region;

constexpr std::array<const char*, 4> kRoles = {"Voter", "Learner", "IncomingVoter",
                                               "DemotingVoter"};
constexpr std::array<const char*, 3> kReplicationStates = {"UNKNOWN", "SIMPLE_MAJORITY",
                                                           "INTEGRITY_OVER_LABEL"};

Json PeerJson(const scheduler::Peer& peer) {
  Json json = Json::object();
  json["role_name"] = kRoles[static_cast<size_t>(peer.role)];
  if (scheduler::IsLearner(peer)) json["is_learner"] = true;
  if (peer.id) json["id"] = peer.id.value;
  if (peer.store) json["store_id"] = peer.store.value;
  if (peer.role != scheduler::PeerRole::kVoter) json["role"] = static_cast<int>(peer.role);
  if (peer.witness) json["is_witness"] = true;
  return json;
}

void AddPeers(const Region& region, Json& json) {
  for (const scheduler::Peer& peer : region.peers) json["peers"].push_back(PeerJson(peer));
  json["leader"] = region.HasLeader() ? PeerJson(region.leader) : Json{{"role_name", ""}};
  for (const scheduler::DownPeer& down : region.down_peers) {
    Json entry = Json::object();
    entry["peer"] = PeerJson(down.peer);
    if (down.down_s != 0) entry["down_seconds"] = down.down_s;
    json["down_peers"].push_back(std::move(entry));
  }
  for (const scheduler::Peer& peer : region.pending_peers) {
    json["pending_peers"].push_back(PeerJson(peer));
  }
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Json RegionJson(const Region& region) {
  Json json = Json::object();
  json["id"] = region.id.value;
  json["start_key"] = HexKey(region.start_key);
  json["end_key"] = HexKey(region.end_key);
  if (region.epoch != scheduler::RegionEpoch{}) {
    Json& epoch = json["epoch"] = Json::object();
    if (region.epoch.conf_ver != 0) epoch["conf_ver"] = region.epoch.conf_ver;
    if (region.epoch.version != 0) epoch["version"] = region.epoch.version;
  }
  AddPeers(region, json);
  json["cpu_usage"] = region.flow.cpu_usage;
  json["written_bytes"] = region.flow.bytes_written;
  json["read_bytes"] = region.flow.bytes_read;
  json["written_keys"] = region.flow.keys_written;
  json["read_keys"] = region.flow.keys_read;
  json["approximate_size"] = region.size_mib;
  json["approximate_keys"] = region.keys;
  json["approximate_kv_size"] = region.kv_size_mib;
  json["approximate_columnar_kv_size"] = region.columnar_size_mib;
  for (const std::string& key : region.buckets.keys) json["buckets"].push_back(HexKey(key));
  if (region.buckets.version != 0) json["bucket_version"] = region.buckets.version;
  if (region.replication != scheduler::ReplicationStatus{}) {
    json["replication_status"] = {
        {"state", kReplicationStates[static_cast<size_t>(region.replication.state)]},
        {"state_id", region.replication.state_id}};
  }
  return json;
}

Json RegionsJson(const std::vector<Region>& regions) {
  Json list = Json::array();
  for (const Region& region : regions) list.push_back(RegionJson(region));
  Json json = Json::object();
  json["count"] = regions.size();
  json["regions"] = std::move(list);
  return json;
}

std::string HexKey(std::string_view key) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(key.size() * 2);
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

tl::expected<std::string, std::string> ParseHexKey(std::string_view hex) {
  std::string key;
  for (size_t i = 0; i < hex.size(); ++i) {
    const int digit = Digit(hex[i]);
    if (digit < 0) {
      const auto byte = static_cast<unsigned char>(hex[i]);
      return tl::unexpected<std::string>(
          byte >= 0x20 && byte < 0x7f
              ? fmt::format("encoding/hex: invalid byte: U+{:04X} '{}'", byte, hex[i])
              : fmt::format("encoding/hex: invalid byte: U+{:04X}", byte));
    }
    if (i % 2 == 0) {
      key += static_cast<char>(digit << 4);
    } else {
      key.back() = static_cast<char>(static_cast<unsigned char>(key.back()) | digit);
    }
  }
  if (hex.size() % 2 != 0)
    return tl::unexpected<std::string>("encoding/hex: odd length hex string");
  return key;
}

}  // namespace api

#include "api/http/region_json.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "scheduler/model/role_name.h"

namespace api {
namespace {

using scheduler::Region;

constexpr std::array<std::string_view, 3> kReplicationStates = {"UNKNOWN", "SIMPLE_MAJORITY",
                                                                "INTEGRITY_OVER_LABEL"};
/// What a look at the table may copy at once.
constexpr size_t kScanMax = 512;
constexpr std::string_view kBodyStart = R"({"count":)";
constexpr std::string_view kBodyList = R"(,"regions":[)";
constexpr size_t kDigitsMax = 20;
constexpr size_t kStartMax = kBodyStart.size() + kDigitsMax + kBodyList.size();

void AppendHex(std::string_view bytes, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void AppendNumber(uint64_t number, std::string& out) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
}

/// Writes one object, member by member. All text here is names and hex: nothing to escape.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void Close() { out_ += '}'; }

  /// Begins a member; its value is the caller's to write.
  std::string& Member(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  void Number(std::string_view name, uint64_t value) { AppendNumber(value, Member(name)); }
  void NumberIfNot0(std::string_view name, uint64_t value) {
    if (value != 0) Number(name, value);
  }
  void True(std::string_view name) { Member(name) += "true"; }
  void Text(std::string_view name, std::string_view plain) {
    Member(name) += '"';
    out_ += plain;
    out_ += '"';
  }
  void Hex(std::string_view name, std::string_view bytes) {
    Member(name) += '"';
    AppendHex(bytes, out_);
    out_ += '"';
  }
  /// Nothing for an empty list.
  template <class Items, class Append>
  void ListIfAny(std::string_view name, const Items& items, Append append) {
    if (items.empty()) return;
    Member(name) += '[';
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ',';
      first = false;
      append(item, out_);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void AppendPeer(const scheduler::Peer& peer, std::string& out) {
  ObjectWriter json(out);
  json.Text("role_name", NameOf(peer.role));
  if (scheduler::IsLearner(peer)) json.True("is_learner");
  json.NumberIfNot0("id", peer.id.value);
  json.NumberIfNot0("store_id", peer.store.value);
  json.NumberIfNot0("role", static_cast<uint64_t>(peer.role));
  if (peer.witness) json.True("is_witness");
  json.Close();
}

void AppendDownPeer(const scheduler::DownPeer& down, std::string& out) {
  ObjectWriter json(out);
  AppendPeer(down.peer, json.Member("peer"));
  json.NumberIfNot0("down_seconds", down.down_s);
  json.Close();
}

void AppendPeers(const Region& region, ObjectWriter& json) {
  json.ListIfAny("peers", region.peers, AppendPeer);
  if (region.HasLeader()) {
    AppendPeer(region.leader, json.Member("leader"));
  } else {
    json.Member("leader") += R"({"role_name":""})";
  }
  json.ListIfAny("down_peers", region.down_peers, AppendDownPeer);
  json.ListIfAny("pending_peers", region.pending_peers, AppendPeer);
}

void AppendNumbers(const Region& region, ObjectWriter& json) {
  json.Number("cpu_usage", region.flow.cpu_usage);
  json.Number("written_bytes", region.flow.bytes_written);
  json.Number("read_bytes", region.flow.bytes_read);
  json.Number("written_keys", region.flow.keys_written);
  json.Number("read_keys", region.flow.keys_read);
  json.Number("approximate_size", region.size_mib);
  json.Number("approximate_keys", region.keys);
  json.Number("approximate_kv_size", region.kv_size_mib);
  json.Number("approximate_columnar_kv_size", region.columnar_size_mib);
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void AppendRegion(const Region& region, std::string& out) {
  ObjectWriter json(out);
  json.Number("id", region.id.value);
  json.Hex("start_key", region.start_key);
  json.Hex("end_key", region.end_key);
  if (region.epoch != scheduler::RegionEpoch{}) {
    ObjectWriter epoch(json.Member("epoch"));
    epoch.NumberIfNot0("conf_ver", region.epoch.conf_ver);
    epoch.NumberIfNot0("version", region.epoch.version);
    epoch.Close();
  }
  AppendPeers(region, json);
  AppendNumbers(region, json);
  json.ListIfAny("buckets", region.buckets.keys, [](const std::string& key, std::string& list) {
    list += '"';
    AppendHex(key, list);
    list += '"';
  });
  json.NumberIfNot0("bucket_version", region.buckets.version);
  if (region.replication != scheduler::ReplicationStatus{}) {
    ObjectWriter status(json.Member("replication_status"));
    status.Text("state", kReplicationStates[static_cast<size_t>(region.replication.state)]);
    status.Number("state_id", region.replication.state_id);
    status.Close();
  }
  json.Close();
}

HttpResponse RegionResponse(const Region& region) {
  std::string body;
  AppendRegion(region, body);
  return RegionsV1(200, std::move(body));
}

RegionsBody::RegionsBody() : body_(kStartMax, ' ') {}

void RegionsBody::Add(const Region& region) {
  if (count_++ != 0) body_ += ',';
  AppendRegion(region, body_);
}

void RegionsBody::AddRange(const pd::RegionTable& regions, const scheduler::KeyRange& range,
                           size_t limit_max) {
  if (limit_max <= kScanMax) {
    for (const Region& region : regions.Scan(range, limit_max)) Add(region);
    return;
  }
  size_t left = limit_max;
  regions.Visit(range, [&](const Region& region) {
    Add(region);
    return --left > 0;
  });
}

HttpResponse RegionsBody::Respond() && {
  body_ += "]}";
  const std::string start = fmt::format("{}{}{}", kBodyStart, count_, kBodyList);
  const size_t spare = kStartMax - start.size();
  body_.replace(spare, start.size(), start);
  body_.erase(0, spare);  // In place.
  return RegionsV1(200, std::move(body_));
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

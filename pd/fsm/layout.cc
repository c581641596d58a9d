#include "pd/fsm/layout.h"

#include <utility>

#include "pd/storage/bytes.h"

namespace pd::layout {
namespace {

constexpr char kEventTag = 'e';
constexpr char kIndexTag = 'k';
constexpr char kLeaseTag = 'l';
constexpr char kAttachmentTag = 'a';
constexpr size_t kGenerationBytes = 8;

std::string Tagged(Generation generation, char tag) {
  return ByteWriter().U64(generation).U8(static_cast<uint8_t>(tag)).Take();
}

tl::unexpected<Error> Corrupt(const char* what) {
  return Fail(ErrorCode::kCorrupt, std::string("stored ") + what + " does not decode");
}

void WriteUrls(ByteWriter& out, const std::vector<std::string>& urls) {
  out.U32(static_cast<uint32_t>(urls.size()));
  for (const std::string& url : urls) out.String(url);
}

std::vector<std::string> ReadUrls(ByteReader& in) {
  std::vector<std::string> urls;
  for (uint32_t count = in.U32(); count > 0 && in.ok(); --count) urls.emplace_back(in.String());
  return urls;
}

}  // namespace

std::string Prefix(Generation generation) { return ByteWriter().U64(generation).Take(); }
std::string PrefixEnd(Generation generation) { return Prefix(generation + 1); }

std::string Escape(std::string_view key) {
  std::string out;
  out.reserve(key.size() + 2);
  for (const char byte : key) {
    out.push_back(byte);
    if (byte == '\0') out.push_back('\xFF');
  }
  out.append("\0\x01", 2);
  return out;
}

bool Unescape(std::string_view bytes, std::string& key, std::string_view& rest) {
  key.clear();
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] != '\0') {
      key.push_back(bytes[at]);
      continue;
    }
    if (++at == bytes.size()) return false;
    if (bytes[at] == '\x01') {
      rest = bytes.substr(at + 1);
      return true;
    }
    if (bytes[at] != '\xFF') return false;
    key.push_back('\0');
  }
  return false;
}

std::string KeyKey(Generation generation, std::string_view key) {
  return ByteWriter().U64(generation).Raw(key).Take();
}

std::string EventKey(Generation generation, Revision revision, uint32_t sub) {
  return ByteWriter()
      .U64(generation)
      .U8(static_cast<uint8_t>(kEventTag))
      .I64(revision)
      .U32(sub)
      .Take();
}

std::string KeyIndexBegin(Generation generation) { return Tagged(generation, kIndexTag); }

std::string KeyIndexPrefix(Generation generation, std::string_view key) {
  return KeyIndexBegin(generation) + Escape(key);
}

std::string KeyIndexKey(Generation generation, std::string_view key, Revision revision) {
  return KeyIndexPrefix(generation, key) + ByteWriter().I64(~revision).Take();
}

std::string LeaseKey(Generation generation, LeaseId id) {
  return Tagged(generation, kLeaseTag) + ByteWriter().I64(id).Take();
}

std::string AttachmentPrefix(Generation generation, LeaseId id) {
  return Tagged(generation, kAttachmentTag) + ByteWriter().I64(id).Take();
}

std::string AttachmentKey(Generation generation, LeaseId id, std::string_view key) {
  return AttachmentPrefix(generation, id).append(key);
}

std::string IdKey(Generation generation, uint64_t id) {
  return ByteWriter().U64(generation).U64(id).Take();
}

Bounds KeyBounds(Generation generation, const std::string& key, const std::string& range_end) {
  Bounds bounds;
  bounds.begin = KeyKey(generation, key);
  if (range_end.empty()) {
    bounds.end = bounds.begin + '\0';
  } else if (range_end == std::string_view("\0", 1)) {
    bounds.end = PrefixEnd(generation);
  } else {
    bounds.end = KeyKey(generation, range_end);
  }
  return bounds;
}

bool InRange(std::string_view candidate, std::string_view key, std::string_view range_end) {
  if (range_end.empty()) return candidate == key;
  return candidate >= key && (range_end == std::string_view("\0", 1) || candidate < range_end);
}

std::string EncodeMark(Generation generation, const StateMark& mark) {
  return ByteWriter()
      .U64(generation)
      .U64(mark.applied_index)
      .U64(mark.applied_term)
      .I64(mark.revision)
      .I64(mark.compact_revision)
      .Take();
}

Result<MarkRecord> DecodeMark(std::string_view bytes) {
  ByteReader in(bytes);
  MarkRecord record;
  record.generation = in.U64();
  record.mark.applied_index = in.U64();
  record.mark.applied_term = in.U64();
  record.mark.revision = in.I64();
  record.mark.compact_revision = in.I64();
  if (!in.Complete()) return Corrupt("state mark");
  return record;
}

std::string EncodePair(const KeyValue& pair) {
  return ByteWriter()
      .I64(pair.create_revision)
      .I64(pair.mod_revision)
      .I64(pair.version)
      .I64(pair.lease)
      .Raw(pair.value)
      .Take();
}

Result<KeyValue> DecodePair(std::string_view full_key, std::string_view bytes) {
  if (full_key.size() < kGenerationBytes) return Corrupt("key");
  ByteReader in(bytes);
  KeyValue pair;
  pair.key = full_key.substr(kGenerationBytes);
  pair.create_revision = in.I64();
  pair.mod_revision = in.I64();
  pair.version = in.I64();
  pair.lease = in.I64();
  pair.value = in.Rest();
  if (!in.ok()) return Corrupt("pair");
  return pair;
}

std::string EncodeEvent(const Event& event) {
  return ByteWriter()
      .U8(static_cast<uint8_t>(event.type))
      .I64(event.kv.create_revision)
      .I64(event.kv.mod_revision)
      .I64(event.kv.version)
      .I64(event.kv.lease)
      .String(event.kv.key)
      .Raw(event.kv.value)
      .Take();
}

Result<Event> DecodeEvent(std::string_view bytes) {
  ByteReader in(bytes);
  Event event;
  const uint8_t type = in.U8();
  event.type = static_cast<Event::Type>(type);
  event.kv.create_revision = in.I64();
  event.kv.mod_revision = in.I64();
  event.kv.version = in.I64();
  event.kv.lease = in.I64();
  event.kv.key = in.String();
  event.kv.value = in.Rest();
  if (!in.ok() || type > static_cast<uint8_t>(Event::Type::kDelete)) return Corrupt("event");
  return event;
}

std::string EncodeIndexEntry(const IndexEntry& entry) {
  return ByteWriter().U32(entry.sub).U8(static_cast<uint8_t>(entry.type)).Take();
}

Result<IndexEntry> DecodeIndexEntry(std::string_view tail, std::string_view bytes) {
  ByteReader key(tail);
  ByteReader in(bytes);
  IndexEntry entry;
  entry.revision = ~key.I64();
  entry.sub = in.U32();
  const uint8_t type = in.U8();
  entry.type = static_cast<Event::Type>(type);
  if (!key.Complete() || !in.Complete() || type > static_cast<uint8_t>(Event::Type::kDelete)) {
    return Corrupt("key index entry");
  }
  return entry;
}

std::string EncodeLease(const LeaseRecord& lease) {
  return ByteWriter().I64(lease.granted_ms).I64(lease.remaining_ms).Take();
}

Result<LeaseRecord> DecodeLease(std::string_view bytes) {
  ByteReader in(bytes);
  LeaseRecord lease;
  lease.granted_ms = in.I64();
  lease.remaining_ms = in.I64();
  if (!in.Complete()) return Corrupt("lease");
  return lease;
}

std::string EncodeRegion(const RegionRecord& region) {
  ByteWriter out;
  out.U64(region.id).String(region.start_key).String(region.end_key);
  out.U64(region.conf_ver).U64(region.version);
  out.U32(static_cast<uint32_t>(region.peers.size()));
  for (const RegionPeer& peer : region.peers) {
    out.U64(peer.id).U64(peer.store_id).U8(static_cast<uint8_t>(peer.role));
    out.U8(peer.is_witness ? 1 : 0);
  }
  out.U8(region.is_in_flashback ? 1 : 0).U64(region.flashback_start_ts);
  out.String(region.encryption_meta);
  return out.Take();
}

Result<RegionRecord> DecodeRegion(std::string_view bytes) {
  ByteReader in(bytes);
  RegionRecord region;
  region.id = in.U64();
  region.start_key = in.String();
  region.end_key = in.String();
  region.conf_ver = in.U64();
  region.version = in.U64();
  for (uint32_t count = in.U32(); count > 0 && in.ok(); --count) {
    RegionPeer peer;
    peer.id = in.U64();
    peer.store_id = in.U64();
    const uint8_t role = in.U8();
    if (role > static_cast<uint8_t>(PeerRole::kDemotingVoter)) return Corrupt("region");
    peer.role = static_cast<PeerRole>(role);
    peer.is_witness = in.U8() != 0;
    region.peers.push_back(peer);
  }
  region.is_in_flashback = in.U8() != 0;
  region.flashback_start_ts = in.U64();
  region.encryption_meta = in.String();
  if (!in.Complete()) return Corrupt("region");
  return region;
}

std::string EncodeMember(const Member& member) {
  ByteWriter out;
  out.U64(member.id).U8(member.is_learner ? 1 : 0).String(member.name);
  WriteUrls(out, member.peer_urls);
  WriteUrls(out, member.client_urls);
  return out.Take();
}

Result<Member> DecodeMember(std::string_view bytes) {
  ByteReader in(bytes);
  Member member;
  member.id = in.U64();
  member.is_learner = in.U8() != 0;
  member.name = in.String();
  member.peer_urls = ReadUrls(in);
  member.client_urls = ReadUrls(in);
  if (!in.Complete()) return Corrupt("member");
  return member;
}

}  // namespace pd::layout

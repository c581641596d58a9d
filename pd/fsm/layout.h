#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pd/fsm/command.h"
#include "pd/fsm/meta_state.h"
#include "pd/result.h"

// Keys and values of the state on disk. Every data key begins with the generation, eight bytes
// big-endian. Numbers are big-endian, strings carry their length; `name | part` below means
// concatenation.
//
//   column    key                                      value
//   keys      generation | key                         create, mod, version, lease | value
//   history   generation | 'e' | revision | sub        type, create, mod, version, lease, key |
//   value history   generation | 'k' | Escape(key) | ~revision   sub, type leases    generation |
//   'l' | id                    granted ms, remaining ms leases    generation | 'a' | id | key
//   (empty) regions   generation | id                          region members   generation | id
//   member raft_state  "mark"                                 generation, applied index and term,
//   revision, compact revision
//
// `sub` numbers the events of one revision from 0. Inverted revisions put the newest first, so that
// one seek finds the state of a key at a revision.
namespace pd::layout {

inline constexpr std::string_view kMarkKey = "mark";

std::string Prefix(Generation generation);
/// End of everything of the generation.
std::string PrefixEnd(Generation generation);

/// Order-preserving and self-delimiting: 0x00 becomes 0x00 0xFF, the end is 0x00 0x01.
std::string Escape(std::string_view key);
/// False for bytes that Escape does not make. `rest` gets what follows the end mark.
bool Unescape(std::string_view bytes, std::string& key, std::string_view& rest);

std::string KeyKey(Generation generation, std::string_view key);
std::string EventKey(Generation generation, Revision revision, uint32_t sub);
/// All revisions of one key begin with this.
std::string KeyIndexPrefix(Generation generation, std::string_view key);
std::string KeyIndexKey(Generation generation, std::string_view key, Revision revision);
/// Where the index of all keys begins.
std::string KeyIndexBegin(Generation generation);
std::string LeaseKey(Generation generation, LeaseId id);
std::string AttachmentPrefix(Generation generation, LeaseId id);
std::string AttachmentKey(Generation generation, LeaseId id, std::string_view key);
std::string IdKey(Generation generation, uint64_t id);  // Regions and members.

/// Begin and end (both with the generation) of a range in etcd's convention over kKeys.
struct Bounds {
  std::string begin;
  std::string end;
};
Bounds KeyBounds(Generation generation, const std::string& key, const std::string& range_end);
/// Whether `candidate` lies in the range, in etcd's convention.
bool InRange(std::string_view candidate, std::string_view key, std::string_view range_end);

/// What a key index entry says.
struct IndexEntry {
  Revision revision = 0;
  uint32_t sub = 0;
  Event::Type type = Event::Type::kPut;
};

struct LeaseRecord {
  int64_t granted_ms = 0;
  int64_t remaining_ms =
      0;  // What a new leader starts from; granted_ms unless a checkpoint says less.
};

std::string EncodeMark(Generation generation, const StateMark& mark);
std::string EncodePair(const KeyValue& pair);
std::string EncodeEvent(const Event& event);  // Without prev_kv.
std::string EncodeIndexEntry(const IndexEntry& entry);
std::string EncodeLease(const LeaseRecord& lease);
std::string EncodeRegion(const RegionRecord& region);
std::string EncodeMember(const Member& member);

// All errors are kCorrupt.
struct MarkRecord {
  Generation generation = 0;
  StateMark mark;
};
Result<MarkRecord> DecodeMark(std::string_view bytes);
Result<KeyValue> DecodePair(std::string_view full_key, std::string_view bytes);  // Key of kKeys.
Result<Event> DecodeEvent(std::string_view bytes);
/// `tail` is the index key behind the escaped key: the inverted revision.
Result<IndexEntry> DecodeIndexEntry(std::string_view tail, std::string_view bytes);
Result<LeaseRecord> DecodeLease(std::string_view bytes);
Result<RegionRecord> DecodeRegion(std::string_view bytes);
Result<Member> DecodeMember(std::string_view bytes);

}  // namespace pd::layout

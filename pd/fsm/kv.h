#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The key-value space as clients see it: the model of etcd's v3 API, in plain structs. One revision
// counts all writes; a transaction takes one revision for all its writes. Ranges follow etcd's
// convention: an empty `range_end` names the single key, "\0" alone means "to the last key",
// anything else is an exclusive end.

namespace pd {

/// Revision of the key space; the empty space is at 1, the first write takes 2.
using Revision = int64_t;
/// 0 is "no lease".
using LeaseId = int64_t;

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;  // Of the put that made the key; unchanged until it is deleted.
  Revision mod_revision = 0;     // Of the last put.
  int64_t version = 0;           // Puts since creation; 1 after the first.
  LeaseId lease = 0;             // Revoking it deletes the key.

  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

enum class SortTarget : uint8_t { kKey, kVersion, kCreateRevision, kModRevision, kValue };
enum class SortOrder : uint8_t { kNone, kAscending, kDescending };  // kNone: by key, ascending.

struct RangeRequest {
  std::string key;
  std::string range_end;
  int64_t limit = 0;      // 0: no limit.
  Revision revision = 0;  // 0: now.
  bool keys_only = false;
  bool count_only = false;
  SortTarget sort_target = SortTarget::kKey;
  SortOrder sort_order = SortOrder::kNone;
  Revision min_mod_revision = 0;  // Bounds of 0 do not filter. They filter `kvs`, not `count`.
  Revision max_mod_revision = 0;
  Revision min_create_revision = 0;
  Revision max_create_revision = 0;
};

struct RangeResult {
  Revision revision = 0;  // Of the space when the range was read.
  std::vector<KeyValue> kvs;
  int64_t count = 0;  // Keys in the range, whatever the limit.
  bool more = false;  // The limit cut the answer.
};

struct Event {
  enum class Type : uint8_t { kPut, kDelete };
  Type type = Type::kPut;
  KeyValue kv;       // A delete has key and mod_revision only.
  KeyValue prev_kv;  // Before the event; version 0 when the key did not exist or is compacted away.

  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace pd

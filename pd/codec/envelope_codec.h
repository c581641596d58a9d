#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pd/fsm/meta_state.h"
#include "pd/result.h"
#include "pd/storage/database.h"
#include "raft/types.h"

// What members tell each other, as bytes.

namespace pd::codec {

/// One key of the state, without its generation.
struct SnapshotItem {
  Column column = Column::kKeys;
  std::string key;
  std::string value;

  friend bool operator==(const SnapshotItem&, const SnapshotItem&) = default;
};

struct SnapshotChunk {
  uint64_t transfer_id = 0;
  uint64_t sequence = 0;  // From 0.
  std::vector<SnapshotItem> items;
  // Of the last piece only:
  StateMark mark;
  std::vector<raft::Message> message;  // The Snap message, at most one.
};

struct SnapshotAck {
  /// kUnknown: a chunk came of a transfer whose beginning is not here.
  enum class State : uint8_t { kWanted, kInstalled, kUnknown };
  uint64_t transfer_id = 0;
  uint64_t next_sequence = 0;  // All before have arrived.
  State state = State::kWanted;
};

struct Envelope {
  uint64_t group_id = 0;
  raft::NodeId from = 0;
  raft::NodeId to = 0;
  std::variant<std::vector<raft::Message>, SnapshotChunk, SnapshotAck> body;
};

std::string EncodeEnvelope(const Envelope& envelope);

/// Errors: kCorrupt for bytes that EncodeEnvelope does not make: unknown or local message types, entries that do not
/// follow each other, keys of columns that no snapshot holds, senders that contradict the envelope.
Result<Envelope> DecodeEnvelope(std::string_view bytes);

}  // namespace pd::codec

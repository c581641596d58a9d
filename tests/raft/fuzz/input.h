#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "raft/conf_change.h"
#include "raft/types.h"

namespace raft::fuzz {

/// A fuzzer's bytes as a program: each choice takes the next of them. Used up, all choices are 0.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  bool empty() const { return left_ == 0; }
  uint8_t Byte();
  uint64_t Below(uint64_t bound) { return Byte() % bound; }
  bool Flag() { return Byte() % 2 == 1; }

  /// Mostly small, so that messages hit something; at times huge.
  uint64_t Number();
  Payload Bytes();

 private:
  const uint8_t* data_;
  size_t left_;
};

/// Nodes have ids from 1 to 6; 0 and 7 come up as well.
inline constexpr NodeId kIdBound = 8;

ConfChange ReadConfChange(Input& in);
ConfChangeV2 ReadConfChangeV2(Input& in);

/// An entry of any type; membership entries mostly decode.
Entry ReadEntry(Input& in, Term term, LogIndex index);

SnapshotPtr ReadSnapshot(Input& in);

/// Anything that may come off the wire, and some of what may not.
Message ReadMessage(Input& in, NodeId self);

}  // namespace raft::fuzz

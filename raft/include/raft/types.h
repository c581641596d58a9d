#pragma once

#include <cstdint>

namespace raft {

/// A node of the group. 0 is "none".
using NodeId = uint64_t;
using Term = uint64_t;
using LogIndex = uint64_t;

}  // namespace raft

#pragma once

#include "raft/logger.h"
#include "tests/datadriven/datadriven.h"

namespace raft::scripts {

/// Handlers of the three kinds of Raft script; each is for one script. `fatal` must not return.
datadriven::Handler InteractionHandler(FatalHook fatal);

/// Which library the expected output is of: they differ in details of what is shown.
enum class Dialect : uint8_t { kEtcd, kRaftRs };

datadriven::Handler QuorumHandler(Dialect dialect);
datadriven::Handler ConfChangeHandler(Dialect dialect);

}  // namespace raft::scripts

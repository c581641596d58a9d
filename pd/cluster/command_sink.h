#pragma once

#include "scheduler/model/region.h"
#include "scheduler/operator/command.h"

namespace pd {

/// Carries commands to the stores that lead regions. Thread-safe; never blocks.
class CommandSink {
 public:
  virtual ~CommandSink() = default;

  /// Queues a command for the leader of `region`, with the id and epoch given there. False when no stream of that store
  /// is open, or it is full: the command is lost and comes again with the next heartbeat.
  virtual bool Send(const scheduler::Region& region, const scheduler::StepCommand& command) = 0;
};

}  // namespace pd

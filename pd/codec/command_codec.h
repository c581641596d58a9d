#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pd/fsm/command.h"
#include "pd/result.h"

namespace pd::codec {

/// A command as it lies in the log, with who waits for its result.
struct LoggedCommand {
  uint64_t proposer = 0;     // Member, or rather its run: a number drawn at each start.
  uint64_t proposal_id = 0;  // Counted by the proposer.
  Command command;
};

std::string EncodeCommand(const LoggedCommand& command);

/// Errors: kCorrupt for bytes that EncodeCommand does not make; nesting deeper than protobuf's limit of 100 included.
Result<LoggedCommand> DecodeCommand(std::string_view bytes);

}  // namespace pd::codec

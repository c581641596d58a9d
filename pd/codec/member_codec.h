#pragma once

#include <string>
#include <string_view>

#include "pd/fsm/command.h"
#include "pd/result.h"

namespace pd {

/// What stands under /pd/{cid}/leader: a pdpb.Member with name, id and addresses.
std::string EncodeLeader(const Member& member);
/// kCorrupt when it is not that.
Result<Member> DecodeLeader(std::string_view bytes);

}  // namespace pd

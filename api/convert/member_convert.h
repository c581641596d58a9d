#pragma once

#include "pd/fsm/command.h"
#include "proto/pdpb.pb.h"

namespace api {

/// Name, id and addresses; the rest of a pdpb.Member stays empty, as in the reference's GetMembers.
void FillMember(const pd::Member& member, pdpb::Member& message);

}  // namespace api

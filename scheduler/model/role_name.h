#pragma once

#include <string_view>

#include "scheduler/model/region.h"

namespace scheduler {

/// As metapb names it.
constexpr std::string_view NameOf(PeerRole role) {
  constexpr std::string_view kNames[] = {"Voter", "Learner", "IncomingVoter", "DemotingVoter"};
  return kNames[static_cast<size_t>(role)];
}

}  // namespace scheduler

#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "pd/dispatch/operator_runner.h"

namespace pd::test {

inline std::optional<scheduler::Refusal> StartOne(OperatorRunner& runner,
                                                  scheduler::Proposal proposal,
                                                  SnapshotBooking booking = {}) {
  std::vector<OperatorRunner::Launch> launches;
  launches.push_back({std::move(proposal), std::move(booking)});
  return runner.Start(std::move(launches));
}

}  // namespace pd::test

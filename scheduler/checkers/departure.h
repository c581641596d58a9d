#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"

namespace scheduler {

/// Whether the peer that a leaving store holds of a region can go.
enum class DepartureState : uint8_t {
  kUnderWay,  // An operator works on the region.
  kReady,     // The checkers would start: its turn will come.
  kWaiting,   // What is in the way passes by itself.
  kBlocked,   // Somebody has to do something.
};
inline constexpr size_t kDepartureStateCount = 4;

/// "under-way", "ready", "waiting", "blocked".
const char* DepartureText(DepartureState state);

struct Departure {
  DepartureState state = DepartureState::kReady;
  std::optional<Refusal> cause;  // When it cannot go now.
  const Rule* rule = nullptr;  // That finds no store for the peer, as long as the rules; else null.
  std::vector<Refusal> passed_over;  // Why not each of the stores, then.
};

/// What the checkers make of the region, pauses and limits of operators left aside. `store` is leaving and holds a peer
/// of it. Cost as of CheckRules.
Departure ExplainDeparture(const PlanContext& context, const Region& region, StoreId store);

}  // namespace scheduler

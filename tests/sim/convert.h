#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pd/cluster/hot_statistics.h"
#include "pd/cluster/store_table.h"
#include "scheduler/model/region.h"
#include "scheduler/operator/operator.h"
#include "tests/sim/driver.h"
#include "tests/storesim/world.h"

namespace sim {

/// What the leader of a region reports of it.
scheduler::Region ReportOf(const storesim::World& world, const storesim::Region& region,
                           int64_t now_ms);
pd::StoreTable::Heartbeat HeartbeatOf(const storesim::Store& store);
/// The same with what the store did in `interval_ms`; what it reads is on the regions that it leads.
struct LoadedHeartbeat {
  pd::StoreTable::Heartbeat heartbeat;
  std::vector<pd::PeerReads> reads;
};
LoadedHeartbeat LoadedHeartbeatOf(const storesim::World& world, const storesim::Store& store,
                                  int64_t interval_ms, int64_t now_ms);
scheduler::Store StoreMetaOf(const storesim::Store& store);

/// Asks for the ids of the parts, as the region's leader does. Without them the stores do not split.
void AskSplitIds(Driver& driver, const storesim::World& world, const storesim::Region& region,
                 int64_t now_ms, storesim::SplitAt& split);

/// What a command means to the stores; splits want ids still. None for what they do not know.
std::optional<storesim::StepRequest> RequestOf(const Command& command);

/// A command as it reaches the region's leader.
struct Received {
  const storesim::Region* region = nullptr;
  storesim::StepRequest request;  // Of a split with its ids.
  scheduler::Operator op;         // That it belongs to.
};
/// None when the leader would ignore it: it is stale, or the leader is at work; it is said again until the next report
/// comes. `hears`: whether a store is reached. Fails the test where the stores do not know the command.
std::optional<Received> Receive(Driver& driver, const storesim::World& world,
                                const Command& command, int64_t now_ms,
                                const std::function<bool(uint64_t store)>& hears);

}  // namespace sim

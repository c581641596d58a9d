#pragma once

#include "scheduler/filters/plan_context.h"

namespace scheduler {

/// Neither down nor waiting for its data, as its leader says.
bool IsHealthyPeer(const Region& region, const Peer& peer);

/// The store is known and has been heard of lately.
bool IsConnected(const PlanContext& context, StoreId id);

/// Its leader misses the peer, and nothing was heard of its store for max-store-down-time: it is not waited for any
/// longer.
bool IsLostPeer(const PlanContext& context, const Region& region, const Peer& peer);

/// Whether the rule asks for witnesses, as things are set.
inline bool WantsWitness(const PlanContext& context, const Rule& rule) {
  return rule.witness && context.options.enable_witness;
}

/// Peers with data that the rules of a fit together ask for.
uint64_t CopiesWanted(const PlanContext& context, const RegionFit& fit);

}  // namespace scheduler

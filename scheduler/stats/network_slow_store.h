#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "scheduler/model/cluster_view.h"

namespace scheduler {

/// Which stores are slow on the network, judged by what they say of each other: with its heartbeat a store gives the
/// others scores from 1 (fast) to 100; whom it does not name has 1.

/// A store that has been so slow for so many heartbeats on end gives its leaders up.
inline constexpr uint32_t kNetworkSlowHeartbeats = 6;

/// TiKV stores that are up speak of each other.
bool SpeaksOfNetwork(const Store& store);
/// Those.
std::vector<const Store*> NetworkStores(const ClusterView& view);

/// The mean of the scores that `store` gives the others, but for those that `ignored` names; 1 if there are none.
double MeanNetworkScore(const Store& store, std::span<const Store* const> stores,
                        const std::function<bool(const Store&)>& ignored);

/// How many heartbeats on end a store has been slow for, one more of which shows this mean: from 99 on it counts, at 1
/// the count begins again, between the two it stays (as in the reference).
uint32_t NetworkSlowHeartbeatsAfter(uint32_t before, double mean);

/// Stores that are slow and not `known` to be, by ascending id (as in the reference). A score of 95 or more makes an
/// edge between two stores, either of which may be the slow one. It is the one
/// - that has edges to all others, or
/// - that has an edge and gives at least two of those without one a score of 10 or more;
/// in either case it must have named at least three others. Edges to stores that are known to be slow are no sign: they
/// explain themselves.
std::vector<StoreId> FindNetworkSlow(std::span<const Store* const> stores,
                                     const std::function<bool(const Store&)>& known);

}  // namespace scheduler

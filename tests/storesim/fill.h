#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/storesim/scenario.h"
#include "tests/storesim/world.h"

namespace storesim {

/// The ids behind the numbers of a scenario.
struct Numbers {
  std::vector<uint64_t> stores;   // By number - 1, as below.
  std::vector<uint64_t> regions;  // In key order.

  /// Throws std::runtime_error for a number that no store has.
  [[nodiscard]] uint64_t Store(int number) const;
};

using TakeId = std::function<uint64_t()>;

/// How many ids the stores and regions of a scenario need at the start.
size_t IdsNeeded(const Scenario& scenario);

void PutStores(World& world, Numbers& numbers, const StoreSpec& spec, const TakeId& take_id);
/// As if the first region had been split into all of them and had got its replicas before.
void PutRegions(World& world, Numbers& numbers, const Scenario& scenario, const TakeId& take_id);

/// The start key of the region with this number in key order.
std::string RegionKey(size_t number);

/// Regions that were merged away are left out.
void VisitRegionsOf(World& world, const Numbers& numbers, const HotSpot& spot,
                    const std::function<void(Region&)>& visit);
void StartHotSpot(World& world, const Numbers& numbers, const HotSpot& spot);
/// The regions have their usual load again.
void EndHotSpot(World& world, const Numbers& numbers, const HotSpot& spot);

/// What a store carries: every replica writes, the leader reads.
std::map<uint64_t, Load> StoreLoads(const World& world);

}  // namespace storesim

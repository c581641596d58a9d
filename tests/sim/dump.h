#pragma once

#include <string>

#include "tests/storesim/fill.h"
#include "tests/storesim/world.h"

namespace sim {

/// Fills a world with a cluster as it was: `stores` and `regions` are the answers of GET /pd/api/v1/stores and
/// GET /pd/api/v1/regions, or what `pdctl store` and `pdctl region` print. Ids stay; loads are those that were reported
/// last; stores copy at `io_bytes_per_s`. Stores that are gone, and regions without a leader, are left out. Throws
/// std::runtime_error for what is no such answer, and where a region is on a store that is not there.
void PutDump(storesim::World& world, storesim::Numbers& numbers, const std::string& stores,
             const std::string& regions, uint64_t io_bytes_per_s);

}  // namespace sim

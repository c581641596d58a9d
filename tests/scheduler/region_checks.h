#pragma once

#include "tests/scheduler/world.h"

namespace scheduler::test {

/// What no step of any plan may spoil.

/// A store from which one hears.
bool IsAlive(const World& world, StoreId id);
/// A majority of the voters is alive; in a joint state both of the old and of the new ones.
bool HasQuorum(const World& world, const Region& region);
bool TwoOnOneStore(const Region& region);

}  // namespace scheduler::test

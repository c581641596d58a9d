#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace sim {

/// By store, the load of each of its leaders, or of its peers. A store without any is named too.
using Loads = std::map<uint64_t, std::vector<double>>;

/// The fewest that have to go from, or come to, stores of `before` until each is within `within` (a part of it) of the
/// mean, or as near to it as the stores of `after` are, if these are farther off.
int64_t LeastByLoad(const Loads& before, const Loads& after, double within);

}  // namespace sim

#pragma once

#include <string>

#include "tests/storesim/world.h"

namespace storesim {

/// How far the stores are from each other, in percent of the mean of those that are alike; the farthest counts. A
/// difference of one leader, or of one region, is none.
struct Spread {
  double leaders = 0;  // By leader score: leaders over weight.
  double regions =
      0;  // By region score, so that weights and sizes of disks count as planning has them count.
};
/// Stores that are up and stay are compared, with those of their engine that have the same value of a label.
Spread SpreadOf(const World& world, const std::string& alike_by);

/// The same of the bytes that stores write and read in a second. Scans all regions.
double LoadSpreadOf(const World& world, const std::string& alike_by);

/// True if the stores are as near to each other as the scenario asks for (Spread), no peer on one that is up is
/// pending, and stores on their way out are empty.
bool IsBalanced(const World& world, const End& end);

}  // namespace storesim

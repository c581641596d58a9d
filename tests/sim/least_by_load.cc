#include "tests/sim/least_by_load.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace sim {
namespace {

double SumOf(const std::vector<double>& items) {
  return std::accumulate(items.begin(), items.end(), 0.0);
}

double MeanOf(const Loads& loads) {
  double sum = 0;
  for (const auto& entry : loads) sum += SumOf(entry.second);
  return loads.empty() ? 0 : sum / static_cast<double>(loads.size());
}

/// Of a store from the mean, as a part of it.
double FarthestOf(const Loads& loads) {
  const double mean = MeanOf(loads);
  double farthest = 0;
  for (const auto& entry : loads) {
    if (mean > 0) farthest = std::max(farthest, std::abs(SumOf(entry.second) - mean) / mean);
  }
  return farthest;
}

/// How many of `items`, the greatest first, are needed for a sum.
int64_t CountFor(std::vector<double> items, double wanted) {
  std::ranges::sort(items, std::greater());
  int64_t count = 0;
  for (const double item : items) {
    if (wanted <= 0 || item <= 0) break;
    wanted -= item;
    ++count;
  }
  return count;
}

}  // namespace

int64_t LeastByLoad(const Loads& before, const Loads& after, double within) {
  within = std::max(within, FarthestOf(after));
  const double mean = MeanOf(before);
  std::vector<double> all;
  for (const auto& entry : before) {
    all.insert(all.end(), entry.second.begin(), entry.second.end());
  }
  int64_t go = 0;
  int64_t come = 0;
  for (const auto& entry : before) {
    const double load = SumOf(entry.second);
    go += CountFor(entry.second, load - mean * (1 + within));
    come += CountFor(all, mean * (1 - within) - load);
  }
  return std::max(go, come);
}

}  // namespace sim

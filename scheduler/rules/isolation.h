#pragma once

#include <span>
#include <string>
#include <vector>

#include "scheduler/model/store.h"

namespace scheduler {

/// How far apart two stores are: 100^(L-i-1), where i is the first of the L location labels at which both have a value
/// and the values differ (without case); 0 when there is none. A higher label outweighs up to 99 pairs of the next one.
double PairScore(std::span<const std::string> location_labels, const Store& a, const Store& b);

/// Sum of PairScore of `store` against `others`; `store` itself among them counts 0.
double DistinctScore(std::span<const std::string> location_labels,
                     std::span<const Store* const> others, const Store& store);

/// Sum of PairScore over all pairs; 0 with fewer than two stores.
double IsolationScore(std::span<const std::string> location_labels,
                      std::span<const Store* const> stores);

/// True when `store` shares the values of all location labels down to `level` with one of `others`. False when `level`
/// is empty or unknown.
bool SharesIsolationLevel(std::span<const std::string> location_labels, const std::string& level,
                          std::span<const Store* const> others, const Store& store);

}  // namespace scheduler

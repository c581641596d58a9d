// QM_SIM_SEED=n plays one seed, QM_SIM_SEEDS=n as many; VERBOSE=1 prints what happens.
#include "tests/sim/simulation.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/log/log.h"
#include "tests/harness/sanitized.h"

namespace sim {
namespace {

constexpr uint64_t kSeedsOfAll = 8;  // In so many everything happens.
constexpr uint64_t kSeedsUsual = harness::kSanitized ? 1 : kSeedsOfAll;  // Sanitizers are slow.

struct Sums {
  std::map<std::string, int64_t> happened;
  std::map<std::string, int64_t> moves;
  int64_t settled_after_ms_max = 0;
  int64_t moved_back = 0;
};

/// Also of a run that fails.
struct Printer {
  ~Printer() {
    if (std::getenv("VERBOSE") == nullptr) return;
    for (const std::string& line : simulation.log()) std::cout << line << '\n';
  }
  const Simulation& simulation;
};

std::vector<std::string> Play(uint64_t seed, Sums& sums) {
  CAPTURE(seed);
  Setup setup;
  setup.seed = seed;
  Simulation simulation(setup);
  const Printer printer{simulation};
  simulation.Run();
  for (const auto& [what, count] : simulation.happened()) sums.happened[what] += count;
  for (const auto& [what, count] : simulation.counters().moves) sums.moves[what] += count;
  sums.moved_back += simulation.invariants().moved_back();
  sums.settled_after_ms_max = std::max(sums.settled_after_ms_max, simulation.settled_after_ms());
  return simulation.log();
}

std::string Text(const std::map<std::string, int64_t>& counts) {
  std::string text;
  for (const auto& [what, count] : counts) text += fmt::format(" {} {};", what, count);
  return text;
}

TEST_CASE("whatever goes wrong ends at rest once it is mended") {
  Sums sums;
  const char* one = std::getenv("QM_SIM_SEED");
  const char* many = std::getenv("QM_SIM_SEEDS");
  const uint64_t first = one != nullptr ? std::stoull(one) : 1;
  const uint64_t count = one != nullptr ? 1 : many != nullptr ? std::stoull(many) : kSeedsUsual;
  for (uint64_t seed = first; seed < first + count; ++seed) Play(seed, sums);
  std::cout << fmt::format(
      "{} seeds:{}\nsteps:{}\nbalance moved {} peers back; at rest after at most {} s\n", count,
      Text(sums.happened), Text(sums.moves), sums.moved_back, sums.settled_after_ms_max / 1000);
  if (count < kSeedsOfAll) return;  // Not everything has happened.
  for (const char* what : {"store dies", "store is cut off", "store is replaced", "disk fills up",
                           "driver dies", "rules change", "regions become small"}) {
    CAPTURE(what);
    CHECK(sums.happened[what] > 0);
  }
  for (const char* step : {"add_learner", "enter_joint", "merge", "split", "transfer_leader"}) {
    CAPTURE(step);
    CHECK(sums.moves[step] > 0);
  }
}

TEST_CASE("the same seed gives the same run") {
  if (harness::kSanitized) return;  // It would look at the same code twice more.
  Sums sums;
  const std::vector<std::string> first = Play(77, sums);
  const std::vector<std::string> second = Play(77, sums);
  CHECK(first == second);
}

}  // namespace
}  // namespace sim

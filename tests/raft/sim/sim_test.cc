#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/raft/sim/cluster.h"

namespace raft::sim {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::optional<Focus> FocusFromEnvironment() {
  const char* text = std::getenv("QM_SIM_FOCUS");
  const std::string name = text == nullptr ? "" : text;
  if (name == "members") return Focus::kMembers;
  if (name == "reads") return Focus::kReads;
  if (name == "overwrites") return Focus::kOverwrites;
  return std::nullopt;
}

// QM_SIM_SEED starts elsewhere, QM_SIM_RUNS and QM_SIM_STEPS make it longer, QM_SIM_FOCUS makes all
// runs be about one thing. A failure names the seed of its run; with that as QM_SIM_SEED, the same
// focus if any was given, and QM_SIM_RUNS=1 it comes again.
TEST_CASE("a cluster keeps Raft's promises whatever happens to it") {
  const uint64_t first = FromEnvironment("QM_SIM_SEED", 1);
  const uint64_t runs = FromEnvironment("QM_SIM_RUNS", 80);
  const uint64_t steps = FromEnvironment("QM_SIM_STEPS", 20000);
  const std::optional<Focus> focus = FocusFromEnvironment();
  uint64_t applied = 0;
  uint64_t leaders = 0;
  uint64_t crashes = 0;
  uint64_t snapshots = 0;
  uint64_t reads = 0;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    try {
      Cluster cluster(Plan::FromSeed(seed, focus));
      while (cluster.steps() < steps) cluster.Step();
      cluster.Settle();
      applied += cluster.applied_count();
      leaders += cluster.leaders_seen();
      crashes += cluster.crashes();
      snapshots += cluster.snapshots_restored();
      reads += cluster.reads_confirmed();
    } catch (const Broken& broken) {
      FAIL(broken.text);
    }
  }
  // What did not happen was not tested.
  fmt::print("{} runs: {} entries, {} leaders, {} crashes, {} snapshots, {} reads\n", runs, applied,
             leaders, crashes, snapshots, reads);
  CHECK(applied > 0);
  if (runs < 10 || focus) return;
  CHECK(leaders > runs);
  CHECK(crashes > 0);
  CHECK(snapshots > 0);
  CHECK(reads > 0);
}

// The seeds above are always the same; these are new each time. QM_SIM_FRESH_SECONDS says for how long;
// a failure names its seed.
TEST_CASE("a cluster keeps Raft's promises on seeds nobody has seen") {
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(FromEnvironment("QM_SIM_FRESH_SECONDS", 5));
  const uint64_t first = std::random_device()();
  uint64_t seed = first;
  for (; std::chrono::steady_clock::now() < end; ++seed) {
    try {
      Cluster cluster(Plan::FromSeed(seed));
      while (cluster.steps() < 20000) cluster.Step();
      cluster.Settle();
    } catch (const Broken& broken) {
      FAIL(broken.text);
    }
  }
  fmt::print("fresh seeds {} to {}\n", first, seed);
}

TEST_CASE("a run repeats from its seed") {
  const auto run = [] {
    Cluster cluster(Plan::FromSeed(7));
    while (cluster.steps() < 3000) cluster.Step();
    return fmt::format("{} {} {}", cluster.applied_count(), cluster.leaders_seen(),
                       cluster.reads_confirmed());
  };
  CHECK(run() == run());
}

}  // namespace
}  // namespace raft::sim

// QM_SCENARIO=name plays one ("large/..." too); VERBOSE=1 prints what happens. `make bench-balance` plays all.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/harness/measure.h"
#include "tests/harness/sanitized.h"
#include "tests/sim/play.h"

namespace sim {
namespace {

constexpr int64_t kRestMs = 60LL * 60 * 1000;

/// Those of a folder, in the order of their names.
std::vector<std::string> NamesIn(const std::string& folder) {
  std::set<std::string> names;
  const std::string path = std::string(QM_SOURCE_DIR) + "/tests/sim/scenarios/" + folder;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".json") names.insert(folder + entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> ScenarioNames() {
  if (const char* one = std::getenv("QM_SCENARIO"); one != nullptr) return {one};
  if (harness::kSanitized) return {"from_dump", "moving_hot_spot"};
  return NamesIn("");
}

double Ratio(double value, double least) { return least > 0 ? value / least : value > 0 ? 99 : 1; }

const char* Head() {
  return "scenario                 settled   leaders regions    load   transfers  least     x"
         "     moves  least     x  bytes x  back  rest   CPU s";
}

std::string Line(const std::string& name, const PlayResult& result, double cpu_s) {
  const Moves& moves = result.moves;
  const auto number = [](auto value) { return static_cast<double>(value); };
  return fmt::format(
      "{:<24} {:>6}{} {:>7.1f}% {:>6.1f}% {:>6.1f}%  {:>10} {:>6} {:>5.2f}  {:>8} {:>6} {:>5.2f} "
      "{:>8.2f} {:>5} {:>5} {:>7.1f}",
      name, result.settled ? fmt::format("{}", result.settled_ms / 1000) : "never",
      result.settled ? " s" : "  ", result.spread.leaders, result.spread.regions,
      result.load_spread, moves.leaders, moves.leaders_least,
      Ratio(number(moves.leaders), number(moves.leaders_least)), moves.peers, moves.peers_least,
      Ratio(number(moves.peers), number(moves.peers_least)),
      Ratio(number(moves.bytes), number(moves.bytes_least)), moves.back, result.moves_at_rest,
      cpu_s);
}

Play::Say Printer() {
  if (std::getenv("VERBOSE") == nullptr) return {};
  return [](const std::string& text) { std::cout << text << std::endl; };
}

/// A few moves more than the least are a matter of the moment.
void CheckMoves(int64_t moves, int64_t least, double most) {
  constexpr int64_t kSlack = 10;
  if (most == 0) return;
  CAPTURE(moves, least);
  CHECK(static_cast<double>(moves) <= static_cast<double>(least) * most + kSlack);
}

PlayResult PlayAndPrint(const std::string& name, const storesim::Scenario& scenario) {
  const double before = harness::CpuSeconds();
  Play play(scenario, Printer(), ReadDump(scenario));
  const PlayResult result = play.Run(kRestMs);
  if (std::getenv("VERBOSE") != nullptr) {
    for (const std::string& step : play.steps()) std::cout << step << '\n';
  }
  std::cout << Line(name, result, harness::CpuSeconds() - before) << std::endl;
  return result;
}

TEST_CASE("every scenario settles within its bounds") {
  std::cout << Head() << std::endl;
  for (const std::string& name : ScenarioNames()) {
    CAPTURE(name);
    const storesim::Scenario scenario = ReadScenario(name);
    const PlayResult result = PlayAndPrint(name, scenario);
    CHECK(result.settled);
    CHECK(result.moves.back == 0);
    CHECK(result.moves_at_rest == 0);
    CheckMoves(result.moves.leaders, result.moves.leaders_least, scenario.end.leader_moves_most);
    CheckMoves(result.moves.peers, result.moves.peers_least, scenario.end.moves_most);
  }
}

TEST_CASE("the scoreboard", "[.][scoreboard]") {
  std::cout << Head() << std::endl;
  for (const char* folder : {"", "large/"}) {
    for (const std::string& name : NamesIn(folder)) PlayAndPrint(name, ReadScenario(name));
  }
}

TEST_CASE("the same scenario gives the same steps") {
  if (harness::kSanitized) return;
  const auto steps = [] {
    Play play(ReadScenario("add_store"));
    play.Run(0);
    return play.steps();
  };
  const std::vector<std::string> first = steps();
  CHECK_FALSE(first.empty());
  CHECK(first == steps());
}

}  // namespace
}  // namespace sim

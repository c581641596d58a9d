#include "tests/storesim/balance.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tests/storesim/spread.h"

namespace storesim {

DriverSays TouchedRegions::Ask(const AskDriver& ask, size_t most) {
  for (; most > 0 && !regions_.empty(); --most) {
    const DriverSays says = ask(*regions_.begin());
    if (says != DriverSays::kNothingRuns) return says;
    regions_.erase(regions_.begin());
  }
  return regions_.empty() ? DriverSays::kNothingRuns : DriverSays::kNoAnswer;
}

bool BalanceWatch::Look(int64_t now_ms, const World& world) {
  if (now_ms - sampled_ms_ >= 1000) {
    sampled_ms_ = now_ms;
    const int64_t count = world.ShortOfReplicas(replicas_);
    if (short_.empty() || short_.back().second != count) short_.emplace_back(now_ms, count);
  }
  const bool done =
      end_.repaired ? !short_.empty() && short_.back().second == 0 : IsBalanced(world, end_);
  if (world.running() > 0 || !done) {
    balanced_since_ms_.reset();
    return false;
  }
  if (!balanced_since_ms_) balanced_since_ms_ = now_ms;
  return now_ms - *balanced_since_ms_ >= end_.quiet_ms;
}

namespace {

/// What a repair took beside what it must at least: each lost peer comes once, and no faster than the stores that are
/// up can receive together.
nlohmann::ordered_json Repair(const World& world, const BalanceWatch& watch, const Lost& lost) {
  uint64_t io_bytes_per_s = 0;
  for (const auto& [id, store] : world.stores()) {
    if (store.up) io_bytes_per_s += store.io_bytes_per_s;
  }
  nlohmann::ordered_json repair;
  repair["peers_lost"] = lost.peers;
  const auto& moves = world.counters().moves;
  int64_t added = 0;
  for (const char* move : {"add_learner", "add_voter"}) {
    if (const auto found = moves.find(move); found != moves.end()) added += found->second;
  }
  repair["peers_added"] = added;
  repair["seconds_at_least"] =
      static_cast<double>(lost.bytes) / static_cast<double>(std::max<uint64_t>(1, io_bytes_per_s));
  if (!watch.short_of_replicas().empty() && watch.short_of_replicas().back().second == 0) {
    repair["seconds"] =
        static_cast<double>(watch.short_of_replicas().back().first - lost.first_at_ms) / 1000.0;
  }
  return repair;
}

}  // namespace

std::string ResultLine(const Scenario& scenario, const World& world, const BalanceWatch& watch,
                       const RunFacts& facts) {
  const Counters& counters = world.counters();
  nlohmann::ordered_json line;
  line["scenario"] = scenario.name;
  line["balanced"] = facts.balanced;
  if (facts.balanced && watch.balanced_since_ms()) {
    line["seconds_until_balanced"] = static_cast<double>(*watch.balanced_since_ms()) / 1000.0;
  }
  line["seconds"] = static_cast<double>(facts.elapsed_ms) / 1000.0;
  line["moves"] = counters.moves;
  line["snapshots"] = counters.snapshots;
  line["bytes_moved"] = counters.bytes_moved;
  line["ignored_steps"] = counters.ignored_steps;
  line["driver_leader_changes"] = facts.driver_leader_changes;
  line["short_of_replicas"] = nlohmann::ordered_json::array();
  for (const auto& [at_ms, count] : watch.short_of_replicas()) {
    line["short_of_replicas"].push_back({static_cast<double>(at_ms) / 1000.0, count});
  }
  if (facts.lost) line["repair"] = Repair(world, watch, *facts.lost);
  line["stores"] = nlohmann::ordered_json::array();
  for (const auto& [id, store] : world.stores()) {
    line["stores"].push_back({{"id", id},
                              {"up", store.up},
                              {"leaders", store.leaders},
                              {"regions", store.peers},
                              {"used_bytes", store.used_bytes}});
  }
  return line.dump();
}

}  // namespace storesim

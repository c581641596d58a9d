#include <sstream>

#include <catch2/catch.hpp>

#include "tests/scheduler/script_runner.h"

// The verbs about hot peers.

namespace scheduler::test {
namespace {

std::vector<std::string> SplitBy(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace

Load ScriptRunner::LoadOf(const std::string& text) {
  Load load;
  const std::vector<std::string> parts = SplitBy(text, ',');
  REQUIRE(parts.size() <= kLoadDimCount);
  for (size_t i = 0; i < parts.size(); ++i) load.of[i] = std::stod(parts[i]);
  return load;
}

void ScriptRunner::DoHeard() {
  for (const Store& store : world_.stores()) {
    world_.MutableStore(store.id.value)->last_heartbeat = world_.now;
  }
}

void ScriptRunner::DoHot(const Line& line) {
  World::RegionLoad& load = world_.region_loads[{static_cast<uint64_t>(line.Number("region"))}];
  if (line.Has("write")) load.write = LoadOf(line.Get("write"));
  if (line.Has("read")) load.read = LoadOf(line.Get("read"));
  if (line.Has("from")) load.read_from = StoreId{static_cast<uint64_t>(line.Number("from"))};
  load.leader_moved.reset();
  if (line.Has("leader-moved")) {
    load.leader_moved = Instant{Seconds{1000 + line.Number("leader-moved")}};
  }
}

void ScriptRunner::DoLoad(const Line& line) {
  StoreLoads& loads = world_.loads[{static_cast<uint64_t>(line.Number("store"))}];
  if (line.Has("write")) loads.write = LoadOf(line.Get("write"));
  if (line.Has("read")) loads.read = LoadOf(line.Get("read"));
}

void ScriptRunner::DoBucket(const Line& line) {
  std::vector<HotBucket>& buckets = world_.buckets[{static_cast<uint64_t>(line.Number("region"))}];
  if (!line.Has("range")) return buckets.clear();
  const std::vector<std::string> keys = SplitBy(line.Get("range") + ",", ',');
  HotBucket bucket;
  bucket.start_key = keys.at(0);
  bucket.end_key = keys.size() > 1 ? keys.at(1) : "";
  bucket.read = LoadOf(line.Get("read"));
  bucket.write = LoadOf(line.Get("write"));
  buckets.push_back(bucket);
}

void ScriptRunner::SetHotRegion(const Line& line, HotRegionConfig& config) {
  if (line.Has("formula")) config.rank_formula_version = line.Get("formula");
  if (line.Has("forbid")) config.forbid_rw_type = line.Get("forbid");
  if (line.Has("tiflash")) config.enable_for_tiflash = line.Get("tiflash") == "on";
  if (line.Has("strict")) config.strict_picking_store = line.Get("strict") == "on";
  if (line.Has("split-thresholds"))
    config.split_thresholds = std::stod(line.Get("split-thresholds"));
  if (line.Has("read-by")) config.read_priorities = SplitBy(line.Get("read-by"), ',');
  if (line.Has("write-leader-by"))
    config.write_leader_priorities = SplitBy(line.Get("write-leader-by"), ',');
  if (line.Has("write-peer-by"))
    config.write_peer_priorities = SplitBy(line.Get("write-peer-by"), ',');
  if (line.Has("peers-max")) config.max_peer_number = line.Number("peers-max");
}

}  // namespace scheduler::test

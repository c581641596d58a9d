#include "tests/storesim/scenario.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace storesim {
namespace {

using Json = nlohmann::json;

constexpr double kMib = 1024.0 * 1024.0;

// Reads the keys of one object and then insists that there were no others.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) throw std::runtime_error(where_ + ": an object is expected");
  }

  template <class T>
  void Get(const std::string& key, T& value) {
    if (const Json* found = Find(key)) {
      try {
        value = found->get<T>();
      } catch (const Json::exception&) {
        throw std::runtime_error(where_ + "." + key + ": wrong type");
      }
    }
  }

  /// A number that is not negative, times `unit`.
  template <class T>
  void GetScaled(const std::string& key, double unit, T& value) {
    double number = 0;
    if (!object_.contains(key)) return;
    Get(key, number);
    if (number < 0) throw std::runtime_error(where_ + "." + key + ": must not be negative");
    value = static_cast<T>(number * unit);
  }

  const Json* Find(const std::string& key) {
    known_.push_back(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  void Object(const std::string& key, const std::function<void(Reader&)>& read) {
    if (const Json* found = Find(key)) {
      Reader inner(*found, where_ + "." + key);
      read(inner);
      inner.Finish();
    }
  }

  void Finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        throw std::runtime_error(where_ + "." + key + ": unknown key");
      }
    }
  }

 private:
  const Json& object_;
  std::string where_;
  std::vector<std::string> known_;
};

void ReadStores(Reader& in, StoreSpec& spec) {
  in.Get("count", spec.count);
  in.Get("labels", spec.labels);
  in.GetScaled("capacity_gib", 1024 * kMib, spec.capacity_bytes);
  in.GetScaled("io_mib_per_s", kMib, spec.io_bytes_per_s);
  in.GetScaled("leader_weight", 1, spec.leader_weight);
  in.GetScaled("region_weight", 1, spec.region_weight);
  if (spec.count < 1 || spec.capacity_bytes == 0 || spec.io_bytes_per_s == 0) {
    throw std::runtime_error("stores: count, capacity_gib and io_mib_per_s must be above 0");
  }
}

void ReadLoad(Reader& in, Load& load) {
  in.GetScaled("write_kib_per_s", 1024, load.write_bytes_per_s);
  in.GetScaled("read_kib_per_s", 1024, load.read_bytes_per_s);
}

void ReadRegions(Reader& in, RegionSpec& spec) {
  in.Get("count", spec.count);
  in.GetScaled("size_mib", kMib, spec.size_bytes);
  in.Get("keys", spec.keys);
  in.Get("on_stores", spec.on_stores);
  in.Get("leaders_on", spec.leaders_on);
  in.GetScaled("zipf", 1, spec.zipf);
  if (spec.count < 1) throw std::runtime_error("regions: count must be above 0");
}

Event ReadEvent(const Json& json, size_t index) {
  Reader in(json, "events[" + std::to_string(index) + "]");
  Event event;
  in.GetScaled("at_s", 1000, event.at_ms);
  int kinds = 0;
  int store = 0;
  const auto number = [&](const char* key, auto make) {
    if (!json.contains(key)) return;
    in.Get(key, store);
    event.what = make();
    ++kinds;
  };
  number("kill", [&] { return KillStore{store}; });
  number("revive", [&] { return ReviveStore{store}; });
  number("remove", [&] { return RemoveStore{store}; });
  in.Object("add", [&](Reader& inner) {
    AddStores add;
    ReadStores(inner, add.spec);
    event.what = add;
    ++kinds;
  });
  in.Object("slow", [&](Reader& inner) {
    SlowStore slow;
    inner.Get("store", slow.store);
    inner.Get("score", slow.score);
    event.what = slow;
    ++kinds;
  });
  in.Object("import", [&](Reader& inner) {
    Import import;
    ReadRegions(inner, import.spec);
    inner.GetScaled("for_s", 1000, import.for_ms);
    event.what = import;
    ++kinds;
  });
  in.Object("hot_spot", [&](Reader& inner) {
    HotSpot hot;
    inner.Get("first", hot.first_region);
    inner.Get("count", hot.count);
    inner.Get("every", hot.every);
    if (hot.every < 1) throw std::runtime_error("hot_spot: every must be above 0");
    inner.GetScaled("for_s", 1000, hot.for_ms);
    ReadLoad(inner, hot.load);
    event.what = hot;
    ++kinds;
  });
  in.Finish();
  if (kinds != 1) {
    throw std::runtime_error(
        "events[" + std::to_string(index) +
        "]: one of kill, revive, add, remove, slow, import, hot_spot is expected");
  }
  return event;
}

void ReadTiming(Reader& in, Timing& timing) {
  in.GetScaled("store_heartbeat_s", 1000, timing.store_heartbeat_ms);
  in.GetScaled("region_heartbeat_s", 1000, timing.region_heartbeat_ms);
  in.GetScaled("conf_change_ms", 1, timing.conf_change_ms);
  in.GetScaled("transfer_leader_ms", 1, timing.transfer_leader_ms);
  in.GetScaled("election_s", 1000, timing.election_ms);
}

void CheckStoreNumbers(const Scenario& scenario) {
  int stores = 0;
  for (const StoreSpec& spec : scenario.stores) stores += spec.count;
  for (const RegionSpec& spec : scenario.regions) {
    for (const std::vector<int>* numbers : {&spec.on_stores, &spec.leaders_on}) {
      for (const int number : *numbers) {
        if (number < 1 || number > stores) throw std::runtime_error("regions: no such store");
      }
    }
    const size_t used =
        spec.on_stores.empty() ? static_cast<size_t>(stores) : spec.on_stores.size();
    if (used < static_cast<size_t>(scenario.replicas)) {
      throw std::runtime_error("regions: fewer stores than replicas");
    }
  }
}

}  // namespace

Scenario ParseScenario(const std::string& text) {
  const Json json = Json::parse(text, nullptr, true, /*ignore_comments=*/true);
  Scenario scenario;
  Reader in(json, "scenario");
  in.Get("name", scenario.name);
  in.Get("seed", scenario.seed);
  in.Get("replicas", scenario.replicas);
  if (const Json* config = in.Find("config")) scenario.config = config->dump();
  in.GetScaled("store_limit", 1, scenario.store_limit);
  if (const Json* stores = in.Find("stores")) {
    for (const Json& item : *stores) {
      Reader inner(item, "stores[" + std::to_string(scenario.stores.size()) + "]");
      StoreSpec spec;
      ReadStores(inner, spec);
      inner.Finish();
      scenario.stores.push_back(spec);
    }
  }
  if (const Json* regions = in.Find("regions")) {
    for (const Json& item : regions->is_array() ? *regions : Json::array({*regions})) {
      Reader inner(item, "regions[" + std::to_string(scenario.regions.size()) + "]");
      ReadRegions(inner, scenario.regions.emplace_back());
      inner.Finish();
    }
  }
  in.Get("dump", scenario.dump);
  in.GetScaled("dump_io_mib_per_s", kMib, scenario.dump_io_bytes_per_s);
  if (!scenario.dump.empty() && (!scenario.stores.empty() || !scenario.regions.empty())) {
    throw std::runtime_error("dump: goes without stores and regions");
  }
  if (scenario.dump.empty() && scenario.regions.empty()) scenario.regions.emplace_back();
  if (const Json* rules = in.Find("rules")) scenario.rules = rules->dump();
  in.Object("load", [&](Reader& inner) { ReadLoad(inner, scenario.load); });
  in.Object("timing", [&](Reader& inner) { ReadTiming(inner, scenario.timing); });
  if (const Json* events = in.Find("events")) {
    for (const Json& item : *events)
      scenario.events.push_back(ReadEvent(item, scenario.events.size()));
  }
  in.Object("end", [&](Reader& inner) {
    inner.Get("repaired", scenario.end.repaired);
    inner.Get("balanced_within_percent", scenario.end.balanced_within_percent);
    inner.GetScaled("quiet_s", 1000, scenario.end.quiet_ms);
    inner.GetScaled("limit_s", 1000, scenario.end.limit_ms);
    inner.Get("alike_by", scenario.end.alike_by);
    inner.Get("hot_within_percent", scenario.end.hot_within_percent);
    inner.GetScaled("moves_most", 1, scenario.end.moves_most);
    inner.GetScaled("leader_moves_most", 1, scenario.end.leader_moves_most);
  });
  in.Finish();
  std::stable_sort(scenario.events.begin(), scenario.events.end(),
                   [](const Event& a, const Event& b) { return a.at_ms < b.at_ms; });
  CheckStoreNumbers(scenario);
  return scenario;
}

}  // namespace storesim

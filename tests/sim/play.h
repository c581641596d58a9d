#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/sim/driver.h"
#include "tests/sim/tally.h"
#include "tests/storesim/fill.h"
#include "tests/storesim/scenario.h"
#include "tests/storesim/spread.h"
#include "tests/storesim/world.h"

namespace sim {

/// How a play ended.
struct PlayResult {
  bool settled =
      false;  // Nothing moved any more, and stores were as near as the scenario asks for.
  int64_t settled_ms = 0;  // The last move, after all regions had been reported.
  storesim::Spread spread;
  double load_spread = 0;
  Moves moves;
  int64_t moves_at_rest = 0;  // In the hour after.
  int64_t reports = 0;        // Heartbeats of stores and regions that were taken in.
};

/// Plays a scenario on virtual time, from one seed: the same scenario gives the same moves. Time goes from one thing
/// that happens to the next; a region whose report would say nothing new does not report, as the stores may do.
class Play {
 public:
  /// Lines about events, for people.
  using Say = std::function<void(const std::string&)>;

  /// What the scenario of a dump refers to.
  struct Dump {
    std::string stores;
    std::string regions;
  };

  explicit Play(storesim::Scenario scenario, Say say = {}, Dump dump = {});

  /// All of it: until the cluster has settled and then for `rest_ms` more, or the scenario's limit. Fails the test
  /// where the driver refuses what it must take.
  PlayResult Run(int64_t rest_ms);

  /// Goes on for so long. The steps that were carried out meanwhile.
  int64_t Rest(int64_t ms);
  [[nodiscard]] Driver& driver() { return driver_; }

  /// Every step that was carried out, a line each.
  [[nodiscard]] const std::vector<std::string>& steps() const { return steps_; }
  [[nodiscard]] const storesim::World& world() const { return world_; }

 private:
  void Fill();
  void Configure();
  void SetWeights(const storesim::Store& store);
  void Bootstrap();

  // Time.
  /// What happens next, but not after `end_ms`.
  void Step(int64_t end_ms);
  void HearWorld();
  void ReportStores();
  bool ReportStore(const storesim::Store& store);
  void ReportRegions();
  void Report(storesim::Region& region);
  void ReportLater(const storesim::Region& region, int64_t at_ms);
  void Obey();
  [[nodiscard]] bool IsLively(const storesim::Region& region) const;
  [[nodiscard]] int64_t NextMs() const;

  // Events.
  void StartDueEvents();
  void Cause(const std::string& text);
  void Start(const storesim::KillStore& event);
  void Start(const storesim::ReviveStore& event);
  void Start(const storesim::AddStores& event);
  void Start(const storesim::RemoveStore& event);
  void Start(const storesim::SlowStore& event);
  void Start(const storesim::Import& event);
  void Start(const storesim::HotSpot& event);
  void ReportHotSpot(const storesim::HotSpot& spot);
  void ImportDue();

  [[nodiscard]] bool HasSettled() const;
  [[nodiscard]] bool Happened() const;
  uint64_t TakeId() { return next_id_++; }

  const storesim::Scenario scenario_;
  const Say say_;
  const Dump dump_;
  storesim::World world_;
  storesim::Numbers numbers_;
  Driver driver_;
  const bool loaded_;
  Tally tally_;
  std::vector<std::string> steps_;
  int64_t now_ms_;
  int64_t started_ms_ = 0;
  int64_t driver_due_ms_ = 0;
  int64_t last_move_ms_ = 0;
  int64_t reports_ = 0;
  uint64_t next_id_ = 1;
  size_t events_started_ = 0;
  std::multimap<int64_t, storesim::HotSpot> hot_until_;
  struct Importing {
    storesim::RegionSpec spec;
    int64_t next_ms = 0;
    int64_t every_ms = 0;
    int left = 0;
    std::vector<uint64_t> places;  // Where it began: the stores, that of the leader first.
  };
  /// False when the stores are not ready for it.
  bool ImportOne(Importing& import);
  std::vector<Importing> imports_;
  std::map<uint64_t, uint64_t> leaders_of_dead_;  // By region: the store that led it when it died.

  using Due = std::pair<int64_t, uint64_t>;
  using DueQueue = std::priority_queue<Due, std::vector<Due>, std::greater<>>;
  DueQueue store_reports_;
  DueQueue region_reports_;
  std::unordered_map<uint64_t, int64_t>
      region_due_;  // Of what the queue holds; others are passed by.
};

/// Reads a scenario of tests/sim/scenarios, and what it refers to. Throws std::runtime_error.
storesim::Scenario ReadScenario(const std::string& name);
Play::Dump ReadDump(const storesim::Scenario& scenario);

}  // namespace sim

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "tests/storesim/balance.h"
#include "tests/storesim/driver_link.h"
#include "tests/storesim/fill.h"
#include "tests/storesim/scenario.h"
#include "tests/storesim/world.h"

namespace storesim {

/// Runs a scenario against a placement driver in real time: brings the cluster into being, reports heartbeats, carries
/// steps out, lets events happen, and ends when the cluster is balanced or the time is up. One thread calls it.
class Simulator {
 public:
  struct Options {
    std::vector<std::string> endpoints;
    bool hold = false;  // Goes on after the end until `stop` says so.
    std::function<bool()> stop;
    std::function<void(const std::string&)> progress;  // Lines for a person.
  };

  Simulator(Scenario scenario, Options options);

  /// The line of JSON; `balanced` tells how it ended. Throws std::runtime_error when the cluster cannot be set up.
  std::string Run(bool& balanced);

 private:
  void SetUp();
  /// Sets the driver up as the scenario says.
  void Configure();
  [[nodiscard]] std::optional<Lost> LostForGood() const;
  void SetWeights(const Store& store);
  void Bootstrap();
  void PutStore(const Store& store);
  void ReportAllRegions();
  void WaitUntilKnown();
  void RunUntilEnd(bool& balanced);

  void Tick();
  void AskSplitIds(uint64_t region_id, SplitAt& split);
  void TakeSteps(harness::Millis timeout);
  void Report(Region& region);
  void ReportDue();
  void ReportStores(bool all);
  void StartDueEvents(int64_t since_start_ms);
  void Start(const KillStore& event);
  void Start(const ReviveStore& event);
  void Start(const AddStores& event);
  void Start(const RemoveStore& event);
  void Start(const SlowStore& event);
  void Start(const Import& event);
  void Start(const HotSpot& event);
  DriverSays OperatorsRunning();

  int64_t NowMs() const;
  void Post(const std::string& path, const std::string& body);

  Scenario scenario_;
  Options options_;
  DriverLink link_;
  World world_;
  BalanceWatch watch_;
  std::map<uint64_t, Lost> lost_;  // By store, of those that are dead.
  Numbers numbers_;
  using ReportTime = std::pair<int64_t, uint64_t>;
  std::priority_queue<ReportTime, std::vector<ReportTime>, std::greater<>> report_times_;
  int64_t stores_reported_ms_ = 0;
  int64_t started_ms_ = 0;
  size_t events_started_ = 0;
  std::vector<std::pair<int64_t, HotSpot>> hot_until_;  // When each ends.
  TouchedRegions touched_;
};

}  // namespace storesim

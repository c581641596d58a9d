#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduler/model/rng.h"
#include "tests/sim/driver.h"
#include "tests/sim/invariants.h"
#include "tests/storesim/world.h"

namespace sim {

struct Setup {
  uint64_t seed = 1;
  int stores = 7;
  int regions = 40;
  int64_t trouble_ms = 30LL * 60 * 1000;  // For how long things go wrong.
};

/// Stores and a placement driver in one thread, on virtual time, from one seed: stores die, come back, are cut off,
/// fill up, are replaced; the driver restarts; placement rules change. Then all of it is mended, and the cluster has to
/// come to rest with every region as its rules want it. The invariants are looked at after every step on the way. What
/// happened is kept as text: the same seed gives the same text.
class Simulation {
 public:
  explicit Simulation(const Setup& setup);

  /// All of it; fails the test where something is not as it should be.
  void Run();

  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  /// How often what happened, and what the stores did.
  [[nodiscard]] const std::map<std::string, int64_t>& happened() const { return happened_; }
  [[nodiscard]] const storesim::Counters& counters() const { return world_.counters(); }
  [[nodiscard]] const Invariants& invariants() const { return invariants_; }
  /// Virtual time from the mending to rest.
  [[nodiscard]] int64_t settled_after_ms() const { return settled_after_ms_; }

 private:
  void Say(const std::string& text);
  void Fill();
  storesim::Store MakeStore();

  // Time.
  void Tick();
  void RunFor(int64_t ms);
  void ReportStores();
  void ReportRegions();
  void Report(const storesim::Region& region);
  void Obey();
  [[nodiscard]] bool Hears(uint64_t store) const;

  // Trouble; each is undone by itself after a time, or by Mend.
  void MakeTrouble();
  void KillStore();
  void ReplaceStore();
  void CutStore();
  void FillDisk();
  void RestartDriver();
  void ChangeRules();
  void ShrinkRegions();
  void UndoDue();
  void Mend();
  void Bury();
  [[nodiscard]] std::vector<uint64_t> Usable() const;
  uint64_t Pick(const std::vector<uint64_t>& ids) { return ids[rng_.Below(ids.size())]; }

  // Rest.
  [[nodiscard]] std::optional<std::string> Unrest();
  [[nodiscard]] std::optional<std::string> UnrestOf(const storesim::Region& region,
                                                    const scheduler::PlanContext& context);

  const Setup setup_;
  scheduler::Rng rng_;
  storesim::World world_;
  Driver driver_;
  Invariants invariants_;
  int64_t now_ms_ = 0;
  int64_t next_trouble_ms_ = 0;
  int64_t settled_after_ms_ = 0;
  uint64_t last_store_ = 0;

  struct Undo {
    enum class What : uint8_t { kDead, kCut, kFull, kDriverDown } what = What::kDead;
    uint64_t store = 0;
  };
  std::multimap<int64_t, Undo> undo_;
  std::set<uint64_t> cut_;
  std::set<uint64_t> full_;
  std::set<uint64_t> leaving_;  // To be replaced; not yet empty.
  std::set<uint64_t> retired_;  // Tombstones, and dead for good.
  std::map<uint64_t, int64_t> store_reported_ms_;
  std::map<uint64_t, int64_t> region_reported_ms_;
  std::map<std::string, int64_t> happened_;
  std::vector<std::string> log_;
};

}  // namespace sim

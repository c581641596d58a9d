// What goes wrong in a simulation, and how it is mended.
#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/sim/convert.h"
#include "tests/sim/simulation.h"

namespace sim {
namespace {

constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr size_t kMissingMax = 2;  // Stores dead or cut off at a time.
constexpr size_t kStoresMin = 6;
constexpr uint64_t kMib = 1024 * 1024;

scheduler::Rule MakeRule(const char* id, scheduler::RuleRole role, uint64_t count) {
  scheduler::Rule rule;
  rule.group_id = "pd";
  rule.id = id;
  rule.role = role;
  rule.count = count;
  return rule;
}

}  // namespace

std::vector<uint64_t> Simulation::Usable() const {
  std::vector<uint64_t> ids;
  for (const auto& [id, store] : world_.stores()) {
    const bool usable = store.up && !cut_.contains(id) && !full_.contains(id) &&
                        !leaving_.contains(id) && !retired_.contains(id);
    if (usable) ids.push_back(id);
  }
  return ids;
}

void Simulation::MakeTrouble() {
  if (now_ms_ < next_trouble_ms_) return;
  next_trouble_ms_ = now_ms_ + 10 * kSecond + static_cast<int64_t>(rng_.Below(80)) * kSecond;
  using Trouble = void (Simulation::*)();
  constexpr Trouble kAll[] = {&Simulation::KillStore,     &Simulation::CutStore,
                              &Simulation::ReplaceStore,  &Simulation::FillDisk,
                              &Simulation::RestartDriver, &Simulation::ChangeRules,
                              &Simulation::ShrinkRegions};
  (this->*kAll[rng_.Below(std::size(kAll))])();
  invariants_.NoteCause(now_ms_);
}

void Simulation::KillStore() {
  const std::vector<uint64_t> usable = Usable();
  size_t dead = cut_.size();
  for (const auto& [id, store] : world_.stores()) dead += !store.up && !retired_.contains(id);
  if (dead >= kMissingMax || usable.size() < kStoresMin) return;
  const uint64_t store = Pick(usable);
  Say(fmt::format("store {} dies", store));
  ++happened_["store dies"];
  world_.Kill(now_ms_, store);
  // Some come back before anybody minds, some long after.
  undo_.emplace(now_ms_ + 20 * kSecond + static_cast<int64_t>(rng_.Below(600)) * kSecond,
                Undo{Undo::What::kDead, store});
}

void Simulation::CutStore() {
  const std::vector<uint64_t> usable = Usable();
  if (cut_.size() >= kMissingMax || usable.size() < kStoresMin) return;
  const uint64_t store = Pick(usable);
  Say(fmt::format("store {} is cut off from the driver", store));
  ++happened_["store is cut off"];
  cut_.insert(store);
  undo_.emplace(now_ms_ + 5 * kSecond + static_cast<int64_t>(rng_.Below(300)) * kSecond,
                Undo{Undo::What::kCut, store});
}

/// Another one comes, and one leaves: by itself, or, dead, with its peers.
void Simulation::ReplaceStore() {
  const std::vector<uint64_t> usable = Usable();
  if (!driver_.up() || !leaving_.empty() || usable.size() < kStoresMin) return;
  const storesim::Store fresh = MakeStore();
  REQUIRE(driver_.cluster().stores().Put(StoreMetaOf(fresh)));
  world_.AddStore(fresh);
  const uint64_t old = Pick(usable);
  const bool dead = rng_.Below(3) == 0;
  const auto removed = driver_.cluster().stores().Remove(
      {old}, dead ? pd::StoreTable::Destroyed::kPhysically : pd::StoreTable::Destroyed::kNo);
  if (!removed) return;  // Too few others may take its leaders just now.
  Say(fmt::format("store {} comes for store {}{}", fresh.id, old, dead ? ", which is dead" : ""));
  ++happened_["store is replaced"];
  leaving_.insert(old);
  if (dead) world_.Kill(now_ms_, old);
}

void Simulation::FillDisk() {
  const std::vector<uint64_t> usable = Usable();
  if (!full_.empty() || usable.size() < kStoresMin) return;
  const uint64_t id = Pick(usable);
  storesim::Store& store = world_.stores().at(id);
  Say(fmt::format("the disk of store {} is nearly full", id));
  ++happened_["disk fills up"];
  store.capacity_bytes = store.used_bytes + store.used_bytes / 50 + kMib;
  full_.insert(id);
  undo_.emplace(now_ms_ + 3 * kMinute, Undo{Undo::What::kFull, id});
}

void Simulation::RestartDriver() {
  if (!driver_.up()) return;
  Say("the driver dies");
  ++happened_["driver dies"];
  driver_.Kill();
  undo_.emplace(now_ms_ + static_cast<int64_t>(1 + rng_.Below(60)) * kSecond,
                Undo{Undo::What::kDriverDown, 0});
}

void Simulation::ChangeRules() {
  if (!driver_.up()) return;
  using scheduler::RuleRole;
  const uint64_t choice = rng_.Below(5);
  const uint64_t voters = 3 + 2 * rng_.Below(2);
  const auto changed = driver_.cluster().rules().Change([&](pd::PlacementRules::Editor& editor) {
    const scheduler::Rule* first = &editor.set().rules.at({"pd", "default"});
    scheduler::Rule rule = *first;
    if (choice == 0) {
      rule.count = voters;
      editor.Set(rule);
    } else if (choice == 1) {
      rule.location_labels = rule.location_labels.empty() ? std::vector<std::string>{"zone", "host"}
                                                          : std::vector<std::string>();
      editor.Set(rule);
    } else if (choice == 2) {
      editor.Set(MakeRule("learners", RuleRole::kLearner, 1));
    } else if (choice == 3) {
      editor.Delete({"pd", "learners"});
      editor.Delete({"pd", "range"});
    } else {
      scheduler::Rule range = MakeRule("range", RuleRole::kFollower, 1);
      range.range = {"k0007x", "k0013"};
      range.start_hex = "6b3030303778";
      range.end_hex = "6b30303133";
      range.constraints = {{"zone", scheduler::ConstraintOp::kNotIn, {"z1"}}};
      editor.Set(range);
    }
  });
  INFO((changed ? "" : changed.error().context));
  REQUIRE(changed.has_value());
  Say(fmt::format("the rules change, way {}", choice));
  ++happened_["rules change"];
}

/// Data goes away from neighbours: they are small enough to be merged.
void Simulation::ShrinkRegions() {
  std::vector<uint64_t> ids;
  for (const auto& entry : world_.regions()) ids.push_back(entry.first);
  const uint64_t from = rng_.Below(ids.size());
  Say("some regions become small");
  ++happened_["regions become small"];
  for (size_t i = from; i < std::min(ids.size(), from + 3); ++i) {
    storesim::Region& region = world_.regions().at(ids[i]);
    const uint64_t size = (1 + rng_.Below(20)) * kMib;
    if (region.size_bytes <= size) continue;
    for (const storesim::Peer& peer : region.peers) {
      world_.stores().at(peer.store_id).used_bytes -= region.size_bytes - size;
    }
    region.keys = size / 100;
    region.size_bytes = size;
  }
}

void Simulation::UndoDue() {
  while (!undo_.empty() && undo_.begin()->first <= now_ms_) {
    const Undo undo = undo_.extract(undo_.begin()).mapped();
    invariants_.NoteCause(now_ms_);
    switch (undo.what) {
      case Undo::What::kDead:
        if (retired_.contains(undo.store)) break;
        Say(fmt::format("store {} is back", undo.store));
        world_.Revive(now_ms_, undo.store);
        break;
      case Undo::What::kCut:
        Say(fmt::format("store {} is heard again", undo.store));
        cut_.erase(undo.store);
        break;
      case Undo::What::kFull:
        Say(fmt::format("store {} has room again", undo.store));
        world_.stores().at(undo.store).capacity_bytes = 200 * 1024 * kMib;
        full_.erase(undo.store);
        break;
      case Undo::What::kDriverDown:
        Say("the driver is back");
        driver_.Start(pd::Millis(now_ms_));
        region_reported_ms_.clear();
        break;
    }
  }
}

void Simulation::Mend() {
  Say("all is mended");
  // Everything becomes due, in the order in which it would have.
  std::multimap<int64_t, Undo> due;
  for (const auto& entry : undo_) due.emplace(now_ms_, entry.second);
  undo_ = std::move(due);
}

/// A store that left, or is dead for good, is taken away once the driver has buried it.
void Simulation::Bury() {
  for (auto it = leaving_.begin(); it != leaving_.end();) {
    const auto store = driver_.cluster().stores().Find({*it});
    const bool gone = !store || store->state == scheduler::StoreState::kTombstone;
    if (!gone) {
      ++it;
      continue;
    }
    Say(fmt::format("store {} is empty and goes", *it));
    invariants_.NoteCause(now_ms_);
    world_.Kill(now_ms_, *it);
    retired_.insert(*it);
    it = leaving_.erase(it);
  }
}

}  // namespace sim

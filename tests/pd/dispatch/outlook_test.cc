#include "pd/dispatch/outlook.h"

#include <memory>

#include <catch2/catch.hpp>

#include "tests/scheduler/world.h"

namespace pd {
namespace {

using Change = Outlook::Change;

scheduler::Store MakeStore(uint64_t id, const scheduler::test::World& world) {
  scheduler::Store store;
  store.id = {id};
  store.node_state = scheduler::NodeState::kServing;
  store.last_heartbeat = world.now;
  store.has_stats = true;
  store.stats.capacity_bytes = 1000ULL << 30U;
  store.stats.available_bytes = 900ULL << 30U;
  store.counts.leaders = 1000;
  store.labels = {{"zone", "z1"}};
  return store;
}

/// Two stores, seen once.
struct Seen {
  Seen() {
    Put(MakeStore(1, world));
    Put(MakeStore(2, world));
    parts.config = std::make_shared<int>(1);
    parts.labels = std::make_shared<int>(2);
    findings.affinity = std::make_shared<int>(3);
    CHECK(Look() == Change::kFromOutside);
    CHECK(Look() == Change::kNone);
  }
  void Put(const scheduler::Store& store) {
    scheduler::Store* known = world.MutableStore(store.id.value);
    (known == nullptr ? world.AddStore(store.id.value) : *known) = store;
  }
  Change Look() { return outlook.Look(world.Context(), parts, findings); }

  scheduler::test::World world;
  Outlook::Parts parts;
  Outlook::Findings findings;
  Outlook outlook;
};

TEST_CASE("what plans hang on is seen to change", "[outlook]") {
  Seen seen;
  scheduler::Store store = MakeStore(2, seen.world);
  SECTION("settings") { seen.parts.config = std::make_shared<int>(1); }
  SECTION("labels of regions") { seen.parts.labels = std::make_shared<int>(2); }
  SECTION("affinity groups") { ++seen.parts.affinity_wishes; }
  SECTION("at what size stores split regions") { seen.parts.region_bounds.max_size_mib = 384; }
  SECTION("schedulers") { ++seen.parts.scheduler_wishes; }
  SECTION("a store joins") { seen.Put(MakeStore(3, seen.world)); }
  SECTION("a store's label") {
    store.labels[0].value = "z2";
    seen.Put(store);
  }
  SECTION("a store's weight") {
    store.region_weight = 2;
    seen.Put(store);
  }
  SECTION("a store leaves") {
    store.state = scheduler::StoreState::kOffline;
    seen.Put(store);
  }
  SECTION("a store falls silent") {
    seen.world.now = seen.world.now + scheduler::kStoreDisconnected + scheduler::Millis{1};
  }
  CHECK(seen.Look() == Change::kFromOutside);
  CHECK(seen.Look() == Change::kNone);
}

TEST_CASE("rules change once", "[outlook]") {
  Seen seen;
  seen.parts.rules_changed = true;
  CHECK(seen.Look() == Change::kFromOutside);
  seen.parts.rules_changed = false;
  CHECK(seen.Look() == Change::kNone);
}

TEST_CASE("what data does by moving is no change from outside", "[outlook]") {
  Seen seen;
  scheduler::Store store = MakeStore(2, seen.world);
  SECTION("a store runs short of space") { store.stats.available_bytes = 10ULL << 30U; }
  SECTION("a new store has its first share") {
    store.node_state = scheduler::NodeState::kPreparing;
  }
  SECTION("a scheduler has it take no leaders") { store.pauses.slow_evicted = 1; }
  seen.Put(store);
  CHECK(seen.Look() == Change::kByItself);
  seen.Put(MakeStore(2, seen.world));
  CHECK(seen.Look() == Change::kByItself);
}

TEST_CASE("what planning finds is no change from outside, and worth a look", "[outlook]") {
  Seen seen;
  SECTION("a scheduler") { ++seen.findings.schedulers_version; }
  SECTION("how affinity groups are doing") { seen.findings.affinity = std::make_shared<int>(3); }
  CHECK(seen.Look() == Change::kByItself);
  CHECK(seen.Look() == Change::kNone);
}

}  // namespace
}  // namespace pd

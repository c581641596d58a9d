#include "pd/cluster/store_config_watch.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/harness/wait.h"
#include "tests/pd/cluster/one_member.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using test::FirstRegion;
using test::MakeStore;
using test::OneMember;

/// Stores as they answer; others are not reached.
class FakeStores final : public StoreStatusClient {
 public:
  Result<std::string> FetchConfig(const std::string& address, Millis timeout) override {
    CHECK(timeout == StoreConfigWatch::kTimeout);
    const MutexLock lock(mutex_);
    asked_.push_back(address);
    if (on_ask) on_ask();
    const auto found = answers_.find(address);
    if (found == answers_.end()) return Fail(ErrorCode::kUnavailable, "Connection refused");
    return found->second;
  }
  void Say(uint64_t store, std::string answer) {
    const MutexLock lock(mutex_);
    answers_[AddressOf(store)] = std::move(answer);
  }
  void Split(uint64_t store, uint64_t size_mib) {
    Say(store, fmt::format(R"({{"coprocessor":{{"region-split-size":"{}MiB"}}}})", size_mib));
  }
  std::vector<std::string> TakeAsked() {
    const MutexLock lock(mutex_);
    return std::exchange(asked_, {});
  }
  static std::string AddressOf(uint64_t store) { return fmt::format("tikv{}:20180", store); }

  std::function<void()> on_ask;

 private:
  Mutex mutex_;
  std::map<std::string, std::string> answers_ PD_GUARDED_BY(mutex_);
  std::vector<std::string> asked_ PD_GUARDED_BY(mutex_);
};

using Asked = std::vector<std::string>;

/// A cluster of stores that beat, and what it learns from them.
struct Fixture {
  explicit Fixture(uint64_t count) {
    REQUIRE(member.cluster().Bootstrap(StoreOf(1), FirstRegion()));
    for (uint64_t id = 1; id <= count; ++id) Add(StoreOf(id));
    REQUIRE(watch.OnLeaderStart(member.term()));
  }
  static scheduler::Store StoreOf(uint64_t id) {
    scheduler::Store store = MakeStore(id);
    store.status_address = FakeStores::AddressOf(id);
    return store;
  }
  void Add(const scheduler::Store& store) {
    REQUIRE(member.cluster().stores().Put(store));
    Beat(store.id.value);
  }
  void Beat(uint64_t id) { REQUIRE(member.cluster().stores().OnHeartbeat({{id}, {}, ""})); }
  /// Goes on by `time`, with all stores heard.
  void Pass(Nanos time) {
    member.moved.ahead = member.moved.ahead.load() + time;
    for (const scheduler::Store& store : member.cluster().stores().All()) Beat(store.id.value);
  }
  /// The addresses that one look asks.
  Asked Look() {
    watch.Step();
    return stores.TakeAsked();
  }
  [[nodiscard]] uint64_t SplitMib() {
    return member.cluster().store_config().bounds.split_size_mib;
  }

  test::FakeDatabase database;
  OneMember member{database};
  FakeStores stores;
  MetricsRegistry metrics;
  StoreConfigWatch watch{{member.cluster(), stores, metrics, member.moved}};
};

TEST_CASE("one store speaks for all", "[store config]") {
  Fixture f(3);
  f.stores.Split(1, 256);
  f.stores.Split(2, 512);
  CHECK(f.SplitMib() == 96);
  CHECK(f.Look() == Asked{"tikv1:20180"});
  CHECK(f.SplitMib() == 256);
  CHECK(f.member.cluster().store_config().bounds.max_size_mib == 384);
  CHECK(f.metrics.Render().find(R"(pd_cluster_store_sync{address="tikv1:20180",state="succ"} 1)") !=
        std::string::npos);
}

TEST_CASE("addresses that no store has any more leave the metrics", "[store config]") {
  Fixture f(1);
  f.stores.Split(1, 256);
  const auto shows = [&](uint64_t store) {
    return f.metrics.Render().find(FakeStores::AddressOf(store)) != std::string::npos;
  };
  REQUIRE(f.Look().size() == 1);
  CHECK(shows(1));
  scheduler::Store moved = Fixture::StoreOf(1);
  moved.status_address = FakeStores::AddressOf(9);
  f.Add(moved);
  CHECK(f.Look() == Asked{FakeStores::AddressOf(9)});
  CHECK(shows(9));
  CHECK_FALSE(shows(1));
}

TEST_CASE("who does not answer, or nonsense, is passed over", "[store config]") {
  Fixture f(3);
  f.stores.Say(2, R"({"coprocessor":{"region-split-size":"lots"}})");
  f.stores.Split(3, 256);
  CHECK(f.Look() == Asked{"tikv1:20180", "tikv2:20180", "tikv3:20180"});
  CHECK(f.SplitMib() == 256);
  const std::string page = f.metrics.Render();
  for (const char* line :
       {R"(address="tikv1:20180",state="fail"} 1)", R"(address="tikv2:20180",state="fail"} 1)",
        R"(address="tikv3:20180",state="succ"} 1)"}) {
    CHECK(page.find(line) != std::string::npos);
  }
  // The one that answered is asked first from now on.
  f.Pass(1min);
  CHECK(f.Look() == Asked{"tikv3:20180"});
}

TEST_CASE("what was learned outlasts stores that fail", "[store config]") {
  Fixture f(2);
  f.stores.Split(1, 256);
  f.Look();
  f.stores.Say(1, "no longer JSON");
  f.Pass(1min);
  CHECK(f.Look() == Asked{"tikv1:20180", "tikv2:20180"});
  CHECK(f.SplitMib() == 256);
  // It stays due, and a better answer is taken.
  f.stores.Split(2, 128);
  f.Pass(10s);
  CHECK_FALSE(f.Look().empty());
  CHECK(f.SplitMib() == 128);
}

TEST_CASE("a store is asked every minute, and when stores change", "[store config]") {
  Fixture f(1);
  f.stores.Split(1, 256);
  CHECK(f.Look().size() == 1);
  f.Pass(59s);
  CHECK(f.Look().empty());
  f.stores.Split(1, 300);
  f.Pass(1s);
  CHECK(f.Look().size() == 1);
  CHECK(f.SplitMib() == 300);

  f.Add(Fixture::StoreOf(2));
  CHECK(f.Look().size() == 1);
  CHECK(f.Look().empty());
  scheduler::Store moved = Fixture::StoreOf(1);
  moved.status_address = "elsewhere:1";
  REQUIRE(f.member.cluster().stores().Put(moved));
  CHECK(f.Look() == Asked{"elsewhere:1", "tikv2:20180"});
}

TEST_CASE("only TiKV stores that are up and heard are asked", "[store config]") {
  Fixture f(2);
  REQUIRE(f.member.cluster().stores().Remove({1}, StoreTable::Destroyed::kPhysically));
  scheduler::Store tiflash = Fixture::StoreOf(3);
  tiflash.labels = {{"engine", "tiflash"}};
  f.Add(tiflash);
  scheduler::Store silent = Fixture::StoreOf(4);
  REQUIRE(f.member.cluster().stores().Put(silent));
  scheduler::Store without = Fixture::StoreOf(5);
  without.status_address = "";
  f.Add(without);
  scheduler::Store local = Fixture::StoreOf(6);
  local.status_address = "0.0.0.0:20180";
  f.Add(local);
  CHECK(f.Look() == Asked{"tikv2:20180", "tikv6:20180"});
  f.member.moved.ahead = f.member.moved.ahead.load() + 21s;  // Nobody is heard.
  CHECK(f.Look().empty());
}

TEST_CASE("one look asks four stores at most, the next one goes on", "[store config]") {
  Fixture f(6);
  CHECK(f.Look() == Asked{"tikv1:20180", "tikv2:20180", "tikv3:20180", "tikv4:20180"});
  f.Pass(10s);
  CHECK(f.Look() == Asked{"tikv5:20180", "tikv6:20180", "tikv1:20180", "tikv2:20180"});
}

TEST_CASE("a new leader asks again", "[store config]") {
  Fixture f(1);
  f.stores.Split(1, 256);
  f.Look();
  f.watch.OnLeaderStop();
  f.Pass(10min);
  CHECK(f.Look().empty());
  REQUIRE(f.watch.OnLeaderStart(f.member.term()));
  f.stores.Split(1, 300);
  CHECK(f.Look().size() == 1);
  CHECK(f.SplitMib() == 300);
}

TEST_CASE("an answer that comes after the lead was lost counts for nothing", "[store config]") {
  Fixture f(2);
  f.stores.Split(1, 256);
  SECTION("lost") {
    f.stores.on_ask = [&] { f.watch.OnLeaderStop(); };
    CHECK(f.Look().size() == 1);
    CHECK(f.SplitMib() == 96);
  }
  SECTION("and won again: it is asked anew") {
    f.stores.on_ask = [&] {
      f.watch.OnLeaderStop();
      REQUIRE(f.watch.OnLeaderStart(f.member.term()));
    };
    CHECK(f.Look().size() == 1);
    CHECK(f.SplitMib() == 96);
    f.stores.on_ask = nullptr;
    f.Look();
    CHECK(f.SplitMib() == 256);
  }
}

TEST_CASE("looks are far apart once there is a store to ask, whether it answers or not",
          "[store config]") {
  Fixture f(0);
  f.member.moved.ahead = f.member.moved.ahead.load() + 21s;
  CHECK(f.watch.Step() == StoreConfigWatch::kLookSoon);
  f.Beat(1);
  CHECK(f.watch.Step() == StoreConfigWatch::kLookEvery);
  CHECK(f.stores.TakeAsked().size() == 1);
  f.stores.Split(1, 256);
  CHECK(f.watch.Step() == StoreConfigWatch::kLookEvery);
  f.member.moved.ahead = f.member.moved.ahead.load() + 21s;
  CHECK(f.watch.Step() == StoreConfigWatch::kLookEvery);
}

TEST_CASE("the engine of the stores is counted", "[store config]") {
  Fixture f(1);
  f.stores.Say(1, R"({"coprocessor":{},"storage":{"engine":"raft-kv2"}})");
  f.Look();
  CHECK(f.metrics.Render().find(R"(address="tikv1:20180",state="raft-v2"} 1)") !=
        std::string::npos);
}

TEST_CASE("the thread asks at once when a lead begins", "[store config]") {
  Fixture f(1);
  f.stores.Split(1, 256);
  f.watch.Start();
  CHECK(harness::Eventually([&] { return f.SplitMib() == 256; }));
  f.watch.OnLeaderStop();
  f.stores.Split(1, 300);
  REQUIRE(f.watch.OnLeaderStart(f.member.term()));
  CHECK(harness::Eventually([&] { return f.SplitMib() == 300; }));
  f.watch.Stop();
}

}  // namespace
}  // namespace pd

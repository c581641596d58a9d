#include "pd/server.h"

#include <algorithm>
#include <atomic>
#include <string>

#include <catch2/catch.hpp>

#include "tests/pd/server/server_bench.h"

namespace pd {
namespace {

TEST_CASE("one member serves ids, time and configuration, and goes on after a restart",
          "[server]") {
  Bench bench(1);
  const uint64_t cluster_id = bench.Leader().cluster_id();
  CHECK(cluster_id != 0);
  CHECK(*bench.Leader().ids().Allocate(1) == 1);
  CHECK(*bench.Leader().ids().Allocate(5000) == 5001);
  const Timestamp before = *bench.Leader().tso().Generate(10);
  REQUIRE(bench.Leader().config_store().SetItem("region-schedule-limit", "7"));
  CHECK(bench.Leader().TransferLeader(0).error().context == "no valid pd to transfer etcd leader");
  CHECK(bench.Leader().members().PdLeader()->name == "pd1");
  Bench::Until([&] { return bench.Leader().members().List()[0].client_urls.size() == 1; });

  bench.Stop(1);
  bench.Start(1);
  CHECK(bench.Leader().cluster_id() == cluster_id);
  CHECK(*bench.Leader().ids().Allocate(1) == 6001);
  CHECK(*bench.Leader().tso().Generate(1) > before);
  CHECK(bench.Leader().config_store().online()->schedule.region_schedule_limit == 7);
  CHECK(bench.Leader().metrics().Render().find("service_member_role{service=\"PD\"} 1") !=
        std::string::npos);
}

TEST_CASE("the leader's metrics page tells which members answer", "[server]") {
  Bench bench(3);
  PdServer& leader = bench.Leader();
  const auto shows = [&](PdServer& server, const std::string& text) {
    return server.metrics().Render().find(text) != std::string::npos;
  };
  const std::string own = "pd_cluster_health_status{name=\"" + leader.config().name + "\"} 1";
  Bench::Until([&] { return shows(leader, own); });
  CHECK(shows(leader, own));
  for (const auto& server : bench.servers) {
    if (server == nullptr || server.get() == &leader) continue;
    CHECK_FALSE(shows(*server, "pd_cluster_health_status"));
  }
}

TEST_CASE("the base of ids can be set in both directions", "[server]") {
  Bench bench(1);
  PdServer& server = bench.Leader();
  CHECK(*server.ids().Allocate(1) == 1);
  REQUIRE(server.SetIdBase(20'000));
  CHECK(*server.ids().Allocate(1) == 20'001);
  REQUIRE(server.SetIdBase(10));
  CHECK(*server.ids().Allocate(1) == 11);
}

TEST_CASE("a state that cannot be read is no empty state: the member does not serve", "[server]") {
  Bench bench(1);
  PdServer& server = bench.Leader();
  CHECK(*server.ids().Allocate(1) == 1);
  const std::string key = server.Key("/alloc_id");
  REQUIRE(server.meta().Put(key, "1000", Millis(5000)));
  CHECK(server.ids().Allocate(5000).error().code == ErrorCode::kCorrupt);

  bench.Stop(1);
  bench.Start(1);
  PdServer& again = *bench.servers[1];
  Bench::Until([&] { return again.group().LeaseValid(); });
  CHECK_FALSE(again.ids().Allocate(1));
  REQUIRE(again.meta().Put(key, std::string("\0\0\0\0\0\0\7\320", 8), Millis(5000)));
  CHECK(*bench.Leader().ids().Allocate(1) == 2001);
}

TEST_CASE("three members: planned and unplanned changes of leader keep ids and time apart",
          "[server]") {
  Bench bench(3);
  uint64_t last_id = *bench.Leader().ids().Allocate(1);
  Timestamp last = *bench.Leader().tso().Generate(1);
  const auto advance = [&] {
    Result<uint64_t> id = Fail(ErrorCode::kNotLeader, "");
    Result<Timestamp> now = Fail(ErrorCode::kNotLeader, "");
    Bench::Until([&] {
      PdServer& leader = bench.Leader();
      if (!id) id = leader.ids().Allocate(1);
      if (id && !now) now = leader.tso().Generate(1);
      return id.has_value() && now.has_value();
    });
    CHECK(*id > last_id);
    CHECK(*now > last);
    last_id = *id;
    last = *now;
  };
  REQUIRE(bench.Leader().config_store().SetItem("leader-schedule-limit", "9"));
  for (int round = 0; round < 3; ++round) {
    PdServer& old = bench.Leader();
    REQUIRE(old.TransferLeader(0));
    Bench::Until([&] { return &bench.Leader() != &old; });
    advance();
  }
  const int number = bench.NumberOf(bench.Leader());
  bench.Stop(number);
  advance();
  bench.Start(number);
  advance();
  CHECK(last_id >= 4001);
  for (size_t i = 1; i <= 3; ++i) {
    Bench::Until([&] {
      return bench.servers[i]->config_store().online()->schedule.leader_schedule_limit == 9;
    });
    Bench::Until([&] { return bench.servers[i]->members().PdLeader().has_value(); });
    Bench::Until([&] {
      const auto members = bench.servers[i]->members().List();
      return std::all_of(members.begin(), members.end(),
                         [](const Member& m) { return !m.client_urls.empty(); });
    });
  }
}

/// Refuses its first starts.
class ReluctantService final : public LeaderService {
 public:
  Result<void> OnLeaderStart(uint64_t) override {
    if (++starts < 3) return Fail(ErrorCode::kUnavailable, "not yet");
    return {};
  }
  void OnLeaderStop() override {
    PdServer* const at = server.load();
    if (at == nullptr || starts >= 3) return;
    if (at->tso().running() || at->ids().window_end() != 0) found_running = true;
  }

  std::atomic<PdServer*> server{nullptr};
  std::atomic<int> starts{0};
  std::atomic<bool> found_running{false};
};

TEST_CASE("a start that fails leaves neither time nor ids running", "[server]") {
  ReluctantService service;
  Bench bench(1, &service);
  service.server = bench.servers[1].get();
  CHECK(bench.Leader().ids().Allocate(1).has_value());
  CHECK(service.starts == 3);
  CHECK_FALSE(service.found_running);
}

TEST_CASE("hand-overs while no timestamps are granted take no time back", "[server]") {
  Bench bench(3);
  const auto jump = [](PdServer& leader) {
    Timestamp ahead = *leader.tso().Generate(1);
    ahead.physical_ms += 3'600'000;
    REQUIRE(leader.tso().Reset(ahead.Composed(), TsoOracle::IfSmaller::kRefuse,
                               TsoOracle::GapCheck::kOff, Nanos(0)));
    const Timestamp last = *leader.tso().Generate(1);
    leader.tso().Stop();
    return last;
  };
  PdServer& first = bench.Leader();
  const Timestamp before = jump(first);
  REQUIRE(first.TransferLeader(0));
  Bench::Until([&] { return &bench.Leader() != &first; });
  CHECK(*bench.Leader().tso().Generate(1) > before);

  PdServer& leader = bench.Leader();
  const int absent = bench.NumberOf(leader) % 3 + 1;
  const raft::NodeId absent_id = bench.servers[static_cast<size_t>(absent)]->members().self().id;
  bench.Stop(absent);
  const Timestamp last = jump(leader);
  CHECK_FALSE(leader.TransferLeader(absent_id));
  Result<Timestamp> next = Fail(ErrorCode::kNotLeader, "");
  Bench::Until([&] {
    next = bench.Leader().tso().Generate(1);
    return next.has_value();
  });
  CHECK(*next > last);
}

TEST_CASE("leadership goes to whom it is asked for, and a member can be taken out", "[server]") {
  Bench bench(3);
  for (int i = 1; i <= 3; ++i) {
    const raft::NodeId id = bench.servers[static_cast<size_t>(i)]->members().self().id;
    Bench::Until([&] { return bench.Leader().TransferLeader(id).has_value(); });
    Bench::Until([&] { return bench.NumberOf(bench.Leader()) == i; });
  }
  PdServer& leader = bench.Leader();
  CHECK(leader.TransferLeader(12'345).error().code == ErrorCode::kNotFound);
  CHECK(leader.members().Remove(12'345).error().code == ErrorCode::kNotFound);
  const raft::NodeId gone = bench.servers[1]->members().self().id;
  REQUIRE(leader.members().Remove(gone));
  CHECK(leader.members().List().size() == 2);
  CHECK(leader.tso().Generate(1).has_value());
  CHECK(leader.members().SetLeaderPriority(leader.members().self().id, 5));
  CHECK(leader.members().LeaderPriority(leader.members().self().id) == 5);
}

TEST_CASE("the one member that is left goes on with its data, and the lost ones stay away",
          "[server]") {
  Bench bench(3);
  PdServer& leader = bench.Leader();
  const uint64_t cluster_id = leader.cluster_id();
  const auto id = leader.ids().Allocate(1);
  REQUIRE(id);
  Result<Timestamp> last = leader.tso().Generate(1);
  REQUIRE(last);
  REQUIRE(leader.meta().Put("/kept", "value", Millis(5000)));
  const int left = bench.NumberOf(leader);
  const int lost = left % 3 + 1;
  for (int i = 1; i <= 3; ++i) bench.Stop(i);

  bench.Start(left, Bench::Force::kNewCluster);
  PdServer& alone = bench.Leader();
  CHECK(alone.members().List().size() == 1);
  CHECK(alone.cluster_id() == cluster_id);
  CHECK(alone.meta().Get("/kept").value()->value == "value");
  CHECK(*alone.ids().Allocate(1) > *id);
  const auto next = alone.tso().Generate(1);
  REQUIRE(next);
  CHECK(*next > *last);
  // The flag was for once: without it the member stays what it is now.
  bench.Stop(left);
  bench.Start(left);
  CHECK(bench.Leader().members().List().size() == 1);
  CHECK(bench.removals == 0);
  bench.Start(lost);
  Bench::Until([&] { return bench.removals == 1; });
  CHECK(bench.Leader().members().List().size() == 1);
}

}  // namespace
}  // namespace pd

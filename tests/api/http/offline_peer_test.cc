// Regions with peers on stores that are offline, over a cluster of one member.
#include <string>

#include <catch2/catch.hpp>

#include "tests/api/http/cluster_fixture.h"

namespace api {
namespace {

struct Fixture : ClusterFixture {
  Fixture() : ClusterFixture(AddRegionListRoutes) {
    Bootstrap();
    for (const uint64_t id : {2U, 3U, 4U, 5U}) REQUIRE(stores().Put(pd::test::MakeStore(id)));
    Report();
  }
  pd::StoreTable& stores() { return member().cluster().stores(); }
  void Report() {
    scheduler::Region region;
    region.id = {101};
    region.epoch = {2, 2};
    region.start_key = "a";
    region.end_key = "b";
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false},
                    {{1011}, {2}, scheduler::PeerRole::kVoter, false}};
    region.leader = region.peers.front();
    REQUIRE(member().cluster().HandleRegionReport(region));
  }
  /// How many there are.
  std::string Listed() {
    const std::string answer = Ask("GET", "/regions/check/offline-peer");
    return answer.substr(0, answer.find(','));
  }
};

const std::string kNone = R"(200 {"count":0)";
const std::string kOne = R"(200 {"count":1)";

TEST_CASE("a region is listed from its first report on after a store began to leave") {
  Fixture f;
  CHECK(f.Listed() == kNone);
  REQUIRE(f.stores().Remove({3}, pd::StoreTable::Destroyed::kNo));
  f.Report();
  CHECK(f.Listed() == kNone);  // It is on others.
  REQUIRE(f.stores().Restore({3}));
  REQUIRE(f.stores().Remove({2}, pd::StoreTable::Destroyed::kNo));
  CHECK(f.Listed() == kNone);
  f.Report();
  CHECK(f.Listed() == kOne);
  f.Report();
  CHECK(f.Listed() == kOne);

  SECTION("until the store is back") {
    REQUIRE(f.stores().Restore({2}));
    CHECK(f.Listed() == kNone);
    f.Report();
    REQUIRE(f.stores().Remove({2}, pd::StoreTable::Destroyed::kNo));
    CHECK(f.Listed() == kNone);
  }
  SECTION("and anew under another leader") {
    pd::Cluster& cluster = f.member().cluster();
    cluster.OnLeaderStop();
    REQUIRE(cluster.OnLeaderStart(f.member().term()));
    CHECK(f.Listed() == kNone);
    f.Report();
    CHECK(f.Listed() == kOne);
  }
}

}  // namespace
}  // namespace api

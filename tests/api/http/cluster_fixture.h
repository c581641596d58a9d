#pragma once

#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "api/http/app.h"
#include "api/http/cluster_routes.h"
#include "tests/api/http/ask.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace api {

/// Routes over the cluster of one member that leads.
class ClusterFixture {
 public:
  explicit ClusterFixture(void (*add)(Router&, const ClusterRoutes&),
                          std::string root = "/pd/api/v1")
      : root_(std::move(root)) {
    add(router_, {member_.cluster(), [] { return true; }});
  }

  /// Store 1, and region 101 between "a" and "b".
  void Bootstrap() {
    scheduler::Store store;
    store.id = {1};
    store.address = "tikv1:20160";
    store.version = "8.5.0";
    scheduler::Region region;
    region.id = {101};
    region.epoch = {1, 1};
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false}};
    REQUIRE(member_.cluster().Bootstrap(store, region));
    region.leader = region.peers.front();
    region.epoch = {1, 2};
    region.start_key = "a";
    region.end_key = "b";
    REQUIRE(member_.cluster().HandleRegionReport(region));
  }

  /// See TextOf.
  std::string Ask(const std::string& method, const std::string& tail,
                  const std::string& body = "") {
    return TextOf(app_.Serve(MakeRequest(method, root_ + tail, body)));
  }

  pd::test::OneMember& member() { return member_; }

 private:
  const std::string root_;
  pd::test::FakeDatabase database_;
  pd::test::OneMember member_{database_};
  Router router_;
  HttpApp app_{router_, {nullptr, nullptr, nullptr}};
};

}  // namespace api

#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "api/http/app.h"
#include "api/http/cluster_routes.h"
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

  /// Status and body, without spaces and line ends.
  std::string Ask(const std::string& method, const std::string& tail,
                  const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.target = root_ + tail;
    const size_t query = std::min(request.target.find('?'), request.target.size());
    request.path = request.target.substr(0, query);
    if (query < request.target.size()) request.query = ParseQuery(request.target.substr(query + 1));
    request.body = body;
    const HttpResponse response = app_.Serve(request);
    std::string text = std::to_string(response.status) + " " + response.body;
    std::erase_if(text, [](char c) { return c == '\n'; });
    for (size_t at = 0; (at = text.find("  ")) != std::string::npos;) text.erase(at, 2);
    return text;
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

// What keeps regions on a store, as people are told, over a group of one with a coordinator.
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/http/app.h"
#include "api/http/scheduling_routes.h"
#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {
namespace {

using Json = nlohmann::json;

class Fixture {
 public:
  Fixture() {
    AddStoreBlockerRoutes(router_, {server.coordinator(), [] { return true; }});
    server.Fill();
    server.AddStore(4);
    REQUIRE(server.cluster().HandleRegionReport(pd::test::ThreeVoters()));
    REQUIRE(harness::Eventually([this] { return server.coordinator().planning(); }));
    REQUIRE(server.config().Update([](pd::OnlineConfig& config) -> pd::Result<void> {
      config.schedule.halt_scheduling = true;
      return {};
    }));
  }

  HttpResponse Ask(const std::string& store, const std::string& query = "") {
    HttpRequest request;
    request.method = "GET";
    request.path = "/qm/api/v1/store/" + store + "/blockers";
    request.target = request.path + "?" + query;
    request.query = ParseQuery(query);
    return app_.Serve(request);
  }

  pd::test::Server server;

 private:
  Router router_;
  HttpApp app_{router_, {nullptr, nullptr, nullptr}};
};

TEST_CASE("only a store that is offline has to be left") {
  Fixture f;
  CHECK(f.Ask("9").status == 404);
  CHECK(f.Ask("x").status == 400);
  CHECK(f.Ask("3", "limit=x").status == 400);
  const HttpResponse up = f.Ask("3");
  CHECK(up.status == 400);
  CHECK(up.body.find("store 3 is Up: only what is offline has to be left") != std::string::npos);
}

TEST_CASE("what blocks a store is told with what would help") {
  Fixture f;
  REQUIRE(f.server.cluster().stores().Remove({3}, pd::StoreTable::Destroyed::kNo));
  const HttpResponse ready = f.Ask("3");
  REQUIRE(ready.status == 200);
  const Json before = Json::parse(ready.body);
  CHECK(before["store_id"] == 3);
  CHECK(before["region_count"] == 1);
  CHECK(before["ready"] == 1);
  CHECK(before["blocked"] == 0);
  CHECK(before["causes"].empty());
  CHECK(before["held_up"] == Json::parse(R"([{"reason":"halted","text":"all scheduling is halted",
                                              "unblock":"turn halt-scheduling off"}])"));

  // The only store that could take the peer is not for everyone any more.
  REQUIRE(f.server.cluster().stores().Modify({4}, [](scheduler::Store& store) {
    store.labels = {{"$special", "yes"}};
  }));
  const HttpResponse blocked = f.Ask("3");
  REQUIRE(blocked.status == 200);
  const Json after = Json::parse(blocked.body);
  CHECK(after["ready"] == 0);
  CHECK(after["blocked"] == 1);
  REQUIRE(after["causes"].size() == 1);
  const Json& cause = after["causes"][0];
  CHECK(cause["state"] == "blocked");
  CHECK(cause["reason"] == "no-target");
  CHECK(cause["rule"] == "pd/default");
  CHECK(cause["text"] == "no store may take the peer for rule pd/default");
  CHECK(cause["regions"] == 1);
  CHECK(cause["unblock"][0] == "add a store");
  CHECK(cause["unblock"][1] == "lower the count of rule pd/default, which is 3");
  CHECK(cause["stores"].size() == 4);
  CHECK(cause["stores"][0] == Json::parse(R"({"store_id":4,"reason":"store-labels","regions":1,
                        "text":"store 4 does not have the labels that the rule wants"})"));
  CHECK(after["regions"][0]["region_id"] == 101);
  CHECK(after["regions"][0]["text"] == cause["text"]);
  CHECK(Json::parse(f.Ask("3", "limit=0").body)["regions"].empty());
}

}  // namespace
}  // namespace api

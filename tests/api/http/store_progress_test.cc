// The progress of stores, over a cluster of one member.
#include <string>

#include <catch2/catch.hpp>

#include "tests/api/http/cluster_fixture.h"

namespace api {
namespace {

struct Fixture : ClusterFixture {
  Fixture() : ClusterFixture(AddStoreProgressRoutes) {}

  pd::StoreProgress& progress() { return member().cluster().stores().progress(); }
};

const std::string kProgress = "/stores/progress";

TEST_CASE("no progress without a cluster") {
  Fixture f;
  CHECK(
      f.Ask("GET", kProgress + "?id=1") ==
      R"(500 "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first")");
}

TEST_CASE("progress is told by store and by action") {
  Fixture f;
  f.Bootstrap();
  CHECK(f.Ask("GET", kProgress) == R"(400 "need query parameters")");
  CHECK(f.Ask("GET", kProgress + "?id=&action=") == R"(400 "need query parameters")");
  CHECK(f.Ask("GET", kProgress + "?id=1") ==
        R"(404 "[PD:progress:ErrProgressNotFound]no progress found for the given store ID: 1")");
  CHECK(f.Ask("GET", kProgress + "?action=removing") ==
        R"(404 "[PD:progress:ErrProgressNotFound]no progress found for the action: removing")");
  CHECK(f.Ask("GET", kProgress + "?action=bogus") ==
        R"(404 "[PD:progress:ErrProgressNotFound]no progress found for the action: bogus")");
  CHECK(f.Ask("GET", kProgress + "?id=x").starts_with("400 {"));

  // Whoever does not move never ends: the largest number that JSON carries.
  f.progress().NotePreparing({1}, 25, 100);
  CHECK(f.Ask("GET", kProgress + "?id=1") ==
        R"(200 {"action": "preparing","store_id": 1,"progress": 0.25,"current_speed": 0,)"
        R"("left_seconds": 1.7976931348623157e+308})");
  f.progress().NoteRemoving({2}, 100);
  f.progress().Complete({2}, pd::StoreProgress::Action::kRemoving);
  CHECK(f.Ask("GET", kProgress + "?id=2") ==
        R"(200 {"action": "removing","store_id": 2,"progress": 1,"current_speed": 0,)"
        R"("left_seconds": 0})");
  f.progress().NoteRemoving({3}, 100);
  f.progress().NoteRemoving({3}, 50);
  CHECK(f.Ask("GET", kProgress + "?action=removing")
            .starts_with(R"(200 {"action": "removing","progress": 0.75,"current_speed": )"));
  CHECK(f.Ask("GET", kProgress + "?action=preparing")
            .starts_with(R"(200 {"action": "preparing","progress": 0.25,)"));
}

}  // namespace
}  // namespace api

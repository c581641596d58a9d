// The routes of affinity groups, over a cluster of one member.
#include <string>

#include <catch2/catch.hpp>

#include "tests/api/http/cluster_fixture.h"

namespace api {
namespace {

const std::string kGroups = "/affinity-groups";
const std::string kCreate =
    R"({"affinity_groups":{"g":{"ranges":[{"start_key":"YQ==","end_key":"Yg=="}]}}})";

struct Fixture : ClusterFixture {
  Fixture() : ClusterFixture(AddAffinityRoutes, "/pd/api/v2") {}

  /// Without the time of creation.
  std::string Shown(const std::string& method, const std::string& tail,
                    const std::string& body = "") {
    std::string text = Ask(method, tail, body);
    const std::string name = "\"create_timestamp\": ";
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
      text.erase(at, text.find(',', at) + 1 - at);
    }
    return text;
  }
  static std::string State(const std::string& stores, const std::string& phase, int ranges) {
    return R"({"id": "g",)" + stores + R"("phase": ")" + phase + R"(","range_count": )" +
           std::to_string(ranges) + R"(,"region_count": 0,"affinity_region_count": 0})";
  }
  static std::string All(const std::string& state) {
    return R"(200 {"affinity_groups": {"g": )" + state + "}}";
  }
};

TEST_CASE("no affinity groups without a cluster") {
  Fixture f;
  const std::string none =
      R"(500 "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first")";
  CHECK(f.Ask("GET", kGroups) == none);
  CHECK(f.Ask("POST", kGroups, kCreate) == none);
  CHECK(f.Ask("PUT", kGroups + "/g", "{}") == none);
}

TEST_CASE("affinity groups are made, changed and deleted") {
  Fixture f;
  f.Bootstrap();
  CHECK(f.Ask("GET", kGroups) == R"(200 {"affinity_groups": {}})");
  CHECK(f.Shown("POST", kGroups, kCreate) == f.All(f.State("", "pending", 1)));
  CHECK(f.Ask("POST", kGroups, kCreate).starts_with("409 "));
  CHECK(f.Shown("POST", kGroups + "?skip_exist_check=true", kCreate) ==
        f.All(f.State("", "pending", 1)));
  const std::string stores = R"("leader_store_id": 1,"voter_store_ids": [1],)";
  CHECK(f.Shown("PUT", kGroups + "/g", R"({"leader_store_id":1,"voter_store_ids":[1]})") ==
        "200 " + f.State(stores, "preparing", 1));
  CHECK(f.Shown("GET", kGroups + "/g") == "200 " + f.State(stores, "preparing", 1));
  CHECK(f.Shown("GET", kGroups + "?ids=g&ids=g") == f.All(f.State(stores, "preparing", 1)));
  const std::string range = R"([{"id":"g","ranges":[{"start_key":"Yg==","end_key":"Yw=="}]}])";
  CHECK(f.Shown("PATCH", kGroups, R"({"add":)" + range + "}") ==
        f.All(f.State(stores, "preparing", 2)));
  CHECK(f.Shown("PATCH", kGroups, R"({"remove":)" + range + "}") ==
        f.All(f.State(stores, "preparing", 1)));
  CHECK(f.Ask("DELETE", kGroups + "/g").starts_with("400 "));
  CHECK(f.Ask("DELETE", kGroups + "/g?force=1") == R"(200 "Affinity group deleted successfully.")");
  CHECK(f.Ask("DELETE", kGroups + "/g?force=1") == R"(200 "Affinity group deleted successfully.")");
  CHECK(f.Ask("DELETE", kGroups + "/g").starts_with("404 "));
}

TEST_CASE("affinity groups are deleted together") {
  Fixture f;
  f.Bootstrap();
  REQUIRE(f.Ask("POST", kGroups, kCreate).starts_with("200 "));
  CHECK(f.Ask("POST", kGroups + "?delete", R"({"ids":["g"]})").starts_with("400 "));
  CHECK(f.Ask("POST", kGroups + "?delete", R"({"ids":["g","h"],"force":true})") ==
        R"(200 {"deleted": ["g","h"]})");
  CHECK(f.Ask("POST", kGroups + "?delete", R"({"ids":["h"]})").starts_with("404 "));
  CHECK(f.Ask("POST", kGroups + "?delete", "{}") ==
        R"(400 "[PD:affinity:ErrEmptyRequest]no group ids provided")");
  CHECK(f.Ask("GET", kGroups) == R"(200 {"affinity_groups": {}})");
}

TEST_CASE("what is wrong with a request for affinity groups is said") {
  Fixture f;
  f.Bootstrap();
  REQUIRE(f.Ask("POST", kGroups, kCreate).starts_with("200 "));
  CHECK(f.Ask("POST", kGroups) == R"(400 "[PD:gin:ErrBindJSON]EOF: EOF")");
  CHECK(f.Ask("PATCH", kGroups, "[]")
            .starts_with(
                R"(400 "[PD:gin:ErrBindJSON]json: cannot unmarshal array into Go value of type )"));
  CHECK(f.Ask("POST", kGroups, R"({"affinity_groups":{"h":{"ranges":[{"start_key":"a*"}]}}})") ==
        R"(400 "[PD:gin:ErrBindJSON]illegal base64 data at input byte 1: )"
        R"(illegal base64 data at input byte 1")");
  CHECK(f.Ask("POST", kGroups + "?skip_exist_check=x", kCreate) ==
        R"(400 "[PD:common:ErrInvalidArgument]invalid argument for skip_exist_check: )"
        R"(strconv.ParseBool: parsing \"x\": invalid syntax")");
  CHECK(f.Ask("DELETE", kGroups + "/g?force=x")
            .starts_with(R"(400 "[PD:gin:ErrBindJSON]strconv.ParseBool: parsing \"x\": )"));
  CHECK(f.Ask("GET", kGroups + "?ids=none") ==
        R"(400 "[PD:affinity:ErrAffinityGroupNotFound]affinity group none not found")");
  CHECK(
      f.Ask("GET", kGroups + "?ids=a%20b").starts_with(R"(400 "[PD:affinity:ErrInvalidGroupID])"));
  CHECK(f.Ask("GET", kGroups + "/a%20b").starts_with(R"(400 "[PD:affinity:ErrInvalidGroupID])"));
  CHECK(f.Ask("GET", kGroups + "/none").starts_with("404 "));
  CHECK(f.Ask("PUT", kGroups + "/g", "{}")
            .ends_with(R"(leader_store_id and voter_store_ids are required")"));
  CHECK(f.Ask("DELETE", kGroups + "/a%20b").starts_with("400 "));
}

}  // namespace
}  // namespace api

// The routes of region labels, over a cluster of one member.
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/api/http/cluster_fixture.h"

namespace api {
namespace {

struct Fixture : ClusterFixture {
  Fixture() : ClusterFixture(AddRegionLabelRoutes) {}
};

const std::string kRule = "/config/region-label/rule";
const std::string kRules = "/config/region-label/rules";
const std::string kDeny =
    R"({"id":"x/y","labels":[{"key":"schedule","value":"deny"}],"rule_type":"key-range",)"
    R"("data":[{"start_key":"61","end_key":"7A"}]})";
const std::string kDenyShown =
    R"({"id": "x/y","index": 0,"labels": [{"key": "schedule","value": "deny"}],)"
    R"("rule_type": "key-range","data": [{"start_key": "61","end_key": "7A"}]})";

TEST_CASE("no labels without a cluster") {
  Fixture f;
  const std::string none =
      R"(500 "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first")";
  CHECK(f.Ask("GET", kRules) == none);
  CHECK(f.Ask("POST", kRule, kDeny) == none);
  CHECK(f.Ask("GET", "/region/id/101/labels") == none);
}

TEST_CASE("rules are set, shown, patched and deleted") {
  Fixture f;
  f.Bootstrap();
  CHECK(f.Ask("POST", kRule, kDeny) == R"(200 "Update region label rule successfully.")");
  CHECK(f.Ask("GET", kRule + "/x%2Fy") == "200 " + kDenyShown);
  CHECK(f.Ask("GET", kRules + "/ids", R"(["x/y","none"])") == "200 [" + kDenyShown + "]");
  CHECK(f.Ask("GET", kRules + "/ids", R"(["x/y","x/y","x/y"])") == "200 [" + kDenyShown + "]");
  CHECK(f.Ask("GET", kRules + "/ids", "null") == "200 []");
  CHECK(f.Ask("GET", "/region/id/101/labels") == R"(200 [{"key": "schedule","value": "deny"}])");
  CHECK(f.Ask("GET", "/region/id/101/label/schedule") == R"(200 "deny")");
  CHECK(f.Ask("GET", "/region/id/101/label/other") == R"(200 "")");
  CHECK(f.Ask("PATCH", kRules, R"({"deletes":["x/y","keyspaces/0"]})") ==
        R"(200 "Update region label rules successfully.")");
  CHECK(f.Ask("GET", kRules) == "200 []");
  CHECK(f.Ask("PATCH", kRules, R"({"deletes":["x/y"],"sets":[)" + kDeny + "]}") ==
        R"(200 "Update region label rules successfully.")");
  CHECK(f.Ask("GET", kRules) == "200 [" + kDenyShown + "]");
  CHECK(f.Ask("DELETE", kRule + "/x%2Fy") == "200 Delete rule successfully.");
  CHECK(f.Ask("GET", "/region/id/101/labels") == "200 []");
}

TEST_CASE("rules that would be too many are refused, and none of them is kept") {
  Fixture f;
  f.Bootstrap();
  const std::string labels =
      R"("labels":[{"key":"k","value":"v"}],"rule_type":"key-range","data":[)";
  std::string sets = R"({"id":"cut",)" + labels;
  for (int i = 0; i < 1000; ++i) {
    sets += fmt::format(R"({}{{"start_key":"{:06x}","end_key":"{:06x}"}})", i == 0 ? "" : ",",
                        2 * i, 2 * i + 1);
  }
  sets += "]}";
  for (int i = 0; i < 600; ++i) {
    sets += fmt::format(R"(,{{"id":"r{}",{}{{"start_key":"","end_key":""}}]}})", i, labels);
  }
  CHECK(f.Ask("PATCH", kRules, R"({"sets":[)" + sets + "]}") ==
        R"(400 "the region label rules would have key ranges that overlap in too many places")");
  CHECK(f.Ask("GET", kRule + "/cut") == "404 null");
}

TEST_CASE("what is wrong with a request is said, and changes nothing") {
  Fixture f;
  f.Bootstrap();
  CHECK(f.Ask("DELETE", kRule + "/x") ==
        R"(404 "[PD:region:ErrRegionRuleNotFound]region label rule not found for id x")");
  CHECK(f.Ask("GET", kRule + "/x") == "404 null");
  CHECK(f.Ask("GET", "/region/id/7/labels") == "404 null");
  CHECK(f.Ask("GET", "/region/id/x/label/k").starts_with("400 \"strconv.ParseUint"));
  CHECK(f.Ask("POST", kRule, "x").starts_with(R"(400 {"code": "input")"));
  CHECK(f.Ask("POST", kRule, R"({"id":1})").starts_with(R"(400 {"code": "input","msg": "json: )"));
  CHECK(f.Ask("POST", kRule, R"({"index":18446744073709551615})")
            .starts_with(R"(400 {"code": "input","msg": "json: )"));
  CHECK(f.Ask("POST", kRule, "[]").starts_with(R"(400 {"code": "input")"));
  CHECK(f.Ask("GET", kRules + "/ids", "{}").starts_with(R"(400 {"code": "input")"));
  CHECK(f.Ask("GET", kRules + "/ids", "[1]").starts_with(R"(400 {"code": "input")"));
  CHECK(f.Ask("PATCH", kRules, R"({"sets":1})").starts_with(R"(400 {"code": "input")"));
  CHECK(f.Ask("PATCH", kRules, R"({"deletes":[1]})").starts_with(R"(400 {"code": "input")"));
  CHECK(f.Ask("POST", kRule, "{}") ==
        R"(400 "[PD:region:ErrRegionRuleContent]invalid region rule content, empty rule id")");
  // One bad rule, and the whole patch is refused.
  CHECK(
      f.Ask("PATCH", kRules, R"({"sets":[)" + kDeny + R"(,{"id":"z"}],"deletes":["keyspaces/0"]})")
          .ends_with("no region labels\""));
  CHECK(f.Ask("GET", kRules + "/ids", R"(["x/y"])") == "200 []");
  CHECK(f.Ask("GET", kRule + "/keyspaces%2F0").starts_with("200 "));
}

}  // namespace
}  // namespace api

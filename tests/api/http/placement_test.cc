// The routes of placement rules beyond what the recorded answers show, over a cluster of one member.
#include <string>

#include <catch2/catch.hpp>

#include "tests/api/http/cluster_fixture.h"

namespace api {
namespace {

const std::string kConfig = "/config";
const std::string kBundles = "/config/placement-rule";

struct Fixture : ClusterFixture {
  Fixture() : ClusterFixture(AddPlacementRoutes) { Bootstrap(); }
  /// "g/a=1 pd/default=3", in the order in which they apply.
  std::string Rules() {
    std::string names;
    for (const scheduler::Rule& rule : member().cluster().rules().book()->rules()) {
      if (!names.empty()) names += ' ';
      names += rule.group_id + "/" + rule.id + "=" + std::to_string(rule.count);
    }
    return names;
  }
};

std::string Voters(const std::string& id, int count) {
  return R"({"id":")" + id + R"(","role":"voter","count":)" + std::to_string(count) + "}";
}

std::string Bundle(const std::string& group, const std::string& rules) {
  return R"({"group_id":")" + group + R"(","rules":[)" + rules + "]}";
}

TEST_CASE("a bundle is a group with all its rules") {
  Fixture f;
  CHECK(f.Ask("POST", kBundles + "/g",
              R"({"group_index":5,"group_override":true,"rules":[)" + Voters("a", 1) + "," +
                  Voters("b", 2) + "]}") == R"(200 "Update group and rules successfully.")");
  CHECK(f.Rules() == "pd/default=3 g/a=1 g/b=2");
  CHECK(f.member().cluster().rules().set()->GroupOf("g") == scheduler::RuleGroup{"g", 5, true});
  CHECK(f.Ask("POST", kBundles + "/g", Bundle("", Voters("b", 3))) ==
        R"(200 "Update group and rules successfully.")");
  CHECK(f.Rules() == "g/b=3 pd/default=3");
  CHECK(f.Ask("POST", kBundles + "/g", Bundle("h", "")) ==
        R"(400 "group id h does not match request URI g")");
  CHECK(
      f.Ask("POST", kBundles + "/g",
            Bundle("g", R"({"group_id":"h","id":"a","role":"voter","count":1})")) ==
      R"(400 "[PD:placement:ErrRuleContent]invalid rule content, rule group h does not match group ID g")");
  CHECK(f.Ask("GET", kBundles + "/none") ==
        R"(200 {"group_id": "none","group_index": 0,"group_override": false,"rules": null})");
  CHECK(f.Rules() == "g/b=3 pd/default=3");
}

TEST_CASE("all bundles are replaced, or some are put beside the others") {
  Fixture f;
  CHECK(f.Ask("POST", kBundles + "?partial=false", "[" + Bundle("g", Voters("a", 1)) + "]")
            .starts_with("200"));
  CHECK(f.Rules() == "g/a=1 pd/default=3");
  CHECK(f.Ask("POST", kBundles, "[" + Bundle("h", Voters("a", 5)) + "]") ==
        R"(200 "Update rules and groups successfully.")");
  CHECK(f.Rules() == "h/a=5");
  CHECK(f.Ask("POST", kBundles, "[]") ==
        R"(500 "[PD:placement:ErrBuildRuleList]build rule list failed, no rule left")");
  CHECK(f.Ask("POST", kBundles, R"([{"group_id":"g","rules":[{"count":"x"}]}])")
            .find(R"("Field": "rules.count")") != std::string::npos);
  CHECK(f.Rules() == "h/a=5");
}

TEST_CASE("groups are deleted by name or by expression") {
  Fixture f;
  for (const char* group : {"table-1", "table-2", "other"}) {
    CHECK(f.Ask("POST", kBundles + "/" + group, Bundle("", Voters("a", 1))).starts_with("200"));
  }
  CHECK(f.Ask("DELETE", kBundles + "/table-") == R"(200 "Delete group and rules successfully.")");
  CHECK(f.Rules() == "other/a=1 pd/default=3 table-1/a=1 table-2/a=1");
  CHECK(f.Ask("DELETE", kBundles + "/(?regexp").starts_with(R"(500 "error parsing regexp: )"));
  CHECK(f.Ask("DELETE", kBundles + "/%5Etable-%5B0-9%5D$?regexp").starts_with("200"));
  CHECK(f.Rules() == "other/a=1 pd/default=3");
  CHECK(f.Ask("DELETE", kBundles + "/other").starts_with("200"));
  CHECK(f.Rules() == "pd/default=3");
}

TEST_CASE("names that are no text are refused, and nothing is lost") {
  Fixture f;
  CHECK(f.Ask("POST", kBundles + "/%FF", Bundle("", Voters("a", 1))).starts_with("400"));
  CHECK(f.Rules() == "pd/default=3");
}

TEST_CASE("turned off, the routes say so") {
  Fixture f;
  REQUIRE(f.member().config().Update([](pd::OnlineConfig& online) -> pd::Result<void> {
    online.replication.enable_placement_rules = false;
    return {};
  }));
  const std::string off =
      R"(412 "[PD:placement:ErrPlacementDisabled]placement rules feature is disabled")";
  CHECK(f.Ask("GET", kConfig + "/rules") == off);
  CHECK(f.Ask("POST", kConfig + "/rule", "{}") == off);
  CHECK(f.Ask("GET", kConfig + "/rules/region/101") == off);
  CHECK(f.Ask("DELETE", kBundles + "/pd") == off);
}

TEST_CASE("rules of another leader are not told") {
  Fixture f;
  f.member().cluster().OnLeaderStop();
  CHECK(f.Ask("GET", kConfig + "/rules").starts_with("500"));
  CHECK(f.Ask("POST", kConfig + "/rule", Voters("a", 1)).starts_with("500"));
}

}  // namespace
}  // namespace api

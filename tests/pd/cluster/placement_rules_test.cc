#include "pd/cluster/placement_rules.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/pd/cluster/one_member.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using harness::Eventually;
using scheduler::Rule;
using scheduler::RuleRole;
using test::FirstRegion;
using test::FirstStore;
using test::OneMember;

using Editor = PlacementRules::Editor;

constexpr const char* kFirstPath = "/pd/7/rules/7064-64656661756c74";

Rule Voters(const std::string& group, const std::string& id, uint64_t count) {
  Rule rule;
  rule.group_id = group;
  rule.id = id;
  rule.count = count;
  return rule;
}

struct Running {
  explicit Running(test::FakeDatabase& database) : server(database) {
    if (!server.cluster().running()) {
      REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    }
  }
  PlacementRules& rules() { return server.cluster().rules(); }
  Result<void> Set(const Rule& rule) {
    return rules().Change([&](Editor& editor) { editor.Set(rule); });
  }
  std::string Stored(const std::string& key) {
    const auto found = server.meta().Get(key).value();
    return found ? found->value : std::string();
  }
  Result<void> SetReplicas(uint64_t count) {
    return server.config().Update([&](OnlineConfig& online) -> Result<void> {
      online.replication.max_replicas = count;
      return {};
    });
  }
  OneMember server;
};

std::string Names(const PlacementRules::Book& book) {
  std::string names;
  for (const Rule& rule : book->rules()) {
    names += rule.group_id + "/" + rule.id + "=" + std::to_string(rule.count) + " ";
  }
  return names;
}

TEST_CASE("a cluster begins with the rule that its settings stand for", "[placement]") {
  test::FakeDatabase database;
  {
    Running running(database);
    CHECK(Names(running.rules().book()) == "pd/default=3 ");
    CHECK(Eventually([&] { return !running.Stored(kFirstPath).empty(); }));
    CHECK(running.Stored(kFirstPath) ==
          R"({"group_id":"pd","id":"default","start_key":"","end_key":"","role":"voter",)"
          R"("is_witness":false,"count":3})");
    running.server.cluster().OnLeaderStop();
    CHECK(running.rules().book()->rules().empty());
    CHECK(running.Set(Voters("g", "a", 1)).error().code == ErrorCode::kNotLeader);
  }
  Running running(database);
  CHECK(Names(running.rules().book()) == "pd/default=3 ");
}

TEST_CASE("rules and groups last", "[placement]") {
  test::FakeDatabase database;
  {
    Running running(database);
    REQUIRE(running.rules().Change([](Editor& editor) {
      editor.Set(Voters("g", "a-b", 1));
      editor.Set(Voters("g", "gone", 1));
      editor.SetGroup({"g", 5, true});
      editor.SetGroup({"", 1, false});
      editor.SetGroup({"usual", 0, false});
    }));
    const Rule made = running.rules().set()->rules.at({"g", "a-b"});
    CHECK(made.version == 0);
    CHECK(made.create_timestamp > 1'700'000'000);
    Rule changed = made;
    changed.count = 2;
    REQUIRE(running.Set(changed));
    REQUIRE(running.Set(changed));  // No other than before.
    REQUIRE(running.rules().Change([](Editor& editor) {
      editor.DeleteIf([](const scheduler::RuleKey& key) { return key.id == "gone"; });
    }));
    CHECK(running.Stored("/pd/7/rules/67-612d62") != "");
    CHECK(running.Stored("/pd/7/rule_group/g") == R"({"id":"g","index":5,"override":true})");
    CHECK(running.Stored("/pd/7/rule_group/usual").empty());
  }
  Running running(database);
  const auto set = running.rules().set();
  CHECK(set->rules.size() == 2);
  CHECK(set->rules.at({"g", "a-b"}).version == 1);
  CHECK(set->groups.size() == 2);
  CHECK(running.rules().book()->RulesAt("k").size() == 1);  // The group overrides the first rule.
  REQUIRE(running.rules().Change([](Editor& editor) {
    editor.DeleteGroup("g");
    editor.Delete({"g", "a-b"});
    editor.Delete({"not", "there"});
  }));
  CHECK(running.Stored("/pd/7/rule_group/g").empty());
  CHECK(running.Stored("/pd/7/rules/67-612d62").empty());
}

TEST_CASE("rules that do not go together change nothing", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  const auto refused = running.rules().Change([](Editor& editor) {
    editor.Set(Voters("g", "fine", 1));
    for (const char* id : {"one", "two"}) {
      Rule leader = Voters("g", id, 1);
      leader.role = RuleRole::kLeader;
      editor.Set(leader);
    }
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().context ==
        "[PD:placement:ErrBuildRuleList]build rule list failed, multiple leader replicas for range "
        "{, }: g/one, g/two");
  CHECK(running.rules().set()->rules.size() == 1);
  CHECK(running.server.meta().GetPrefix("/pd/7/rules/67-").value().empty());
  const auto many = running.Set(Voters("g", "many", 5000));
  REQUIRE_FALSE(many);
  CHECK(many.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("the first rule and the settings follow each other", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  const auto replicas = [&] { return running.server.config().lasting()->replication.max_replicas; };
  REQUIRE(running.SetReplicas(5));
  CHECK(Names(running.rules().book()) == "pd/default=5 ");
  CHECK(running.rules().set()->rules.at({"pd", "default"}).version == 1);
  REQUIRE(running.Set(Voters("pd", "default", 7)));
  CHECK(replicas() == 7);
  // Other labels than the settings have: the count follows all the same.
  Rule spread = Voters("pd", "default", 4);
  spread.location_labels = {"zone"};
  REQUIRE(running.Set(spread));
  CHECK(replicas() == 4);
  CHECK(running.SetReplicas(3).error().context.starts_with("cannot to update replication config"));
  REQUIRE(running.Set(Voters("pd", "default", 3)));
  CHECK(replicas() == 3);
  REQUIRE(running.Set(Voters("g", "a", 1)));
  const auto refused = running.SetReplicas(5);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().context.find("not only default rule exists") != std::string::npos);
  CHECK(replicas() == 3);
}

TEST_CASE("the setting follows the first rule, later if need be", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  REQUIRE(Eventually([&] { return !running.Stored(kFirstPath).empty(); }));
  running.server.fail_config = true;
  REQUIRE(running.Set(Voters("pd", "default", 5)));
  CHECK(running.server.config().lasting()->replication.max_replicas == 3);
  running.server.fail_config = false;
  CHECK(
      Eventually([&] { return running.server.config().lasting()->replication.max_replicas == 5; }));
}

TEST_CASE("rules can be turned off, and on again", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  const auto turn = [&](bool on) {
    return running.server.config().Update([&](OnlineConfig& online) -> Result<void> {
      online.replication.enable_placement_rules = on;
      return {};
    });
  };
  REQUIRE(turn(false));
  CHECK_FALSE(running.rules().enabled());
  REQUIRE(running.SetReplicas(5));
  CHECK(running.rules().set()->rules.at({"pd", "default"}).count == 3);
  REQUIRE(turn(true));
  CHECK(Names(running.rules().book()) == "pd/default=5 ");
  scheduler::Store flash = FirstStore();
  flash.id = scheduler::StoreId{2};
  flash.address = "tiflash:3930";
  flash.labels = {{"engine", "tiflash"}};
  REQUIRE(running.server.cluster().stores().Put(flash));
  CHECK(turn(false).error().context == "cannot disable placement rules with TiFlash nodes");
  CHECK(running.rules().enabled());
}

TEST_CASE("stored rules that make no sense put none in force, and can be mended", "[placement]") {
  test::FakeDatabase database;
  {
    Running running(database);
    REQUIRE(running.Set(Voters("g", "a", 1)));
    std::string key;
    SECTION("a rule that is no rule") { key = "/pd/7/rules/67-62"; }
    SECTION("one under another's name") { key = "/pd/7/rules/68-61"; }
    SECTION("a group that is no group") { key = "/pd/7/rule_group/b"; }
    const std::string text =
        key.ends_with("68-61") ? running.Stored("/pd/7/rules/67-61") : std::string("{");
    REQUIRE(running.server.meta().Put(key, text, 3s));
  }
  Running running(database);
  CHECK(running.rules().set()->rules.size() == 2);
  CHECK(running.rules().book()->rules().empty());
  REQUIRE(running.Set(Voters("g", "a", 2)));  // They can be changed, and stay out of force.
  CHECK(running.rules().book()->rules().empty());
  REQUIRE(running.rules().Change([](Editor& editor) {
    editor.Delete({"g", "b"});
    editor.Delete({"h", "a"});
    editor.DeleteGroupIf([](const std::string& id) { return id == "b"; });
  }));
  CHECK(Names(running.rules().book()) == "g/a=2 pd/default=3 ");
  CHECK(running.server.meta().GetPrefix("/pd/7/rules/").value().size() == 2);
  CHECK(running.server.meta().GetPrefix("/pd/7/rule_group/").value().empty());
}

TEST_CASE("stored rules can be deleted wherever they are", "[placement]") {
  test::FakeDatabase database;
  const std::string text =
      R"({"group_id":"k","id":"a","start_key":"","end_key":"","role":"voter","count":1})";
  const char* name = "";
  scheduler::RuleKey key{"k", "a"};
  SECTION("digits of another case") { name = "6B-61"; }
  SECTION("no digits") { name = "k-a"; }
  SECTION("no two names") {
    name = "plain";
    key = {"plain", ""};
  }
  {
    Running running(database);
    REQUIRE(running.server.meta().Put(std::string("/pd/7/rules/") + name, text, 3s));
    REQUIRE(running.Set(Voters("g", "a", 1)));
  }
  {
    Running running(database);
    CHECK(running.rules().book()->rules().empty());
    REQUIRE(running.rules().Change([&](Editor& editor) { editor.Delete(key); }));
    CHECK(Names(running.rules().book()) == "g/a=1 pd/default=3 ");
  }
  Running running(database);
  CHECK(Names(running.rules().book()) == "g/a=1 pd/default=3 ");
}

TEST_CASE("names that are no text are refused", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  for (const char* bad : {"\xff", "a\xc3"}) {
    const auto rule = running.Set(Voters(bad, "a", 1));
    REQUIRE_FALSE(rule);
    CHECK(rule.error().code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(running.Set(Voters("g", bad, 1)));
    Rule labelled = Voters("g", "a", 1);
    labelled.location_labels = {bad};
    CHECK_FALSE(running.Set(labelled));
    CHECK_FALSE(running.rules().Change([&](Editor& editor) { editor.SetGroup({bad, 1, false}); }));
  }
  CHECK(Names(running.rules().book()) == "pd/default=3 ");
}

TEST_CASE("a change whose write was given up is seen, though nothing else happens", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  REQUIRE(Eventually([&] { return !running.Stored(kFirstPath).empty(); }));
  test::StalledDisk disk(database);
  CHECK_FALSE(running.Set(Voters("g", "late", 1)));
  disk.Release();
  CHECK(Eventually([&] { return Names(running.rules().book()) == "g/late=1 pd/default=3 "; }));
}

TEST_CASE("a change whose write was given up is seen by the next one", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  REQUIRE(Eventually([&] { return !running.Stored(kFirstPath).empty(); }));
  test::StalledDisk disk(database);
  CHECK_FALSE(running.Set(Voters("g", "late", 1)));
  disk.Release();
  REQUIRE(running.Set(Voters("g", "next", 2)));
  CHECK(Names(running.rules().book()) == "g/late=1 g/next=2 pd/default=3 ");
}

TEST_CASE("how many peers a region is to have is a matter of its rules", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  const scheduler::Region whole = FirstRegion();
  CHECK(running.rules().PeersWanted(whole) == 3);
  Rule learners = Voters("tiflash", "l", 2);
  learners.role = RuleRole::kLearner;
  REQUIRE(running.Set(learners));
  CHECK(running.rules().PeersWanted(whole) == 5);
  learners.range = {"k", ""};
  learners.start_hex = "6b";
  REQUIRE(running.Set(learners));
  CHECK(running.rules().PeersWanted(whole) == 3);  // It is to be split first.
  CHECK(running.rules().PeersWanted(test::Reported(9, "k", "", 1)) == 5);
  REQUIRE(running.server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.replication.enable_placement_rules = false;
    return {};
  }));
  CHECK(running.rules().PeersWanted(test::Reported(9, "k", "", 1)) == 3);
}

TEST_CASE("a rule is held against the cluster as it is", "[placement]") {
  test::FakeDatabase database;
  Running running(database);
  RuleDraft draft;
  draft.group_id = "g";
  draft.id = "a";
  draft.role = "voter";
  draft.count = 1;
  const auto made = [&] { return MakeRule(draft, running.rules().Checks()); };
  CHECK(made());
  draft.constraints = {{"zone", "in", {"z9"}}};
  CHECK(made().error().context.find("can not match any store") != std::string::npos);
  draft.constraints.clear();
  draft.start_hex = "61";
  CHECK(made().error().context.find("table mode") != std::string::npos);
}

}  // namespace
}  // namespace pd

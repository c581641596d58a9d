// The routes of region labels, over a cluster of one member.
#include <memory>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "api/http/app.h"
#include "api/http/cluster_routes.h"
#include "tests/harness/wait.h"
#include "tests/pd/storage/fake_database.h"

namespace api {
namespace {

class NoTransport final : public pd::Transport {
 public:
  bool Send(raft::NodeId, std::string) override { return false; }
  bool SendSnapshotChunk(raft::NodeId, std::string) override { return false; }
  void SetPeers(std::vector<Peer>) override {}
};

class Fixture {
 public:
  Fixture() {
    REQUIRE(pd::RaftGroup::Bootstrap(database_, {{1, "", {"p"}, {}, false}}).has_value());
    pd::GroupOptions options;
    options.id = 1;
    group_ = pd::RaftGroup::Open(options, database_, transport_, clock_).value();
    meta_ = pd::MetaStore::Create(*group_, database_, clock_);
    cluster_ = std::make_unique<pd::Cluster>(pd::Cluster::Deps{
        *meta_, config_, ids_, clock_, [] { return uint64_t{7}; }, [](const std::string&) {}});
    group_->AddListener(cluster_->listener());
    REQUIRE(cluster_->Start());
    group_->Start();
    meta_->Start();
    REQUIRE(harness::Eventually([this] { return group_->LeaseValid(); }));
    REQUIRE(cluster_->OnLeaderStart(group_->status().term));
    AddRegionLabelRoutes(router_, {*cluster_, [] { return true; }});
  }
  ~Fixture() {
    cluster_->OnLeaderStop();
    meta_->Stop();
    group_->Stop();
    cluster_->Stop();
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void Bootstrap() {
    scheduler::Store store;
    store.id = {1};
    store.address = "tikv1:20160";
    store.version = "8.5.0";
    scheduler::Region region;
    region.id = {101};
    region.epoch = {1, 1};
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false}};
    REQUIRE(cluster_->Bootstrap(store, region));
    region.leader = region.peers.front();
    region.epoch = {1, 2};
    region.start_key = "a";
    region.end_key = "b";
    REQUIRE(cluster_->HandleRegionReport(region));
  }

  /// Status and body, without spaces and line ends.
  std::string Ask(const std::string& method, const std::string& tail,
                  const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.target = request.path = "/pd/api/v1" + tail;
    request.body = body;
    const HttpResponse response = app_.Serve(request);
    std::string text = std::to_string(response.status) + " " + response.body;
    std::erase_if(text, [](char c) { return c == '\n'; });
    for (size_t at = 0; (at = text.find("  ")) != std::string::npos;) text.erase(at, 2);
    return text;
  }

 private:
  pd::SystemClock clock_;
  pd::test::FakeDatabase database_;
  NoTransport transport_;
  pd::ConfigStore config_{pd::Config{}, [](const pd::OnlineConfig&) { return pd::Result<void>(); }};
  pd::IdAllocator ids_{[](uint64_t count) -> pd::Result<pd::IdAllocator::Window> {
    return pd::IdAllocator::Window{1, 1 + count};
  }};
  std::unique_ptr<pd::RaftGroup> group_;
  std::unique_ptr<pd::MetaStore> meta_;
  std::unique_ptr<pd::Cluster> cluster_;
  Router router_;
  HttpApp app_{router_, {nullptr, nullptr, nullptr}};
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

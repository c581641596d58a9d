#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/cmd/pdctl/client.h"
#include "api/cmd/pdctl/json_text.h"
#include "api/cmd/pdctl/program.h"
#include "tests/api/pdctl/fake_server.h"

namespace api::pdctl {
namespace {

struct Outcome {
  int exit = 0;
  std::string out;
  std::string err;
};

Outcome RunWith(const std::string& addresses, const std::vector<std::string>& words,
                const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  std::vector<std::string> all = {"-u", addresses};
  all.insert(all.end(), words.begin(), words.end());
  const int exit = RunProgram(all, {.pd_address = "",
                                    .ca_path = "",
                                    .certificate_path = "",
                                    .key_path = "",
                                    .in = in,
                                    .out = out,
                                    .err = err});
  return {exit, out.str(), err.str()};
}

using Words = std::vector<std::string>;

/// One command: what the server answers, what it must be asked, what must be printed.
struct Case {
  Words words;
  std::vector<std::pair<std::string, FakeServer::Reply>> replies;
  std::vector<std::string> calls;
  std::string out;
  std::string err = {};
  int exit = 0;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    FakeServer server;
    for (const auto& [call, reply] : c.replies) server.Answer(call, reply);
    const Outcome outcome = RunWith(server.Address(), c.words);
    std::string line;
    for (const std::string& word : c.words) line += word + " ";
    INFO(line);
    CHECK(outcome.out == c.out);
    CHECK(outcome.err == c.err);
    CHECK(outcome.exit == c.exit);
    CHECK(server.TakeCalls() == c.calls);
  }
}

TEST_CASE("files for TLS are looked at when a server wants it") {
  const Words member = {"member", "--cacert", "/nowhere/ca.pem"};
  const Outcome secure = RunWith("https://127.0.0.1:1", member);
  CHECK(secure.out == "cannot read CA file /nowhere/ca.pem: No such file or directory\n");
  CHECK(secure.exit == 1);
  const Outcome half = RunWith("https://127.0.0.1:1", {"member", "--cert", "/nowhere/c.pem"});
  CHECK(half.out == "certificate file /nowhere/c.pem is given without its key\n");
  FakeServer server;
  server.Answer("GET /pd/api/v1/members", {200, "{}"});
  CHECK(RunWith(server.Address(), member).exit == 0);
}

TEST_CASE("usage and help match the recorded output to the byte") {
  std::ifstream file(std::string(QM_SOURCE_DIR) + "/tests/golden/pdctl.jsonl");
  REQUIRE(file);
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    const auto record = nlohmann::json::parse(line);
    const std::string recorded = record.at("stdout");
    if (recorded.find("Usage:") == std::string::npos) continue;
    const Outcome outcome = RunWith("127.0.0.1:1", record.at("cmd").get<Words>());
    INFO(record.at("cmd").dump());
    CHECK(outcome.out == recorded);
    CHECK(outcome.exit == record.at("exit"));
    ++compared;
  }
  CHECK(compared >= 14);
}

TEST_CASE("stores are shown without their numeric state") {
  const std::string info =
      R"({"store":{"id":7,"state":1,"node_state":2,"state_name":"Offline"},"status":{"region_score":2421.402144912081,"leader_weight":1}})";
  Check(
      {{.words = {"store", "7"},
        .replies = {{"GET /pd/api/v1/store/7", {.body = info}}},
        .calls = {"GET /pd/api/v1/store/7"},
        .out = "{\n  \"store\": {\n    \"id\": 7,\n    \"node_state\": 2,\n    \"state_name\": "
               "\"Offline\"\n  },\n"
               "  \"status\": {\n    \"region_score\": 2421.402144912081,\n    \"leader_weight\": "
               "1\n  }\n}\n"},
       {.words = {"store", "--state=Up,Tombstone"},
        .replies = {{"GET /pd/api/v1/stores?state=0&state=2",
                     {.body = "{\"count\":0,\"stores\":[]}\n"}}},
        .calls = {"GET /pd/api/v1/stores?state=0&state=2"},
        .out = "{\n  \"count\": 0,\n  \"stores\": []\n}\n"},
       {.words = {"store", "--state=up"}, .replies = {}, .calls = {}, .out = "Unknown state: up\n"},
       {.words = {"store", "x"},
        .replies = {},
        .calls = {},
        .out = "store_id should be a number\n"},
       {.words = {"store", "9"},
        .replies = {{"GET /pd/api/v1/store/9", {404, "\"store 9 not found\"\n"}}},
        .calls = {"GET /pd/api/v1/store/9"},
        .out = "Failed to get store: [404] \"store 9 not found\"\n\n"}});
}

TEST_CASE("a store that leaves is asked how far it is, and why not farther") {
  Check({{.words = {"store", "progress", "3"},
          .replies = {{"GET /pd/api/v1/stores/progress?id=3", {.body = "{\"progress\":0.5}\n"}}},
          .calls = {"GET /pd/api/v1/stores/progress?id=3"},
          .out = "{\"progress\":0.5}\n\n"},
         {.words = {"store", "progress", "removing"},
          .replies = {{"GET /pd/api/v1/stores/progress?action=removing", {404, "\"none\"\n"}}},
          .calls = {"GET /pd/api/v1/stores/progress?action=removing"},
          .out = "Failed to get store progress: [404] \"none\"\n\n"},
         {.words = {"store", "blockers", "3"},
          .replies = {{"GET /qm/api/v1/store/3/blockers", {.body = "{\"blocked\":2}\n"}}},
          .calls = {"GET /qm/api/v1/store/3/blockers"},
          .out = "{\"blocked\":2}\n\n"},
         {.words = {"store", "blockers", "x"},
          .replies = {},
          .calls = {},
          .out = "store_id should be a number\n"}});
}

TEST_CASE("stores are changed") {
  Check(
      {{.words = {"store", "weight", "1", "2", "0.5"},
        .replies = {{"POST /pd/api/v1/store/1/weight",
                     {.body = "\"The store's weight is updated.\"\n"}}},
        .calls = {R"(POST /pd/api/v1/store/1/weight {"leader":2,"region":0.5})"},
        .out = "Success! The store's weight is updated.\n"},
       {.words = {"store", "label", "1", "a=b", "c=d", "--rewrite"},
        .replies = {{"POST /pd/api/v1/store/1/label?force=true", {500, "\"no\"\n"}}},
        .calls = {R"(POST /pd/api/v1/store/1/label?force=true {"a":"b","c":"d"})"},
        .out = "Failed! [500] \"no\"\n"},
       {.words = {"store", "limit", "all", "zone", "z1", "50", "add-peer"},
        .replies = {{"POST /pd/api/v1/stores/limit",
                     {.body = "\"Set store limit successfully.\"\n"}}},
        .calls =
            {R"(POST /pd/api/v1/stores/limit {"type":"add-peer","rate":50,"labels":{"zone":"z1"}})"},
        .out = "Success! Set store limit successfully.\n"},
       {.words = {"store", "delete", "addr", "tikv:1"},
        .replies = {{"GET /pd/api/v1/stores",
                     {.body = R"({"stores":[{"store":{"id":4,"address":"tikv:1"}}]})"}},
                    {"DELETE /pd/api/v1/store/4", {.body = "\"ok\"\n"}}},
        .calls = {"GET /pd/api/v1/stores", "DELETE /pd/api/v1/store/4"},
        .out = "Success!\n"}});
}

TEST_CASE("regions are found by key in every format") {
  const FakeServer::Reply region{.body = "{\"id\":2}"};
  Check({{.words = {"region", "key", "6100"},
          .replies = {{"GET /pd/api/v1/region/key/a%00", region}},
          .calls = {"GET /pd/api/v1/region/key/a%00"},
          .out = "{\"id\":2}\n"},
         {.words = {"region", "key", "--format=encode", "t\\200\\x00"},
          .replies = {{"GET /pd/api/v1/region/key/t%80%00", region}},
          .calls = {"GET /pd/api/v1/region/key/t%80%00"},
          .out = "{\"id\":2}\n"},
         {.words = {"region", "keys", "--format=raw", "a b", "c", "5"},
          .replies = {{"GET /pd/api/v1/regions/key?key=a%2Bb&end_key=c&limit=5", region}},
          .calls = {"GET /pd/api/v1/regions/key?key=a%2Bb&end_key=c&limit=5"},
          .out = "{\"id\":2}\n"},
         {.words = {"region", "key", "616"},
          .replies = {},
          .calls = {},
          .out = "Error:  encoding/hex: odd length hex string\n"},
         {.words = {"region", "topread", "query", "3"},
          .replies = {{"GET /pd/api/v1/regions/readquery?limit=3", region}},
          .calls = {"GET /pd/api/v1/regions/readquery?limit=3"},
          .out = "{\"id\":2}\n"}});
}

TEST_CASE("a scan goes on until the last key") {
  Check({{.words = {"region", "scan"},
          .replies = {{"GET /pd/api/v1/regions/key?key=&limit=1024",
                       {.body = R"({"regions":[{"end_key":"61"}]})"}},
                      {"GET /pd/api/v1/regions/key?key=a&limit=1024",
                       {.body = R"({"regions":[{"end_key":""}]})"}}},
          .calls = {"GET /pd/api/v1/regions/key?key=&limit=1024",
                    "GET /pd/api/v1/regions/key?key=a&limit=1024"},
          .out = "{\"regions\":[{\"end_key\":\"61\"}]}\n{\"regions\":[{\"end_key\":\"\"}]}\n"}});
}

TEST_CASE("operators are made, shown and removed") {
  const FakeServer::Reply created{.body = "\"The operator is created.\"\n"};
  const std::string done = "Success! The operator is created.\n";
  Check(
      {{.words = {"operator", "add", "transfer-leader", "105", "2"},
        .replies = {{"POST /pd/api/v1/operators", created}},
        .calls =
            {R"(POST /pd/api/v1/operators {"name":"transfer-leader","region_id":105,"to_store_id":2})"},
        .out = done},
       {.words = {"operator", "add", "transfer-region", "1", "2", "leader", "3", "follower"},
        .replies = {{"POST /pd/api/v1/operators", created}},
        .calls =
            {R"(POST /pd/api/v1/operators {"name":"transfer-region","region_id":1,"to_store_ids":[2,3],"peer_roles":["leader","follower"]})"},
        .out = done},
       {.words = {"operator", "add", "transfer-region", "1", "2", "leader", "3"},
        .replies = {},
        .calls = {},
        .out = "peer role is not match with store\n"},
       {.words = {"operator", "add", "add-peer", "x", "3"},
        .replies = {},
        .calls = {},
        .out = "strconv.ParseUint: parsing \"x\": invalid syntax\n"},
       {.words = {"operator", "show", "admin"},
        .replies = {{"GET /pd/api/v1/operators?kind=admin", {.body = "[]\n"}}},
        .calls = {"GET /pd/api/v1/operators?kind=admin"},
        .out = "[]\n\n"},
       {.words = {"operator", "remove", "9"},
        .replies = {{"DELETE /pd/api/v1/operators/9", {500, "\"operator not found\"\n"}}},
        .calls = {"DELETE /pd/api/v1/operators/9"},
        .out = "[500] \"operator not found\"\n\n"}});
}

TEST_CASE("schedulers of stores are created once and then extended") {
  const std::string applied = "\"The scheduler has been applied to the store.\"\n";
  Check(
      {{.words = {"scheduler", "add", "evict-leader-scheduler", "1"},
        .replies = {{"GET /pd/api/v1/schedulers", {.body = "[]\n"}},
                    {"POST /pd/api/v1/schedulers", {.body = "\"The scheduler is created.\"\n"}}},
        .calls = {"GET /pd/api/v1/schedulers",
                  R"(POST /pd/api/v1/schedulers {"name":"evict-leader-scheduler","store_id":1})"},
        .out = "Success! The scheduler is created.\n"},
       {.words = {"scheduler", "add", "evict-leader-scheduler", "2"},
        .replies = {{"GET /pd/api/v1/schedulers", {.body = R"(["evict-leader-scheduler"])"}},
                    {"POST /pd/api/v1/scheduler-config/evict-leader-scheduler/config",
                     {.body = applied}}},
        .calls =
            {"GET /pd/api/v1/schedulers",
             R"(POST /pd/api/v1/scheduler-config/evict-leader-scheduler/config {"name":"evict-leader-scheduler","store_id":2})"},
        .out = "Success! The scheduler has been applied to the store.\n"},
       {.words = {"scheduler", "remove", "grant-leader-scheduler-4"},
        .replies = {{"GET /pd/api/v1/schedulers", {.body = "[]"}}},
        .calls = {"GET /pd/api/v1/schedulers"},
        .out = "Unable to update config: scheduler grant-leader-scheduler does not exist.\n"},
       {.words = {"scheduler", "show", "--status=paused", "-t"},
        .replies = {{"GET /pd/api/v1/schedulers?status=paused&timestamp=true", {.body = "[]\n"}}},
        .calls = {"GET /pd/api/v1/schedulers?status=paused&timestamp=true"},
        .out = "[]\n\n"},
       {.words = {"scheduler", "config", "balance-leader-scheduler", "set", "batch", "1"},
        .replies = {{"POST /pd/api/v1/scheduler-config/balance-leader-scheduler/config",
                     {400, "\"bad\"\n"}}},
        .calls =
            {R"(POST /pd/api/v1/scheduler-config/balance-leader-scheduler/config {"batch":true})"},
        .out = "Failed! [400] \"bad\"\n"}});
}

TEST_CASE("configuration is shown in part and set by value") {
  Check(
      {{.words = {"config", "show"},
        .replies =
            {{"GET /pd/api/v1/config",
              {.body =
                   R"({"name":"pd","schedule":{"store-limit":{},"b":1,"a":0.80},"replication":{"z":"<"}})"}}},
        .calls = {"GET /pd/api/v1/config"},
        .out = "{\n  \"replication\": {\n    \"z\": \"\\u003c\"\n  },\n  \"schedule\": {\n    "
               "\"a\": 0.8,\n    \"b\": 1\n  }\n}\n"},
       {.words = {"config", "set", "leader-schedule-limit", "8"},
        .replies = {{"POST /pd/api/v1/config", {.body = "\"The config is updated.\"\n"}}},
        .calls = {R"(POST /pd/api/v1/config {"leader-schedule-limit":8})"},
        .out = "Success!\n"},
       {.words = {"config", "set", "location-labels", "zone,host"},
        .replies = {{"POST /pd/api/v1/config", {400, "\"no\"\n"}}},
        .calls = {R"(POST /pd/api/v1/config {"location-labels":"zone,host"})"},
        .out = "Failed to set config: [400] \"no\"\n\n"},
       {.words = {"config", "placement-rules", "show", "--id=x"},
        .replies = {},
        .calls = {},
        .out = "\"id\" should be specified along with \"group\"\n"}});
}

TEST_CASE("commands of the client library ask for the cluster first") {
  Check({{.words = {"health"},
          .replies = {{"GET /pd/api/v1/cluster", {.body = "{}"}},
                      {"GET /pd/api/v1/health", {.body = "[]\n"}}},
          .calls = {"GET /pd/api/v1/cluster", "GET /pd/api/v1/health"},
          .out = "[]\n"},
         {.words = {"keyspace", "show", "id", "1"},
          .replies = {{"GET /pd/api/v1/cluster", {.body = "{}"}},
                      {"GET /pd/api/v2/keyspaces/id/1", {500, "\"none\""}}},
          .calls = {"GET /pd/api/v1/cluster", "GET /pd/api/v2/keyspaces/id/1"},
          .out = "",
          .err = "Failed to get the keyspace information:  [500] \"none\"\n"}});
}

TEST_CASE("affinity groups go by the ids of tables and partitions") {
  const std::string root = "/pd/api/v2/affinity-groups";
  const std::pair<std::string, FakeServer::Reply> probe{"GET /pd/api/v1/cluster", {.body = "{}"}};
  Check({{.words = {"config", "affinity", "show"},
          .replies = {probe, {"GET " + root, {.body = R"({"affinity_groups":{"g":{"id":"g"}}})"}}},
          .calls = {"GET /pd/api/v1/cluster", "GET " + root},
          .out = "{\n  \"g\": {\n    \"id\": \"g\"\n  }\n}\n"},
         {.words = {"config", "affinity", "show", "--table-id=1", "--partition-id=2"},
          .replies = {probe, {"GET " + root + "/_tidb_pt_1_p2", {.body = R"({"id":"x"})"}}},
          .calls = {"GET /pd/api/v1/cluster", "GET " + root + "/_tidb_pt_1_p2"},
          .out = "{\n  \"id\": \"x\"\n}\n"},
         {.words = {"config", "affinity", "update", "--table-id=1", "--leader=3", "--voters=3,4"},
          .replies = {probe, {"PUT " + root + "/_tidb_t_1", {.body = R"({"id":"x"})"}}},
          .calls = {"GET /pd/api/v1/cluster",
                    "PUT " + root + R"(/_tidb_t_1 {"leader_store_id":3,"voter_store_ids":[3,4]})"},
          .out = "{\n  \"id\": \"x\"\n}\n"},
         {.words = {"config", "affinity", "update", "--table-id=1", "--leader=3"},
          .replies = {probe},
          .calls = {"GET /pd/api/v1/cluster"},
          .out = "voters is required\n"},
         {.words = {"config", "affinity", "delete", "--table-id=1", "--force"},
          .replies = {probe, {"DELETE " + root + "/_tidb_t_1?force=true", {.body = "\"done\""}}},
          .calls = {"GET /pd/api/v1/cluster", "DELETE " + root + "/_tidb_t_1?force=true"},
          .out = "Affinity group _tidb_t_1 deleted\n"}});
}

TEST_CASE("isolation is the lowest level that two stores of a region need") {
  Check(
      {{.words = {"label", "isolation"},
        .replies =
            {{"GET /pd/api/v1/stores",
              {.body =
                   R"({"stores":[{"store":{"id":1,"labels":[{"key":"zone","value":"a"},{"key":"host","value":"1"}]}},
                            {"store":{"id":2,"labels":[{"key":"zone","value":"a"},{"key":"host","value":"2"}]}},
                            {"store":{"id":3,"labels":[{"key":"zone","value":"b"},{"key":"host","value":"1"}]}},
                            {"store":{"id":4}}]})"}},
             {"GET /pd/api/v1/regions",
              {.body =
                   R"({"regions":[{"id":5,"peers":[{"store_id":1},{"store_id":2},{"store_id":3}]},
                            {"id":6,"peers":[{"store_id":1},{"store_id":3}]},{"id":7,"peers":[{"store_id":1},{"store_id":4}]}]})"}},
             {"GET /pd/api/v1/config/replicate", {.body = R"({"location-labels":"zone,host"})"}}},
        .calls = {"GET /pd/api/v1/stores", "GET /pd/api/v1/regions",
                  "GET /pd/api/v1/config/replicate"},
        .out = "label-count:map[host:1 none:1 zone:1],region-map:map[5:host 6:zone 7:none]\n"}});
}

TEST_CASE("local commands ask no server") {
  Check({{.words = {"tso", "443852055297916932"},
          .replies = {},
          .calls = {},
          .out = "system:  2023-08-27 18:33:41.687 +0000 UTC\nlogic:   4\n"},
         {.words = {"bogus"},
          .replies = {},
          .calls = {},
          .out = "unknown command \"bogus\" for \"pd-ctl\"\n",
          .exit = 1},
         {.words = {"stroe"},
          .replies = {},
          .calls = {},
          .out = "unknown command \"stroe\" for \"pd-ctl\"\n\nDid you mean this?\n\tstore\n\n",
          .exit = 1},
         {.words = {}, .replies = {}, .calls = {}, .out = ""}});
}

TEST_CASE("an unreachable server is said plainly and fails") {
  const Outcome outcome = RunWith("127.0.0.1:1", {"store"});
  CHECK(outcome.exit == 1);
  CHECK(outcome.out ==
        "Failed to get store: Get \"http://127.0.0.1:1/pd/api/v1/stores\": dial tcp 127.0.0.1:1: "
        "cannot connect, no "
        "server is listening there\n");
}

TEST_CASE("several addresses are tried in order") {
  FakeServer refusing;
  FakeServer serving;
  serving.Answer("GET /pd/api/v1/members", {.body = "{}\n"});
  const Outcome found =
      RunWith("127.0.0.1:1," + refusing.Address() + ",http://" + serving.Address(), {"member"});
  CHECK(found.out == "{}\n\n");
  CHECK(found.exit == 0);
  CHECK(refusing.TakeCalls() == Words{"GET /pd/api/v1/members"});

  const Outcome none = RunWith(refusing.Address() + ",127.0.0.1:1", {"member"});
  CHECK(none.out.starts_with(
      "Failed to get pd members: after trying all endpoints, no endpoint is available, the last "
      "error we met: Get \"http://127.0.0.1:1"));
  CHECK(none.exit == 0);

  CHECK(RunWith("nonsense", {"member"}).exit == 1);
}

TEST_CASE("region commands can ask a follower") {
  FakeServer server;
  server.Answer("GET /pd/api/v1/region/id/3", {.body = "{}"});
  RunWith(server.Address(), {"region", "3", "--no-forward"});
  CHECK(server.LastHeader("PD-Allow-follower-handle") == "true");
  CHECK(server.LastHeader("X-Caller-ID") == "pd-ctl");
}

TEST_CASE("interactive mode runs line after line with the flags it was started with") {
  FakeServer server;
  server.Answer("GET /pd/api/v1/labels/stores?name=a+b&value=", {.body = "x"});
  const Outcome outcome = RunWith(server.Address(), {"-i"},
                                  "label store 'a b'\nstore \"open\nbogus\n\nexit\nstore 1\n");
  CHECK(outcome.out ==
        "x\nparse command err: EOF found when expecting closing quote\nunknown command \"bogus\" "
        "for \"pd-ctl\"\n");
  CHECK(server.TakeCalls() == Words{"GET /pd/api/v1/labels/stores?name=a+b&value="});
}

TEST_CASE("addresses are read with and without a scheme") {
  CHECK(ParseEndpoint("127.0.0.1:2379")->Url() == "http://127.0.0.1:2379");
  CHECK(ParseEndpoint("tikv://h:1/")->Url() == "http://h:1");
  CHECK(ParseEndpoint("https://[::1]:2")->Url() == "https://[::1]:2");
  for (const char* bad : {"", "h", "h:", ":1", "h:0", "h:99999", "ftp://h:1"}) {
    INFO(bad);
    CHECK_FALSE(ParseEndpoint(bad));
  }
}

TEST_CASE("numbers are written in their shortest form") {
  for (const char* text : {"1", "0.1", "1e-7", "1e+21", "100000000000000000000",
                           "18446744073709551615", "-2.5", "0"}) {
    CHECK(JsonText(Json::parse(text), 0) == text);
  }
  CHECK(JsonText(Json(2.0), 0) == "2");
  CHECK(JsonText(Json::parse("[{},[],{\"a\":null}]"), 2) ==
        "[\n  {},\n  [],\n  {\n    \"a\": null\n  }\n]");
}

}  // namespace
}  // namespace api::pdctl

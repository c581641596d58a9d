#include "api/cmd/pd_server/first_start.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "api/grpc/membership_probe.h"
#include "api/grpc/server.h"
#include "api/worker_pool.h"
#include "pd/members/members.h"
#include "tests/pd/storage/fake_database.h"
#include "tests/pd/temporary_folder.h"

namespace api {
namespace {

/// A member on its peer port that knows, or does not, whether others have run.
struct Peer {
  explicit Peer(HasRun has_run) {
    RegisterMembershipProbe(methods, std::move(has_run));
    REQUIRE(server.Start());
  }
  ~Peer() {
    server.Stop(pd::Millis(100));
    pool.Stop();
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server.port());
  }

  MethodRegistry methods;
  WorkerPool pool{{}};
  GrpcServer server{methods, pool, {.listen = "127.0.0.1:0"}, {}};
};

pd::Config ConfigOf(const std::string& folder, const std::string& others) {
  pd::Config config;
  config.name = "pd2";
  config.data_dir = folder + "/pd2";
  config.client_urls = "http://127.0.0.1:2379";
  config.peer_urls = "http://127.0.0.1:2380";
  config.initial_cluster = "pd2=http://127.0.0.1:2380" + others;
  config.initial_cluster_state = "new";
  config.initial_cluster_token = "pd-cluster";
  return config;
}

TEST_CASE("a check of the configuration finds what the start would refuse") {
  const pd::test::TemporaryFolder folder;
  struct Case {
    const char* name;
    void (*change)(pd::Config& config);
    std::string error;
  };
  const std::vector<Case> cases = {
      {"all well", [](pd::Config&) {}, ""},
      {"an address of another kind",
       [](pd::Config& config) { config.client_urls = "unix:///tmp/pd"; }, "unix:///tmp/pd"},
      {"without itself",
       [](pd::Config& config) { config.initial_cluster = "pd1=http://127.0.0.1:2380"; },
       "config item initial-cluster: member pd2 is not in pd1=http://127.0.0.1:2380"},
      {"no list", [](pd::Config& config) { config.initial_cluster = "pd2"; }, "pd2"},
      {"existing without data",
       [](pd::Config& config) { config.initial_cluster_state = "existing"; },
       "config item initial-cluster-state: \"existing\", but "},
      {"a join needs no list",
       [](pd::Config& config) {
         config.initial_cluster = "";
         config.join = "http://127.0.0.1:1";
       },
       ""},
  };
  for (const Case& one : cases) {
    INFO(one.name);
    pd::Config config = ConfigOf(folder.path(), "");
    one.change(config);
    const auto checked = CheckStart(config);
    CHECK(checked.has_value() == one.error.empty());
    if (!checked) CHECK_THAT(checked.error().context, Catch::Contains(one.error));
  }
}

TEST_CASE("a first member that lost its data does not come back as a new one") {
  const pd::test::TemporaryFolder folder;
  uint64_t asked_group = 0;
  uint64_t asked_member = 0;
  std::vector<Ran> answers = {Ran::kNotKnownYet, Ran::kNotKnownYet, Ran::kYes};
  Peer peer([&](uint64_t group, uint64_t member) {
    asked_group = group;
    asked_member = member;
    const Ran answer = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    return answer;
  });
  // One that is down knows nothing and hinders nobody.
  const pd::Config config = ConfigOf(folder.path(), ",pd1=http://127.0.0.1:1,pd3=" + peer.url());
  HttpPeerClient peers({});
  const auto refused = FindIdentity(config, peers, nullptr);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == pd::ErrorCode::kAlreadyExists);
  CHECK_THAT(refused.error().context, Catch::Contains("member pd2 has already been bootstrapped"));
  CHECK_FALSE(pd::LoadIdentity(config.data_dir)->has_value());

  answers = {Ran::kNo};
  const auto made = FindIdentity(config, peers, nullptr);
  REQUIRE(made);
  CHECK(made->id == asked_member);
  CHECK(made->group_id == asked_group);
  // From now on nobody is asked.
  answers = {Ran::kYes};
  CHECK(FindIdentity(config, peers, nullptr) == *made);
}

TEST_CASE("who could not be asked is named") {
  Peer young([](uint64_t, uint64_t) { return Ran::kNotKnownYet; });
  const MembershipQuestion question{{"http://127.0.0.1:1", young.url()}, nullptr, 1, 2};
  const auto verdict = AskWhetherRun(question, pd::Millis(60'000), pd::Millis(0));
  CHECK_FALSE(verdict.has_run);
  CHECK(verdict.silent == question.peer_urls);
}

TEST_CASE("a database that went without its member's identity is missed") {
  const pd::Config config = ConfigOf("/nowhere", "");
  pd::test::FakeDatabase database;
  pd::MemberIdentity identity{7, 1, false, false, {}};
  CHECK(CheckDatabase(config, database, identity));  // A first start, or one that a crash cut off.
  identity.has_database = true;
  const auto lost = CheckDatabase(config, database, identity);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == pd::ErrorCode::kCorrupt);
  CHECK_THAT(lost.error().context, Catch::Contains("the database of member pd2 is gone"));
}

}  // namespace
}  // namespace api

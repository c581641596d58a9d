#include "api/http/leader_gate.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

using Millis = std::chrono::milliseconds;

/// Shows one view after another, the last one for ever.
class Views final : public LeaderDirectory {
 public:
  [[nodiscard]] LeaderView Leader() const override {
    const size_t at = std::min(next_++, views.size() - 1);
    return views[at];
  }
  std::vector<LeaderView> views;

 private:
  mutable size_t next_ = 0;
};

const LeaderView kServing{{"http://a:1"}, {"http://a:1"}, "pd1", true, true};
const LeaderView kFollower{{"http://a:1", "http://a:2"}, {"http://b:1"}, "pd2", false, true};
const LeaderView kNobody{{}, {"http://b:1"}, "pd2", false, true};
const LeaderView kStarting{{"http://b:1"}, {"http://b:1"}, "pd2", false, true};

struct Fixture {
  explicit Fixture(std::vector<LeaderView> sequence) { views.views = std::move(sequence); }

  std::optional<HttpResponse> Pass(const std::string& path, HttpFields headers = {},
                                   const std::string& method = "GET") {
    HttpRequest request;
    request.method = method;
    request.target = path + "?q=%2F";
    request.path = path;
    request.headers = std::move(headers);
    request.body = "body";
    request.client_ip = "10.0.0.9";
    request.client_port = "777";
    const LeaderGate gate(
        views,
        [this](const std::string& url, const HttpRequest& sending) -> std::optional<HttpResponse> {
          urls.push_back(url);
          sent = sending;
          if (url == dead) return std::nullopt;
          return PlainText(202, "from " + url);
        },
        [this](Millis time) { slept += time; });
    return gate.Pass(request);
  }

  Views views;
  std::vector<std::string> urls;
  HttpRequest sent;
  std::string dead = "http://a:1";
  Millis slept{0};
};

TEST_CASE("paths are local, forwarded or none of the gate's business") {
  const std::vector<std::tuple<std::string, std::string, PathKind>> rows = {
      {"GET", "/pd/api/v1/stores", PathKind::kV1},
      {"GET", "/pd/api/v1/status", PathKind::kLocal},
      {"GET", "/pd/api/v1/ping", PathKind::kLocal},
      {"GET", "/pd/api/v1/health", PathKind::kLocal},
      {"GET", "/pd/api/v1/version", PathKind::kLocal},
      {"POST", "/pd/api/v1/admin/log", PathKind::kLocal},
      {"GET", "/pd/api/v1/debug/pprof/heap", PathKind::kLocal},
      {"GET", "/pd/api/v1/config", PathKind::kLocal},
      {"POST", "/pd/api/v1/config", PathKind::kV1},
      {"GET", "/pd/api/v1/config/schedule", PathKind::kV1},
      {"GET", "/pd/api/v2/keyspaces", PathKind::kV2},
      {"GET", "/pd/api/v2/ready", PathKind::kLocal},
      {"GET", "/pd/api/v2/readyz/etcd", PathKind::kLocal},
      {"GET", "/pd/api/v2/readyx", PathKind::kV2},
      {"GET", "/pd/api/v10/x", PathKind::kOther},
      {"GET", "/metrics", PathKind::kOther},
      {"GET", "/dashboard/", PathKind::kOther},
  };
  for (const auto& [method, path, kind] : rows) {
    INFO(method << " " << path);
    CHECK(KindOfPath(method, path) == kind);
  }
}

TEST_CASE("the leader, local paths and the allow header answer here") {
  CHECK_FALSE(Fixture({kServing}).Pass("/pd/api/v1/stores"));
  CHECK_FALSE(Fixture({kFollower}).Pass("/pd/api/v1/status"));
  CHECK_FALSE(Fixture({kFollower}).Pass("/metrics"));
  CHECK_FALSE(
      Fixture({kFollower}).Pass("/pd/api/v1/stores", {{"PD-Allow-Follower-Handle", "true"}}));
  CHECK(Fixture({kFollower}).Pass("/pd/api/v1/stores", {{"PD-Allow-Follower-Handle", ""}}));
}

TEST_CASE("a follower is a proxy") {
  Fixture f({kFollower});
  const auto answer =
      f.Pass("/pd/api/v1/config/rule/pd/a%2Fb",
             {{"X-Caller-ID", "pd-ctl"}, {"Content-Length", "4"}, {"Host", "b:1"}}, "POST");
  REQUIRE(answer);
  CHECK(answer->status == 202);
  CHECK(answer->body == "from http://a:2");  // The first URL is dead.
  CHECK(f.urls == std::vector<std::string>{"http://a:1", "http://a:2"});
  CHECK(f.sent.target == "/pd/api/v1/config/rule/pd/a%2Fb?q=%2F");
  CHECK(f.sent.method == "POST");
  CHECK(f.sent.body == "body");
  CHECK(f.sent.headers == HttpFields{{"X-Caller-ID", "pd-ctl"},
                                     {"PD-Redirector", "pd2"},
                                     {"X-Forwarded-For", "10.0.0.9"},
                                     {"X-Forwarded-Port", "777"}});
  CHECK(f.slept.count() == 0);

  Fixture v2({kFollower});
  CHECK(v2.Pass("/pd/api/v2/keyspaces"));
  CHECK(v2.sent.headers == HttpFields{{"PD-Redirector", "pd2"}});
}

TEST_CASE("what a follower cannot pass on fails in the reference's words") {
  Fixture loop({kFollower});
  const auto looped = loop.Pass("/pd/api/v1/stores", {{"PD-Redirector", "pd3"}});
  CHECK(looped->status == 500);
  CHECK(looped->body == "[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader\n");

  Fixture nobody({kNobody});
  const auto none = nobody.Pass("/pd/api/v1/stores");
  CHECK(none->status == 503);
  CHECK(none->body == "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n");
  CHECK(nobody.slept == Millis(3000));

  Fixture nobody_v2({kNobody});
  const auto none_v2 = nobody_v2.Pass("/pd/api/v2/keyspaces");
  CHECK(none_v2->status == 503);
  CHECK(none_v2->body == "\"[PD:server:ErrLeaderNil]leader is nil\"");
  CHECK(nobody_v2.slept.count() == 0);

  Fixture dead({LeaderView{{"http://a:1"}, {"http://b:1"}, "pd2", false, true}});
  const auto failed = dead.Pass("/pd/api/v1/stores");
  CHECK(failed->status == 500);
  CHECK(failed->body == "[PD:apiutil:ErrRedirect]redirect failed\n");

  Fixture down({LeaderView{{}, {}, "pd2", false, false}});
  CHECK(down.Pass("/pd/api/v1/stores")->body ==
        "[PD:server:ErrServerNotStarted]server not started\n");
}

TEST_CASE("a request waits for a leader to appear") {
  Fixture other({kNobody, kNobody, kNobody, kFollower});
  other.dead = "";
  CHECK(other.Pass("/pd/api/v1/stores")->status == 202);
  CHECK(other.slept == Millis(300));

  Fixture self({kStarting, kStarting, kStarting, kServing});
  CHECK_FALSE(self.Pass("/pd/api/v1/stores"));
  CHECK(self.slept == Millis(300));
}

}  // namespace
}  // namespace api

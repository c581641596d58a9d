#include "api/grpc/forwarding.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

const LeaderView kFollowerView{{"http://127.0.0.1:1", "http://pd1:1"}, {"http://127.0.0.1:2"}};

CallContext::Fields WithHost(const std::string& host) {
  return {.method = "/pdpb.PD/GetStore",
          .peer = {},
          .metadata = {{"pd-forwarded-host", host}},
          .deadline = {}};
}

TEST_CASE("client urls compare without their scheme") {
  CHECK(SameClientUrl("http://a:1", "https://a:1"));
  CHECK(SameClientUrl("http://a:1", "http://a:1"));
  CHECK_FALSE(SameClientUrl("http://a:1", "a:1"));
  CHECK_FALSE(SameClientUrl("a:1", "a:1"));
  CHECK_FALSE(SameClientUrl("http://a:1", "http://a:1/"));
}

TEST_CASE("a forwarded host must be a client url of the leader") {
  struct Row {
    std::string host;
    std::optional<RpcStatus> error;
    std::optional<std::string> target;
  };
  const std::vector<Row> rows = {
      {"", std::nullopt, std::nullopt},
      {"http://pd1:1", std::nullopt, "http://pd1:1"},
      {"https://pd1:1", std::nullopt, "http://pd1:1"},
      {"http://127.0.0.1:2",
       RpcStatus{
           StatusCode::kInvalidArgument,
           "forwarded host \"http://127.0.0.1:2\" is not a client URL of the PD leader: pd is not "
           "leader of cluster"},
       std::nullopt},
      {"x\"y\\",
       RpcStatus{StatusCode::kInvalidArgument,
                 "forwarded host \"x\\\"y\\\\\" is not a client URL of the PD leader: pd is not "
                 "leader of "
                 "cluster"},
       "x\"y\\"},
  };
  for (const Row& row : rows) {
    INFO(row.host);
    const CallContext context(WithHost(row.host));
    CHECK(CheckForwardedHost(context, kFollowerView) == row.error);
    CHECK(ForwardTarget(context, kFollowerView) == row.target);
  }
}

TEST_CASE("without a leader a forwarded call is not leader") {
  const CallContext context(WithHost("http://pd1:1"));
  CHECK(CheckForwardedHost(context, {{}, {"http://127.0.0.1:2"}}) ==
        RpcStatus{StatusCode::kUnavailable, "not leader"});
  const CallContext plain(CallContext::Fields{});
  CHECK_FALSE(CheckForwardedHost(plain, {}));
}

}  // namespace
}  // namespace api

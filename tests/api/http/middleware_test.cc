#include <catch2/catch.hpp>

#include "api/http/app.h"
#include "api/http/middleware_handlers.h"
#include "proto/pdpb.pb.h"

namespace api {
namespace {

struct Fixture {
  Fixture() {
    for (const std::string name : {"GetVersion", "Ping"}) {
      router.Add("GET", "/pd/api/v1/" + name, name,
                 [](const HttpRequest&) { return PlainText(200, "ok"); });
    }
    methods.Unary<pdpb::GetStoreRequest, pdpb::GetStoreResponse>(
        "/pdpb.PD/GetStore", kPdpbFast,
        [](const CallContext&, const pdpb::GetStoreRequest&) -> RpcResult<pdpb::GetStoreResponse> {
          return pdpb::GetStoreResponse();
        });
    methods.Unary<pdpb::GetStoreRequest, pdpb::GetStoreResponse>(
        "/pdpb.PD/Unlimited", {},
        [](const CallContext&, const pdpb::GetStoreRequest&) -> RpcResult<pdpb::GetStoreResponse> {
          return pdpb::GetStoreResponse();
        });
    RegisterMiddlewareHandlers(router, methods, middleware);
  }

  HttpResponse Ask(const std::string& method, const std::string& path,
                   const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.target = request.path = path;
    request.body = body;
    return app.Serve(request);
  }
  std::string Post(const std::string& tail, const std::string& body) {
    const HttpResponse response = Ask("POST", "/pd/api/v1/service-middleware/config" + tail, body);
    return std::to_string(response.status) + " " + response.body;
  }

  pd::SystemClock clock;
  pd::MetricsRegistry metrics;
  RateLimits http{clock, metrics, "http"};
  RateLimits grpc{clock, metrics, "grpc"};
  std::string saved;
  ServiceMiddleware middleware{http, grpc, [this](std::string text) -> pd::Result<void> {
                                 saved = std::move(text);
                                 return {};
                               }};
  Router router;
  MethodRegistry methods;
  HttpApp app{router, {nullptr, &http, nullptr}};
};

TEST_CASE("switches are set by bare and dotted names") {
  Fixture f;
  const std::string done = "200 The service-middleware config is updated.";
  CHECK(f.Post("", R"({"enable-audit":"true"})") == done);
  CHECK(f.Post("", R"({"audit.enable-audit":"true"})") == done);
  CHECK(f.Post("", R"({"enable-rate-limit":"false"})") == done);
  CHECK(f.Post("", R"({"grpc-rate-limit.enable-grpc-rate-limit":"false"})") == done);
  CHECK(f.Post("", "{}") == "200 The input is empty.The service-middleware config is updated.");
  CHECK(f.Post("", R"({"audit":{"enable-audit":"false"}})") == "400 config item audit not found");
  CHECK(f.Post("", R"({"bogus":1})") == "400 config item bogus not found");
  CHECK(f.Post("", R"({"bogus.enable-audit":"true"})") == "400 config prefix bogus not found");
  CHECK(f.Post("", R"({"audit.enable-rate-limit":"true"})") ==
        "400 config item enable-rate-limit not found");
  CHECK(f.Post("", R"({"enable-audit":true})").rfind("400 json: invalid use", 0) == 0);
  CHECK(f.Post("", "x") == "400 invalid character 'x' looking for beginning of value");
  CHECK_FALSE(f.http.enabled());
  CHECK_FALSE(f.grpc.enabled());
  CHECK(
      f.saved ==
      R"({"audit":{"enable-audit":"true"},"rate-limit":{"enable-rate-limit":"false","limiter-config":{}},)"
      R"("grpc-rate-limit":{"enable-grpc-rate-limit":"false","grpc-limiter-config":{}}})");
}

TEST_CASE("http limits answer as the reference does, and bite") {
  Fixture f;
  const auto post = [&](const std::string& body) { return f.Post("/rate-limit", body); };
  CHECK(post("{}") == "400 The type is empty.");
  CHECK(post(R"({"type":"bogus"})") == "400 The type is invalid.");
  CHECK(post(R"({"type":"label"})") == "400 The label is empty.");
  CHECK(post(R"({"type":"label","label":"bogus","qps":1})") == "400 There is no label matched.");
  CHECK(post(R"({"type":"label","label":"GetVersion","qps":100,"concurrency":10})") ==
        "200 Rate limiter is updated.");
  CHECK(post(R"({"type":"label","label":"GetVersion","qps":0,"concurrency":0})") ==
        "200 Rate limiter is deleted.");
  CHECK(post(R"({"type":"label","label":"GetVersion"})") == "200 Rate limiter is not changed.");
  CHECK(post(R"({"type":"path"})") == "400 The path is empty.");
  CHECK(post(R"({"type":"path","path":"/pd/api/v1/Ping","method":"GET","qps":0.5})") ==
        "200 Rate limiter is updated.");
  CHECK(post(R"({"type":"path","path":"/bogus","method":"GET","qps":50})") ==
        "400 There is no label matched.");
  CHECK(post(R"({"type":"label","label":"SetRateLimitConfig","qps":5})") ==
        "400 This service is in allow list whose config can not be changed.");
  CHECK(post("x").find("\"code\": \"input\"") != std::string::npos);
  CHECK(post("x").find("\"Offset\": 1") != std::string::npos);

  CHECK(f.Ask("GET", "/pd/api/v1/Ping").status == 200);
  CHECK(f.Ask("GET", "/pd/api/v1/Ping").status == 429);
  CHECK(f.Ask("GET", "/pd/api/v1/GetVersion").status == 200);
}

TEST_CASE("gRPC limits keep what is not named, and survive a new leader") {
  Fixture f;
  const auto post = [&](const std::string& body) { return f.Post("/grpc-rate-limit", body); };
  CHECK(post("{}") == "400 The label is empty.");
  CHECK(post(R"({"label":"bogus","qps":5})") == "400 There is no label matched.");
  CHECK(post(R"({"label":"Unlimited","qps":5})") == "400 There is no label matched.");
  CHECK(post(R"({"label":"GetStore","qps":100,"concurrency":50})") ==
        "200 gRPC limiter is updated.");
  CHECK(post(R"({"label":"GetStore","concurrency":0})") == "200 gRPC limiter is updated.");
  CHECK(post(R"({"label":"GetStore"})") == "200 gRPC limiter is not changed.");
  CHECK(f.grpc.Get("GetStore") == RateLimit{.qps = 100, .burst = 100, .concurrency = 0});

  Fixture next;
  REQUIRE(next.middleware.Load(f.saved));
  CHECK(next.grpc.Get("GetStore") == RateLimit{.qps = 100, .burst = 100, .concurrency = 0});
  CHECK(next.middleware.ToJson() == f.middleware.ToJson());
  CHECK_FALSE(next.middleware.Load("[]"));
  CHECK_FALSE(next.middleware.Load("{\"rate-limit\":{\"limiter-config\":7}}"));
  CHECK(next.grpc.Get("GetStore"));
  REQUIRE(next.middleware.Load(""));
  CHECK_FALSE(next.grpc.Get("GetStore"));
}

}  // namespace
}  // namespace api

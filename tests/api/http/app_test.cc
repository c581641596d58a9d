#include "api/http/app.h"

#include <atomic>
#include <stdexcept>

#include <catch2/catch.hpp>

namespace api {
namespace {

HttpRequest Get(const std::string& target, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.path = target.substr(0, target.find('?'));
  return request;
}

std::string HeaderOf(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

class OneAtATime final : public RateLimiter {
 public:
  bool Enter(std::string_view name) override { return name != "GetStore" || --left >= 0; }
  void Leave(std::string_view name) override { left_calls += name == "GetStore" ? 1 : 0; }
  int left = 1;
  int left_calls = 0;
};

TEST_CASE("paths are cleaned as the reference cleans them") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"/", "/"},        {"/a/b", "/a/b"},   {"/a/b/", "/a/b/"}, {"//a", "/a"},
      {"/a//b", "/a/b"}, {"/a/./b", "/a/b"}, {"/a/../b", "/b"},  {"/../..", "/"},
      {"/a/b/..", "/a"}, {"/a/", "/a/"},     {"/...", "/..."},   {"/a/b/../", "/a/"},
  };
  for (const auto& [path, cleaned] : rows) {
    INFO(path);
    CHECK(CleanPath(path) == cleaned);
  }
}

TEST_CASE("requests find their way, or the reference's refusal") {
  Router router;
  router.Add("GET", "/pd/api/v1/store/{id}", "GetStore", [](const HttpRequest& request) {
    return PlainText(200, "store " + std::string(request.Param("id")));
  });
  router.Add("GET", "/pd/api/v1/throw", "Throw",
             [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("no"); });
  const HttpApp app(router, {});

  CHECK(app.Serve(Get("/pd/api/v1/store/7?x=1")).body == "store 7");
  CHECK(app.Serve(Get("/pd/api/v1/store/a%2Fb")).body == "store a/b");

  const HttpResponse missing = app.Serve(Get("/pd/api/v1/nothing"));
  CHECK(missing.status == 404);
  CHECK(missing.body == "404 page not found\n");
  CHECK(HeaderOf(missing, "Content-Type") == "text/plain; charset=utf-8");

  const HttpResponse wrong = app.Serve(Get("/pd/api/v1/store/7", "PUT"));
  CHECK(wrong.status == 405);
  CHECK(wrong.body.empty());
  CHECK(HeaderOf(wrong, "Content-Type").empty());

  const HttpResponse moved = app.Serve(Get("/pd/api/v1/admin/persist-file/..%2Fx?a=%20b", "POST"));
  CHECK(moved.status == 301);
  CHECK(HeaderOf(moved, "Location") == "/pd/api/v1/admin/x?a=%20b");
  CHECK(moved.body.empty());
  CHECK(HeaderOf(app.Serve(Get("//pd//x y")), "Location") == "/pd/x%20y");

  const HttpResponse options = app.Serve(Get("/anything", "OPTIONS"));
  CHECK(options.status == 200);
  CHECK(options.body.empty());
  CHECK(HeaderOf(options, "Access-Control-Allow-Origin") == "*");
  CHECK(HeaderOf(missing, "Access-Control-Allow-Methods") == "POST, GET, OPTIONS, PUT, DELETE");

  const HttpResponse thrown = app.Serve(Get("/pd/api/v1/throw"));
  CHECK(thrown.status == 500);
  CHECK(thrown.body == "PANIC: no\n");

  for (const std::string target : {"*", "", "pd", "/%zz", "/%"}) {
    INFO(target);
    CHECK(app.Serve(Get(target)).status == 400);
  }
}

TEST_CASE("a limited handler answers 429 and gives its slot back") {
  Router router;
  router.Add("GET", "/pd/api/v1/store/{id}", "GetStore",
             [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("no"); });
  OneAtATime limiter;
  const HttpApp app(router, {nullptr, &limiter, nullptr});
  CHECK(app.Serve(Get("/pd/api/v1/store/1")).status == 500);
  CHECK(limiter.left_calls == 1);
  const HttpResponse refused = app.Serve(Get("/pd/api/v1/store/1"));
  CHECK(refused.status == 429);
  CHECK(refused.body == "Too Many Requests\n");
  CHECK(limiter.left_calls == 1);
}

TEST_CASE("callers are told apart up to a number") {
  CallerLabels labels;
  for (size_t i = 0; i < CallerLabels::kCallersMax; ++i) {
    CHECK(labels.LabelOf("c" + std::to_string(i)) == "c" + std::to_string(i));
  }
  CHECK(labels.LabelOf("one more") == "other");
  CHECK(labels.LabelOf("c7") == "c7");
}

TEST_CASE("requests are counted under the reference's names, and the page shows them") {
  Router router;
  pd::MetricsRegistry metrics;
  RegisterMetricsPage(router, metrics);
  router.Add("GET", "/pd/api/v1/store/{id}", "GetStore",
             [](const HttpRequest&) { return PlainText(200, ""); });
  const HttpApp app(router, {nullptr, nullptr, &metrics});
  HttpRequest request = Get("/pd/api/v1/store/1");
  request.headers = {{"x-caller-id", "pd-ctl"}};
  CHECK(app.Serve(request).status == 200);
  const HttpResponse page = app.Serve(Get("/metrics"));
  CHECK(HeaderOf(page, "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(page.body.find("pd_service_audit_requests_total{service=\"GetStore\",method=\"GET\","
                       "caller_component=\"pd-ctl\"} 1") != std::string::npos);
  CHECK(
      page.body.find("pd_service_audit_handling_seconds_count{service=\"GetStore\",method=\"GET\"} "
                     "1") != std::string::npos);
}

}  // namespace
}  // namespace api

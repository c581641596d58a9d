#include "api/http/router.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

HttpHandler Named(const std::string& name) {
  return [name](const HttpRequest&) { return PlainText(200, name); };
}

void AddAll(Router& router) {
  for (const auto& [method, pattern] : std::vector<std::pair<std::string, std::string>>{
           {"GET", "/pd/api/v1/stores"},
           {"GET", "/pd/api/v1/store/{id}"},
           {"DELETE", "/pd/api/v1/store/{id}"},
           {"POST", "/pd/api/v1/store/{id}/label"},
           {"GET", "/pd/api/v1/config/rule/{group}/{id}"},
           {"GET", "/pd/api/v1/region/key/{key}"},
           {"GET", "/pd/api/v1/schedulers/{name}"},
           {"POST", "/pd/api/v1/schedulers/diagnostic"},
           {"*", "/dashboard/{path...}"},
       }) {
    router.Add(method, pattern, method + " " + pattern, Named(method + " " + pattern));
  }
}

TEST_CASE("paths find their handlers") {
  Router router;
  AddAll(router);
  struct Row {
    std::string method;
    std::string path;
    std::string route;  // Empty: none; "405": other methods only.
    HttpFields params;
  };
  const std::vector<Row> rows = {
      {"GET", "/pd/api/v1/stores", "GET /pd/api/v1/stores", {}},
      {"GET", "/pd/api/v1/stores/", "", {}},
      {"GET", "/pd/api/v1/store/7", "GET /pd/api/v1/store/{id}", {{"id", "7"}}},
      {"DELETE", "/pd/api/v1/store/7", "DELETE /pd/api/v1/store/{id}", {{"id", "7"}}},
      {"HEAD", "/pd/api/v1/store/7", "405", {}},
      {"PUT", "/pd/api/v1/store/7", "405", {}},
      {"GET", "/pd/api/v1/store/", "", {}},
      {"GET", "/pd/api/v1/region/key/", "", {}},
      {"GET", "/pd/api/v1/config/rule/pd", "", {}},
      {"GET",
       "/pd/api/v1/config/rule/pd/a%2Fb%20c",
       "GET /pd/api/v1/config/rule/{group}/{id}",
       {{"group", "pd"}, {"id", "a/b c"}}},
      {"GET",
       "/pd/api/v1/config/rule/pd/a+b",
       "GET /pd/api/v1/config/rule/{group}/{id}",
       {{"group", "pd"}, {"id", "a+b"}}},
      {"GET", "/pd/api/v1/config/rule/pd/a%zz", "", {}},
      {"GET",
       "/pd/api/v1/schedulers/diagnostic",
       "GET /pd/api/v1/schedulers/{name}",
       {{"name", "diagnostic"}}},
      {"POST", "/pd/api/v1/schedulers/diagnostic", "POST /pd/api/v1/schedulers/diagnostic", {}},
      {"PATCH", "/dashboard/a/b%2Fc", "* /dashboard/{path...}", {{"path", "a/b/c"}}},
      {"GET", "/dashboard/", "* /dashboard/{path...}", {{"path", ""}}},
      {"GET", "/dashboard", "", {}},
      {"GET", "/", "", {}},
      {"GET", "", "", {}},
      {"GET", "*", "", {}},
  };
  for (const Row& row : rows) {
    INFO(row.method << " " << row.path);
    const Router::Match match = router.Find(row.method, row.path);
    if (row.route.empty() || row.route == "405") {
      CHECK(match.handler == nullptr);
      CHECK(match.known_path == (row.route == "405"));
    } else {
      REQUIRE(match.handler != nullptr);
      CHECK(match.name == row.route);
      CHECK((*match.handler)(HttpRequest{}).body == row.route);
      CHECK(match.params == row.params);
    }
  }
  CHECK(router.routes().size() == 9);
}

TEST_CASE("numbers fail in the reference's words") {
  CHECK(ParseUint64("18446744073709551615").value() == UINT64_MAX);
  CHECK(ParseUint64("x").error() == "strconv.ParseUint: parsing \"x\": invalid syntax");
  CHECK(ParseUint64("").error() == "strconv.ParseUint: parsing \"\": invalid syntax");
  CHECK(ParseUint64("-1").error() == "strconv.ParseUint: parsing \"-1\": invalid syntax");
  CHECK(ParseUint64("+1").error() == "strconv.ParseUint: parsing \"+1\": invalid syntax");
  CHECK(ParseUint64("1 ").error() == "strconv.ParseUint: parsing \"1 \": invalid syntax");
  CHECK(ParseUint64("18446744073709551616").error() ==
        "strconv.ParseUint: parsing \"18446744073709551616\": value out of range");
  CHECK(ParseInt64("-5").value() == -5);
  CHECK(ParseInt64("+5").value() == 5);
  CHECK(ParseInt64("+-5").error() == "strconv.ParseInt: parsing \"+-5\": invalid syntax");
  CHECK(ParseInt64("x", "Atoi").error() == "strconv.Atoi: parsing \"x\": invalid syntax");
}

TEST_CASE("queries decode and keep their order") {
  CHECK(ParseQuery("") == HttpFields{});
  CHECK(ParseQuery("a=1&b=%20+&a=2&c&&d=") ==
        HttpFields{{"a", "1"}, {"b", "  "}, {"a", "2"}, {"c", ""}, {"d", ""}});
  CHECK(ParseQuery("a=%zz&b=1;c=2&e=5") == HttpFields{{"e", "5"}});
  HttpRequest request;
  request.query = ParseQuery("a=1&b=&a=2");
  CHECK(request.Query("a") == "1");
  CHECK(request.Query("b") == "");
  CHECK_FALSE(request.Query("c"));
  CHECK(request.QueryAll("a") == std::vector<std::string_view>{"1", "2"});
}

}  // namespace
}  // namespace api

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "api/http/app.h"

namespace api {
namespace {

TEST_CASE("static files are served, and nothing beside them") {
  std::string name = (std::filesystem::temp_directory_path() / "qm-static-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  const std::filesystem::path root = std::filesystem::path(name) / "www";
  std::filesystem::create_directories(root / "assets");
  std::ofstream(root / "index.html") << "<page>";
  std::ofstream(root / "assets" / "a.js") << "code";
  std::ofstream(root / "empty.txt") << "";
  std::ofstream(root / ".hidden") << "secret";
  std::ofstream(std::filesystem::path(name) / "outside") << "secret";

  Router router;
  RegisterStaticFiles(router, "/dashboard", root.string());
  const HttpApp app(router, {});
  const auto get = [&](const std::string& target) {
    HttpRequest request;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    return app.Serve(request);
  };
  CHECK(get("/dashboard?x=1").status == 301);
  CHECK(get("/dashboard?x=1").headers[0].second == "/dashboard/?x=1");
  CHECK(get("/dashboard/").body == "<page>");
  CHECK(get("/dashboard/stores/7").body == "<page>");
  CHECK(get("/dashboard/assets/a.js").body == "code");
  CHECK(get("/dashboard/assets/a.js").headers[0].second == "text/javascript; charset=utf-8");
  CHECK(get("/dashboard/empty.txt").status == 200);
  CHECK(get("/dashboard/missing.js").status == 404);
  for (const std::string target :
       {"/dashboard/.hidden", "/dashboard/%2e%2e/outside", "/dashboard/..%2foutside",
        "/dashboard/a%00b", "/dashboard/%5c..%5coutside", "/dashboard/%2foutside",
        "/dashboard//outside", "/dashboard/x/..%2f..%2foutside"}) {
    INFO(target);
    CHECK(get(target).body.find("secret") == std::string::npos);
    CHECK(get(target).status != 200);
  }
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace api

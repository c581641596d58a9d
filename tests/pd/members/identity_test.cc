#include "pd/members/identity.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <stdlib.h>

namespace pd {
namespace {

TEST_CASE("an identity is kept, and never made up", "[members]") {
  std::string folder = std::filesystem::temp_directory_path() / "qm-identity-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string data_dir = folder + "/data";
  const auto none = LoadIdentity(data_dir);
  REQUIRE(none);
  CHECK_FALSE(none->has_value());
  const MemberIdentity identity{
      18'000'000'000'000'000'001U, 7, true, true, {{5, {"http://a:1", "http://b:1"}}}};
  REQUIRE(SaveIdentity(data_dir, identity));
  CHECK(**LoadIdentity(data_dir) == identity);
  std::ofstream(data_dir + "/identity.json") << "{}";
  CHECK(LoadIdentity(data_dir).error().code == ErrorCode::kCorrupt);
  std::ofstream(data_dir + "/identity.json") << "no json";
  CHECK(LoadIdentity(data_dir).error().code == ErrorCode::kCorrupt);
  CHECK(SaveIdentity("/proc/nowhere", identity).error().code == ErrorCode::kIo);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace pd

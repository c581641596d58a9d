#include "pd/config/values.h"

#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

TEST_CASE("durations are written and read in the reference's spelling", "[config]") {
  const std::vector<std::pair<int64_t, std::string>> table = {
      {0, "0s"},
      {1, "1ns"},
      {1'500, "1.5µs"},
      {10'000'000, "10ms"},
      {1'500'000'000, "1.5s"},
      {600'000'000'000, "10m0s"},
      {3'600'000'000'000, "1h0m0s"},
      {172'800'000'000'000, "48h0m0s"},
      {3'661'000'000'000, "1h1m1s"},
      {-10'000'000, "-10ms"},
  };
  for (const auto& [nanos, text] : table) {
    CHECK(FormatDuration(Nanos(nanos)) == text);
    const auto parsed = ParseDuration(text);
    REQUIRE(parsed);
    CHECK(parsed->count() == nanos);
  }
  CHECK(ParseDuration("1h30m")->count() == 5'400'000'000'000);
  CHECK(ParseDuration("0")->count() == 0);
  CHECK(ParseDuration(".5s")->count() == 500'000'000);
}

TEST_CASE("a wrong duration is named in the decoder's words", "[config]") {
  CHECK(ParseDuration("3").error().context == "time: missing unit in duration \"3\"");
  CHECK(ParseDuration("").error().context == "time: invalid duration \"\"");
  CHECK(ParseDuration("x").error().context == "time: invalid duration \"x\"");
  CHECK(ParseDuration("3y").error().context == "time: unknown unit \"y\" in duration \"3y\"");
  CHECK_FALSE(ParseDuration("9999999999h"));
}

TEST_CASE("byte sizes have four digits and binary units", "[config]") {
  const std::vector<std::pair<uint64_t, std::string>> table = {
      {0, "0B"},
      {1023, "1023B"},
      {1024, "1KiB"},
      {1536 << 20, "1.5GiB"},
      {8ULL << 30, "8GiB"},
      {107'374'182'400'000ULL, "97.66TiB"},
  };
  for (const auto& [bytes, text] : table) CHECK(FormatByteSize(ByteSize{bytes}) == text);
  for (const char* spelling : {"8GiB", "8GB", "8g", "8G", "8 GiB", "8589934592", "8192MiB"}) {
    const auto parsed = ParseByteSize(spelling);
    REQUIRE(parsed);
    CHECK(parsed->bytes == 8ULL << 30);
  }
  for (const char* wrong : {"", "x", "8Q", "-1", "8GiBB", "99999EiB"})
    CHECK_FALSE(ParseByteSize(wrong));
}

TEST_CASE("versions order as semver says", "[config]") {
  const std::vector<std::string> ascending = {
      "0.0.0",      "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
      "1.0.0-rc.1", "1.0.0",       "2.1.0-rc.1",    "2.1.0",
      "8.5.0",      "8.10.0"};
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      CHECK((*ParseVersion(ascending[i]) < *ParseVersion(ascending[j])) == (i < j));
    }
  }
  CHECK(ParseVersion("v8.5.0")->Text() == "8.5.0");
  CHECK(ParseVersion("")->Text() == "1.0.0");
  CHECK(ParseVersion("x").error().context ==
        "[PD:semver:ErrSemverNewVersion]x is not in dotted-tri format: x is not in dotted-tri "
        "format");
  CHECK_FALSE(ParseVersion("1.2.x"));
}

}  // namespace
}  // namespace pd

#include "pd/codec/key_codec.h"

#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

TEST_CASE("keys in the stores' encoding", "[codec]") {
  const std::string full = "abcdefgh\xff";
  const std::string none(8, '\0');
  CHECK(EncodedKeyFault("abc" + std::string(5, '\0') + '\xfa').empty());
  CHECK(EncodedKeyFault(full + none + '\xf7').empty());
  CHECK(EncodedKeyFault(full + "i" + std::string(7, '\0') + "\xf8 and more").empty());
}

TEST_CASE("keys that are not", "[codec]") {
  const std::string insufficient = "insufficient bytes to decode value";
  CHECK(EncodedKeyFault("") == insufficient);
  CHECK(EncodedKeyFault("abcdefgh") == insufficient);
  CHECK(EncodedKeyFault("abcdefgh\xff") == insufficient);
  CHECK(EncodedKeyFault("abcdefgh\xf6") == R"(invalid marker byte, group bytes "abcdefgh\xf6")");
  CHECK(EncodedKeyFault("a\"cdefg\x01\xfe") ==
        R"(invalid padding byte, group bytes "a\"cdefg\x01\xfe")");
  CHECK(EncodedKeyFault("abcdef\n\t\x10") ==
        R"(invalid marker byte, group bytes "abcdef\n\t\x10")");
}

}  // namespace
}  // namespace pd

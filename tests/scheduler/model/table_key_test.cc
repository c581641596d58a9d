#include "scheduler/model/table_key.h"

#include <string>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

using namespace std::string_literals;

TEST_CASE("the table of an encoded key") {
  const std::string first = "t\x80\0\0\0\0\0\0\xff"s;
  CHECK(TableOfKey(first + "\x01\0\0\0\0\0\0\0\xf8"s) == TableId{0, 1});
  CHECK(TableOfKey(first + "\x2d_r\0\0\0\0\0\xfa"s) == TableId{0, 45});
  CHECK(TableOfKey(first + "\x2d_r\x80\0\0\0\0\xff"s + "\0\0\0\x05\0\0\0\0\xfb"s) ==
        TableId{0, 45});
  // The sign bit is flipped, so that negative ids sort first.
  CHECK(TableOfKey("t\x7f\xff\xff\xff\xff\xff\xff\xff"s + "\xfe\0\0\0\0\0\0\0\xf8"s) ==
        TableId{0, -2});
  CHECK(TableOfKey("x\0\x01\x02t\x80\0\0\xff\0\0\0\0\x07\0\0\0\xfc"s) == TableId{0x102, 7});
}

TEST_CASE("other keys belong to no table") {
  CHECK_FALSE(TableOfKey("").has_value());
  CHECK_FALSE(TableOfKey("t"s).has_value());
  CHECK_FALSE(TableOfKey("t\x80\0\0\0\0\0\0\xff"s).has_value());  // One byte of the id is missing.
  CHECK_FALSE(TableOfKey("t\x80\0\0\0\0\0\0\xfe\x01\0\0\0\0\0\0\0\xf8"s).has_value());
  CHECK_FALSE(TableOfKey("t\x80\0\0\0\0\0\0\x01\x01\0\0\0\0\0\0\0\xf8"s).has_value());
  CHECK_FALSE(TableOfKey("m\x80\0\0\0\0\0\0\xff\x01\0\0\0\0\0\0\0\xf8"s).has_value());
  CHECK_FALSE(TableOfKey("x\0\0\x01r\x80\0\0\xff\0\0\0\0\x07\0\0\0\xfc"s).has_value());
  CHECK_FALSE(TableOfKey("zzz").has_value());
}

}  // namespace
}  // namespace scheduler

#include "scheduler/model/table_key.h"

#include <limits>
#include <string>
#include <vector>

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

/// Another way to write the encoding than the product's: byte by byte.
std::string Encode(const std::string& bytes) {
  std::string out;
  for (size_t i = 0; i <= bytes.size(); i += 8) {
    const std::string group = bytes.substr(i, 8);
    out += group + std::string(8 - group.size(), '\0');
    out += static_cast<char>(0xff - (8 - group.size()));
  }
  return out;
}

const std::string kTable1 = "t\x80\0\0\0\0\0\0\x01"s;
const std::string kIndex2 = "_i\x80\0\0\0\0\0\0\x02"s;
const std::string kKeyspace = "x\0\x01\x02"s;

TEST_CASE("a record's key is part of its table, an entry's of its index") {
  struct Row {
    std::string key;
    std::optional<TableScope> scope;
  };
  const std::vector<Row> rows = {
      {kTable1 + "_r", {{{}, 1, {}}}},
      {kTable1 + "_r\x80\0\0\0\0\0\0\x07"s, {{{}, 1, {}}}},
      {kTable1 + kIndex2, {{{}, 1, 2}}},
      {kTable1 + kIndex2 + "what is indexed", {{{}, 1, 2}}},
      {kTable1 + "_i\x7f\xff\xff\xff\xff\xff\xff\xff"s, {{{}, 1, -1}}},
      {kKeyspace + kTable1 + "_r", {{0x102, 1, {}}}},
      {kKeyspace + kTable1 + kIndex2, {{0x102, 1, 2}}},
      {"x\0\0\0"s + kTable1 + "_r", {{0, 1, {}}}},
      // Bounds of tables, and others.
      {kTable1, {}},
      {kKeyspace + kTable1, {}},
      {kTable1 + "_", {}},
      {kTable1 + "_s", {}},
      {kTable1 + "_i\x80\0\0\0\0\0\0"s, {}},  // One byte of the index's id is missing.
      {"t\x80\0\0\0\0\0\x01"s, {}},
      {"m\x80\0\0\0\0\0\0\x01_r"s, {}},
      {"", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.key);
    CHECK(ScopeOfKey(Encode(row.key)) == row.scope);
  }
  CHECK_FALSE(ScopeOfKey("").has_value());
  CHECK_FALSE(ScopeOfKey(kTable1 + "_r").has_value());  // Not encoded.
}

TEST_CASE("the range of a scope holds its keys and no others") {
  struct Row {
    TableScope scope;
    std::vector<std::string> inside;
    std::vector<std::string> outside;
  };
  const std::string table2 = "t\x80\0\0\0\0\0\0\x02"s;
  const std::string index3 = "_i\x80\0\0\0\0\0\0\x03"s;
  const std::string last = "\xff\xff\xff\xff\xff\xff\xff\xff"s;
  constexpr int64_t kIdMax = std::numeric_limits<int64_t>::max();
  const std::vector<Row> rows = {
      {{{}, 1, {}},
       {kTable1, kTable1 + "_r", kTable1 + "_r" + last + last, kTable1 + kIndex2},
       {"t\x80\0\0\0\0\0\0\0\xff"s, table2, table2 + "_r", kKeyspace + kTable1 + "_r", "", "u"}},
      {{{}, 1, 2},
       {kTable1 + kIndex2, kTable1 + kIndex2 + last + last},
       {kTable1, kTable1 + "_r", kTable1 + index3, "t\x80\0\0\0\0\0\0\x02"s + kIndex2}},
      {{0x102, 1, {}},
       {kKeyspace + kTable1 + "_r"},
       {kTable1 + "_r", "x\0\x01\x03"s + kTable1 + "_r", kKeyspace + table2}},
      {{{}, -1, {}}, {"t\x7f"s + last.substr(1) + "_r"}, {"t\x80\0\0\0\0\0\0\0_r"s}},
      {{{}, kIdMax, {}}, {"t" + last + "_r"}, {"u", "t" + last.substr(1) + "\xfe_r"}},
      {{{}, 1, kIdMax}, {kTable1 + "_i" + last + "x"}, {kTable1 + "_j", kTable1 + "_r"}},
  };
  for (const Row& row : rows) {
    const KeyRange range = RangeOfScope(row.scope);
    const auto holds = [&](const std::string& key) {
      const std::string encoded = Encode(key);
      return range.start <= encoded && encoded < range.end;
    };
    for (const std::string& key : row.inside) {
      CAPTURE(row.scope.table, key);
      CHECK(holds(key));
    }
    for (const std::string& key : row.outside) {
      CAPTURE(row.scope.table, key);
      CHECK_FALSE(holds(key));
    }
  }
}

}  // namespace
}  // namespace scheduler

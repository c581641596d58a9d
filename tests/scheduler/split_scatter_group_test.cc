// Which group the parts of a split belong to, and which ranges count.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/model/table_key.h"
#include "scheduler/scatter/split_scatter.h"

namespace scheduler {
namespace {

using namespace std::string_literals;

TEST_CASE("the parts of a split belong to the table, the index, or themselves") {
  const std::string record_of_1 = "t\x80\0\0\0\0\0\0\xff"s + "\x01_r\x80\0\0\0\0\xff"s;
  const std::string entry_of_1_2 =
      "t\x80\0\0\0\0\0\0\xff\x01_i\x80\0\0\0\0\xff\0\0\x02\0\0\0\0\0\xfa"s;
  const std::string entry_of_3_1_2 =
      "x\0\0\x03t\x80\0\0\xff\0\0\0\0\x01_i\x80\xff\0\0\0\0\0\0\x02\0\xfe"s;
  const std::string record_of_3_1 = "x\0\0\x03t\x80\0\0\xff\0\0\0\0\x01_r\0\xfe"s;
  const std::string start_of_1 = "t\x80\0\0\0\0\0\0\xff"s + "\x01\0\0\0\0\0\0\0\xf8"s;
  const KeyRange table = RangeOfScope({{}, 1, {}});
  const KeyRange index = RangeOfScope({{}, 1, 2});
  struct Row {
    KeyRange range;
    SplitScatterGroup group;
  };
  const std::vector<Row> rows = {
      {{"a", "b"}, {"split-scatter-5-9", {"a", "b"}}},
      {{"", ""}, {"split-scatter-5-9", {"", ""}}},
      {{start_of_1, record_of_1}, {"split-scatter-5-9", {start_of_1, record_of_1}}},
      {{record_of_1, record_of_1 + "z"}, {"split-scatter-table-1", table}},
      {{record_of_1, table.end}, {"split-scatter-table-1", table}},
      {{entry_of_1_2, entry_of_1_2 + "z"}, {"split-scatter-index-1-2", index}},
      {{record_of_3_1, record_of_3_1 + "z"},
       {"split-scatter-keyspace-3-table-1", RangeOfScope({3, 1, {}})}},
      {{entry_of_3_1_2, entry_of_3_1_2 + "z"},
       {"split-scatter-keyspace-3-index-1-2", RangeOfScope({3, 1, 2})}},
      // What lies behind the table or index is counted as well.
      {{record_of_1, "u"}, {"split-scatter-table-1", {table.start, "u"}}},
      {{record_of_1, ""}, {"split-scatter-table-1", {table.start, ""}}},
      {{entry_of_1_2, record_of_1}, {"split-scatter-index-1-2", {index.start, record_of_1}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.group.name);
    const SplitScatterGroup group = GroupOfSplit({5}, {9}, row.range);
    CHECK(group.name == row.group.name);
    CHECK(group.range == row.group.range);
  }
}

}  // namespace
}  // namespace scheduler

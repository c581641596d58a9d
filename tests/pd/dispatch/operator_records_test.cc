#include "pd/dispatch/operator_records.h"

#include <utility>

#include <catch2/catch.hpp>

namespace pd {
namespace {

void Add(OperatorRecords& records, uint64_t region, int64_t seconds, int64_t unix_s) {
  scheduler::Proposal plan;
  plan.region = {region};
  const Stamp at{unix_s * 1'000'000'000, std::chrono::seconds(seconds)};
  records.Add({scheduler::Operator(std::move(plan), {}), at, at, {}}, at);
}

std::vector<uint64_t> Regions(const std::vector<OperatorInfo>& infos) {
  std::vector<uint64_t> regions;
  for (const OperatorInfo& info : infos) regions.push_back(info.op.plan().region.value);
  return regions;
}

TEST_CASE("the last record of a region is the one that is found", "[records]") {
  OperatorRecords records;
  CHECK(records.Latest({7}) == nullptr);
  Add(records, 7, 1, 101);
  Add(records, 8, 2, 102);
  Add(records, 7, 3, 103);
  REQUIRE(records.Latest({7}) != nullptr);
  CHECK(records.Latest({7})->ended->monotonic == std::chrono::seconds(3));
  // The first of region 7 goes, its last stays; then nothing of region 8 is left.
  records.DropEndedBefore(std::chrono::seconds(2));
  CHECK(records.size() == 2);
  CHECK(records.Latest({7})->ended->monotonic == std::chrono::seconds(3));
  records.DropEndedBefore(std::chrono::seconds(3));
  CHECK(records.Latest({8}) == nullptr);
  CHECK(records.region_count() == 1);
  records.Clear();
  CHECK(records.Latest({7}) == nullptr);
  Add(records, 9, 4, 104);
  CHECK(records.Latest({9})->op.plan().region.value == 9);
}

TEST_CASE("records and regions are bounded", "[records]") {
  OperatorRecords records;
  for (size_t i = 0; i < OperatorRecords::kMax + 10; ++i) Add(records, i, 1, 101);
  CHECK(records.size() == OperatorRecords::kMax);
  CHECK(records.region_count() == OperatorRecords::kMax);
  CHECK(records.Latest({9}) == nullptr);
  CHECK(records.Latest({10}) != nullptr);
}

TEST_CASE("records are read in parts, from a time on", "[records]") {
  OperatorRecords records;
  for (const uint64_t i : {1U, 2U, 3U, 4U, 5U}) {
    Add(records, i, static_cast<int64_t>(i), static_cast<int64_t>(100 + i));
  }
  const auto from = [&](int64_t unix_s) { return records.NumberFrom(unix_s * 1'000'000'000); };
  uint64_t number = from(102);
  CHECK(Regions(records.Read(&number, 2)) == std::vector<uint64_t>{2, 3});
  // What is dropped meanwhile is passed over.
  records.DropEndedBefore(std::chrono::seconds(5));
  CHECK(Regions(records.Read(&number, 2)) == std::vector<uint64_t>{5});
  CHECK(records.Read(&number, 2).empty());
  CHECK(from(105) == number - 1);
  CHECK(from(106) == number);
}

TEST_CASE("a clock that was set back hides no record", "[records]") {
  OperatorRecords records;
  Add(records, 1, 1, 200);
  Add(records, 2, 2, 150);
  Add(records, 3, 3, 210);
  uint64_t number = records.NumberFrom(150'000'000'000);
  CHECK(Regions(records.Read(&number, 9)) == std::vector<uint64_t>{1, 2, 3});
  number = records.NumberFrom(201'000'000'000);
  CHECK(Regions(records.Read(&number, 9)) == std::vector<uint64_t>{3});
}

}  // namespace
}  // namespace pd

#include "pd/cluster/hot_history.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;
constexpr int64_t kNowMs = 1'700'000'000'000;  // 2023-11-14.

HotRecord MakeRecord(int64_t unix_ms, uint64_t region) {
  return {unix_ms,
          {region},
          {region * 10},
          {1},
          true,
          false,
          scheduler::Access::kRead,
          7,
          scheduler::Load{{1.5, 2, 3, 4}},
          std::string("a\xff", 2),
          ""};
}

std::vector<HotRecord> All(const HotHistory& history) {
  return history.Read(0, kNowMs * 2, [](const HotRecord&) { return true; }).records;
}

TEST_CASE("records come back as they were, also after a restart") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/hot-region";
  {
    HotHistory history(path);
    CHECK(All(history).empty());
    REQUIRE(history.Append(kNowMs, {MakeRecord(kNowMs, 1), MakeRecord(kNowMs, 2)}));
    REQUIRE(history.Append(kNowMs + kDayMs, {MakeRecord(kNowMs + kDayMs, 3)}));
  }
  const HotHistory history(path);
  const std::vector<HotRecord> found = All(history);
  REQUIRE(found.size() == 3);
  CHECK(found[0] == MakeRecord(kNowMs, 1));
  CHECK(found[2].region.value == 3);
  const auto any = [](const HotRecord&) { return true; };
  const auto count = [&](int64_t from_ms, int64_t to_ms, const auto& wanted) {
    return history.Read(from_ms, to_ms, wanted).records.size();
  };
  CHECK(count(kNowMs, kNowMs, any) == 2);
  CHECK(count(kNowMs + 1, kNowMs + kDayMs, any) == 1);
  CHECK(count(0, kNowMs - 1, any) == 0);
  CHECK(count(0, kNowMs, [](const HotRecord& r) { return r.region.value == 2; }) == 1);
}

TEST_CASE("what is too much for one page comes in several, none twice") {
  const test::TemporaryFolder folder;
  HotHistory history(folder.path(), HotHistory::kBytesMax, 3);
  for (int64_t i = 0; i < 5; ++i) {
    const int64_t ms = kNowMs + i;
    const auto region = static_cast<uint64_t>(i);
    REQUIRE(history.Append(ms, {MakeRecord(ms, 10 * region), MakeRecord(ms, 10 * region + 1)}));
  }
  std::vector<size_t> sizes;
  std::vector<uint64_t> regions;
  for (std::optional<int64_t> from = 0; from;) {
    const auto page = history.Read(*from, kNowMs * 2, [](const HotRecord&) { return true; });
    sizes.push_back(page.records.size());
    for (const HotRecord& record : page.records) regions.push_back(record.region.value);
    from = page.next_ms;
  }
  CHECK(sizes == std::vector<size_t>{4, 4, 2});
  CHECK(regions == std::vector<uint64_t>{0, 1, 10, 11, 20, 21, 30, 31, 40, 41});
}

TEST_CASE("pages go on though the clock was set back within a day") {
  const test::TemporaryFolder folder;
  HotHistory history(folder.path(), HotHistory::kBytesMax, 2);
  for (const int64_t at : {5, 6, 7, 1, 2, 3, 3, 3, 8, 4}) {
    REQUIRE(history.Append(kNowMs + at, {MakeRecord(kNowMs + at, static_cast<uint64_t>(at))}));
  }
  std::vector<uint64_t> regions;
  for (std::optional<int64_t> from = kNowMs; from;) {
    const auto page = history.Read(*from, kNowMs * 2, [](const HotRecord&) { return true; });
    for (const HotRecord& record : page.records) regions.push_back(record.region.value);
    CHECK(page.records.size() <= 4);  // Those of one moment are not parted.
    CHECK(page.next_ms.value_or(*from + 1) > *from);
    from = page.next_ms;
  }
  CHECK(regions == std::vector<uint64_t>{1, 2, 3, 3, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("what is written after a crash is not made part of the line that was cut off") {
  const test::TemporaryFolder folder;
  HotHistory history(folder.path());
  REQUIRE(history.Append(kNowMs, {MakeRecord(kNowMs, 1)}));
  std::ofstream(folder.path() + "/2023-11-14.jsonl", std::ios::app) << R"({"t":1700000000000,"reg)";
  REQUIRE(history.Append(kNowMs, {MakeRecord(kNowMs, 2)}));
  REQUIRE(All(history).size() == 2);
  CHECK(All(history)[1].region.value == 2);
}

TEST_CASE("a line that was cut off is passed over") {
  const test::TemporaryFolder folder;
  HotHistory history(folder.path());
  REQUIRE(history.Append(kNowMs, {MakeRecord(kNowMs, 1)}));
  std::ofstream(folder.path() + "/2023-11-14.jsonl", std::ios::app) << R"({"t":1700000000000,"reg)";
  CHECK(All(history).size() == 1);
  std::ofstream(folder.path() + "/2023-11-14.jsonl", std::ios::app) << "\n{}\nnonsense\n";
  REQUIRE(history.Append(kNowMs, {MakeRecord(kNowMs, 2)}));
  CHECK(All(history).size() == 2);
}

TEST_CASE("days are forgotten when their time is over, or when there is no room") {
  const test::TemporaryFolder folder;
  HotHistory history(folder.path(), 1000);
  for (int64_t day = 0; day < 5; ++day) {
    const int64_t ms = kNowMs + day * kDayMs;
    REQUIRE(history.Append(ms, {MakeRecord(ms, static_cast<uint64_t>(day))}));
  }
  CHECK(All(history).size() == 5);
  history.Prune(kNowMs + 4 * kDayMs, 2);
  REQUIRE(All(history).size() == 3);
  CHECK(All(history)[0].region.value == 2);
  // More than a thousand bytes: the oldest day makes room.
  const int64_t now = kNowMs + 4 * kDayMs;
  while (All(history)[0].region.value == 2) REQUIRE(history.Append(now, {MakeRecord(now, 9)}));
  CHECK(All(history)[0].region.value == 3);
  int failures = 0;
  for (int i = 0; i < 50; ++i) {
    const auto appended = history.Append(now, {MakeRecord(now, 9)});
    if (appended) continue;
    ++failures;
    CHECK(appended.error().code == ErrorCode::kUnavailable);
  }
  CHECK(failures > 0);
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    bytes += entry.file_size();
  }
  CHECK(bytes <= 1000);
  history.Prune(now, 0);
  CHECK(All(history).empty());
}

TEST_CASE("without a folder nothing is kept; one that cannot be made is an error") {
  HotHistory none("");
  REQUIRE(none.Append(kNowMs, {MakeRecord(kNowMs, 1)}));
  none.Prune(kNowMs, 7);
  CHECK(All(none).empty());
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() + "/file") << "x";
  HotHistory blocked(folder.path() + "/file/below");
  CHECK_FALSE(blocked.Append(kNowMs, {MakeRecord(kNowMs, 1)}).has_value());
}

}  // namespace
}  // namespace pd

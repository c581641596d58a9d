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
  return history.Read(0, kNowMs * 2, [](const HotRecord&) { return true; });
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
  CHECK(history.Read(kNowMs, kNowMs, any).size() == 2);
  CHECK(history.Read(kNowMs + 1, kNowMs + kDayMs, any).size() == 1);
  CHECK(history.Read(0, kNowMs - 1, any).empty());
  CHECK(history.Read(0, kNowMs, [](const HotRecord& r) { return r.region.value == 2; }).size() ==
        1);
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
  for (int i = 0; i < 50; ++i) REQUIRE(history.Append(now, {MakeRecord(now, 9)}));
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

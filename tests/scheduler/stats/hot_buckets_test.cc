#include "scheduler/stats/hot_buckets.h"

#include <string>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

constexpr Instant kNow{Seconds{1000}};

/// Each bucket's written bytes in ten seconds.
Buckets Written(std::vector<std::string> keys, std::vector<uint64_t> bytes) {
  Buckets buckets;
  buckets.version = 1;
  buckets.keys = std::move(keys);
  buckets.write_bytes = std::move(bytes);
  return buckets;
}

TEST_CASE("a bucket is hot from its first report on, and cools down report by report") {
  HotBuckets hot;
  for (int i = 0; i < 3; ++i) hot.Report({7}, Written({"a", "c", "e"}, {20'000, 10}), kNow);
  const std::vector<HotBucket> found = hot.All(1, kNow);
  REQUIRE(found.size() == 1);
  CHECK(found[0].start_key == "a");
  CHECK(found[0].end_key == "c");
  CHECK(found[0].degree == 3);
  CHECK(found[0].write[LoadDim::kByte] == Approx(2000));
  CHECK(hot.All(4, kNow).empty());
  for (int i = 0; i < 2; ++i) hot.Report({7}, Written({"a", "c", "e"}, {0, 0}), kNow);
  CHECK(hot.All(1, kNow)[0].degree == 1);
  hot.Report({7}, Written({"a", "c", "e"}, {0, 0}), kNow);
  CHECK(hot.All(0, kNow).empty());
}

TEST_CASE("degrees end at the highest; the period counts; queries make hot too") {
  HotBuckets hot;
  Buckets buckets = Written({"", ""}, {});
  buckets.period_ms = 1000;
  buckets.read_qps = {200};
  for (int i = 0; i < 30; ++i) hot.Report({7}, buckets, kNow);
  REQUIRE(hot.All(0, kNow).size() == 1);
  CHECK(hot.All(0, kNow)[0].degree == HotBuckets::kDegreeMax);
  CHECK(hot.All(0, kNow)[0].read[LoadDim::kQuery] == Approx(200));
  buckets.period_ms = 10'000;  // Then they are 20 a second.
  hot.Report({7}, buckets, kNow);
  CHECK(hot.All(0, kNow)[0].degree == HotBuckets::kDegreeMax - 1);
}

TEST_CASE("the parts of a split go on from where the whole was") {
  HotBuckets hot;
  for (int i = 0; i < 5; ++i) hot.Report({7}, Written({"a", "m", "z"}, {20'000, 50'000}), kNow);
  hot.Report({8}, Written({"a", "g"}, {20'000}), kNow);
  // What of the old bucket is not covered yet goes with it; the other one stays.
  REQUIRE(hot.All(0, kNow).size() == 2);
  CHECK(hot.In({"a", "g"}, 0, kNow)[0].degree == 6);
  CHECK(hot.In({"a", "g"}, 0, kNow)[0].region == RegionId{8});
  CHECK(hot.In({"n", "o"}, 0, kNow)[0].degree == 5);
  CHECK(hot.In({"z", ""}, 0, kNow).empty());
  CHECK(hot.In({"", "a"}, 0, kNow).empty());
}

TEST_CASE("boundaries that do not ascend are left out") {
  HotBuckets hot;
  hot.Report({7}, Written({"c", "b", "d"}, {50'000, 50'000}), kNow);
  REQUIRE(hot.All(0, kNow).size() == 1);
  CHECK(hot.All(0, kNow)[0].start_key == "b");
  hot.Report({7}, Written({"b"}, {50'000}), kNow);
  CHECK(hot.All(0, kNow)[0].degree == 1);
}

TEST_CASE("a bucket that nothing is heard of for three reports is forgotten") {
  HotBuckets hot;
  for (int i = 0; i < 3; ++i) hot.Report({7}, Written({"a", "c"}, {20'000}), kNow);
  Buckets slow = Written({"c", "e"}, {200'000});
  slow.period_ms = 60'000;
  hot.Report({8}, slow, kNow);
  CHECK(hot.All(0, kNow + Seconds{29}).size() == 2);
  REQUIRE(hot.All(0, kNow + Seconds{30}).size() == 1);
  CHECK(hot.All(0, kNow + Seconds{30})[0].region == RegionId{8});
  CHECK(hot.All(0, kNow + Seconds{180}).empty());
  // What comes later begins anew.
  hot.Report({7}, Written({"a", "c"}, {20'000}), kNow + Seconds{30});
  CHECK(hot.In({"a", "b"}, 0, kNow + Seconds{30})[0].degree == 1);
}

TEST_CASE("all parts of a bucket go on from where it was") {
  HotBuckets hot;
  for (int i = 0; i < 5; ++i) hot.Report({7}, Written({"a", "m"}, {20'000}), kNow);
  hot.Report({7}, Written({"a", "g", "m"}, {20'000, 20'000}), kNow);
  CHECK(hot.In({"a", "b"}, 0, kNow)[0].degree == 6);
  CHECK(hot.In({"h", "i"}, 0, kNow)[0].degree == 6);
}

TEST_CASE("when there are too many, new ones wait until others have gone") {
  HotBuckets hot(3);
  const auto report = [&](const std::string& start, int at_s) {
    hot.Report({7}, Written({start, start + "x"}, {20'000}), kNow + Seconds{at_s});
  };
  const auto kept = [&](int degree_min, int at_s) {
    std::string starts;
    for (const HotBucket& bucket : hot.All(degree_min, kNow + Seconds{at_s})) {
      starts += bucket.start_key;
    }
    return starts;
  };
  // In turn, as regions report: those that are kept get on all the same.
  for (int round = 0; round < 5; ++round) {
    for (const char* start : {"a", "b", "c", "d"}) report(start, 10 * round);
  }
  CHECK(kept(5, 40) == "abc");
  for (const char* start : {"a", "b"}) report(start, 60);
  report("d", 70);  // Nothing was heard of c for 30 s.
  CHECK(kept(0, 70) == "abd");
}

}  // namespace
}  // namespace scheduler

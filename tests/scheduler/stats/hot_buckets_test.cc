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

TEST_CASE("when there are too many, those that were heard of longest ago go") {
  HotBuckets hot(3);
  for (int i = 0; i < 3; ++i) {
    const std::string start(1, static_cast<char>('a' + i));
    hot.Report({7}, Written({start, start + "x"}, {20'000}), kNow + Seconds{i});
  }
  hot.Report({7}, Written({"a", "ax"}, {20'000}), kNow + Seconds{3});
  hot.Report({8}, Written({"d", "dx"}, {20'000}), kNow + Seconds{4});
  std::string starts;
  for (const HotBucket& bucket : hot.All(0, kNow + Seconds{4})) starts += bucket.start_key;
  CHECK(starts == "acd");
}

}  // namespace
}  // namespace scheduler

#include "scheduler/model/key_ranges.h"

#include <catch2/catch.hpp>

#include "scheduler/model/rng.h"

namespace scheduler {
namespace {

TEST_CASE("what lies in two ranges", "[key_ranges]") {
  CHECK(Intersection({"a", "m"}, {"c", "z"}) == KeyRange{"c", "m"});
  CHECK(Intersection({"", ""}, {"c", ""}) == KeyRange{"c", ""});
  CHECK(Intersection({"", ""}, {"", ""}) == KeyRange{});
  CHECK_FALSE(Intersection({"a", "m"}, {"m", "z"}));
  CHECK_FALSE(Intersection({"m", ""}, {"", "m"}));
}

TEST_CASE("what is left of ranges", "[key_ranges]") {
  using Ranges = std::vector<KeyRange>;
  const Ranges all{{}};
  CHECK(Without(all, {}) == all);
  CHECK(Without(all, all).empty());
  CHECK(Without(all, Ranges{{"c", "f"}}) == Ranges{{"", "c"}, {"f", ""}});
  CHECK(Without(Ranges{{"a", "c"}, {"e", "h"}}, Ranges{{"b", "f"}}) ==
        Ranges{{"a", "b"}, {"f", "h"}});
  CHECK(Without(Ranges{{"a", "z"}}, Ranges{{"a", "b"}, {"y", "z"}, {"c", "d"}}) ==
        Ranges{{"b", "c"}, {"d", "y"}});
}

TEST_CASE("a key is left exactly when it was there and was not taken", "[key_ranges]") {
  Rng rng(1);
  const auto any = [&] {
    std::vector<KeyRange> ranges;
    for (uint64_t i = rng.Below(4); i > 0; --i) {
      const auto start = static_cast<char>('a' + rng.Below(20));
      const auto end = static_cast<char>(start + 1 + static_cast<char>(rng.Below(6)));
      ranges.push_back({rng.Below(8) == 0 ? "" : std::string(1, start),
                        rng.Below(8) == 0 ? "" : std::string(1, end)});
    }
    return ranges;
  };
  const auto holds = [](const std::vector<KeyRange>& ranges, const std::string& key) {
    return std::ranges::any_of(
        ranges, [&](const KeyRange& range) { return Contains(range.start, range.end, key); });
  };
  for (int i = 0; i < 2000; ++i) {
    const std::vector<KeyRange> ranges = any();
    const std::vector<KeyRange> taken = any();
    const std::vector<KeyRange> left = Without(ranges, taken);
    for (char key = 'a'; key < 'z' + 3; ++key) {
      const std::string text(1, key);
      REQUIRE(holds(left, text) == (holds(ranges, text) && !holds(taken, text)));
    }
    for (const KeyRange& range : left) REQUIRE((range.end.empty() || range.start < range.end));
  }
}

}  // namespace
}  // namespace scheduler

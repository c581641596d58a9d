#include "pd/cluster/recent_regions.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

using namespace std::chrono_literals;

TEST_CASE("of too many regions those of longest ago are forgotten", "[regions]") {
  RecentRegions regions(3);
  scheduler::Instant now;
  const auto note = [&](uint64_t id) {
    now = now + 1s;
    regions.Note({id}, now);
  };
  for (const uint64_t id : {1U, 2U, 1U, 3U}) note(id);
  CHECK(regions.LastOf({1}).has_value());  // It was seen twice.
  CHECK(regions.LastOf({2}).has_value());
  note(4);
  CHECK_FALSE(regions.LastOf({2}).has_value());
  CHECK(regions.LastOf({1}).has_value());
  note(5);
  CHECK_FALSE(regions.LastOf({1}).has_value());
}

}  // namespace
}  // namespace pd

// What affinity groups are made of: ids, ranges, phases, the bound on splits.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "scheduler/affinity/affinity_group.h"

namespace scheduler {
namespace {

TEST_CASE("ids of groups are words", "[affinity]") {
  for (const char* id : {"g", "_tidb_t_1", "_tidb_pt_1_p2", "A-Z_0"}) CHECK(IsAffinityGroupId(id));
  CHECK(IsAffinityGroupId(std::string(64, 'x')));
  CHECK_FALSE(IsAffinityGroupId(std::string(65, 'x')));
  for (const char* id : {"", "a b", "a/b", "a.b", "\xc3\xa4"}) CHECK_FALSE(IsAffinityGroupId(id));
}

using Pairs = std::vector<std::vector<std::string>>;

std::string Overlap(const Pairs& ranges) {
  std::vector<AffinityRange> list;
  for (const auto& range : ranges) list.push_back({{range[0], range[1]}, range[2]});
  const auto found = FindOverlap(list);
  return found ? found->first + found->second : "";
}

TEST_CASE("ranges that overlap are found", "[affinity]") {
  CHECK(Overlap({}).empty());
  CHECK(Overlap({{"", "", "x"}}).empty());
  CHECK(Overlap({{"a", "c", "x"}, {"c", "e", "y"}}).empty());
  CHECK(Overlap({{"c", "e", "y"}, {"a", "c", "x"}, {"e", "", "z"}}).empty());
  CHECK(Overlap({{"b", "e", "y"}, {"a", "c", "x"}}) == "xy");
  CHECK(Overlap({{"a", "z", "x"}, {"b", "c", "y"}}) == "xy");
  CHECK(Overlap({{"a", "b", "y"}, {"a", "b", "x"}}) == "xy");
  CHECK(Overlap({{"", "b", "y"}, {"", "", "x"}}) == "xy");
  CHECK(Overlap({{"k", "l", "y"}, {"", "", "x"}}) == "xy");
  CHECK(Overlap({{"a", "c", "x"}, {"b", "d", "x"}}) == "xx");
}

TEST_CASE("an overlap is found if and only if two ranges share a key", "[affinity][property]") {
  CHECK(rc::check([] {
    const auto bound = [] {
      return std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 12)));
    };
    std::vector<AffinityRange> ranges;
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
      KeyRange keys{bound(), bound()};
      if (keys.start > keys.end) std::swap(keys.start, keys.end);
      if (keys.start == keys.end) keys.end.clear();
      if (keys.start == "a") keys.start.clear();
      ranges.push_back({keys, std::to_string(i)});
    }
    bool shared = false;
    for (size_t i = 0; i < ranges.size(); ++i) {
      for (size_t j = i + 1; j < ranges.size(); ++j) {
        for (char c = 'a'; c <= 'n'; ++c) {
          const std::string key = std::string(1, c) + "+";
          const auto holds = [&](const KeyRange& keys) {
            return Contains(keys.start, keys.end, key);
          };
          shared |= holds(ranges[i].keys) && holds(ranges[j].keys);
        }
      }
    }
    RC_ASSERT(FindOverlap(ranges).has_value() == shared);
  }));
}

AffinityGroup Group(Availability availability, uint64_t assignment = 1) {
  return {{{1}, {{1}, {2}, {3}}}, assignment, availability};
}

TEST_CASE("what a group allows", "[affinity]") {
  const AffinityGroup available = Group(Availability::kAvailable);
  CHECK(available.AllowsAffinity());
  CHECK_FALSE(available.AllowsBalance());
  const AffinityGroup degraded = Group(Availability::kDegraded);
  CHECK_FALSE(degraded.AllowsAffinity());
  CHECK_FALSE(degraded.AllowsBalance());
  const AffinityGroup expired = Group(Availability::kExpired);
  CHECK_FALSE(expired.AllowsAffinity());
  CHECK(expired.AllowsBalance());
  CHECK_FALSE(AffinityGroup().AllowsAffinity());
  CHECK(AffinityGroup().AllowsBalance());
}

TEST_CASE("a group is stable once all known regions are in place", "[affinity]") {
  const AffinityGroup group = Group(Availability::kAvailable, 7);
  CHECK(PhaseOf(group, 1, {7, 3, 3}) == AffinityPhase::kStable);
  CHECK(PhaseOf(group, 1, {7, 3, 2}) == AffinityPhase::kPreparing);
  CHECK(PhaseOf(group, 1, {7, 0, 0}) == AffinityPhase::kPreparing);
  CHECK(PhaseOf(group, 1, {6, 3, 3}) == AffinityPhase::kPreparing);  // Of other stores.
  CHECK(PhaseOf(group, 0, {7, 3, 3}) == AffinityPhase::kPending);
  CHECK(PhaseOf(Group(Availability::kDegraded, 7), 1, {7, 3, 3}) == AffinityPhase::kPending);
  CHECK(PhaseOf(AffinityGroup(), 1, {}) == AffinityPhase::kPending);
}

TEST_CASE("settings of any size bound splits", "[affinity]") {
  Region region;
  region.size_mib = std::numeric_limits<uint64_t>::max() - 1;
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  CHECK(RefusesSplit(Group(Availability::kAvailable), region, SplitReason::kSize, {1, most}));
  CHECK_FALSE(RefusesSplit(Group(Availability::kAvailable), region, SplitReason::kSize, {1, 256}));
}

}  // namespace
}  // namespace scheduler

#include "scheduler/stats/influence.h"

#include <vector>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

std::vector<uint64_t> StoresOf(const Influence& influence) {
  std::vector<uint64_t> ids;
  for (const auto& entry : influence.stores()) ids.push_back(entry.first.value);
  return ids;
}

TEST_CASE("an influence is by store, in the order of their ids", "[influence]") {
  Influence influence;
  for (const uint64_t id : {7U, 3U, 9U, 3U}) ++influence.At({id}).region_count;
  CHECK(StoresOf(influence) == std::vector<uint64_t>{3, 7, 9});
  CHECK(influence.Of({3}).region_count == 2);
  CHECK(influence.Of({9}).region_count == 1);
  CHECK(influence.Of({8}).region_count == 0);
  CHECK(influence.Of({10}).region_count == 0);
}

TEST_CASE("what is added to an influence can be taken away", "[influence]") {
  Influence all;
  all.At({5}).leader_count = 1;
  Influence one;
  one.At({2}).region_size_mib = 96;
  one.At({5}).leader_count = -1;
  one.At({6}).cost[static_cast<size_t>(LimitType::kAddPeer)] = 1000;
  all.Add(one);
  CHECK(all.Of({2}).region_size_mib == 96);
  CHECK(all.Of({5}).leader_count == 0);
  CHECK(all.Of({6}).CostOf(LimitType::kAddPeer) == 1000);
  all.Subtract(one);
  CHECK(all.Of({2}).region_size_mib == 0);
  CHECK(all.Of({5}).leader_count == 1);
  CHECK(all.Of({6}).CostOf(LimitType::kAddPeer) == 0);
}

}  // namespace
}  // namespace scheduler

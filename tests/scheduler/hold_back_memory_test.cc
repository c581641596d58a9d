#include "scheduler/schedulers/hold_back_memory.h"

#include <vector>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

using InVain = HoldBackMemory::InVain;
using Run = HoldBackMemory::Run;

constexpr InVain kNobody;
constexpr InVain kAtLevel{.at_level = true};
constexpr InVain kBelow{.below = true, .at_level = true};
constexpr InVain kFull{.full = true};

constexpr Run kNothing;
constexpr Run kMoved{.proposals = 1};
constexpr Run kHeldBack{.held_back = true};
constexpr Run kMovedAndHeldBack{.proposals = 1, .held_back = true};
constexpr Run kWasFull{.full = true};
constexpr Run kBatchFull{.proposals = 4, .asked_all = false};

/// A run at a second, what it is told at its start, and what it comes to.
struct Step {
  int64_t second = 0;
  InVain told;
  Run run;
};

void Check(const std::vector<Step>& steps) {
  HoldBackMemory memory;
  for (const auto& [second, told, run] : steps) {
    CAPTURE(second);
    const Instant now = Instant{} + Seconds{second};
    CHECK(memory.StartRun(now) == told);
    memory.EndRun(run, now);
  }
}

TEST_CASE("stores are held back in vain when that has lasted", "[hold-back]") {
  SECTION("a minute below the level, some seconds just at it") {
    Check({{0, kNobody, kHeldBack},
           {2, kNobody, kHeldBack},
           {3, kAtLevel, kHeldBack},
           {59, kAtLevel, kHeldBack},
           {60, kBelow, kHeldBack}});
  }
  SECTION("the others move meanwhile") {
    Check({{0, kNobody, kHeldBack},
           {30, kAtLevel, kHeldBack},
           {59, kAtLevel, kMovedAndHeldBack},
           {60, kNobody, kHeldBack},
           {119, kAtLevel, kHeldBack},
           {120, kBelow, kHeldBack}});
  }
  SECTION("nobody is held back any more") {
    Check({{0, kNobody, kHeldBack}, {59, kAtLevel, kNothing}, {60, kNobody, kNothing}});
  }
  SECTION("then they are not for as long as that brings something") {
    Check({{0, kNobody, kHeldBack},
           {60, kBelow, kMoved},
           {61, {.below = true}, kNothing},
           {62, kNobody, kNothing},
           {120, kNobody, kNothing}});
  }
  SECTION("just at the level they are again once that has brought something") {
    Check({{0, kNobody, kHeldBack},
           {3, kAtLevel, kMovedAndHeldBack},
           {4, kNobody, kHeldBack},
           {6, kNobody, kHeldBack},
           {7, kAtLevel, kHeldBack},
           {8, kAtLevel, kHeldBack}});
  }
}

TEST_CASE("full stores take again when that has lasted", "[hold-back]") {
  SECTION("as long as any is asked to take, until all were asked and none is") {
    Check({{0, kNobody, kWasFull},
           {59, kNobody, kWasFull},
           {60, kFull, kWasFull},
           {100, kFull, kBatchFull},
           {101, kFull, kNothing},
           {102, kNobody, kWasFull},
           {161, kNobody, kWasFull},
           {162, kFull, kNothing}});
  }
}

TEST_CASE("where nothing runs for long, nothing has been waited for", "[hold-back]") {
  const Run held{.held_back = true, .full = true};
  const InVain all{.below = true, .at_level = true, .full = true};
  Check({{0, kNobody, held},
         {30, kAtLevel, held},
         {90, all, kMovedAndHeldBack},
         {151, kNobody, held}});
  Check({{0, kNobody, held}, {60, all, held}, {121, kNobody, held}});
}

}  // namespace
}  // namespace scheduler

#pragma once

#include <functional>

#include "pd/dispatch/admission.h"
#include "tests/pd/dispatch/dispatch_fakes.h"

namespace pd::test {

/// Admission and all that it stands on, without a cluster: regions are put into the table by hand.
struct Dispatching {
  HandClock clock;
  HeardCommands commands;
  MetricsRegistry registry;
  OperatorMetrics metrics{registry};
  RegionTable table;
  ConfigStore config{Config{}, [](const OnlineConfig&) { return Result<void>(); }};
  StoreLimits limits{config};
  /// What the allocator gets when it has no more.
  std::function<Result<IdAllocator::Window>()> reserve = [] {
    return Result<IdAllocator::Window>(IdAllocator::Window{1000, 2000});
  };
  IdAllocator ids{[this](uint64_t) { return reserve(); }};
  OperatorRunner runner{{clock, commands, [this](scheduler::RegionId id) { return table.Find(id); },
                         [](scheduler::StoreId) { return true; },
                         [] { return scheduler::ConfChange::kV2; }, metrics,
                         [this](const OperatorInfo& info) { limits.Release(info.booking); }}};
  Admission admission{{table, limits, runner, ids, clock, metrics}};
};

}  // namespace pd::test

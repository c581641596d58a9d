#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "pd/coordinator.h"

namespace pd::test {

/// What a scheduler says; nothing until it has run.
inline std::optional<DecisionLog::Source> DecisionsOf(const Coordinator& coordinator,
                                                      const std::string& scheduler) {
  const auto all = coordinator.decisions().All();
  const auto source = std::ranges::find(all, scheduler, &DecisionLog::Source::name);
  if (source == all.end()) return {};
  return *source;
}

/// How often it was asked, whatever came of it.
inline uint64_t RunsOf(const Coordinator& coordinator, const std::string& scheduler) {
  const auto source = DecisionsOf(coordinator, scheduler);
  return source ? source->runs : 0;
}

inline bool Says(const DecisionLog::Source& source, scheduler::Reason reason) {
  return std::ranges::any_of(source.lines,
                             [&](const auto& line) { return line.refusal.reason == reason; });
}

}  // namespace pd::test

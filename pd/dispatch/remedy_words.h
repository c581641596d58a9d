#pragma once

#include <string>
#include <vector>

#include "scheduler/filters/reason.h"
#include "scheduler/rules/rule.h"
#include "scheduler/schedulers/registry.h"

namespace pd {

/// What a person can do about a refusal, as an order: "free space on store 4, or raise low-space-ratio". Empty where
/// nothing is wrong with the store, or nothing can be done.
[[nodiscard]] std::string RemedyWords(const scheduler::Refusal& refusal);

/// The same about a refusal of a scheduler: what stands in its way has other names than what stands in the way of a
/// repair, and a store that leaves is nothing it needs help with.
[[nodiscard]] std::string SchedulerRemedyWords(const scheduler::Refusal& refusal,
                                               const scheduler::SchedulerType& type);

/// Why a peer cannot leave its store, as a sentence for people; `cause` is that of a Departure.
[[nodiscard]] std::string CauseWords(const scheduler::Refusal& cause);

/// What to do about a rule that finds no store: another store, with the labels that it wants and where it wants it, or
/// fewer peers.
[[nodiscard]] std::vector<std::string> RuleRemedies(const scheduler::Rule& rule);

}  // namespace pd

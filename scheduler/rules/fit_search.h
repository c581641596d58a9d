#pragma once

#include "scheduler/rules/fit_problem.h"

namespace scheduler {

inline constexpr size_t kFitSearchStepsMax = 20'000;
inline constexpr size_t kFitSearchPeersMax = 64;

/// Looks for a better assignment than `best` among all there are: for location labels that form no tree. Rule by rule
/// it tries every set of peers that leaves the ranks so far no worse than the best known ones. Bounded: after
/// kFitSearchStepsMax steps, each O(P^2) for P peers at most, it returns the best it has seen; a region of more than
/// kFitSearchPeersMax peers keeps `best`. Seven peers and six rules never take as many steps.
FitAssignment SearchFit(const FitProblem& problem, FitAssignment best);

}  // namespace scheduler

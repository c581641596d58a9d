#include "scheduler/rules/fit_search.h"

#include <algorithm>
#include <array>
#include <utility>

#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

/// How well one rule is served; higher is better, from the front: peers, other roles, isolation, load of witnesses.
using RuleRank = std::array<double, 4>;

class FitSearch {
 public:
  FitSearch(const FitProblem& problem, FitAssignment best)
      : problem_(problem), best_(std::move(best)), current_(best_), ranks_(problem.demands.size()) {
    for (size_t i = 0; i < problem_.demands.size(); ++i) {
      pair_scores_.push_back(PairScoresOf(problem_.demands[i]));
      best_ranks_.push_back(RankOf(i));
    }
    std::ranges::fill(current_, kOrphan);
  }

  FitAssignment Run() {
    ChooseFor(0);
    return std::move(best_);
  }

 private:
  void ChooseFor(size_t rule) {
    if (rule == problem_.demands.size()) {
      if (ranks_ > best_ranks_ || (ranks_ == best_ranks_ && WinsTie())) {
        best_ = current_;
        best_ranks_ = ranks_;
      }
      return;
    }
    const FitDemand& demand = problem_.demands[rule];
    const auto left = std::ranges::count_if(
        demand.options, [&](const FitOption& o) { return current_[o.candidate] == kOrphan; });
    Pick(rule, 0, std::min(demand.count, static_cast<size_t>(left)));
  }

  /// Gives `rule` all sets of `wanted` free candidates among its options from `first` on.
  void Pick(size_t rule, size_t first, size_t wanted) {
    if (steps_left_ == 0) return;
    --steps_left_;
    if (wanted == 0) {
      ranks_[rule] = RankOf(rule);
      const auto end = static_cast<std::ptrdiff_t>(rule) + 1;
      if (!std::lexicographical_compare(ranks_.begin(), ranks_.begin() + end, best_ranks_.begin(),
                                        best_ranks_.begin() + end)) {
        ChooseFor(rule + 1);
      }
      return;
    }
    const std::vector<FitOption>& options = problem_.demands[rule].options;
    for (size_t i = first; i + wanted <= options.size(); ++i) {
      size_t& serves = current_[options[i].candidate];
      if (serves != kOrphan) continue;
      serves = rule;
      Pick(rule, i + 1, wanted - 1);
      serves = kOrphan;
    }
  }

  [[nodiscard]] std::vector<double> PairScoresOf(const FitDemand& demand) const {
    const size_t count = problem_.candidates.size();
    std::vector<double> scores(count * count);
    if (demand.rule->location_labels.empty()) return scores;
    for (const FitOption& a : demand.options) {
      for (const FitOption& b : demand.options) {
        if (b.candidate == a.candidate) break;
        scores[a.candidate * count + b.candidate] =
            PairScore(demand.rule->location_labels, *problem_.candidates[a.candidate].store,
                      *problem_.candidates[b.candidate].store);
      }
    }
    return scores;
  }

  [[nodiscard]] RuleRank RankOf(size_t rule) const {
    RuleRank rank{};
    const std::vector<FitOption>& options = problem_.demands[rule].options;
    for (const FitOption& a : options) {
      if (current_[a.candidate] != rule) continue;
      rank[0] += 1;
      rank[1] -= a.different_role ? 1 : 0;
      rank[3] -= static_cast<double>(a.witness_load);
      const double* scores = &pair_scores_[rule][a.candidate * problem_.candidates.size()];
      for (const FitOption& b : options) {
        if (b.candidate == a.candidate) break;
        if (current_[b.candidate] == rule) rank[2] += scores[b.candidate];
      }
    }
    return rank;
  }

  /// The earlier candidates serve; and if the same do, then the earlier ones serve the earlier rules.
  [[nodiscard]] bool WinsTie() const {
    for (size_t i = 0; i < current_.size(); ++i) {
      const bool serves = current_[i] != kOrphan;
      if (serves != (best_[i] != kOrphan)) return serves;
    }
    for (size_t rule = 0; rule < problem_.demands.size(); ++rule) {
      for (size_t i = 0; i < current_.size(); ++i) {
        const bool serves = current_[i] == rule;
        if (serves != (best_[i] == rule)) return serves;
      }
    }
    return false;
  }

  const FitProblem& problem_;
  FitAssignment best_;
  std::vector<RuleRank> best_ranks_;
  FitAssignment current_;
  std::vector<RuleRank> ranks_;  // Of `current_`, as far as it goes.
  /// By rule: of the options a and b at [a * candidates + b], where a comes after b.
  std::vector<std::vector<double>> pair_scores_;
  size_t steps_left_ = kFitSearchStepsMax;
};

}  // namespace

FitAssignment SearchFit(const FitProblem& problem, FitAssignment best) {
  if (problem.candidates.size() > kFitSearchPeersMax) return best;
  return FitSearch(problem, std::move(best)).Run();
}

}  // namespace scheduler

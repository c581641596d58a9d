#include "scheduler/rules/fit_flow.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace scheduler {
namespace {

class FitFlow {
 public:
  explicit FitFlow(const FitProblem& problem)
      : problem_(problem), peers_(problem.candidates.size()), nodes_(kFirstPeer + peers_) {
    LayOutCosts();
    Reserve();
    for (size_t i = 0; i < peers_; ++i) {
      const size_t edge = AddEdge({.from = kFirstPeer + i, .to = kSink, .first = 1});
      Cost(edge, served_) = -TieGain(i);
    }
    for (size_t i = 0; i < problem_.demands.size(); ++i) AddRule(i);
    distances_.resize(nodes_ * width_);
    arrivals_.resize(nodes_);
  }

  FlowFit Solve() {
    while (FindPath()) Push();  // Each path brings one more peer to a rule.
    FlowFit fit;
    fit.exact = exact_;
    fit.assignment.assign(peers_, kOrphan);
    for (const Edge& edge : edges_) {
      if (edge.rule != kOrphan && edge.flow > 0) {
        fit.assignment[edge.to - kFirstPeer] = edge.rule;
      }
    }
    return fit;
  }

 private:
  static constexpr size_t kSource = 0;
  static constexpr size_t kSink = 1;
  static constexpr size_t kFirstPeer = 2;
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  /// Unit n (from 0) costs (first + n) times the edge's vector.
  struct Edge {
    size_t from;
    size_t to;
    int64_t first = 0;
    int64_t capacity = 1;
    size_t rule = kOrphan;  // Of an edge to a peer.
    int64_t flow = 0;
  };

  /// Where the costs of a rule stand in the vectors. One that all its edges lack has no column.
  struct Columns {
    size_t role = 0;
    size_t domains = 0;
    size_t load = 0;
    size_t tie = 0;
  };

  /// The step by which the shortest path so far comes to a node.
  struct Arrival {
    size_t edge = kNone;
    bool takes_back = false;
  };

  struct Member {
    const FitOption* option;
    std::string_view value;  // Of the label at hand.
  };

  /// Candidates of one rule that share all failure domains above `level`.
  struct Domain {
    size_t node;
    size_t edge;  // The one into `node`.
    std::span<Member> members;
    size_t level;
  };

  void LayOutCosts() {
    const size_t rules = problem_.demands.size();
    columns_.resize(rules);
    for (size_t i = 0; i < rules; ++i) {
      const Rule& rule = *problem_.demands[i].rule;
      columns_[i].role = width_++;
      if (!rule.location_labels.empty()) columns_[i].domains = width_++;
      if (rule.witness) columns_[i].load = width_++;
    }
    served_ = width_++;
    // What the last rule gets is what the others leave of the peers that serve.
    for (size_t i = 0; i + 1 < rules; ++i) columns_[i].tie = width_++;
  }

  /// A tree over n options has at most 2n - 1 edges, its root's and those to the options among them.
  void Reserve() {
    size_t edges = peers_;
    for (const FitDemand& demand : problem_.demands) edges += 2 * demand.options.size();
    edges_.reserve(edges);
    costs_.reserve(edges * width_);
  }

  size_t AddEdge(const Edge& edge) {
    edges_.push_back(edge);
    costs_.resize(costs_.size() + width_);
    return edges_.size() - 1;
  }

  int64_t& Cost(size_t edge, size_t column) { return costs_[edge * width_ + column]; }

  /// Each candidate outweighs all later ones; from the 63rd on they count nothing.
  static int64_t TieGain(size_t candidate) {
    constexpr size_t kBits = 62;
    return candidate < kBits ? int64_t{1} << (kBits - 1 - candidate) : 0;
  }

  void AddRule(size_t rule) {
    const FitDemand& demand = problem_.demands[rule];
    if (demand.count == 0) return;
    const size_t root = nodes_++;
    const size_t edge =
        AddEdge({.from = kSource, .to = root, .capacity = static_cast<int64_t>(demand.count)});
    std::vector<Member> members;
    members.reserve(demand.options.size());
    for (const FitOption& option : demand.options) members.push_back({&option, {}});
    FillLevelWeights(demand.rule->location_labels.size());
    AddDomain(rule, {root, edge, members, 0});
  }

  /// For each label what a pair that differs there scores above one that first differs at the next. A path comes
  /// through a level at most once for each peer, so sums stay below 2^62.
  void FillLevelWeights(size_t labels) {
    constexpr int64_t kFactor = 100;  // As PairScore has it.
    const int64_t pair_max = (int64_t{1} << 62) / static_cast<int64_t>(peers_) / kFactor;
    level_weights_.clear();
    for (int64_t pair = 1; level_weights_.size() < labels; pair *= kFactor) {
      level_weights_.insert(level_weights_.begin(), pair - pair / kFactor);
      if (pair > pair_max) break;
    }
  }

  void AddDomain(size_t rule, const Domain& domain) {
    if (domain.members.size() == 1 || domain.level == level_weights_.size()) {
      for (const Member& member : domain.members) AddOption(rule, domain.node, *member.option);
      return;
    }
    const std::string& label = problem_.demands[rule].rule->location_labels[domain.level];
    bool all_labelled = true;
    for (Member& member : domain.members) {
      member.value = problem_.candidates[member.option->candidate].store->Label(label);
      all_labelled &= !member.value.empty();
    }
    for (std::span<Member> rest = domain.members; !rest.empty();) {
      const std::span<Member> inner = InnerDomain(rest);
      rest = rest.subspan(inner.size());
      const bool whole = inner.size() == domain.members.size();
      exact_ &= whole || all_labelled;
      Domain next{domain.node, domain.edge, inner, domain.level + 1};
      if (inner.size() > 1 && !whole) {
        next.node = nodes_++;
        next.edge = AddEdge(
            {.from = domain.node, .to = next.node, .capacity = static_cast<int64_t>(inner.size())});
      }
      if (inner.size() > 1) {
        Cost(next.edge, columns_[rule].domains) += level_weights_[domain.level];
      }
      AddDomain(rule, next);
    }
  }

  /// Moves the first labelled member to the front, and with it those that do not differ from it.
  static std::span<Member> InnerDomain(std::span<Member> members) {
    std::string_view value;
    for (const Member& member : members) {
      if (value.empty()) value = member.value;
    }
    const auto others = std::ranges::partition(members, [&](const Member& member) {
      return member.value.empty() || EqualsIgnoringCase(member.value, value);
    });
    return members.first(members.size() - others.size());
  }

  void AddOption(size_t rule, size_t from, const FitOption& option) {
    const size_t edge =
        AddEdge({.from = from, .to = kFirstPeer + option.candidate, .first = 1, .rule = rule});
    const Columns& columns = columns_[rule];
    // One peer more outweighs any number of wrong roles.
    Cost(edge, columns.role) = (option.different_role ? 1 : 0) - static_cast<int64_t>(peers_ + 1);
    if (option.witness_load != 0) Cost(edge, columns.load) = option.witness_load;
    if (columns.tie != 0) Cost(edge, columns.tie) = -TieGain(option.candidate);
  }

  /// Finds the cheapest way for one more unit; false when none lowers the cost.
  bool FindPath() {
    std::ranges::fill(arrivals_, Arrival{});
    std::fill_n(distances_.begin() + kSource, width_, 0);
    bool changed = true;
    // There is never a cycle of negative cost, so no shortest path has more steps than nodes.
    for (size_t round = 0; changed && round < nodes_; ++round) {
      changed = false;
      for (size_t i = 0; i < edges_.size(); ++i) {
        if (edges_[i].flow < edges_[i].capacity) changed |= Relax(i, false);
      }
      for (size_t i = edges_.size(); i-- > 0;) {
        if (edges_[i].flow > 0) changed |= Relax(i, true);
      }
    }
    if (arrivals_[kSink].edge == kNone) return false;
    const std::span<const int64_t> cost(&distances_[kSink * width_], width_);
    const auto first = std::ranges::find_if(cost, [](int64_t column) { return column != 0; });
    return first != cost.end() && *first < 0;
  }

  bool Relax(size_t index, bool takes_back) {
    const Edge& edge = edges_[index];
    const size_t from = takes_back ? edge.to : edge.from;
    const size_t to = takes_back ? edge.from : edge.to;
    if (to == kSource || (from != kSource && arrivals_[from].edge == kNone)) return false;
    const int64_t times = takes_back ? 1 - edge.first - edge.flow : edge.first + edge.flow;
    const int64_t* here = &distances_[from * width_];
    const int64_t* cost = &costs_[index * width_];
    int64_t* there = &distances_[to * width_];
    if (arrivals_[to].edge != kNone && !IsBelow(here, cost, times, there)) return false;
    for (size_t i = 0; i < width_; ++i) there[i] = here[i] + times * cost[i];
    arrivals_[to] = {index, takes_back};
    return true;
  }

  /// here + times * cost < there
  bool IsBelow(const int64_t* here, const int64_t* cost, int64_t times,
               const int64_t* there) const {
    for (size_t i = 0; i < width_; ++i) {
      const int64_t sum = here[i] + times * cost[i];
      if (sum != there[i]) return sum < there[i];
    }
    return false;
  }

  void Push() {
    for (size_t node = kSink; node != kSource;) {
      const Arrival arrival = arrivals_[node];
      Edge& edge = edges_[arrival.edge];
      edge.flow += arrival.takes_back ? -1 : 1;
      node = arrival.takes_back ? edge.to : edge.from;
    }
  }

  const FitProblem& problem_;
  const size_t peers_;
  size_t nodes_;
  size_t width_ = 0;   // Of a vector of costs.
  size_t served_ = 0;  // The column that says which peers serve.
  std::vector<Columns> columns_;
  std::vector<Edge> edges_;
  std::vector<int64_t> costs_;  // width_ for each edge.
  std::vector<int64_t> level_weights_;
  std::vector<int64_t> distances_;  // width_ for each node.
  std::vector<Arrival> arrivals_;
  bool exact_ = true;
};

}  // namespace

FlowFit FitByFlow(const FitProblem& problem) { return FitFlow(problem).Solve(); }

}  // namespace scheduler

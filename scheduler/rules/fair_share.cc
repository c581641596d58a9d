#include "scheduler/rules/fair_share.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace scheduler {
namespace {

/// The values of the first labels, from the widest location to the narrowest; a missing one is a value of its own.
using Path = std::vector<std::string_view>;

Path PathOf(const Store& store, std::span<const std::string> labels) {
  Path path;
  for (const std::string& label : labels) path.push_back(store.Label(label));
  return path;
}

bool Begins(const Path& path, const Path& other, size_t depth) {
  return std::equal(path.begin(), path.begin() + static_cast<ptrdiff_t>(depth), other.begin());
}

/// How many locations there are at `level` below the first `shared` values of `path`.
size_t LocationsAt(const std::vector<Path>& paths, const Path& path, size_t shared, size_t level) {
  std::set<Path> locations;
  for (const Path& other : paths) {
    if (!Begins(path, other, shared)) continue;
    locations.emplace(other.begin(), other.begin() + static_cast<ptrdiff_t>(level) + 1);
  }
  return locations.size();
}

}  // namespace

std::vector<RuleLoad> LoadsOf(const RuleBook& rules,
                              const std::function<uint64_t(const KeyRange&)>& size_of) {
  using Wish = std::tuple<std::vector<LabelConstraint>, std::vector<std::string>, uint64_t>;
  std::map<Wish, uint64_t> sizes;
  for (const KeyRange& range : rules.Ranges()) {
    const std::vector<const Rule*>& in_force = rules.RulesAt(range.start);
    if (in_force.empty()) continue;
    const uint64_t size_mib = size_of(range);
    for (const Rule* rule : in_force) {
      sizes[{rule->constraints, rule->location_labels, rule->count}] += size_mib;
    }
  }
  std::vector<RuleLoad> loads;
  for (const auto& [wish, size_mib] : sizes) {
    const auto& [constraints, labels, count] = wish;
    loads.push_back({constraints, labels, count, size_mib});
  }
  return loads;
}

double LocationShare(const Store& store, std::span<const Store* const> stores,
                     std::span<const std::string> location_labels, uint64_t count) {
  std::vector<Path> paths;
  for (const Store* other : stores) paths.push_back(PathOf(*other, location_labels));
  const Path path = PathOf(store, location_labels);
  double share = 1;
  size_t used = 0;  // Labels.
  while (used < location_labels.size()) {
    const size_t locations = LocationsAt(paths, path, 0, used);
    if (locations > count) break;
    if (locations == count) {
      share = 1 / static_cast<double>(count);
      ++used;
      break;
    }
    share /= static_cast<double>(LocationsAt(paths, path, used, used));
    ++used;
  }
  const auto same =
      std::ranges::count_if(paths, [&](const Path& other) { return Begins(path, other, used); });
  return share / static_cast<double>(same);
}

double FairShareMib(const Store& store, std::span<const Store> stores,
                    std::span<const RuleLoad> loads) {
  double sum = 0;
  for (const RuleLoad& load : loads) {
    std::vector<const Store*> fitting;
    bool takes_part = false;
    for (const Store& other : stores) {
      if (!other.IsUp() || !MatchesConstraints(other, load.constraints)) continue;
      fitting.push_back(&other);
      takes_part |= other.id == store.id;
    }
    if (!takes_part || load.count == 0) continue;
    const double copies = static_cast<double>(load.count) *
                          LocationShare(store, fitting, load.location_labels, load.count);
    sum += static_cast<double>(load.size_mib) * std::min(copies, 1.0);
  }
  return sum;
}

}  // namespace scheduler

#include "pd/dispatch/store_blockers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pd/dispatch/remedy_words.h"

namespace pd {
namespace {

using scheduler::Departure;
using scheduler::HeldAs;
using scheduler::Reason;
using scheduler::Refusal;
using scheduler::Region;
using scheduler::StoreId;

class BlockerSearch {
 public:
  BlockerSearch(const scheduler::PlanContext& context, StoreId store, size_t listed_max)
      : context_(context), store_(store), listed_max_(listed_max) {}

  /// False when enough were looked at.
  bool Add(const Region& region) {
    if (found_.checked == StoreBlockers::kCheckedMax) return false;
    // The walk goes on while regions change.
    if (region.PeerOnStore(store_) == nullptr) return true;
    ++found_.checked;
    const Departure departure = ExplainDeparture(context_, region, store_);
    ++found_.by_state[static_cast<size_t>(departure.state)];
    if (departure.cause) Note(region, departure);
    return true;
  }

  StoreBlockers Take() {
    for (auto& [key, tally] : tallies_) found_.causes.push_back(CauseOf(tally));
    std::ranges::stable_sort(found_.causes, std::ranges::greater{}, &StoreBlockers::Cause::regions);
    if (found_.causes.size() > StoreBlockers::kCausesMax) {
      found_.causes.resize(StoreBlockers::kCausesMax);
    }
    return std::move(found_);
  }

 private:
  struct Tally {
    StoreBlockers::Cause cause;
    std::map<std::pair<StoreId, Reason>, StoreBlockers::PassedOver> stores;
  };

  void Note(const Region& region, const Departure& departure) {
    if (found_.listed.size() < listed_max_) {
      found_.listed.push_back({region.id, departure.state, *departure.cause});
    }
    const std::string rule = departure.rule == nullptr ? std::string() : departure.cause->detail;
    Tally& tally = tallies_[{departure.cause->reason, rule}];
    if (tally.cause.regions++ == 0) {
      tally.cause.state = departure.state;
      tally.cause.refusal = *departure.cause;
      if (departure.rule != nullptr) tally.cause.rule = *departure.rule;
    }
    for (const Refusal& refusal : departure.passed_over) {
      auto& passed_over = tally.stores[{refusal.store, refusal.reason}];
      if (passed_over.regions++ == 0) passed_over.refusal = refusal;
    }
  }

  static StoreBlockers::Cause CauseOf(Tally& tally) {
    StoreBlockers::Cause cause = std::move(tally.cause);
    for (auto& [key, passed_over] : tally.stores) cause.stores.push_back(std::move(passed_over));
    std::ranges::stable_sort(cause.stores, [](const auto& a, const auto& b) {
      const bool a_helps = !RemedyWords(a.refusal).empty();
      const bool b_helps = !RemedyWords(b.refusal).empty();
      return a_helps != b_helps ? a_helps : a.regions > b.regions;
    });
    if (cause.stores.size() > StoreBlockers::kStoresMax) {
      cause.stores.resize(StoreBlockers::kStoresMax);
    }
    // A store that is busy need not be joined by another, nor need the rule ask for less.
    if (cause.rule && cause.refusal.reason == Reason::kNoTarget) {
      cause.remedies = RuleRemedies(*cause.rule);
    }
    if (std::string words = RemedyWords(cause.refusal); !words.empty()) {
      cause.remedies.push_back(std::move(words));
    }
    for (const auto& passed_over : cause.stores) {
      std::string words = RemedyWords(passed_over.refusal);
      if (!words.empty()) cause.remedies.push_back(std::move(words));
    }
    return cause;
  }

  const scheduler::PlanContext& context_;
  const StoreId store_;
  const size_t listed_max_;
  StoreBlockers found_;
  std::map<std::pair<Reason, std::string>, Tally> tallies_;  // By reason and rule.
};

}  // namespace

StoreBlockers FindBlockers(const scheduler::PlanContext& context, const RegionTable& regions,
                           StoreId store, size_t listed_max) {
  BlockerSearch search(context, store, std::min(listed_max, StoreBlockers::kListedMax));
  for (const HeldAs held_as : {HeldAs::kLeader, HeldAs::kFollower, HeldAs::kLearner}) {
    regions.VisitStore(store, held_as, [&](const Region& region) { return search.Add(region); });
  }
  StoreBlockers found = search.Take();
  found.regions = std::max(regions.SumsOf(store).counts.regions(), found.checked);
  return found;
}

}  // namespace pd

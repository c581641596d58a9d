// From when on a leader knows enough to plan: the part of Cluster that waits for reports.
#include <algorithm>

#include "pd/cluster/cluster.h"

namespace pd {
namespace {

using scheduler::Store;
using scheduler::StoreId;

constexpr Nanos kPreparedAtLatest = std::chrono::minutes(5);

}  // namespace

std::optional<scheduler::Refusal> Cluster::RefuseUnprepared() const {
  const auto refuse = [](scheduler::Reason reason, StoreId store, double value, double bound) {
    return scheduler::Refusal{reason, store, {}, value, bound, {}};
  };
  const auto wanted = [](uint64_t all) { return (all * 9 + 9) / 10; };
  const auto too_few = [&](StoreId store, uint64_t heard, uint64_t bound) {
    return refuse(scheduler::Reason::kNotEnoughRegions, store, static_cast<double>(heard),
                  static_cast<double>(bound));
  };
  const uint64_t of_all = wanted(std::max<uint64_t>(regions_.size(), 1));
  if (const uint64_t heard = regions_.refreshed(); heard < of_all) {
    return too_few(StoreId{}, heard, of_all);
  }
  const std::vector<Store> stores = stores_.All();
  for (const Store& store : stores) {
    if (!store.IsUp()) continue;
    const uint64_t heard = regions_.SumsOf(store.id).refreshed;
    const uint64_t of_store =
        wanted(std::max<uint64_t>(store.counts.regions(), store.stats.region_count));
    if (heard >= of_store) continue;
    auto lack = too_few(store.id, heard, of_store);
    lack.detail = "those with a peer on store " + std::to_string(store.id.value);
    return lack;
  }
  const Millis serving = ServingFor();
  if (serving >= scheduler::kStoreDisconnected) return {};
  const auto lost_after =
      std::chrono::duration_cast<Millis>(deps_.config.online()->schedule.max_store_down_time);
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  for (const Store& store : stores) {
    const bool expected = store.IsUp() && store.last_heartbeat && store.DownTime(now) <= lost_after;
    if (!expected || store.has_stats) continue;
    return refuse(scheduler::Reason::kStoresUnheard, store.id, scheduler::SecondsOf(serving),
                  scheduler::SecondsOf(scheduler::kStoreDisconnected));
  }
  return {};
}

Millis Cluster::ServingFor() const {
  const MutexLock lock(mutex_);
  return std::chrono::duration_cast<Millis>(deps_.clock.Monotonic() - serving_since_);
}

bool Cluster::IsPrepared() {
  uint64_t lead = 0;
  Nanos since{0};
  {
    const MutexLock lock(mutex_);
    if (leads_ != 0 && prepared_ == leads_) return true;
    lead = leads_;
    since = serving_since_;
  }
  const bool late = deps_.clock.Monotonic() - since >= kPreparedAtLatest;
  if (!running() || (!late && RefuseUnprepared())) return false;
  const MutexLock lock(mutex_);
  prepared_ = lead;  // Of no use to a leadership that has begun meanwhile.
  return lead == leads_;
}

/// What no earlier leader was told needs no waiting for.
bool Cluster::KnowsPeers() {
  {
    const MutexLock lock(mutex_);
    if (bootstrapped_in_ == leads_) return true;
  }
  return IsPrepared();
}

}  // namespace pd

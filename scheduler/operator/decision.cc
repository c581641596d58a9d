#include "scheduler/operator/decision.h"

#include <utility>

namespace scheduler {

size_t RefusalIndex::Place(Reason reason, StoreId store, size_t next) {
  if (2 * (taken_ + 1) > slots_.size()) Grow();
  Slot& slot = Find(reason, store);
  if (slot.place_plus_one == 0) {
    slot = {store.value, static_cast<uint32_t>(next) + 1, reason};
    ++taken_;
  }
  return slot.place_plus_one - 1;
}

RefusalIndex::Slot& RefusalIndex::Find(Reason reason, StoreId store) {
  constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio.
  const uint64_t hash = (store.value * kReasonCount + static_cast<uint64_t>(reason)) * kSpread;
  const size_t mask = slots_.size() - 1;
  size_t i = static_cast<size_t>(hash >> 32U) & mask;
  while (slots_[i].place_plus_one != 0 &&
         (slots_[i].store != store.value || slots_[i].reason != reason)) {
    i = (i + 1) & mask;
  }
  return slots_[i];
}

void RefusalIndex::Grow() {
  constexpr size_t kFew = 16;
  const std::vector<Slot> before = std::exchange(slots_, {});
  slots_.resize(before.empty() ? kFew : before.size() * 2);
  for (const Slot& slot : before) {
    if (slot.place_plus_one != 0) Find(slot.reason, StoreId{slot.store}) = slot;
  }
}

void Decision::Refuse(Refusal refusal) {
  if (refusal.reason == Reason::kMovedRecently) {
    wanted_back.emplace(refusal.region, refusal.store);
  }
  const size_t place = places.Place(refusal.reason, refusal.store, refusals.size());
  if (place == refusals.size()) {
    refusals.push_back(std::move(refusal));
  } else {
    refusals[place].times += refusal.times;
  }
}

void Decision::Take(RegionId region, Result<Proposal> built) {
  if (built) {
    proposals.push_back(std::move(*built));
  } else {
    Refuse({Reason::kBuildFailed, StoreId{}, region, 0, 0, built.error().context});
  }
}

}  // namespace scheduler

#include "scheduler/model/region_index.h"

#include <algorithm>
#include <utility>

#include "scheduler/model/assert.h"

namespace scheduler {
namespace {

/// Unsafe recovery creates regions anew, with the first epoch and a part of the key space.
bool IsRecreated(const Region& region) {
  return region.epoch.version == 1 && region.epoch.conf_ver == 1 &&
         !(region.start_key.empty() && region.end_key.empty());
}

/// `memberships` is sorted.
bool IsWitnessLed(const std::vector<Membership>& memberships) {
  const auto leads = [](const Membership& one) {
    return one.held_as == static_cast<uint8_t>(HeldAs::kLeader);
  };
  const auto leader = std::ranges::find_if(memberships, leads);
  if (leader == memberships.end()) return false;
  Membership witness = *leader;
  witness.held_as = static_cast<uint8_t>(HeldAs::kWitness);
  return std::ranges::binary_search(memberships, witness);
}

void Apply(uint64_t& sum, uint64_t value, bool add) { sum = add ? sum + value : sum - value; }

}  // namespace

Result<void> RegionIndex::Check(const Region& region, RegionId* newer) const {
  const std::optional<Slot> known = ids_.Find(region.id);
  const bool recreated = IsRecreated(region);
  if (!known || !slab_.Keys(*known).Equals(region.start_key, region.end_key)) {
    for (const Slot slot : Overlaps(region)) {
      if (known && slot == *known) continue;
      if (!recreated && slab_.EpochOf(slot).version > region.epoch.version) {
        if (newer != nullptr) *newer = slab_.IdOf(slot);
        return Fail(ErrorCode::kStaleEpoch, "an overlapping region is newer");
      }
    }
  }
  if (!known || recreated) return {};
  const RegionEpoch epoch = slab_.EpochOf(*known);
  if (region.epoch.version < epoch.version || region.epoch.conf_ver < epoch.conf_ver ||
      (region.term > 0 && region.term < slab_.TermOf(*known))) {
    if (newer != nullptr) *newer = region.id;
    return Fail(ErrorCode::kStaleEpoch, "the region is known with a newer epoch or term");
  }
  return {};
}

std::vector<Region> RegionIndex::Put(const Region& region) {
  PD_ASSERT(region.id);
  const std::optional<Slot> known = ids_.Find(region.id);
  std::vector<Region> removed;
  if (known && slab_.Keys(*known).Equals(region.start_key, region.end_key)) {
    slab_.MembershipsOf(*known, before_);
    Weigh(before_, slab_.WeightOf(*known), Sign::kSubtract);
    slab_.Store(*known, region);
    slab_.MembershipsOf(*known, after_);
    UpdateTrees(*known, before_, after_);
    Weigh(after_, slab_.WeightOf(*known), Sign::kAdd);
    return removed;
  }
  if (known) Unlink(*known);
  for (const Slot slot : Overlaps(region)) {
    removed.push_back(slab_.Load(slot));
    RemoveSlot(slot);
  }
  Slot slot = 0;
  if (known) {
    slot = *known;
    slab_.Store(slot, region);
  } else {
    slot = slab_.Allocate(region);
    ids_.Insert(slot);
  }
  Link(slot);
  return removed;
}

bool RegionIndex::Remove(RegionId id) {
  const std::optional<Slot> slot = ids_.Find(id);
  if (!slot) return false;
  RemoveSlot(*slot);
  return true;
}

void RegionIndex::Clear() {
  while (by_key_.size() > 0) RemoveSlot(by_key_.At(by_key_.size() - 1));
}

void RegionIndex::ForgetReports() {
  if (refreshed_ == 0) return;
  slab_.ForgetReports();
  // They count nothing but regions of that source.
  refreshed_ = 0;
  for (StoreTrees& store : stores_) store.refreshed = 0;
}

std::optional<Region> RegionIndex::Find(RegionId id) const {
  const std::optional<Slot> slot = ids_.Find(id);
  if (!slot) return std::nullopt;
  return slab_.Load(*slot);
}

std::optional<Region> RegionIndex::FindByKey(std::string_view key) const {
  const size_t up_to = by_key_.CountUpTo(key);
  if (up_to == 0) return std::nullopt;
  const Slot slot = by_key_.At(up_to - 1);
  if (slab_.Keys(slot).CompareEnd(key) <= 0) return std::nullopt;
  return slab_.Load(slot);
}

std::optional<Region> RegionIndex::Previous(const Region& region) const {
  const size_t below = by_key_.CountBelow(region.start_key);
  if (below == 0) return std::nullopt;
  const Slot slot = by_key_.At(below - 1);
  if (slab_.Keys(slot).CompareEnd(region.start_key) != 0) return std::nullopt;
  return slab_.Load(slot);
}

std::optional<Region> RegionIndex::Next(const Region& region) const {
  if (region.end_key.empty()) return std::nullopt;
  const size_t below = by_key_.CountBelow(region.end_key);
  if (below == by_key_.size()) return std::nullopt;
  const Slot slot = by_key_.At(below);
  if (slab_.StartKey(slot) != region.end_key) return std::nullopt;
  return slab_.Load(slot);
}

std::vector<Region> RegionIndex::Scan(const KeyRange& range, size_t limit_max) const {
  return ScanTree(by_key_, range, limit_max);
}

std::vector<Region> RegionIndex::ScanStore(StoreId store, HeldAs held_as, const KeyRange& range,
                                           size_t limit_max) const {
  const SlotTree* tree = FindTree(store, held_as);
  return tree == nullptr ? std::vector<Region>{} : ScanTree(*tree, range, limit_max);
}

std::vector<Region> RegionIndex::WitnessLed(size_t limit_max) const {
  std::vector<Region> regions;
  for (const Slot slot : witness_led_) {
    if (regions.size() >= limit_max) break;
    regions.push_back(slab_.Load(slot));
  }
  return regions;
}

std::optional<Region> RegionIndex::Random(StoreId store, HeldAs held_as,
                                          std::span<const KeyRange> ranges, Rng& rng) const {
  const SlotTree* tree = FindTree(store, held_as);
  return tree == nullptr ? std::nullopt : RandomIn(*tree, ranges, rng);
}

std::optional<Region> RegionIndex::Random(std::span<const KeyRange> ranges, Rng& rng) const {
  return RandomIn(by_key_, ranges, rng);
}

uint64_t RegionIndex::Count(const KeyRange& range) const { return CountIn(by_key_, range); }

uint64_t RegionIndex::CountStore(StoreId store, HeldAs held_as, const KeyRange& range) const {
  const SlotTree* tree = FindTree(store, held_as);
  return tree == nullptr ? 0 : CountIn(*tree, range);
}

RegionIndex::StoreSums RegionIndex::SumsOf(StoreId store) const {
  const std::optional<StoreSlot> number = slab_.FindNumber(store);
  if (!number || *number >= stores_.size()) return {};
  const StoreTrees& trees = stores_[*number];
  const auto count = [&](HeldAs held_as) {
    return trees.trees[static_cast<size_t>(held_as)].size();
  };
  const auto size = [&](HeldAs held_as) { return trees.sizes_mib[static_cast<size_t>(held_as)]; };
  return {.counts = {.leaders = count(HeldAs::kLeader),
                     .followers = count(HeldAs::kFollower),
                     .learners = count(HeldAs::kLearner),
                     .witnesses = count(HeldAs::kWitness),
                     .pending = count(HeldAs::kPending),
                     .leader_size_mib = size(HeldAs::kLeader),
                     .follower_size_mib = size(HeldAs::kFollower),
                     .learner_size_mib = size(HeldAs::kLearner)},
          .refreshed = trees.refreshed,
          .write_bytes_per_s = trees.write_bytes_per_s,
          .write_keys_per_s = trees.write_keys_per_s};
}

RegionIndex::StoreTrees& RegionIndex::TreesOf(StoreSlot store) {
  while (stores_.size() <= store) stores_.emplace_back(slab_);
  return stores_[store];
}

const SlotTree* RegionIndex::FindTree(StoreId store, HeldAs held_as) const {
  const std::optional<StoreSlot> number = slab_.FindNumber(store);
  if (!number || *number >= stores_.size()) return nullptr;
  return &stores_[*number].trees[static_cast<size_t>(held_as)];
}

size_t RegionIndex::FirstOverlap(const SlotTree& tree, std::string_view start) const {
  const size_t up_to = tree.CountUpTo(start);
  if (up_to == 0) return 0;
  const Slot slot = tree.At(up_to - 1);
  const bool reaches = slab_.Keys(slot).CompareEnd(start) > 0 || slab_.StartKey(slot) == start;
  return reaches ? up_to - 1 : up_to;
}

uint64_t RegionIndex::CountIn(const SlotTree& tree, const KeyRange& range) const {
  const size_t first = FirstOverlap(tree, range.start);
  const size_t end = range.end.empty() ? tree.size() : tree.CountBelow(range.end);
  return end > first ? end - first : 0;
}

std::vector<Region> RegionIndex::ScanTree(const SlotTree& tree, const KeyRange& range,
                                          size_t limit_max) const {
  std::vector<Region> regions;
  if (limit_max == 0) return regions;
  const size_t first = FirstOverlap(tree, range.start);
  if (range.end.empty()) regions.reserve(std::min(limit_max, tree.size() - first));
  tree.Walk(first, [&](Slot slot) {
    if (!range.end.empty() && slab_.StartKey(slot) >= range.end) return false;
    regions.push_back(slab_.Load(slot));
    return regions.size() < limit_max;
  });
  return regions;
}

std::optional<Region> RegionIndex::RandomIn(const SlotTree& tree, std::span<const KeyRange> ranges,
                                            Rng& rng) const {
  if (ranges.empty()) return DrawIn(tree, KeyRange{}, rng);
  if (ranges.size() == 1) return DrawIn(tree, ranges[0], rng);
  std::vector<size_t> order(ranges.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (size_t left = order.size(); left > 0; --left) {
    std::swap(order[left - 1], order[rng.Below(left)]);
    if (std::optional<Region> region = DrawIn(tree, ranges[order[left - 1]], rng)) return region;
  }
  return std::nullopt;
}

/// One of the regions entirely inside `range`, each as likely as the others.
std::optional<Region> RegionIndex::DrawIn(const SlotTree& tree, const KeyRange& range,
                                          Rng& rng) const {
  const size_t first = tree.CountBelow(range.start);
  size_t end = range.end.empty() ? tree.size() : tree.CountBelow(range.end);
  if (end > first && !range.end.empty() && slab_.Keys(tree.At(end - 1)).CompareEnd(range.end) > 0) {
    --end;
  }
  if (end <= first) return std::nullopt;
  return slab_.Load(tree.At(first + rng.Below(end - first)));
}

std::vector<Slot> RegionIndex::Overlaps(const Region& region) const {
  std::vector<Slot> slots;
  by_key_.Walk(FirstOverlap(by_key_, region.start_key), [&](Slot slot) {
    const std::string_view start = slab_.StartKey(slot);
    const bool beyond = !region.end_key.empty() && start >= region.end_key;
    if (beyond && start != region.start_key) return false;
    slots.push_back(slot);
    return !beyond;
  });
  return slots;
}

void RegionIndex::Link(Slot slot) {
  by_key_.Insert(slot);
  before_.clear();
  slab_.MembershipsOf(slot, after_);
  UpdateTrees(slot, before_, after_);
  Weigh(after_, slab_.WeightOf(slot), Sign::kAdd);
}

void RegionIndex::Unlink(Slot slot) {
  slab_.MembershipsOf(slot, before_);
  after_.clear();
  UpdateTrees(slot, before_, after_);
  Weigh(before_, slab_.WeightOf(slot), Sign::kSubtract);
  by_key_.Erase(slot);
}

/// Both lists are sorted.
void RegionIndex::UpdateTrees(Slot slot, const std::vector<Membership>& from,
                              const std::vector<Membership>& to) {
  if (from == to) return;
  if (IsWitnessLed(to)) {
    witness_led_.insert(slot);
  } else if (!witness_led_.empty()) {
    witness_led_.erase(slot);
  }
  for (const Membership& membership : from) {
    if (std::ranges::binary_search(to, membership)) continue;
    TreesOf(membership.store).trees[membership.held_as].Erase(slot);
  }
  for (const Membership& membership : to) {
    if (std::ranges::binary_search(from, membership)) continue;
    TreesOf(membership.store).trees[membership.held_as].Insert(slot);
  }
}

void RegionIndex::Weigh(const std::vector<Membership>& memberships, const RegionWeight& weight,
                        Sign sign) {
  const bool add = sign == Sign::kAdd;
  Apply(total_size_mib_, weight.size_mib, add);
  refreshed_ = add ? refreshed_ + weight.refreshed : refreshed_ - weight.refreshed;
  for (const Membership& membership : memberships) {
    StoreTrees& store = TreesOf(membership.store);
    Apply(store.sizes_mib[membership.held_as], weight.size_mib, add);
    const auto held_as = static_cast<HeldAs>(membership.held_as);
    if (held_as == HeldAs::kPending || held_as == HeldAs::kWitness) continue;
    Apply(store.refreshed, weight.refreshed ? 1 : 0, add);
    Apply(store.write_bytes_per_s, weight.write_bytes_per_s, add);
    Apply(store.write_keys_per_s, weight.write_keys_per_s, add);
  }
}

void RegionIndex::RemoveSlot(Slot slot) {
  Unlink(slot);
  ids_.Erase(slab_.IdOf(slot));
  slab_.Release(slot);
}

}  // namespace scheduler

#include "scheduler/model/id_table.h"

#include <utility>

#include "scheduler/model/assert.h"

namespace scheduler {

uint64_t IdTable::Hash(RegionId id) {
  uint64_t z = id.value + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// Where `id` is, or the empty place that ends its probe sequence.
size_t IdTable::PlaceOf(const Shard& shard, RegionId id, uint64_t hash) const {
  const size_t mask = shard.entries.size() - 1;
  size_t place = hash & mask;
  while (shard.entries[place] != kEmpty && slab_.IdOf(shard.entries[place] - 1) != id) {
    place = (place + 1) & mask;
  }
  return place;
}

std::optional<Slot> IdTable::Find(RegionId id) const {
  const uint64_t hash = Hash(id);
  const Shard& shard = shards_[ShardOf(hash)];
  if (shard.entries.empty()) return std::nullopt;
  const uint32_t entry = shard.entries[PlaceOf(shard, id, hash)];
  if (entry == kEmpty) return std::nullopt;
  return entry - 1;
}

void IdTable::Insert(Slot slot) {
  const RegionId id = slab_.IdOf(slot);
  const uint64_t hash = Hash(id);
  Shard& shard = shards_[ShardOf(hash)];
  if ((shard.used + 1) * 4 > shard.entries.size() * 3) Grow(shard);
  const size_t place = PlaceOf(shard, id, hash);
  PD_ASSERT(shard.entries[place] == kEmpty);
  shard.entries[place] = slot + 1;
  ++shard.used;
  ++size_;
}

void IdTable::Erase(RegionId id) {
  const uint64_t hash = Hash(id);
  Shard& shard = shards_[ShardOf(hash)];
  PD_ASSERT(!shard.entries.empty());
  size_t hole = PlaceOf(shard, id, hash);
  PD_ASSERT(shard.entries[hole] != kEmpty);
  --shard.used;
  --size_;
  // Later entries of the same run move back into the hole, unless they would get in front of their
  // home place.
  const size_t mask = shard.entries.size() - 1;
  for (size_t next = (hole + 1) & mask; shard.entries[next] != kEmpty; next = (next + 1) & mask) {
    const size_t home = Hash(slab_.IdOf(shard.entries[next] - 1)) & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      shard.entries[hole] = shard.entries[next];
      hole = next;
    }
  }
  shard.entries[hole] = kEmpty;
}

void IdTable::Grow(Shard& shard) {
  constexpr size_t kFirstEntries = 16;
  std::vector<uint32_t> old = std::exchange(shard.entries, {});
  shard.entries.assign(old.empty() ? kFirstEntries : old.size() * 2, kEmpty);
  for (const uint32_t entry : old) {
    if (entry == kEmpty) continue;
    const RegionId id = slab_.IdOf(entry - 1);
    shard.entries[PlaceOf(shard, id, Hash(id))] = entry;
  }
}

}  // namespace scheduler

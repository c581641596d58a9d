#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/model/region_slab.h"

namespace scheduler {

/// From region id to slot: open addressing with linear probing over four-byte entries; the id
/// itself is read from the slab. Split into shards that grow one by one, so that no single
/// insertion rehashes millions of entries.
class IdTable {
 public:
  explicit IdTable(const RegionSlab& slab) : slab_(slab) {}

  [[nodiscard]] std::optional<Slot> Find(RegionId id) const;
  /// The slot must be stored in the slab and its id absent here.
  void Insert(Slot slot);
  /// While the slot is still stored in the slab.
  void Erase(RegionId id);
  [[nodiscard]] size_t size() const { return size_; }

 private:
  static constexpr unsigned kShardBits = 8;
  static constexpr uint32_t kEmpty = 0;  // Entries hold slot + 1.

  struct Shard {
    std::vector<uint32_t> entries;  // A power of two, at most three quarters full.
    size_t used = 0;
  };

  static uint64_t Hash(RegionId id);
  static size_t ShardOf(uint64_t hash) { return hash >> (64 - kShardBits); }
  [[nodiscard]] size_t PlaceOf(const Shard& shard, RegionId id, uint64_t hash) const;
  void Grow(Shard& shard);

  const RegionSlab& slab_;
  std::array<Shard, size_t{1} << kShardBits> shards_;
  size_t size_ = 0;
};

}  // namespace scheduler

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "scheduler/model/packed_keys.h"
#include "scheduler/model/region.h"

namespace scheduler {

/// Where a region's record lives; stable while the region stays known, reused afterwards.
using Slot = uint32_t;

/// Stores are numbered densely in order of appearance, so that a record spends two bytes on one.
using StoreSlot = uint16_t;

/// How a store holds a region: one entry of a per-store tree.
struct Membership {
  StoreSlot store;
  uint8_t held_as;  // HeldAs.

  friend auto operator<=>(const Membership&, const Membership&) = default;
};

/// What the kept sums of stores need to know of a region.
struct RegionWeight {
  uint64_t size_mib = 0;
  uint64_t write_bytes_per_s = 0;
  uint64_t write_keys_per_s = 0;
  bool refreshed = false;  // Reported by its store; disk and feed know no sizes.

  friend bool operator==(const RegionWeight&, const RegionWeight&) = default;
};

/// Packs regions into records of 112 bytes. A region that does not fit its record (more than three
/// peers, down or pending peers, buckets, encryption meta, numbers beyond 32 bits) has its full value, less keys, in
/// a side map: rare, and paid for only then. Not thread-safe: written under its owner's lock.
class RegionSlab {
 public:
  /// The number of every store beyond the first 65,535 that regions named. Reports may name stores
  /// that do not exist, so running out is no error; regions on such stores keep their peers, and
  /// only those stores' sums are mixed up.
  static constexpr StoreSlot kUnnumbered = 65535;

  RegionSlab() = default;
  RegionSlab(const RegionSlab&) = delete;
  RegionSlab& operator=(const RegionSlab&) = delete;

  /// Takes a free slot for `region`.
  Slot Allocate(const Region& region);
  /// Overwrites a slot. A tree over start keys must not hold the slot if the start key changes.
  void Store(Slot slot, const Region& region);
  void Release(Slot slot);
  /// Makes what stores have reported count as received. One pass over all records.
  void ForgetReports();

  [[nodiscard]] Region Load(Slot slot) const;
  [[nodiscard]] RegionId IdOf(Slot slot) const { return RegionId{At(slot).id}; }
  [[nodiscard]] std::string_view StartKey(Slot slot) const { return At(slot).keys.start(); }
  [[nodiscard]] const PackedKeys& Keys(Slot slot) const { return At(slot).keys; }
  [[nodiscard]] RegionEpoch EpochOf(Slot slot) const;
  [[nodiscard]] uint64_t TermOf(Slot slot) const;
  [[nodiscard]] RegionWeight WeightOf(Slot slot) const;
  /// Replaces `out` by the slot's memberships, sorted, each once.
  void MembershipsOf(Slot slot, std::vector<Membership>& out) const;

  /// The store's number, drawn at its first use; kUnnumbered when none is left.
  StoreSlot NumberOf(StoreId store);
  /// The number, or none for a store that no region ever named.
  [[nodiscard]] std::optional<StoreSlot> FindNumber(StoreId store) const;
  [[nodiscard]] StoreId StoreOf(StoreSlot number) const { return stores_[number]; }

 private:
  static constexpr size_t kInlinePeers = 3;
  static constexpr uint8_t kNoLeader = 3;
  static constexpr unsigned kChunkBits = 12;
  static constexpr size_t kChunkRecords = size_t{1} << kChunkBits;

  struct Record {
    uint64_t id = 0;
    PackedKeys keys;
    uint32_t conf_ver = 0;
    uint32_t version = 0;
    uint32_t term = 0;
    uint32_t size_mib = 0;
    std::array<uint64_t, kInlinePeers> peer_ids{};
    std::array<StoreSlot, kInlinePeers> peer_stores{};
    uint16_t interval_s = 0;
    uint32_t interval_start_s = 0;
    uint32_t key_count = 0;
    uint32_t kv_size_mib = 0;
    uint32_t bytes_written = 0;
    uint32_t keys_written = 0;
    uint32_t bytes_read = 0;
    uint32_t keys_read = 0;
    uint32_t write_queries = 0;
    uint32_t read_queries = 0;
    uint32_t cpu_usage = 0;
    uint32_t replication_state_id = 0;
    std::array<uint8_t, kInlinePeers> peer_bits{};  // Role in bits 0-1, witness in bit 2.
    uint8_t leader_index : 2 = kNoLeader;
    uint8_t peer_count : 2 = 0;  // 0: the value is in the side map.
    uint8_t source : 2 = 0;
    uint8_t replication_state : 2 = 0;

    [[nodiscard]] bool InExtra() const { return peer_count == 0; }
  };
  static_assert(sizeof(Record) == 112);

  [[nodiscard]] const Record& At(Slot slot) const {
    return (*chunks_[slot >> kChunkBits])[slot & (kChunkRecords - 1)];
  }
  [[nodiscard]] Record& At(Slot slot) {
    return (*chunks_[slot >> kChunkBits])[slot & (kChunkRecords - 1)];
  }
  void AddMemberships(const Region& region, std::vector<Membership>& out) const;
  void AddPeer(StoreSlot store, bool leader, uint8_t bits, std::vector<Membership>& out) const;
  void PackPeers(Record& record, const Region& region);

  std::vector<std::unique_ptr<std::array<Record, kChunkRecords>>> chunks_;
  std::vector<Slot> free_;
  Slot used_ = 0;
  std::map<Slot, Region> extras_;  // Without keys.
  std::vector<StoreId> stores_;    // By number.
  std::map<StoreId, StoreSlot> numbers_;
};

}  // namespace scheduler

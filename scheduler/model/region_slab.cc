#include "scheduler/model/region_slab.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "scheduler/model/assert.h"
#include "scheduler/model/cluster_view.h"

namespace scheduler {
namespace {

constexpr uint8_t kTwoBits = 3;
constexpr uint8_t kRoleMask = 3;
constexpr uint8_t kWitnessBit = 4;
constexpr uint8_t kLeavingBit = 8;  // Of the region, kept with its first peer.
constexpr uint64_t kIntervalMinS = 3;
constexpr uint64_t kIntervalMaxS = 300;

template <class Enum>
constexpr uint8_t Number(Enum value) {
  return static_cast<uint8_t>(value);
}

bool Fits32(std::initializer_list<uint64_t> values) {
  return std::ranges::all_of(values,
                             [](uint64_t v) { return v <= std::numeric_limits<uint32_t>::max(); });
}

uint32_t Low32(uint64_t value) { return static_cast<uint32_t>(value); }

uint8_t PeerBits(const Peer& peer) {
  return static_cast<uint8_t>(Number(peer.role) | (peer.witness ? kWitnessBit : 0));
}

/// The leader's place among the peers; none when it is unknown. False when it is no peer of the
/// region as listed.
bool FindLeader(const Region& region, size_t& index) {
  for (index = 0; index < region.peers.size(); ++index) {
    if (region.peers[index] == region.leader) return true;
  }
  return false;
}

bool NumbersFit(const Region& region) {
  const RegionFlow& flow = region.flow;
  return Fits32({region.epoch.conf_ver, region.epoch.version, region.term, region.size_mib,
                 region.keys, region.kv_size_mib, flow.bytes_written, flow.keys_written,
                 flow.bytes_read, flow.keys_read, flow.write_queries, flow.read_queries,
                 flow.cpu_usage, flow.interval_start_s, region.replication.state_id}) &&
         flow.interval_end_s >= flow.interval_start_s &&
         flow.interval_s() <= std::numeric_limits<uint16_t>::max();
}

bool IsPlain(const Region& region) {
  static const Buckets kNoBuckets;
  return region.down_peers.empty() && region.pending_peers.empty() &&
         region.buckets == kNoBuckets && region.columnar_size_mib == 0 && !region.in_flashback &&
         region.flashback_start_ts == 0 && region.encryption_meta.empty();
}

RegionWeight Weigh(const RegionFlow& flow, uint64_t size_mib, RegionSource source) {
  RegionWeight weight{.size_mib = size_mib, .refreshed = source == RegionSource::kHeartbeat};
  const uint64_t interval_s = flow.interval_s();
  if (interval_s >= kIntervalMinS && interval_s <= kIntervalMaxS) {
    weight.write_bytes_per_s = flow.bytes_written / interval_s;
    weight.write_keys_per_s = flow.keys_written / interval_s;
  }
  return weight;
}

}  // namespace

Slot RegionSlab::Allocate(const Region& region) {
  Slot slot = used_;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else {
    PD_ASSERT(used_ < std::numeric_limits<Slot>::max());
    if ((used_ & (kChunkRecords - 1)) == 0) {
      chunks_.push_back(std::make_unique<std::array<Record, kChunkRecords>>());
    }
    ++used_;
  }
  Store(slot, region);
  return slot;
}

void RegionSlab::Store(Slot slot, const Region& region) {
  Record& record = At(slot);
  record.id = region.id.value;
  if (record.id == 0 || !record.keys.IsSet() ||
      !record.keys.Equals(region.start_key, region.end_key)) {
    record.keys = PackedKeys(region.start_key, region.end_key);
  }
  size_t leader_index = 0;
  const bool leader_listed = FindLeader(region, leader_index);
  bool numbered = true;
  for (const Peer& peer : region.peers) numbered &= NumberOf(peer.store) != kUnnumbered;
  for (const Peer& peer : region.pending_peers) NumberOf(peer.store);
  const bool fits = numbered && !region.peers.empty() && region.peers.size() <= kInlinePeers &&
                    NumbersFit(region) && IsPlain(region) &&
                    (leader_listed || region.leader == Peer{});
  if (!fits) {
    Region extra = region;
    extra.start_key.clear();
    extra.end_key.clear();
    extras_.insert_or_assign(slot, std::move(extra));
    record.peer_count = 0;
    return;
  }
  if (record.InExtra()) extras_.erase(slot);
  record.leader_index = (leader_listed ? leader_index : kNoLeader) & kTwoBits;
  PackPeers(record, region);
}

void RegionSlab::PackPeers(Record& record, const Region& region) {
  const RegionFlow& flow = region.flow;
  record.peer_count = region.peers.size() & kTwoBits;
  for (size_t i = 0; i < region.peers.size(); ++i) {
    record.peer_ids[i] = region.peers[i].id.value;
    record.peer_stores[i] = NumberOf(region.peers[i].store);
    record.peer_bits[i] = PeerBits(region.peers[i]);
  }
  if (region.on_leaving_store) record.peer_bits[0] |= kLeavingBit;
  record.conf_ver = Low32(region.epoch.conf_ver);
  record.version = Low32(region.epoch.version);
  record.term = Low32(region.term);
  record.size_mib = Low32(region.size_mib);
  record.key_count = Low32(region.keys);
  record.kv_size_mib = Low32(region.kv_size_mib);
  record.interval_s = static_cast<uint16_t>(flow.interval_s());
  record.interval_start_s = Low32(flow.interval_start_s);
  record.bytes_written = Low32(flow.bytes_written);
  record.keys_written = Low32(flow.keys_written);
  record.bytes_read = Low32(flow.bytes_read);
  record.keys_read = Low32(flow.keys_read);
  record.write_queries = Low32(flow.write_queries);
  record.read_queries = Low32(flow.read_queries);
  record.cpu_usage = Low32(flow.cpu_usage);
  record.replication_state = Number(region.replication.state) & kTwoBits;
  record.replication_state_id = Low32(region.replication.state_id);
  record.source = Number(region.source) & kTwoBits;
}

void RegionSlab::Release(Slot slot) {
  if (At(slot).InExtra()) extras_.erase(slot);
  At(slot) = Record{};
  free_.push_back(slot);
}

void RegionSlab::ForgetReports() {
  for (Slot slot = 0; slot < used_; ++slot) {
    Record& record = At(slot);
    if (record.source == Number(RegionSource::kHeartbeat)) {
      record.source = Number(RegionSource::kSync) & kTwoBits;
    }
  }
  for (auto& [slot, region] : extras_) {
    if (region.source == RegionSource::kHeartbeat) region.source = RegionSource::kSync;
  }
}

Region RegionSlab::Load(Slot slot) const {
  const Record& record = At(slot);
  Region region;
  if (record.InExtra()) {
    region = extras_.at(slot);
  } else {
    region.id = RegionId{record.id};
    region.epoch = {record.conf_ver, record.version};
    region.term = record.term;
    region.peers.reserve(record.peer_count);
    for (size_t i = 0; i < record.peer_count; ++i) {
      region.peers.push_back({PeerId{record.peer_ids[i]}, StoreOf(record.peer_stores[i]),
                              static_cast<PeerRole>(record.peer_bits[i] & kRoleMask),
                              (record.peer_bits[i] & kWitnessBit) != 0});
    }
    if (record.leader_index != kNoLeader) region.leader = region.peers[record.leader_index];
    region.size_mib = record.size_mib;
    region.keys = record.key_count;
    region.kv_size_mib = record.kv_size_mib;
    region.flow = {.bytes_written = record.bytes_written,
                   .keys_written = record.keys_written,
                   .bytes_read = record.bytes_read,
                   .keys_read = record.keys_read,
                   .write_queries = record.write_queries,
                   .read_queries = record.read_queries,
                   .cpu_usage = record.cpu_usage,
                   .interval_start_s = record.interval_start_s,
                   .interval_end_s = uint64_t{record.interval_start_s} + record.interval_s};
    region.replication = {static_cast<ReplicationState>(record.replication_state),
                          record.replication_state_id};
    region.source = static_cast<RegionSource>(record.source);
    region.on_leaving_store = (record.peer_bits[0] & kLeavingBit) != 0;
  }
  region.start_key = record.keys.start();
  region.end_key = record.keys.end();
  return region;
}

RegionEpoch RegionSlab::EpochOf(Slot slot) const {
  const Record& record = At(slot);
  if (record.InExtra()) return extras_.at(slot).epoch;
  return {record.conf_ver, record.version};
}

uint64_t RegionSlab::TermOf(Slot slot) const {
  const Record& record = At(slot);
  return record.InExtra() ? extras_.at(slot).term : record.term;
}

RegionWeight RegionSlab::WeightOf(Slot slot) const {
  const Record& record = At(slot);
  if (record.InExtra()) {
    const Region& region = extras_.at(slot);
    return Weigh(region.flow, region.size_mib, region.source);
  }
  const RegionFlow flow{.bytes_written = record.bytes_written,
                        .keys_written = record.keys_written,
                        .interval_start_s = record.interval_start_s,
                        .interval_end_s = uint64_t{record.interval_start_s} + record.interval_s};
  return Weigh(flow, record.size_mib, static_cast<RegionSource>(record.source));
}

void RegionSlab::MembershipsOf(Slot slot, std::vector<Membership>& out) const {
  out.clear();
  const Record& record = At(slot);
  if (record.InExtra()) {
    AddMemberships(extras_.at(slot), out);
  } else {
    for (size_t i = 0; i < record.peer_count; ++i) {
      AddPeer(record.peer_stores[i], i == record.leader_index, record.peer_bits[i], out);
    }
  }
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
}

void RegionSlab::AddMemberships(const Region& region, std::vector<Membership>& out) const {
  for (const Peer& peer : region.peers) {
    AddPeer(FindNumber(peer.store).value_or(kUnnumbered),
            region.HasLeader() && peer.id == region.leader.id, PeerBits(peer), out);
  }
  for (const Peer& peer : region.pending_peers) {
    out.push_back({FindNumber(peer.store).value_or(kUnnumbered), Number(HeldAs::kPending)});
  }
}

void RegionSlab::AddPeer(StoreSlot store, bool leader, uint8_t bits,
                         std::vector<Membership>& out) const {
  const bool learner = (bits & kRoleMask) == Number(PeerRole::kLearner);
  const HeldAs held_as = leader ? HeldAs::kLeader : learner ? HeldAs::kLearner : HeldAs::kFollower;
  out.push_back({store, Number(held_as)});
  if ((bits & kWitnessBit) != 0) out.push_back({store, Number(HeldAs::kWitness)});
}

StoreSlot RegionSlab::NumberOf(StoreId store) {
  const auto it = numbers_.find(store);
  if (it != numbers_.end()) return it->second;
  if (stores_.size() == kUnnumbered) return kUnnumbered;
  const auto number = static_cast<StoreSlot>(stores_.size());
  stores_.push_back(store);
  numbers_.emplace(store, number);
  return number;
}

std::optional<StoreSlot> RegionSlab::FindNumber(StoreId store) const {
  const auto it = numbers_.find(store);
  if (it == numbers_.end()) return std::nullopt;
  return it->second;
}

}  // namespace scheduler

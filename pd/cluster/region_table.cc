#include "pd/cluster/region_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "pd/codec/cluster_codec.h"
#include "scheduler/model/role_name.h"

namespace pd {
namespace {

using scheduler::Region;
using scheduler::RegionId;

constexpr size_t kChunkRegions = 512;
constexpr size_t kWrittenMarksMax = 1024;  // On top of as many as there are regions to write.

/// Printable ASCII as it is, all else in octal: how the reference's protobuf text shows bytes.
std::string QuotedBytes(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += fmt::format("\\{:03o}", byte);
    }
  }
  return text + '"';
}

/// Whether a write of one is a write of the other: an epoch stands for range and peers.
bool SameRecord(const Region& a, const Region& b) {
  return a.epoch == b.epoch && a.peers.size() == b.peers.size() &&
         a.encryption_meta == b.encryption_meta;
}

/// A bootstrapped region that nobody has reported yet is no part of any sum.
bool Counts(RegionId bootstrapped, bool bootstrapped_counts) {
  return !bootstrapped || bootstrapped_counts;
}

/// Reads regions in key order from `rest` on, a chunk at a time: `read` gets what is left of the range and how many are
/// wanted, `take` the chunk, and returns false to stop.
template <class Read, class Take>
void WalkChunks(scheduler::KeyRange rest, const Read& read, const Take& take) {
  while (true) {
    std::vector<Region> chunk = read(rest, kChunkRegions);
    const bool last = chunk.size() < kChunkRegions || chunk.back().end_key.empty();
    if (!last) {
      // A range that ends before it starts must not send the walk back.
      const Region& end = chunk.back();
      rest.start = end.end_key > end.start_key ? end.end_key : end.start_key + '\0';
    }
    if (!take(std::move(chunk)) || last) return;
  }
}

std::string PeerText(const scheduler::Peer& peer) {
  std::string text;
  if (peer.id) text += fmt::format("id:{} ", peer.id.value);
  if (peer.store) text += fmt::format("store_id:{} ", peer.store.value);
  if (peer.role != scheduler::PeerRole::kVoter) {
    text += fmt::format("role:{} ", NameOf(peer.role));
  }
  if (peer.witness) text += "is_witness:true ";
  return text;
}

}  // namespace

std::string EpochText(const scheduler::RegionEpoch& epoch) {
  std::string text;
  if (epoch.conf_ver != 0) text += fmt::format("conf_ver:{} ", epoch.conf_ver);
  if (epoch.version != 0) text += fmt::format("version:{} ", epoch.version);
  return text;
}

std::string RegionText(const Region& region) {
  std::string text;
  if (region.id) text += fmt::format("id:{} ", region.id.value);
  if (!region.start_key.empty())
    text += fmt::format("start_key:{} ", QuotedBytes(region.start_key));
  if (!region.end_key.empty()) text += fmt::format("end_key:{} ", QuotedBytes(region.end_key));
  if (region.epoch != scheduler::RegionEpoch{}) {
    text += fmt::format("region_epoch:<{}> ", EpochText(region.epoch));
  }
  for (const scheduler::Peer& peer : region.peers) {
    text += fmt::format("peers:<{}> ", PeerText(peer));
  }
  if (region.in_flashback) text += "is_in_flashback:true ";
  if (region.flashback_start_ts != 0) {
    text += fmt::format("flashback_start_ts:{} ", region.flashback_start_ts);
  }
  return text;
}

Error RegionTable::StaleError(const Region& report, RegionId newer) const {
  const std::optional<Region> origin = index_.Find(newer);
  return {ErrorCode::kStaleEpoch,
          fmt::format("region is stale: region {} origin {}", RegionText(report),
                      origin ? RegionText(*origin) : std::string())};
}

Result<RegionTable::Outcome> RegionTable::Report(Region report,
                                                 const scheduler::ClassifyOptions& options) {
  Outcome outcome;
  scheduler::ClassifyOptions classify = options;
  {
    const ReadLock lock(mutex_);
    RegionId newer;
    if (!index_.Check(report, &newer)) return tl::unexpected<Error>(StaleError(report, newer));
    std::optional<Region> origin = index_.Find(report.id);
    scheduler::NormalizeReport(origin ? &*origin : nullptr, report);
    if (flow_divisor_before_ != 0) classify.flow_divisor_before = flow_divisor_before_;
    outcome.change = ClassifyRegion(origin ? &*origin : nullptr, report, classify);
    if (origin && origin->epoch.version != report.epoch.version) {
      outcome.before = std::move(origin);
    }
  }
  outcome.region = std::move(report);
  if (!outcome.change.index) return outcome;

  const WriteLock lock(mutex_);
  // Another report may have come between the locks.
  RegionId newer;
  if (!index_.Check(outcome.region, &newer)) {
    return tl::unexpected<Error>(StaleError(outcome.region, newer));
  }
  flow_divisor_before_ = options.flow_divisor;
  // What was no news a moment ago is all news if the region was taken out between the locks.
  const bool back = !index_.Contains(outcome.region.id);
  outcome.change.save |= back || outcome.region.id == bootstrapped_;
  if (back) {
    NoteRange(nullptr, outcome.region);
  } else if (outcome.before) {
    NoteRange(&*outcome.before, outcome.region);
  }
  outcome.removed = Put(outcome.region);
  if (outcome.change.save) Mark(outcome.region.id);
  for (const Region& removed : outcome.removed) MarkDeleted(removed.id);
  if (feed_ != nullptr && (outcome.change.save || outcome.change.notify)) {
    feed_->Append(outcome.region);
  }
  return outcome;
}

void RegionTable::NoteRange(const Region* before, const Region& now) const {
  if (history_ != nullptr) history_->Note(before, now);
}

/// Any region that becomes known, or better known, ends what a bootstrap told.
std::vector<Region> RegionTable::Put(const Region& region) {
  bootstrapped_ = {};
  first_.reset();
  return index_.Put(region);
}

void RegionTable::PutBootstrapped(const Region& region) {
  const WriteLock lock(mutex_);
  if (index_.size() != 0) return;  // Another member leads by now, and a store has reported to it.
  Put(region);
  bootstrapped_ = region.id;
  bootstrapped_counts_ = false;
}

void RegionTable::CountBootstrapped() {
  {
    const ReadLock lock(mutex_);
    if (Counts(bootstrapped_, bootstrapped_counts_)) return;
  }
  const WriteLock lock(mutex_);
  bootstrapped_counts_ = true;
}

bool RegionTable::only_bootstrapped() const {
  const ReadLock lock(mutex_);
  return bool{bootstrapped_};
}

void RegionTable::PutFirst(const Region& region) {
  const WriteLock lock(mutex_);
  if (index_.size() == 0) first_ = region;
}

void RegionTable::PutSynced(const Region& region) {
  const WriteLock lock(mutex_);
  if (!index_.Check(region, nullptr)) return;
  const std::optional<Region> origin = index_.Find(region.id);
  NoteRange(origin ? &*origin : nullptr, region);
  const bool moved_on = !origin || !SameRecord(*origin, region) || region.id == bootstrapped_;
  const std::vector<Region> removed = Put(region);
  deleted_.erase(region.id);  // A mark of before would let a later leader delete a live region.
  if (moved_on) Mark(region.id);
  for (const Region& gone : removed) MarkDeleted(gone.id);
}

void RegionTable::PutReplicated(const PutRegions& records, Records which) {
  const WriteLock lock(mutex_);
  for (const uint64_t id : records.deleted_ids) {
    deleted_.erase(RegionId{id});
    // What is known by a report may have come back since; what is known from disk alone is gone.
    const std::optional<Region> known = index_.Find(RegionId{id});
    if (known && known->source == scheduler::RegionSource::kStorage) index_.Remove(RegionId{id});
  }
  for (const RegionRecord& record : records.regions) {
    if (record.id == 0) continue;
    Region region = FromRecord(record);
    const std::optional<Region> known = index_.Find(region.id);
    if (known && SameRecord(*known, region)) {
      if (region.id == bootstrapped_) bootstrapped_ = {};
      unsaved_.erase(region.id);
      deleted_.erase(region.id);
      continue;
    }
    // What a report brought is newer than any record of no higher epoch, re-created regions included.
    const bool reported = known && known->source != scheduler::RegionSource::kStorage;
    if (reported && (known->epoch == region.epoch || known->epoch.version > region.epoch.version ||
                     known->epoch.conf_ver > region.epoch.conf_ver)) {
      continue;
    }
    if (!index_.Check(region, nullptr)) continue;
    if (which == Records::kApplied) NoteRange(known ? &*known : nullptr, region);
    unsaved_.erase(region.id);
    deleted_.erase(region.id);
    for (const Region& removed : Put(region)) unsaved_.erase(removed.id);
  }
}

bool RegionTable::PutBuckets(RegionId id, const scheduler::Buckets& buckets) {
  const WriteLock lock(mutex_);
  std::optional<Region> region = index_.Find(id);
  if (!region || region->buckets.version >= buckets.version) return false;
  region->buckets = buckets;
  index_.Put(*region);
  return true;
}

bool RegionTable::Remove(RegionId id, Forget forget) {
  const WriteLock lock(mutex_);
  if (!index_.Remove(id)) return false;
  if (forget == Forget::kMemoryAndDisk) MarkDeleted(id);
  if (id == bootstrapped_) bootstrapped_ = {};
  return true;
}

void RegionTable::Clear() {
  const WriteLock lock(mutex_);
  index_.Clear();
  bootstrapped_ = {};
  first_.reset();
  unsaved_.clear();
  unsaved_order_.clear();
  deleted_.clear();
}

void RegionTable::ForgetReports() {
  const WriteLock lock(mutex_);
  index_.ForgetReports();
}

void RegionTable::Mark(RegionId id) {
  deleted_.erase(id);
  if (!unsaved_.insert(id).second) return;
  unsaved_order_.push_back(id);
  if (unsaved_order_.size() > 2 * unsaved_.size() + kWrittenMarksMax) ForgetWrittenMarks();
}

/// A follower marks what the feed brings and learns from the applied batches that it is written, but takes nothing off
/// the queue itself.
void RegionTable::ForgetWrittenMarks() {
  std::unordered_set<RegionId> seen;
  std::deque<RegionId> kept;
  for (const RegionId id : unsaved_order_) {
    if (unsaved_.contains(id) && seen.insert(id).second) kept.push_back(id);
  }
  unsaved_order_.swap(kept);
}

void RegionTable::MarkDeleted(RegionId id) {
  unsaved_.erase(id);
  deleted_.insert(id);
}

std::optional<PutRegions> RegionTable::TakeUnsaved(size_t regions_max) {
  const WriteLock lock(mutex_);
  PutRegions batch;
  while (!unsaved_order_.empty() && batch.regions.size() < regions_max) {
    const RegionId id = unsaved_order_.front();
    unsaved_order_.pop_front();
    if (unsaved_.erase(id) == 0) continue;
    if (const std::optional<Region> region = index_.Find(id)) {
      batch.regions.push_back(ToRecord(*region));
    }
  }
  for (const RegionId id : deleted_) batch.deleted_ids.push_back(id.value);
  deleted_.clear();
  if (batch.regions.empty() && batch.deleted_ids.empty()) return std::nullopt;
  return batch;
}

void RegionTable::Unsaved(const PutRegions& batch) {
  const WriteLock lock(mutex_);
  for (const RegionRecord& record : batch.regions) {
    if (index_.Contains(RegionId{record.id})) Mark(RegionId{record.id});
  }
  for (const uint64_t id : batch.deleted_ids) {
    if (!index_.Contains(RegionId{id})) MarkDeleted(RegionId{id});
  }
}

size_t RegionTable::unsaved() const {
  const ReadLock lock(mutex_);
  return unsaved_.size() + deleted_.size();
}

size_t RegionTable::queued_marks() const {
  const ReadLock lock(mutex_);
  return unsaved_order_.size();
}

size_t RegionTable::size() const {
  const ReadLock lock(mutex_);
  return index_.size();
}

size_t RegionTable::refreshed() const {
  const ReadLock lock(mutex_);
  return index_.refreshed();
}

uint64_t RegionTable::total_size_mib() const {
  const ReadLock lock(mutex_);
  return index_.total_size_mib();
}

std::optional<Region> RegionTable::Find(RegionId id) const {
  const ReadLock lock(mutex_);
  return index_.Find(id);
}

std::optional<Region> RegionTable::FindByKey(std::string_view key) const {
  const ReadLock lock(mutex_);
  return first_ ? first_ : index_.FindByKey(key);
}

std::optional<Region> RegionTable::Previous(const Region& region) const {
  const ReadLock lock(mutex_);
  return index_.Previous(region);
}

std::optional<Region> RegionTable::Next(const Region& region) const {
  const ReadLock lock(mutex_);
  return index_.Next(region);
}

std::vector<Region> RegionTable::Scan(const scheduler::KeyRange& range, size_t limit_max) const {
  std::vector<Region> regions;
  const auto read = [&](const scheduler::KeyRange& rest, size_t chunk) {
    const ReadLock lock(mutex_);
    return index_.Scan(rest, std::min(chunk, limit_max - regions.size()));
  };
  WalkChunks(range, read, [&](std::vector<Region> chunk) {
    if (regions.empty()) {
      regions = std::move(chunk);
    } else {
      std::ranges::move(chunk, std::back_inserter(regions));
    }
    return true;
  });
  return regions;
}

std::vector<Region> RegionTable::ScanStore(scheduler::StoreId store, scheduler::HeldAs held_as,
                                           const scheduler::KeyRange& range,
                                           size_t limit_max) const {
  const ReadLock lock(mutex_);
  return index_.ScanStore(store, held_as, range, limit_max);
}

std::vector<Region> RegionTable::WitnessLed(size_t limit_max) const {
  const ReadLock lock(mutex_);
  return index_.WitnessLed(limit_max);
}

std::optional<Region> RegionTable::Random(scheduler::StoreId store, scheduler::HeldAs held_as,
                                          std::span<const scheduler::KeyRange> ranges,
                                          scheduler::Rng& rng) const {
  const ReadLock lock(mutex_);
  return index_.Random(store, held_as, ranges, rng);
}

std::optional<Region> RegionTable::Random(std::span<const scheduler::KeyRange> ranges,
                                          scheduler::Rng& rng) const {
  const ReadLock lock(mutex_);
  return index_.Random(ranges, rng);
}

uint64_t RegionTable::Count(const scheduler::KeyRange& range) const {
  const ReadLock lock(mutex_);
  return index_.Count(range);
}

uint64_t RegionTable::CountStore(scheduler::StoreId store, scheduler::HeldAs held_as,
                                 const scheduler::KeyRange& range) const {
  const ReadLock lock(mutex_);
  return index_.CountStore(store, held_as, range);
}

scheduler::RegionIndex::StoreSums RegionTable::SumsOf(scheduler::StoreId store) const {
  const ReadLock lock(mutex_);
  if (!Counts(bootstrapped_, bootstrapped_counts_)) return {};
  return index_.SumsOf(store);
}

void RegionTable::FillCounts(std::span<scheduler::Store> stores) const {
  const ReadLock lock(mutex_);
  const bool count = Counts(bootstrapped_, bootstrapped_counts_);
  for (scheduler::Store& store : stores) {
    store.counts = count ? index_.SumsOf(store.id).counts : scheduler::StoreCounts();
  }
}

void RegionTable::Visit(const scheduler::KeyRange& range,
                        const std::function<bool(const Region&)>& visit) const {
  const auto read = [&](const scheduler::KeyRange& rest, size_t chunk) {
    const ReadLock lock(mutex_);
    return index_.Scan(rest, chunk);
  };
  WalkChunks(range, read, [&](const auto& chunk) { return std::ranges::all_of(chunk, visit); });
}

void RegionTable::VisitStore(scheduler::StoreId store, scheduler::HeldAs held_as,
                             const std::function<bool(const Region&)>& visit) const {
  const auto read = [&](const scheduler::KeyRange& rest, size_t chunk) {
    return ScanStore(store, held_as, rest, chunk);
  };
  WalkChunks({}, read, [&](const auto& chunk) { return std::ranges::all_of(chunk, visit); });
}

}  // namespace pd

#include "pd/storage/raft_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include "pd/storage/bytes.h"
#include "scheduler/model/assert.h"

namespace pd {
namespace {

// kRaftLog:    index -> type, whether there is data, term | data
// kRaftState:  "hard" -> term, vote, commit; "conf" -> membership; "start" -> index and term before the first entry
constexpr std::string_view kHardKey = "hard";
constexpr std::string_view kConfKey = "conf";
constexpr std::string_view kStartKey = "start";

constexpr uint64_t kCacheBytesMax = 16U << 20U;
constexpr size_t kCacheEntriesMax = 16'384;

std::string EntryKey(raft::LogIndex index) { return ByteWriter().U64(index).Take(); }

std::string EncodeEntry(const raft::Entry& entry) {
  return ByteWriter()
      .U8(static_cast<uint8_t>(entry.type))
      .U8(entry.data.is_set() ? 1 : 0)
      .U64(entry.term)
      .Raw(entry.data.view())
      .Take();
}

Result<raft::Entry> DecodeEntry(raft::LogIndex index, std::string_view bytes) {
  ByteReader in(bytes);
  raft::Entry entry;
  const uint8_t type = in.U8();
  const bool has_data = in.U8() != 0;
  entry.type = static_cast<raft::EntryType>(type);
  entry.index = index;
  entry.term = in.U64();
  if (has_data) entry.data = raft::Payload::Copy(in.Rest());
  if (!in.Complete() || type > static_cast<uint8_t>(raft::EntryType::kConfChangeV2)) {
    return Fail(ErrorCode::kCorrupt, "stored log entry does not decode");
  }
  return entry;
}

std::string EncodeHardState(const raft::HardState& state) {
  return ByteWriter().U64(state.term).U64(state.vote).U64(state.commit).Take();
}

void WriteIds(ByteWriter& out, const std::vector<raft::NodeId>& ids) {
  out.U32(static_cast<uint32_t>(ids.size()));
  for (const raft::NodeId id : ids) out.U64(id);
}

std::vector<raft::NodeId> ReadIds(ByteReader& in) {
  std::vector<raft::NodeId> ids;
  for (uint32_t count = in.U32(); count > 0 && in.ok(); --count) ids.push_back(in.U64());
  return ids;
}

std::string EncodeConfState(const raft::ConfState& state) {
  ByteWriter out;
  WriteIds(out, state.voters);
  WriteIds(out, state.learners);
  WriteIds(out, state.voters_outgoing);
  WriteIds(out, state.learners_next);
  out.U8(state.auto_leave ? 1 : 0);
  return out.Take();
}

raft::ConfState ReadConfState(ByteReader& in) {
  raft::ConfState state;
  state.voters = ReadIds(in);
  state.learners = ReadIds(in);
  state.voters_outgoing = ReadIds(in);
  state.learners_next = ReadIds(in);
  state.auto_leave = in.U8() != 0;
  return state;
}

/// Reads a record of kRaftState with `read`; a missing one is left as it is.
template <class Read>
Result<void> LoadRecord(const Database& database, std::string_view key, Read read) {
  const auto bytes = database.Get(Column::kRaftState, key);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return {};
  ByteReader in(**bytes);
  read(in);
  if (!in.Complete()) {
    return Fail(ErrorCode::kCorrupt, "stored Raft state does not decode: " + std::string(key));
  }
  return {};
}

raft::HardState ReadHardState(ByteReader& in) {
  raft::HardState state;
  state.term = in.U64();
  state.vote = in.U64();
  state.commit = in.U64();
  return state;
}

tl::unexpected<raft::Error> Translate(const Error& error) {
  return raft::Fail(raft::ErrorCode::kStorage, error.context);
}

}  // namespace

void WriteInitialLog(const raft::ConfState& state, WriteBatch& batch) {
  batch.Put(Column::kRaftState, std::string(kStartKey),
            ByteWriter().U64(kInitialPlace.index).U64(kInitialPlace.term).Take());
  batch.Put(Column::kRaftState, std::string(kHardKey),
            EncodeHardState({kInitialPlace.term, raft::kNoNode, kInitialPlace.index}));
  batch.Put(Column::kRaftState, std::string(kConfKey), EncodeConfState(state));
}

Result<std::unique_ptr<RaftLog>> RaftLog::Open(const Database& database) {
  std::unique_ptr<RaftLog> log(new RaftLog(database));
  if (auto loaded = log->Load(); !loaded) return tl::unexpected(loaded.error());
  return log;
}

Result<void> RaftLog::Load() {
  auto loaded =
      LoadRecord(database_, kHardKey, [this](ByteReader& in) { hard_state_ = ReadHardState(in); });
  if (!loaded) return loaded;
  loaded =
      LoadRecord(database_, kConfKey, [this](ByteReader& in) { conf_state_ = ReadConfState(in); });
  if (!loaded) return loaded;
  loaded = LoadRecord(database_, kStartKey, [this](ByteReader& in) {
    start_.index = in.U64();
    start_.term = in.U64();
  });
  if (!loaded) return loaded;

  const auto cursor = database_.NewCursor(Column::kRaftLog);
  for (cursor->Seek(EntryKey(start_.index + 1)); cursor->Valid(); cursor->Next()) {
    ByteReader key(cursor->key());
    const raft::LogIndex index = key.U64();
    if (!key.Complete() || index != LastIndex() + 1) {
      return Fail(ErrorCode::kCorrupt, "the stored log has a hole");
    }
    auto entry = DecodeEntry(index, cursor->value());
    if (!entry) return tl::unexpected(entry.error());
    const auto bytes = static_cast<uint32_t>(entry->data.size());
    facts_.push_back({entry->term, bytes});
    bytes_ += bytes;
    cache_bytes_ += bytes;
    cache_.push_back(*std::move(entry));
    TrimCache();
  }
  if (auto good = cursor->Check(); !good) return good;
  if (hard_state_.commit > LastIndex()) {
    return Fail(ErrorCode::kCorrupt, "committed entries are missing from the stored log");
  }
  return {};
}

raft::Result<raft::Storage::InitialState> RaftLog::GetInitialState() const {
  return InitialState{hard_state_, conf_state_};
}

raft::Result<raft::Term> RaftLog::GetTerm(raft::LogIndex index) const {
  if (index == start_.index) return start_.term;
  if (index < start_.index) {
    return raft::Fail(raft::ErrorCode::kCompacted, raft::kTextCompacted);
  }
  if (index > LastIndex()) {
    return raft::Fail(raft::ErrorCode::kUnavailable, raft::kTextUnavailable);
  }
  return facts_[index - start_.index - 1].term;
}

raft::Result<void> RaftLog::GetEntries(raft::LogIndex lo, raft::LogIndex hi, uint64_t max_bytes,
                                       std::vector<raft::Entry>& out) const {
  if (lo <= start_.index) return raft::Fail(raft::ErrorCode::kCompacted, raft::kTextCompacted);
  if (hi > LastIndex() + 1) {
    return raft::Fail(raft::ErrorCode::kUnavailable, raft::kTextUnavailable);
  }
  const raft::LogIndex cached_from = LastIndex() + 1 - cache_.size();
  uint64_t total = 0;
  for (raft::LogIndex index = lo; index < hi; ++index) {
    raft::Entry entry;
    if (index >= cached_from) {
      entry = cache_[index - cached_from];
    } else {
      auto read = Read(index);
      if (!read) return Translate(read.error());
      entry = *std::move(read);
    }
    total += raft::EncodedSize(entry);
    if (index > lo && total > max_bytes) break;
    out.push_back(std::move(entry));
  }
  return {};
}

Result<raft::Entry> RaftLog::Read(raft::LogIndex index) const {
  const auto bytes = database_.Get(Column::kRaftLog, EntryKey(index));
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return Fail(ErrorCode::kCorrupt, "the stored log has a hole");
  return DecodeEntry(index, **bytes);
}

raft::Result<raft::SnapshotPtr> RaftLog::GetSnapshot(raft::LogIndex /*at_least*/,
                                                     raft::NodeId /*to*/) {
  if (snapshot_maker_) return snapshot_maker_();
  return raft::Fail(raft::ErrorCode::kSnapshotUnavailable, raft::kTextSnapshotUnavailable);
}

void RaftLog::Append(const std::vector<raft::Entry>& entries, WriteBatch& batch) {
  if (entries.empty()) return;
  const raft::LogIndex first = entries.front().index;
  PD_ASSERT(first >= FirstIndex() && first <= LastIndex() + 1);
  DropFrom(first, batch);
  for (const raft::Entry& entry : entries) {
    PD_ASSERT(entry.index == LastIndex() + 1);
    batch.Put(Column::kRaftLog, EntryKey(entry.index), EncodeEntry(entry));
    const auto bytes = static_cast<uint32_t>(entry.data.size());
    facts_.push_back({entry.term, bytes});
    bytes_ += bytes;
    cache_.push_back(entry);
    cache_bytes_ += bytes;
  }
  TrimCache();
}

void RaftLog::DropFrom(raft::LogIndex index, WriteBatch& batch) {
  for (raft::LogIndex gone = LastIndex(); gone >= index && !facts_.empty(); --gone) {
    batch.Delete(Column::kRaftLog, EntryKey(gone));
    bytes_ -= facts_.back().bytes;
    facts_.pop_back();
    if (cache_.empty()) continue;
    cache_bytes_ -= cache_.back().data.size();
    cache_.pop_back();
  }
}

void RaftLog::TrimCache() {
  while (cache_.size() > 1 && (cache_bytes_ > kCacheBytesMax || cache_.size() > kCacheEntriesMax)) {
    cache_bytes_ -= cache_.front().data.size();
    cache_.pop_front();
  }
}

void RaftLog::SetHardState(const raft::HardState& state, WriteBatch& batch) {
  hard_state_ = state;
  batch.Put(Column::kRaftState, std::string(kHardKey), EncodeHardState(state));
}

void RaftLog::SetConfState(const raft::ConfState& state, WriteBatch& batch) {
  conf_state_ = state;
  batch.Put(Column::kRaftState, std::string(kConfKey), EncodeConfState(state));
}

void RaftLog::CompactTo(raft::LogIndex index, WriteBatch& batch) {
  PD_ASSERT(index > start_.index && index <= LastIndex());
  batch.DeleteRange(Column::kRaftLog, EntryKey(FirstIndex()), EntryKey(index + 1));
  start_.term = facts_[index - start_.index - 1].term;
  for (; start_.index < index; ++start_.index) {
    bytes_ -= facts_.front().bytes;
    facts_.pop_front();
  }
  while (cache_.size() > facts_.size()) {
    cache_bytes_ -= cache_.front().data.size();
    cache_.pop_front();
  }
  batch.Put(Column::kRaftState, std::string(kStartKey),
            ByteWriter().U64(start_.index).U64(start_.term).Take());
}

void RaftLog::Reset(Place place, const raft::ConfState& state, WriteBatch& batch) {
  batch.DeleteRange(Column::kRaftLog, EntryKey(0), EntryKey(UINT64_MAX));
  facts_.clear();
  cache_.clear();
  bytes_ = 0;
  cache_bytes_ = 0;
  start_ = place;
  batch.Put(Column::kRaftState, std::string(kStartKey),
            ByteWriter().U64(place.index).U64(place.term).Take());
  SetConfState(state, batch);
}

}  // namespace pd

#include "raft/mem_storage.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace raft {

MemStorage::MemStorage(FatalHook fatal)
    : fatal_(std::move(fatal)), snapshot_(std::make_shared<Snapshot>()) {}

MemStorage::MemStorage(ConfState conf_state, FatalHook fatal) : fatal_(std::move(fatal)) {
  auto none = std::make_shared<Snapshot>();
  none->metadata.conf_state = std::move(conf_state);
  snapshot_ = std::move(none);
}

Result<SnapshotPtr> MemStorage::GetSnapshot(LogIndex at_least, NodeId /*to*/) {
  if (std::exchange(snapshot_missing_, false) || snapshot_->metadata.index < at_least) {
    return Fail(ErrorCode::kSnapshotUnavailable, kTextSnapshotUnavailable);
  }
  return snapshot_;
}

void MemStorage::Fatal(const std::string& text) const {
  if (fatal_) fatal_(text);
  std::abort();
}

Result<Storage::InitialState> MemStorage::GetInitialState() const {
  return InitialState{hard_state_, snapshot_->metadata.conf_state};
}

Result<void> MemStorage::GetEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                                    std::vector<Entry>& out) const {
  if (lo <= offset_) return Fail(ErrorCode::kCompacted, kTextCompacted);
  if (hi > LastIndex() + 1) {
    Fatal(fmt::format("entries' hi({}) is out of bound lastindex({})", hi, LastIndex()));
  }
  if (entries_.empty()) return Fail(ErrorCode::kUnavailable, kTextUnavailable);
  uint64_t total = 0;
  for (LogIndex i = lo; i < hi; ++i) {
    const Entry& entry = entries_[i - offset_ - 1];
    total += EncodedSize(entry);
    if (total > max_bytes && i > lo) break;
    out.push_back(entry);
  }
  return {};
}

Result<Term> MemStorage::GetTerm(LogIndex index) const {
  if (index < offset_) return Fail(ErrorCode::kCompacted, kTextCompacted);
  if (index > LastIndex()) return Fail(ErrorCode::kUnavailable, kTextUnavailable);
  return index == offset_ ? offset_term_ : entries_[index - offset_ - 1].term;
}

void MemStorage::Append(const std::vector<Entry>& entries) {
  if (entries.empty() || entries.back().index <= offset_) return;
  const LogIndex first = entries.front().index;
  const size_t skipped = first <= offset_ ? offset_ + 1 - first : 0;
  const LogIndex from = first + skipped;
  if (from > LastIndex() + 1) {
    Fatal(fmt::format("missing log entry [last: {}, append at: {}]", LastIndex(), first));
  }
  entries_.resize(from - offset_ - 1);
  entries_.insert(entries_.end(), entries.begin() + static_cast<std::ptrdiff_t>(skipped),
                  entries.end());
}

Result<void> MemStorage::ApplySnapshot(const Snapshot& snapshot) {
  const LogIndex stored = snapshot_->metadata.index;
  if (stored != 0 && stored >= snapshot.metadata.index) {
    return Fail(ErrorCode::kSnapshotOutOfDate, kTextSnapshotOutOfDate);
  }
  snapshot_ = std::make_shared<Snapshot>(snapshot);
  offset_ = snapshot.metadata.index;
  offset_term_ = snapshot.metadata.term;
  entries_.clear();
  return {};
}

Result<SnapshotPtr> MemStorage::CreateSnapshot(LogIndex index, const ConfState* conf_state,
                                               Payload data) {
  if (index <= snapshot_->metadata.index) {
    return Fail(ErrorCode::kSnapshotOutOfDate, kTextSnapshotOutOfDate);
  }
  if (index > LastIndex()) {
    Fatal(fmt::format("snapshot {} is out of bound lastindex({})", index, LastIndex()));
  }
  Result<Term> term = GetTerm(index);
  if (!term) return tl::unexpected(std::move(term).error());
  auto made = std::make_shared<Snapshot>();
  made->metadata.conf_state = conf_state != nullptr ? *conf_state : snapshot_->metadata.conf_state;
  made->metadata.index = index;
  made->metadata.term = *term;
  made->data = std::move(data);
  snapshot_ = std::move(made);
  return snapshot_;
}

Result<void> MemStorage::Compact(LogIndex index) {
  if (index <= offset_) return Fail(ErrorCode::kCompacted, kTextCompacted);
  if (index > LastIndex()) {
    Fatal(fmt::format("compact {} is out of bound lastindex({})", index, LastIndex()));
  }
  offset_term_ = entries_[index - offset_ - 1].term;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(index - offset_));
  offset_ = index;
  return {};
}

}  // namespace raft

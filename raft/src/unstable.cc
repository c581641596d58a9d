#include "raft/src/unstable.h"

#include <algorithm>

namespace raft {
namespace {

// A tail that was once longer than this gives its memory back when it has drained.
constexpr size_t kKeptCapacity = 4096;

}  // namespace

std::optional<LogIndex> Unstable::FirstIndex() const {
  if (snapshot_ == nullptr) return std::nullopt;
  return snapshot_->metadata.index + 1;
}

std::optional<Term> Unstable::TermAt(LogIndex index) const {
  if (index < offset_) {
    if (snapshot_ != nullptr && snapshot_->metadata.index == index) return snapshot_->metadata.term;
    return std::nullopt;
  }
  if (index >= end()) return std::nullopt;
  return entries_[head_ + (index - offset_)].term;
}

std::span<const Entry> Unstable::NextEntries() const {
  return std::span(entries_).subspan(head_ + (offset_in_progress_ - offset_));
}

void Unstable::AcceptInProgress() {
  if (size() > 0) offset_in_progress_ = end();
  if (snapshot_ != nullptr) snapshot_in_progress_ = true;
}

void Unstable::StableTo(LogIndex index, Term term) {
  const std::optional<Term> here = TermAt(index);
  if (!here) {
    journal_.Info("entry at index {} missing from unstable log; ignoring", index);
    return;
  }
  if (index < offset_) {
    journal_.Info("entry at index {} matched unstable snapshot; ignoring", index);
    return;
  }
  if (*here != term) {
    journal_.Info(
        "entry at (index,term)=({},{}) mismatched with entry at ({},{}) in unstable log; ignoring",
        index, term, index, *here);
    return;
  }
  DropFront(index + 1 - offset_);
  offset_in_progress_ = std::max(offset_in_progress_, offset_);
}

void Unstable::DropFront(size_t count) {
  for (size_t i = head_; i < head_ + count; ++i) entries_[i].data = Payload();
  head_ += count;
  offset_ += count;
  Reclaim();
}

void Unstable::Reclaim() {
  if (head_ == entries_.size()) {
    entries_.clear();
    head_ = 0;
    if (entries_.capacity() > kKeptCapacity) entries_.shrink_to_fit();
  } else if (head_ > entries_.size() / 2) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void Unstable::StableSnapshotTo(LogIndex index) {
  if (snapshot_ == nullptr || snapshot_->metadata.index != index) return;
  snapshot_ = nullptr;
  snapshot_in_progress_ = false;
}

void Unstable::Restore(SnapshotPtr snapshot) {
  entries_.clear();
  head_ = 0;
  offset_ = snapshot->metadata.index + 1;
  offset_in_progress_ = offset_;
  snapshot_ = std::move(snapshot);
  snapshot_in_progress_ = false;
}

void Unstable::TruncateAndAppend(std::span<const Entry> entries) {
  const LogIndex from = entries.front().index;
  if (from > end()) {
    journal_.Fatal("unstable.slice[{},{}) out of bound [{},{}]", offset_, from, offset_, end());
  }
  if (from <= offset_ && from != end()) {
    journal_.Info("replace the unstable entries from index {}", from);
    entries_.clear();
    head_ = 0;
    offset_ = from;
    offset_in_progress_ = from;
  } else if (from < end()) {
    journal_.Info("truncate the unstable entries before index {}", from);
    entries_.resize(head_ + (from - offset_));
    // What is written anew is not in progress, whatever was before in its place.
    offset_in_progress_ = std::min(offset_in_progress_, from);
  }
  entries_.insert(entries_.end(), entries.begin(), entries.end());
}

std::span<const Entry> Unstable::Slice(LogIndex lo, LogIndex hi) const {
  if (lo > hi) journal_.Fatal("invalid unstable.slice {} > {}", lo, hi);
  if (lo < offset_ || hi > end()) {
    journal_.Fatal("unstable.slice[{},{}) out of bound [{},{}]", lo, hi, offset_, end());
  }
  return std::span(entries_).subspan(head_ + (lo - offset_), hi - lo);
}

}  // namespace raft

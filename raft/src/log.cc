#include "raft/src/log.h"

#include <algorithm>

namespace raft {

uint64_t EncodedSize(std::span<const Entry> entries) {
  uint64_t total = 0;
  for (const Entry& entry : entries) total += EncodedSize(entry);
  return total;
}

uint64_t PayloadSize(std::span<const Entry> entries) {
  uint64_t total = 0;
  for (const Entry& entry : entries) total += entry.data.size();
  return total;
}

Log::Log(Storage& storage, const Journal& journal, uint64_t applying_bytes_max)
    : storage_(storage),
      journal_(journal),
      unstable_(storage.LastIndex() + 1, journal),
      committed_(storage.FirstIndex() - 1),
      applying_(committed_),
      applied_(committed_),
      // With a limit of nothing at least single entries pass.
      applying_bytes_max_(std::max<uint64_t>(applying_bytes_max, 1)) {}

LogIndex Log::FirstIndex() const {
  const std::optional<LogIndex> first = unstable_.FirstIndex();
  return first ? *first : storage_.FirstIndex();
}

Term Log::LastTerm() const {
  const std::optional<Term> term = TermAt(LastIndex());
  if (!term) {
    journal_.Fatal("unexpected error when getting the last term at {}: {}", LastIndex(),
                   kTextUnavailable);
  }
  return *term;
}

std::optional<Term> Log::TermAt(LogIndex index) const {
  if (const std::optional<Term> term = unstable_.TermAt(index)) return term;
  if (index + 1 < FirstIndex() || index > LastIndex()) return std::nullopt;
  Result<Term> term = storage_.GetTerm(index);
  if (term) return *term;
  const ErrorCode code = term.error().code;
  if (code == ErrorCode::kCompacted || code == ErrorCode::kUnavailable) return std::nullopt;
  journal_.Fatal("unexpected error ({})", term.error().context);
}

bool Log::IsUpToDate(EntryId id) const {
  const EntryId last = LastId();
  return id.term > last.term || (id.term == last.term && id.index >= last.index);
}

std::optional<LogIndex> Log::MaybeAppend(EntryId previous, std::span<const Entry> entries,
                                         LogIndex leader_commit) {
  if (!Matches(previous)) return std::nullopt;
  const LogIndex last_new = previous.index + entries.size();
  const LogIndex conflict = FirstConflict(entries);
  if (conflict != 0) {
    if (conflict <= committed_) {
      journal_.Fatal("entry {} conflict with committed entry [committed({})]", conflict,
                     committed_);
    }
    const LogIndex skipped = conflict - (previous.index + 1);
    if (skipped > entries.size()) {
      journal_.Fatal("index, {}, is out of range [{}]", skipped, entries.size());
    }
    Append(entries.subspan(skipped));
  }
  CommitTo(std::min(leader_commit, last_new));
  return last_new;
}

LogIndex Log::FirstConflict(std::span<const Entry> entries) const {
  for (const Entry& entry : entries) {
    if (Matches({entry.term, entry.index})) continue;
    if (entry.index <= LastIndex()) {
      journal_.Info("found conflict at index {} [existing term: {}, conflicting term: {}]",
                    entry.index, TermAt(entry.index).value_or(0), entry.term);
    }
    return entry.index;
  }
  return 0;
}

void Log::Append(std::span<const Entry> entries) {
  if (entries.empty()) return;
  const LogIndex after = entries.front().index - 1;
  if (after < committed_) {
    journal_.Fatal("after({}) is out of range [committed({})]", after, committed_);
  }
  unstable_.TruncateAndAppend(entries);
}

EntryId Log::FindConflictByTerm(LogIndex index, Term term) const {
  for (; index > 0; --index) {
    const std::optional<Term> here = TermAt(index);
    if (!here) return {0, index};
    if (*here <= term) return {*here, index};
  }
  return {0, 0};
}

bool Log::Entries(LogIndex from, uint64_t max_bytes, std::vector<Entry>& out) const {
  const LogIndex last = LastIndex();
  return from > last || Slice(from, last + 1, max_bytes, out);
}

bool Log::Slice(LogIndex lo, LogIndex hi, uint64_t max_bytes, std::vector<Entry>& out) const {
  if (lo > hi) journal_.Fatal("invalid slice {} > {}", lo, hi);
  const LogIndex first = FirstIndex();
  if (lo < first) return false;
  if (hi > LastIndex() + 1) {
    journal_.Fatal("slice[{},{}) out of bound [{},{}]", lo, hi, first, LastIndex());
  }
  uint64_t total = 0;
  const size_t before = out.size();
  if (lo < unstable_.offset()) {
    const LogIndex cut = std::min(hi, unstable_.offset());
    if (!StableSlice(lo, cut, max_bytes, out)) return false;
    // The storage gave less than was asked: the limit is reached.
    if (out.size() - before < cut - lo || cut == hi) return true;
    total = EncodedSize(std::span(out).subspan(before));
    if (total >= max_bytes) return true;
    lo = cut;
  }
  for (const Entry& entry : unstable_.Slice(lo, hi)) {
    total += EncodedSize(entry);
    if (total > max_bytes && out.size() > before) break;
    out.push_back(entry);
  }
  return true;
}

bool Log::StableSlice(LogIndex lo, LogIndex hi, uint64_t max_bytes, std::vector<Entry>& out) const {
  if (lo == hi) return true;
  Result<void> read = storage_.GetEntries(lo, hi, max_bytes, out);
  if (read) return true;
  switch (read.error().code) {
    case ErrorCode::kCompacted:
      return false;
    case ErrorCode::kUnavailable:
      journal_.Fatal("entries[{}:{}) is unavailable from storage", lo, hi);
    default:
      journal_.Fatal("unexpected error ({})", read.error().context);
  }
}

void Log::CommitTo(LogIndex index) {
  if (index <= committed_) return;
  if (index > LastIndex()) {
    journal_.Fatal(
        "tocommit({}) is out of range [lastIndex({})]. Was the raft log corrupted, truncated, or "
        "lost?",
        index, LastIndex());
  }
  committed_ = index;
}

bool Log::MaybeCommit(EntryId id) {
  if (id.term == 0 || id.index <= committed_ || !Matches(id)) return false;
  CommitTo(id.index);
  return true;
}

LogIndex Log::MaxAppliable(Visibility visibility) const {
  if (visibility == Visibility::kWithUnstable) return committed_;
  const LogIndex stable = unstable_.offset() - 1;
  return committed_ - stable > apply_ahead_ && committed_ > stable ? stable + apply_ahead_
                                                                   : committed_;
}

void Log::LoadApplied(LogIndex index, uint64_t ahead_max) {
  // What was applied was committed, though the write of that may have been lost. Applied ahead of its own
  // write, an entry may be another one than the log has at its place.
  if (ahead_max == 0 && index <= LastIndex()) CommitTo(index);
  const bool in_reach = index <= LastIndex() || index - LastIndex() <= ahead_max;
  if (ahead_max > 0 && index > committed_ && in_reach) {
    applied_ = index;
    applying_ = index;
  } else {
    AppliedTo(index, 0);
  }
}

bool Log::HasNextCommitted(Visibility visibility) const {
  if (applying_paused_) return false;
  // A snapshot must be applied before what is behind it.
  if (HasSnapshot()) return false;
  return applying_ < MaxAppliable(visibility);
}

void Log::NextCommitted(Visibility visibility, std::vector<Entry>& out) const {
  if (!HasNextCommitted(visibility)) return;
  if (applying_bytes_ >= applying_bytes_max_) {
    journal_.Fatal("applying entry size ({}-{})={} not positive", applying_bytes_max_,
                   applying_bytes_, applying_bytes_max_ - applying_bytes_);
  }
  const uint64_t room = applying_bytes_max_ - applying_bytes_;
  if (!Slice(applying_ + 1, MaxAppliable(visibility) + 1, room, out)) {
    journal_.Fatal("unexpected error when getting unapplied entries ({})", kTextCompacted);
  }
}

void Log::SetApplyingBytesMax(uint64_t bytes) {
  applying_bytes_max_ = std::max<uint64_t>(bytes, 1);
  applying_paused_ = applying_bytes_ >= applying_bytes_max_;
}

void Log::AcceptApplying(LogIndex index, uint64_t bytes, Visibility visibility) {
  if (committed_ < index || index < applying_) {
    journal_.Fatal("applying({}) is out of range [prevApplying({}), committed({})]", index,
                   applying_, committed_);
  }
  applying_ = index;
  applying_bytes_ += bytes;
  // A batch that was cut short has used the quota up, though a smaller entry might still fit.
  applying_paused_ = applying_bytes_ >= applying_bytes_max_ || index < MaxAppliable(visibility);
}

void Log::AppliedTo(LogIndex index, uint64_t bytes) {
  if ((committed_ < index && index != applied_) || index < applied_) {
    journal_.Fatal("applied({}) is out of range [prevApplied({}), committed({})]", index, applied_,
                   committed_);
  }
  applied_ = index;
  applying_ = std::max(applying_, applied_);
  applying_bytes_ -= std::min(applying_bytes_, bytes);
  applying_paused_ = applying_bytes_ >= applying_bytes_max_;
}

Result<SnapshotPtr> Log::SnapshotToSend(LogIndex at_least, NodeId to) const {
  const SnapshotPtr& received = unstable_.snapshot();
  if (received != nullptr && received->metadata.index >= at_least) return received;
  Result<SnapshotPtr> stored = storage_.GetSnapshot(at_least, to);
  if (stored && *stored != nullptr && (*stored)->metadata.index < at_least) {
    return Fail(ErrorCode::kSnapshotUnavailable, kTextSnapshotUnavailable);
  }
  return stored;
}

bool Log::Prepare(LogIndex from, uint64_t max_bytes, const FetchContext& context) const {
  const LogIndex end = std::min(unstable_.offset(), LastIndex() + 1);
  if (from < FirstIndex() || from >= end) return true;
  return storage_.PrepareEntries(from, end, max_bytes, context);
}

void Log::Restore(SnapshotPtr snapshot) {
  journal_.Info("log [{}] starts to restore snapshot [index: {}, term: {}]", Describe(),
                snapshot->metadata.index, snapshot->metadata.term);
  committed_ = snapshot->metadata.index;
  unstable_.Restore(std::move(snapshot));
}

std::string Log::Describe() const {
  return fmt::format(
      "committed={}, applied={}, applying={}, unstable.offset={}, unstable.offsetInProgress={}, "
      "len(unstable.Entries)={}",
      committed_, applied_, applying_, unstable_.offset(), unstable_.offset_in_progress(),
      unstable_.size());
}

}  // namespace raft

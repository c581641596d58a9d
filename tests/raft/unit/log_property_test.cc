#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "raft/mem_storage.h"
#include "raft/src/log.h"
#include "tests/raft/unit/program.h"

namespace raft {
namespace {

using testing::Program;

void FailOnFatal(std::string_view text) { RC_FAIL(std::string(text)); }

const Journal kSilent(nullptr, FailOnFatal);

/// By definition: the longest prefix that fits, but at least one entry.
std::vector<Entry> Limited(std::vector<Entry> entries, uint64_t max_bytes) {
  size_t count = 0;
  uint64_t total = 0;
  for (const Entry& entry : entries) {
    total += EncodedSize(entry);
    if (total <= max_bytes) ++count;
  }
  entries.resize(std::min(entries.size(), std::max<size_t>(count, 1)));
  return entries;
}

/// The dumb twin: the whole log as one list, and numbers that say how far each thing has got. It does not know where an
/// entry is kept.
struct FlatLog {
  LogIndex base = 0;  // Compacted up to here.
  Term base_term = 0;
  std::vector<Entry> entries;
  LogIndex committed = 0;
  LogIndex applied = 0;
  LogIndex stable = 0;   // Acknowledged as written.
  SnapshotPtr snapshot;  // Received and not yet written.

  // Handed out to apply, and the bytes of what is not yet acknowledged.
  LogIndex applying = 0;
  std::deque<uint64_t> batches;
  bool cut_short = false;

  LogIndex last() const { return base + entries.size(); }

  std::optional<Term> TermAt(LogIndex index) const {
    if (index == base) return base_term;
    if (index < base || index > last()) return std::nullopt;
    return entries[index - base - 1].term;
  }

  EntryId IdAt(LogIndex index) const { return {*TermAt(index), index}; }

  std::vector<Entry> Slice(LogIndex lo, LogIndex hi) const {
    const auto at = [this](LogIndex index) {
      return entries.begin() + static_cast<std::ptrdiff_t>(index - base - 1);
    };
    return {at(lo), at(hi)};
  }

  void Append(const std::vector<Entry>& more) {
    if (more.empty()) return;
    const LogIndex from = more.front().index;
    entries.resize(from - base - 1);
    entries.insert(entries.end(), more.begin(), more.end());
    stable = std::min(stable, from - 1);
  }

  void Restore(const SnapshotPtr& restored) {
    snapshot = restored;
    base = stable = committed = restored->metadata.index;
    base_term = restored->metadata.term;
    entries.clear();
  }

  void CompactTo(LogIndex index) {
    if (index <= base) return;
    base_term = *TermAt(index);
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(index - base));
    base = index;
  }

  std::vector<Entry> NextCommitted(Visibility visibility, uint64_t quota) const {
    if (snapshot != nullptr || cut_short || Outstanding() >= quota) return {};
    const LogIndex until = Appliable(visibility);
    if (until <= applying) return {};
    return Limited(Slice(applying + 1, until + 1), quota - Outstanding());
  }

  LogIndex Appliable(Visibility visibility) const {
    return visibility == Visibility::kStableOnly ? std::min(committed, stable) : committed;
  }

  uint64_t Outstanding() const {
    uint64_t total = 0;
    for (const uint64_t bytes : batches) total += bytes;
    return total;
  }
};

/// A log and its twin, and between them what a node and its host do with them.
class Pair {
 public:
  explicit Pair(Program& program)
      : program_(program),
        visibility_(program.Flag() ? Visibility::kStableOnly : Visibility::kWithUnstable),
        quota_(program.Flag() ? kNoLimit : program.Below(60)),
        storage_(FailOnFatal) {
    for (uint64_t count = program.Below(6); count > 0; --count) {
      twin_.Append({NewEntry(twin_.last() + 1)});
    }
    storage_.Append(twin_.entries);
    twin_.stable = twin_.last();
    log_.emplace(storage_, kSilent, quota_);
  }

  void Step() {
    switch (program_.Below(12)) {
      case 0:
      case 1:
        return Lead();
      case 2:
        return Follow();
      case 3:
        return Overwrite();
      case 4:
        return BringBack();
      case 5:
        return Commit();
      case 6:
      case 7:
        return HandOut();
      case 8:
        return Write();
      case 9:
        return Apply();
      case 10:
        return Compact();
      default:
        return Restore();
    }
  }

  void Compare() {
    RC_ASSERT(log_->FirstIndex() == twin_.base + 1);
    RC_ASSERT(log_->LastIndex() == twin_.last());
    RC_ASSERT(log_->LastId() == twin_.IdAt(twin_.last()));
    RC_ASSERT(log_->committed() == twin_.committed);
    RC_ASSERT(log_->applied() == twin_.applied);
    RC_ASSERT(log_->applying() == twin_.applying);
    RC_ASSERT(log_->unstable().offset() == twin_.stable + 1);
    for (LogIndex index = 0; index <= twin_.last() + 1; ++index) {
      const std::optional<Term> term = twin_.TermAt(index);
      RC_ASSERT(log_->TermAt(index) == term);
      RC_ASSERT(log_->Matches({term.value_or(1), index}) == term.has_value());
      RC_ASSERT_FALSE(log_->Matches({term.value_or(1) + 1, index}));
    }
    for (const Visibility visibility : {Visibility::kStableOnly, Visibility::kWithUnstable}) {
      const std::vector<Entry> expected = twin_.NextCommitted(visibility, quota());
      RC_ASSERT(log_->HasNextCommitted(visibility) == !expected.empty());
      std::vector<Entry> next;
      log_->NextCommitted(visibility, next);
      RC_ASSERT(next == expected);
    }
    const SnapshotPtr to_send = *log_->SnapshotToSend(0, 2);
    RC_ASSERT(to_send ==
              (twin_.snapshot != nullptr ? twin_.snapshot : *storage_.GetSnapshot(0, 2)));
  }

  /// Slices from everywhere up to the seam and up to the end, with every limit at which they change.
  void CompareSlices() const {
    for (const LogIndex hi : {twin_.stable + 1, twin_.last() + 1}) {
      for (LogIndex lo = twin_.base + 1; lo <= hi; ++lo) {
        CompareSlice(lo, hi, 0);
        CompareSlice(lo, hi, kNoLimit);
        uint64_t total = 0;
        for (const Entry& entry : twin_.Slice(lo, hi)) {
          total += EncodedSize(entry);
          CompareSlice(lo, hi, total - 1);
          CompareSlice(lo, hi, total);
        }
      }
    }
    std::vector<Entry> none;
    RC_ASSERT_FALSE(log_->Slice(twin_.base, twin_.last() + 1, kNoLimit, none));
    RC_ASSERT_FALSE(log_->Entries(twin_.base, kNoLimit, none));
    RC_ASSERT(log_->Entries(twin_.last() + 1, kNoLimit, none));
    RC_ASSERT(none.empty());
  }

  /// Where this log may meet another, for every question that another could ask.
  void CompareConflicts() const {
    for (LogIndex index = 0; index <= twin_.last() + 1; ++index) {
      for (Term term = 0; term <= term_ + 1; ++term) {
        RC_ASSERT(log_->FindConflictByTerm(index, term) == Conflict(index, term));
        const EntryId last = twin_.IdAt(twin_.last());
        const bool newer = term > last.term || (term == last.term && index >= last.index);
        RC_ASSERT(log_->IsUpToDate({term, index}) == newer);
      }
    }
  }

 private:
  // What a Ready gives to write: what is acknowledged with it names the last entry of the whole log.
  struct Writing {
    std::vector<Entry> entries;
    SnapshotPtr snapshot;
    std::optional<EntryId> last;
    Term term = 0;  // Of the node, as it was handed out.
    std::vector<Entry> to_apply;
  };

  uint64_t quota() const { return std::max<uint64_t>(quota_, 1); }

  Entry NewEntry(LogIndex index) {
    Entry entry{EntryType::kNormal, term_, index, {}};
    if (program_.Flag()) entry.data = Payload::Copy(std::string(program_.Below(12), 'x'));
    if (program_.Below(8) == 1) entry.type = EntryType::kConfChange;
    return entry;
  }

  std::vector<Entry> NewEntries(LogIndex from) {
    std::vector<Entry> entries;
    for (uint64_t count = program_.Between(1, 3); count > 0; --count) {
      entries.push_back(NewEntry(from + entries.size()));
    }
    return entries;
  }

  void Lead() {
    if (program_.Below(4) == 1) ++term_;
    const std::vector<Entry> entries = NewEntries(twin_.last() + 1);
    log_->Append(entries);
    twin_.Append(entries);
  }

  // An append that repeats some of what is here, and may go on behind it.
  void Follow() {
    const LogIndex previous = program_.Between(twin_.base, twin_.last());
    std::vector<Entry> entries =
        twin_.Slice(previous + 1, program_.Between(previous, twin_.last()) + 1);
    const bool to_the_end = previous + entries.size() == twin_.last();
    std::vector<Entry> fresh;
    if (to_the_end && program_.Flag()) fresh = NewEntries(twin_.last() + 1);
    entries.insert(entries.end(), fresh.begin(), fresh.end());
    twin_.Append(fresh);
    Offer(twin_.IdAt(previous), entries);
    // One that is not here matches nothing.
    RC_ASSERT_FALSE(log_->MaybeAppend({term_ + 1, previous}, entries, twin_.last()).has_value());
    RC_ASSERT_FALSE(log_->MaybeAppend({term_, twin_.last() + 1}, {}, twin_.last()).has_value());
  }

  // A new leader has other entries in the uncommitted part.
  void Overwrite() {
    const LogIndex previous = program_.Between(twin_.committed, twin_.last());
    const LogIndex same = program_.Between(twin_.base, previous);
    ++term_;
    if (previous < twin_.last()) {
      lost_behind_ = twin_.IdAt(previous);
      lost_ = twin_.Slice(previous + 1, twin_.last() + 1);
    }
    std::vector<Entry> entries = twin_.Slice(same + 1, previous + 1);
    const std::vector<Entry> fresh = NewEntries(previous + 1);
    entries.insert(entries.end(), fresh.begin(), fresh.end());
    twin_.Append(fresh);
    Offer(twin_.IdAt(same), entries);
  }

  // A later leader still has the entries that were overwritten.
  void BringBack() {
    if (lost_.empty() || lost_behind_.index < twin_.committed) return;
    if (twin_.TermAt(lost_behind_.index) != lost_behind_.term) return;
    ++term_;
    twin_.Append(lost_);
    Offer(lost_behind_, lost_);
    lost_.clear();
  }

  // Makes an append of a leader, after which the log is as the twin already is.
  void Offer(EntryId previous, const std::vector<Entry>& entries) {
    const LogIndex last_new = previous.index + entries.size();
    const LogIndex leader_commit = program_.Below(last_new + 3);
    twin_.committed = std::max(twin_.committed, std::min(leader_commit, last_new));
    RC_ASSERT(log_->MaybeAppend(previous, entries, leader_commit) == last_new);
  }

  void Commit() {
    const LogIndex index = program_.Between(twin_.base, twin_.last());
    if (program_.Flag()) {
      log_->CommitTo(index);
      twin_.committed = std::max(twin_.committed, index);
      return;
    }
    const Term term = program_.Below(term_ + 1);
    const bool moves = term != 0 && index > twin_.committed && twin_.TermAt(index) == term;
    RC_ASSERT(log_->MaybeCommit({term, index}) == moves);
    if (moves) twin_.committed = index;
  }

  void HandOut() {
    // In synchronous mode one Ready is carried out before the next.
    if (visibility_ == Visibility::kWithUnstable && (!writing_.empty() || !applying_.empty()))
      return;
    Writing work;
    const auto entries = log_->unstable().NextEntries();
    work.entries.assign(entries.begin(), entries.end());
    work.snapshot = log_->unstable().NextSnapshot();
    if (log_->unstable().size() > 0) work.last = log_->LastId();
    work.term = term_;
    log_->NextCommitted(visibility_, work.to_apply);
    log_->unstable().AcceptInProgress();
    if (!work.to_apply.empty()) {
      const LogIndex last = work.to_apply.back().index;
      const uint64_t bytes = EncodedSize(std::span<const Entry>(work.to_apply));
      log_->AcceptApplying(last, bytes, visibility_);
      twin_.applying = last;
      twin_.batches.push_back(bytes);
      twin_.cut_short = last < twin_.Appliable(visibility_);
      applying_.push_back(last);
    }
    writing_.push_back(std::move(work));
  }

  void Write() {
    if (writing_.empty()) return;
    const Writing work = std::move(writing_.front());
    writing_.pop_front();
    if (work.snapshot != nullptr) RC_ASSERT(storage_.ApplySnapshot(*work.snapshot).has_value());
    storage_.Append(work.entries);
    if (work.last) {
      // Said in an older term it must not be believed, as the entry may have gone and come back: the node sees to that.
      const bool here = twin_.TermAt(work.last->index) == work.last->term;
      if (work.term == term_ || !here) {
        log_->unstable().StableTo(work.last->index, work.last->term);
        if (here) twin_.stable = std::max(twin_.stable, work.last->index);
      }
    }
    if (work.snapshot == nullptr) return;
    const LogIndex index = work.snapshot->metadata.index;
    log_->unstable().StableSnapshotTo(index);
    if (twin_.snapshot == work.snapshot) twin_.snapshot = nullptr;
    Acknowledge(index, 0);
  }

  void Apply() {
    if (applying_.empty()) return;
    if (visibility_ == Visibility::kWithUnstable && !writing_.empty()) return;
    const LogIndex index = applying_.front();
    applying_.pop_front();
    const uint64_t bytes = twin_.batches.front();
    twin_.batches.pop_front();
    Acknowledge(index, bytes);
  }

  void Acknowledge(LogIndex index, uint64_t bytes) {
    twin_.applied = std::max(twin_.applied, index);
    twin_.applying = std::max(twin_.applying, twin_.applied);
    twin_.cut_short = false;
    log_->AppliedTo(twin_.applied, bytes);
  }

  // Where a write was finished and not believed, the tail still tells the term of what a host may compact: more than it
  // must, so not that far here.
  void Compact() {
    const LogIndex index = program_.Between(0, std::min(twin_.applied, twin_.stable));
    if (index < storage_.FirstIndex()) return;
    RC_ASSERT(storage_.Compact(index).has_value());
    twin_.CompactTo(index);
  }

  void Restore() {
    if (program_.Flag()) return;  // Rarer than the rest.
    ++term_;
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->metadata.index = twin_.committed + program_.Between(1, 5);
    snapshot->metadata.term = program_.Between(*twin_.TermAt(twin_.committed) + 1, term_);
    log_->Restore(snapshot);
    twin_.Restore(snapshot);
  }

  void CompareSlice(LogIndex lo, LogIndex hi, uint64_t max_bytes) const {
    const std::vector<Entry> expected = Limited(twin_.Slice(lo, hi), max_bytes);
    std::vector<Entry> found;
    RC_ASSERT(log_->Slice(lo, hi, max_bytes, found));
    RC_ASSERT(found == expected);
    if (hi != twin_.last() + 1) return;
    found.clear();
    RC_ASSERT(log_->Entries(lo, max_bytes, found));
    RC_ASSERT(found == expected);
  }

  EntryId Conflict(LogIndex index, Term term) const {
    if (!twin_.TermAt(index)) return {0, index};
    for (LogIndex i = index; i + 1 > twin_.base; --i) {
      if (*twin_.TermAt(i) <= term) return twin_.IdAt(i);
      if (i == 0) break;
    }
    return {0, twin_.base - 1};
  }

  Program& program_;
  Visibility visibility_;
  uint64_t quota_;
  MemStorage storage_;
  std::optional<Log> log_;
  FlatLog twin_;
  Term term_ = 1;
  std::deque<Writing> writing_;
  std::deque<LogIndex> applying_;
  std::vector<Entry> lost_;  // What was overwritten last, and the entry before it.
  EntryId lost_behind_;
};

TEST_CASE("a log is a list, wherever its entries are kept") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    Pair pair(program);
    pair.Compare();
    while (!program.done()) {
      pair.Step();
      pair.Compare();
    }
    pair.CompareSlices();
    pair.CompareConflicts();
  }));
}

}  // namespace
}  // namespace raft

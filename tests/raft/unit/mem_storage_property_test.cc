#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "raft/mem_storage.h"
#include "tests/raft/unit/program.h"

namespace raft {
namespace {

using testing::Program;

void FailOnFatal(std::string_view text) { RC_FAIL(std::string(text)); }

template <class T>
std::optional<ErrorCode> CodeOf(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

/// A storage, and a dumb twin: entries by index, and beside them where the log was cut and what was snapshot.
class Pair {
 public:
  explicit Pair(Program& program) : program_(program), storage_(FailOnFatal) {}

  void Step() {
    switch (program_.Below(6)) {
      case 0:
      case 1:
      case 2:
        return Append();
      case 3:
        return Compact();
      case 4:
        return CreateSnapshot();
      default:
        return ApplySnapshot();
    }
  }

  void Compare() {
    RC_ASSERT(storage_.FirstIndex() == cut_ + 1);
    RC_ASSERT(storage_.LastIndex() == last());
    const SnapshotPtr snapshot = *storage_.GetSnapshot(0, 2);
    RC_ASSERT(*snapshot == snapshot_);
    RC_ASSERT(storage_.GetInitialState()->conf_state == snapshot_.metadata.conf_state);
    for (LogIndex index = 0; index <= last() + 2; ++index) {
      const Result<Term> term = storage_.GetTerm(index);
      if (index < cut_) {
        RC_ASSERT(CodeOf(term) == ErrorCode::kCompacted);
      } else if (index > last()) {
        RC_ASSERT(CodeOf(term) == ErrorCode::kUnavailable);
      } else {
        RC_ASSERT(*term == TermOf(index));
      }
    }
    CompareRead(program_.Below(last() + 2), program_.Below(4) == 1 ? kNoLimit : program_.Below(60));
  }

 private:
  LogIndex last() const { return entries_.empty() ? cut_ : entries_.rbegin()->first; }
  Term TermOf(LogIndex index) const { return index == cut_ ? cut_term_ : entries_.at(index).term; }

  void CompareRead(LogIndex lo, uint64_t max_bytes) {
    const LogIndex hi = program_.Between(lo, last() + 1);
    const Entry before{EntryType::kNormal, 77, 77, {}};
    std::vector<Entry> out = {before};
    const Result<void> read = storage_.GetEntries(lo, hi, max_bytes, out);
    std::vector<Entry> expected = {before};
    if (lo <= cut_) {
      RC_ASSERT(CodeOf(read) == ErrorCode::kCompacted);
    } else if (entries_.empty()) {
      RC_ASSERT(CodeOf(read) == ErrorCode::kUnavailable);
    } else {
      RC_ASSERT(read.has_value());
      uint64_t total = 0;
      for (LogIndex index = lo; index < hi; ++index) {
        total += EncodedSize(entries_.at(index));
        if (total > max_bytes && index > lo) break;
        expected.push_back(entries_.at(index));
      }
    }
    RC_ASSERT(out == expected);
  }

  // Behind the log, over its end, over all of it, or wholly where it was cut; never with a gap.
  void Append() {
    ++term_;
    const LogIndex from = program_.Between(1, last() + 1);
    std::vector<Entry> entries;
    for (uint64_t count = program_.Below(5); count > 0; --count) {
      const Payload data = Payload::Copy(std::string(program_.Below(10), 'x'));
      entries.push_back({EntryType::kNormal, term_, from + entries.size(), data});
    }
    storage_.Append(entries);
    std::erase_if(entries, [this](const Entry& entry) { return entry.index <= cut_; });
    if (entries.empty()) return;
    entries_.erase(entries_.lower_bound(entries.front().index), entries_.end());
    for (const Entry& entry : entries) entries_[entry.index] = entry;
  }

  void Compact() {
    const LogIndex index = program_.Between(0, last());
    const Result<void> result = storage_.Compact(index);
    RC_ASSERT(result.has_value() == (index > cut_));
    if (!result) {
      RC_ASSERT(CodeOf(result) == ErrorCode::kCompacted);
      return;
    }
    cut_term_ = TermOf(index);
    cut_ = index;
    std::erase_if(entries_, [index](const auto& item) { return item.first <= index; });
  }

  void CreateSnapshot() {
    const LogIndex index = program_.Between(0, last());
    const bool has_members = program_.Flag();
    const ConfState members = SomeMembers();
    const Payload data = Payload::Copy(std::to_string(program_.Below(9)));
    const Result<SnapshotPtr> made =
        storage_.CreateSnapshot(index, has_members ? &members : nullptr, data);
    if (index <= snapshot_.metadata.index) {
      RC_ASSERT(CodeOf(made) == ErrorCode::kSnapshotOutOfDate);
    } else if (index < cut_) {
      RC_ASSERT(CodeOf(made) == ErrorCode::kCompacted);
    } else {
      if (has_members) snapshot_.metadata.conf_state = members;
      snapshot_.metadata.index = index;
      snapshot_.metadata.term = TermOf(index);
      snapshot_.data = data;
      RC_ASSERT(**made == snapshot_);
    }
  }

  void ApplySnapshot() {
    Snapshot snapshot;
    snapshot.metadata.index = program_.Between(1, last() + 4);
    snapshot.metadata.term = ++term_;
    snapshot.metadata.conf_state = SomeMembers();
    const Result<void> result = storage_.ApplySnapshot(snapshot);
    if (snapshot.metadata.index <= snapshot_.metadata.index) {
      RC_ASSERT(CodeOf(result) == ErrorCode::kSnapshotOutOfDate);
      return;
    }
    RC_ASSERT(result.has_value());
    snapshot_ = snapshot;
    cut_ = snapshot.metadata.index;
    cut_term_ = snapshot.metadata.term;
    entries_.clear();
  }

  ConfState SomeMembers() { return {{1, program_.Between(2, 5)}, {}, {}, {}, false}; }

  Program& program_;
  MemStorage storage_;
  std::map<LogIndex, Entry> entries_;
  LogIndex cut_ = 0;  // What is cut off, and the term of its last entry.
  Term cut_term_ = 0;
  Snapshot snapshot_;
  Term term_ = 0;
};

TEST_CASE("a storage in memory is a list that can be cut in front") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    Pair pair(program);
    while (!program.done()) {
      pair.Step();
      pair.Compare();
    }
  }));
}

}  // namespace
}  // namespace raft

#include "raft/src/log.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/mem_storage.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

Entry At(LogIndex index, Term term, const std::string& data = "") {
  return {EntryType::kNormal, term, index, Payload::Copy(data)};
}

std::vector<Entry> Range(LogIndex from, const std::vector<Term>& terms) {
  std::vector<Entry> entries;
  for (const Term term : terms) entries.push_back(At(from + entries.size(), term));
  return entries;
}

SnapshotPtr SnapshotAt(LogIndex index, Term term) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata.index = index;
  snapshot->metadata.term = term;
  return snapshot;
}

const Journal kSilent(nullptr, nullptr);

TEST_CASE("unstable: where entries go") {
  struct Case {
    LogIndex from;
    std::vector<Term> terms;
    LogIndex offset, in_progress;
    std::vector<Term> then;
  };
  // Before: entries 5 to 7 of terms 1, 1, 2; 5 and 6 are being written.
  for (const Case& c : std::vector<Case>{{8, {2, 3}, 5, 7, {1, 1, 2, 2, 3}},
                                         {5, {3}, 5, 5, {3}},
                                         {4, {3, 3}, 4, 4, {3, 3}},
                                         {6, {4}, 5, 6, {1, 4}},
                                         {7, {4}, 5, 7, {1, 1, 4}}}) {
    INFO("from " << c.from);
    Unstable unstable(5, kSilent);
    unstable.TruncateAndAppend(Range(5, {1, 1}));
    unstable.AcceptInProgress();
    unstable.TruncateAndAppend(Range(7, {2}));
    unstable.TruncateAndAppend(Range(c.from, c.terms));
    CHECK(unstable.offset() == c.offset);
    CHECK(unstable.offset_in_progress() == c.in_progress);
    std::vector<Term> terms;
    for (const Entry& e : unstable.Slice(unstable.offset(), unstable.end())) {
      terms.push_back(e.term);
    }
    CHECK(terms == c.then);
  }
}

TEST_CASE("unstable: what a finished write makes stable") {
  testing::Lines lines;
  const Journal journal(&lines, nullptr);
  Unstable unstable(5, journal);
  unstable.Restore(SnapshotAt(4, 1));
  unstable.TruncateAndAppend(Range(5, {1, 2, 2}));
  unstable.AcceptInProgress();
  unstable.StableTo(9, 2);
  unstable.StableTo(4, 1);
  unstable.StableTo(6, 1);
  CHECK(unstable.size() == 3);
  CHECK(lines.text() ==
        "entry at index 9 missing from unstable log; ignoring\n"
        "entry at index 4 matched unstable snapshot; ignoring\n"
        "entry at (index,term)=(6,1) mismatched with entry at (6,2) in unstable log; ignoring\n");
  unstable.StableTo(6, 2);
  CHECK(unstable.offset() == 7);
  CHECK(unstable.size() == 1);
  CHECK(unstable.NextEntries().empty());
  CHECK(unstable.NextSnapshot() == nullptr);
  unstable.StableSnapshotTo(3);
  CHECK(unstable.snapshot() != nullptr);
  unstable.StableSnapshotTo(4);
  CHECK(unstable.snapshot() == nullptr);
}

TEST_CASE("unstable: a long tail drains in small steps") {
  Unstable unstable(1, kSilent);
  constexpr LogIndex kCount = 10000;
  for (LogIndex i = 1; i <= kCount; ++i) unstable.TruncateAndAppend(Range(i, {1}));
  for (LogIndex i = 1; i < kCount; ++i) {
    unstable.StableTo(i, 1);
    REQUIRE(unstable.offset() == i + 1);
    REQUIRE(unstable.TermAt(i + 1) == 1u);
    REQUIRE_FALSE(unstable.TermAt(i).has_value());
  }
  CHECK(unstable.Slice(kCount, kCount + 1).front().index == kCount);
}

// Stable entries 4 to 6 of terms 1, 1, 2 behind a snapshot at 3; unstable 7 to 9 of terms 2, 3, 3.
struct Mixed {
  explicit Mixed(uint64_t quota = kNoLimit) {
    CHECK(storage.ApplySnapshot(*SnapshotAt(3, 1)));
    storage.Append(Range(4, {1, 1, 2}));
    log.emplace(storage, kSilent, quota);
    log->Append(Range(7, {2, 3, 3}));
  }
  MemStorage storage;
  std::optional<Log> log;
};

TEST_CASE("log: bounds and terms over both parts") {
  const Mixed mixed;
  const Log& log = *mixed.log;
  CHECK(log.FirstIndex() == 4);
  CHECK(log.LastIndex() == 9);
  CHECK(log.LastId() == EntryId{3, 9});
  CHECK_FALSE(log.TermAt(2).has_value());
  CHECK(log.TermAt(3) == 1u);
  CHECK(log.TermAt(6) == 2u);
  CHECK(log.TermAt(7) == 2u);
  CHECK_FALSE(log.TermAt(10).has_value());
}

TEST_CASE("log: who is up to date") {
  const Mixed mixed;
  CHECK(mixed.log->IsUpToDate({3, 9}));
  CHECK(mixed.log->IsUpToDate({3, 10}));
  CHECK(mixed.log->IsUpToDate({4, 1}));
  CHECK_FALSE(mixed.log->IsUpToDate({3, 8}));
  CHECK_FALSE(mixed.log->IsUpToDate({2, 99}));
}

TEST_CASE("log: a follower takes what matches") {
  struct Case {
    EntryId previous;
    std::vector<Term> terms;
    LogIndex leader_commit;
    std::optional<LogIndex> result;
    LogIndex last, committed;
  };
  for (const Case& c : std::vector<Case>{{{2, 9}, {4}, 9, std::nullopt, 9, 3},
                                         {{3, 10}, {4}, 9, std::nullopt, 9, 3},
                                         {{3, 9}, {}, 99, 9u, 9, 9},
                                         {{3, 9}, {4}, 7, 10u, 10, 7},
                                         {{3, 9}, {4}, 10, 10u, 10, 10},
                                         {{2, 7}, {3}, 99, 8u, 9, 8},
                                         {{2, 7}, {4}, 99, 8u, 8, 8},
                                         {{1, 3}, {1, 1, 2, 2, 3, 3, 3}, 0, 10u, 10, 3},
                                         {{1, 4}, {4, 4}, 4, 6u, 6, 4}}) {
    INFO("behind " << c.previous.index);
    Mixed mixed;
    Log& log = *mixed.log;
    CHECK(log.MaybeAppend(c.previous, Range(c.previous.index + 1, c.terms), c.leader_commit) ==
          c.result);
    CHECK(log.LastIndex() == c.last);
    CHECK(log.committed() == c.committed);
  }
}

TEST_CASE("log: where two logs may meet") {
  const Mixed mixed;  // Terms: 3:1 4:1 5:1 6:2 7:2 8:3 9:3
  const Log& log = *mixed.log;
  CHECK(log.FindConflictByTerm(9, 3) == EntryId{3, 9});
  CHECK(log.FindConflictByTerm(9, 2) == EntryId{2, 7});
  CHECK(log.FindConflictByTerm(9, 1) == EntryId{1, 5});
  CHECK(log.FindConflictByTerm(5, 9) == EntryId{1, 5});
  CHECK(log.FindConflictByTerm(9, 0) == EntryId{0, 2});
  CHECK(log.FindConflictByTerm(12, 3) == EntryId{0, 12});
  CHECK(log.FindConflictByTerm(0, 3) == EntryId{0, 0});
}

TEST_CASE("log: slices are limited by encoded size, over the seam") {
  const Mixed mixed;
  const uint64_t one = EncodedSize(At(5, 1));
  for (const auto& [bytes, count] : std::vector<std::pair<uint64_t, size_t>>{{0, 1},
                                                                             {one, 1},
                                                                             {2 * one - 1, 1},
                                                                             {2 * one, 2},
                                                                             {3 * one, 3},
                                                                             {4 * one - 1, 3},
                                                                             {4 * one, 4},
                                                                             {kNoLimit, 6}}) {
    std::vector<Entry> entries;
    CHECK(mixed.log->Slice(4, 10, bytes, entries));
    CHECK(entries.size() == count);
    for (size_t i = 0; i < entries.size(); ++i) CHECK(entries[i].index == 4 + i);
  }
  std::vector<Entry> entries;
  CHECK_FALSE(mixed.log->Slice(3, 10, kNoLimit, entries));
  CHECK(mixed.log->Entries(10, kNoLimit, entries));
  CHECK(entries.empty());
}

TEST_CASE("log: a leader commits by counting only entries of its term") {
  Mixed mixed;
  CHECK_FALSE(mixed.log->MaybeCommit({3, 7}));
  CHECK_FALSE(mixed.log->MaybeCommit({0, 7}));
  CHECK(mixed.log->MaybeCommit({3, 8}));
  CHECK(mixed.log->committed() == 8);
  CHECK_FALSE(mixed.log->MaybeCommit({3, 8}));
}

TEST_CASE("log: committed entries come out once, and stable if need be") {
  Mixed mixed;
  Log& log = *mixed.log;
  log.CommitTo(8);
  std::vector<Entry> entries;
  log.NextCommitted(Visibility::kStableOnly, entries);
  CHECK(entries.size() == 3);
  entries.clear();
  log.NextCommitted(Visibility::kWithUnstable, entries);
  CHECK(entries.size() == 5);
  log.AcceptApplying(8, EncodedSize(std::span<const Entry>(entries)), Visibility::kWithUnstable);
  CHECK_FALSE(log.HasNextCommitted(Visibility::kWithUnstable));
  log.AppliedTo(8, EncodedSize(std::span<const Entry>(entries)));
  CHECK(log.applied() == 8);
  log.CommitTo(9);
  CHECK(log.HasNextCommitted(Visibility::kWithUnstable));
  log.Restore(SnapshotAt(20, 3));
  CHECK_FALSE(log.HasNextCommitted(Visibility::kWithUnstable));
}

TEST_CASE("log: what is being applied has a quota") {
  const uint64_t one = EncodedSize(At(5, 1));
  for (const uint64_t quota : {uint64_t{0}, uint64_t{1}, one, 2 * one}) {
    Mixed mixed(quota);
    Log& log = *mixed.log;
    log.CommitTo(9);
    const size_t batch = std::max<size_t>(1, quota / one);
    LogIndex applied = 3;
    while (applied < 9) {
      std::vector<Entry> entries;
      log.NextCommitted(Visibility::kWithUnstable, entries);
      REQUIRE(entries.size() == std::min<size_t>(batch, 9 - applied));
      applied = entries.back().index;
      const uint64_t bytes = EncodedSize(std::span<const Entry>(entries));
      log.AcceptApplying(applied, bytes, Visibility::kWithUnstable);
      // Nothing more until it is acknowledged.
      REQUIRE_FALSE(log.HasNextCommitted(Visibility::kWithUnstable));
      log.AppliedTo(applied, bytes);
    }
  }
}

TEST_CASE("encoded sizes are those of the wire") {
  CHECK(EncodedSize(Entry{EntryType::kNormal, 1, 1, {}}) == 4);
  CHECK(EncodedSize(Entry{EntryType::kNormal, 1, 1, Payload::Copy("")}) == 6);
  CHECK(EncodedSize(Entry{EntryType::kNormal, 128, 1, Payload::Copy("abc")}) == 10);
  CHECK(EncodedSize(Entry{EntryType::kConfChange, 1, 1u << 14, Payload::Copy("ab")}) == 12);
}

}  // namespace
}  // namespace raft

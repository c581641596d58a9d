#include "pd/storage/raft_log.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

raft::Entry MakeEntry(raft::LogIndex index, raft::Term term, const std::string& data) {
  return {raft::EntryType::kNormal, term, index, raft::Payload::Copy(data)};
}

std::vector<raft::Entry> Entries(const RaftLog& log, raft::LogIndex lo, raft::LogIndex hi,
                                 uint64_t max_bytes = raft::kNoLimit) {
  std::vector<raft::Entry> out;
  const auto result = log.GetEntries(lo, hi, max_bytes, out);
  REQUIRE(result.has_value());
  return out;
}

TEST_CASE("a log equals a plain list through appends, cuts, compactions and restarts") {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 rng(seed);
    test::FakeDatabase database;
    auto log = RaftLog::Open(database).value();
    std::vector<raft::Entry> twin;  // From `start` + 1 on.
    raft::LogIndex start = 0;
    raft::Term start_term = 0;
    raft::Term term = 1;
    for (int round = 0; round < 30; ++round) {
      WriteBatch batch;
      const uint32_t what = static_cast<uint32_t>(rng() % 10);
      if (what < 6) {
        if (rng() % 4 == 0 && !twin.empty()) {  // A new leader overwrites the tail.
          twin.resize(rng() % twin.size());
          ++term;
        }
        std::vector<raft::Entry> added;
        for (uint32_t n = static_cast<uint32_t>(1 + rng() % 4); n > 0; --n) {
          added.push_back(MakeEntry(start + twin.size() + 1, term, std::string(rng() % 20, 'x')));
          twin.push_back(added.back());
        }
        log->Append(added, batch);
      } else if (what < 8 && !twin.empty()) {
        const raft::LogIndex to = start + 1 + rng() % twin.size();
        start_term = twin[to - start - 1].term;
        twin.erase(twin.begin(), twin.begin() + static_cast<std::ptrdiff_t>(to - start));
        start = to;
        log->CompactTo(to, batch);
      } else if (what == 8) {
        start += twin.size() + 5;
        start_term = ++term;
        twin.clear();
        log->Reset({start, start_term}, {{1, 2}, {3}, {}, {}, false}, batch);
        // Entries behind a snapshot may come in the same batch.
        twin.push_back(MakeEntry(start + 1, term, "after"));
        log->Append(twin, batch);
      }
      REQUIRE(database.Write(batch, Durability::kBuffered).has_value());
      if (rng() % 3 == 0) log = RaftLog::Open(database).value();

      REQUIRE(log->FirstIndex() == start + 1);
      REQUIRE(log->LastIndex() == start + twin.size());
      REQUIRE(log->GetTerm(start).value() == start_term);
      REQUIRE(Entries(*log, start + 1, start + 1 + twin.size()) == twin);
      uint64_t bytes = 0;
      for (const raft::Entry& entry : twin) {
        REQUIRE(log->GetTerm(entry.index).value() == entry.term);
        bytes += entry.data.size();
      }
      REQUIRE(log->bytes() == bytes);
      REQUIRE(log->GetTerm(start + twin.size() + 1).error().code == raft::ErrorCode::kUnavailable);
      if (start > 0) {
        REQUIRE(log->GetTerm(start - 1).error().code == raft::ErrorCode::kCompacted);
        std::vector<raft::Entry> out;
        REQUIRE(log->GetEntries(start, start + 1, 1, out).error().code ==
                raft::ErrorCode::kCompacted);
      }
    }
  }
}

TEST_CASE("entries are cut by size, but one always comes") {
  test::FakeDatabase database;
  auto log = RaftLog::Open(database).value();
  WriteBatch batch;
  std::vector<raft::Entry> entries;
  for (raft::LogIndex index = 1; index <= 5; ++index) {
    entries.push_back(MakeEntry(index, 1, std::string(100, 'x')));
  }
  log->Append(entries, batch);
  const uint64_t one = raft::EncodedSize(entries[0]);
  CHECK(Entries(*log, 1, 6, 0).size() == 1);
  CHECK(Entries(*log, 1, 6, one).size() == 1);
  CHECK(Entries(*log, 1, 6, 2 * one).size() == 2);
  CHECK(Entries(*log, 2, 2).empty());
}

TEST_CASE("payloads beyond the cache are read back from disk") {
  test::FakeDatabase database;
  auto log = RaftLog::Open(database).value();
  const std::string large(3U << 20U, 'x');
  for (raft::LogIndex index = 1; index <= 12; ++index) {
    WriteBatch batch;
    log->Append({MakeEntry(index, index, large + std::to_string(index))}, batch);
    REQUIRE(database.Write(batch, Durability::kBuffered).has_value());
  }
  const auto all = Entries(*log, 1, 13);
  REQUIRE(all.size() == 12);
  for (raft::LogIndex index = 1; index <= 12; ++index) {
    CHECK(all[index - 1] == MakeEntry(index, index, large + std::to_string(index)));
  }
}

TEST_CASE("hard state, membership and the initial state come back") {
  test::FakeDatabase database;
  WriteBatch first;
  WriteInitialLog({{1, 2, 3}, {}, {}, {}, false}, first);
  REQUIRE(database.Write(first, Durability::kSynced).has_value());
  auto log = RaftLog::Open(database).value();
  CHECK(log->hard_state() == raft::HardState{1, 0, 1});
  CHECK(log->LastIndex() == 1);
  CHECK(log->GetTerm(1).value() == 1);
  WriteBatch batch;
  log->SetHardState({7, 2, 1}, batch);
  const raft::ConfState conf{{1}, {2}, {3}, {4}, true};
  log->SetConfState(conf, batch);
  REQUIRE(database.Write(batch, Durability::kSynced).has_value());
  log = RaftLog::Open(database).value();
  CHECK(log->GetInitialState()->hard_state == raft::HardState{7, 2, 1});
  CHECK(log->GetInitialState()->conf_state == conf);
  CHECK(log->GetSnapshot(0, 2).error().code == raft::ErrorCode::kSnapshotUnavailable);
}

TEST_CASE("a damaged log is refused") {
  const auto corrupted = [](Column column, const std::string& key, const std::string& value) {
    test::FakeDatabase database;
    auto log = RaftLog::Open(database).value();
    WriteBatch batch;
    log->Append({MakeEntry(1, 1, "a"), MakeEntry(2, 1, "b")}, batch);
    log->SetHardState({1, 0, 2}, batch);
    if (value.empty()) {
      batch.Delete(column, key);
    } else {
      batch.Put(column, key, value);
    }
    REQUIRE(database.Write(batch, Durability::kSynced).has_value());
    const auto opened = RaftLog::Open(database);
    return !opened.has_value() && opened.error().code == ErrorCode::kCorrupt;
  };
  const std::string one("\0\0\0\0\0\0\0\x01", 8);
  const std::string two("\0\0\0\0\0\0\0\x02", 8);
  CHECK(corrupted(Column::kRaftLog, one, ""));  // A hole.
  CHECK(corrupted(Column::kRaftLog, two, ""));  // Committed, but gone.
  CHECK(corrupted(Column::kRaftLog, two, "short"));
  CHECK(corrupted(Column::kRaftLog, "odd", "x"));
  CHECK(corrupted(Column::kRaftState, "hard", "short"));
  CHECK(corrupted(Column::kRaftState, "conf", std::string(4, '\xFF')));
  CHECK(corrupted(Column::kRaftState, "start", "s"));
}

}  // namespace
}  // namespace pd

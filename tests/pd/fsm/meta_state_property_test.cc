#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pd/fsm/meta_state.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

/// The dumb twin: keeps the whole space at every revision.
struct Twin {
  using Space = std::map<std::string, KeyValue>;
  std::vector<Space> at = {{}, {}};  // By revision; 0 is not used.
  std::vector<Event> events;
  Revision compacted = 0;

  Revision revision() const { return static_cast<Revision>(at.size()) - 1; }

  void Write(const std::vector<std::pair<std::string, std::string>>& puts,
             const std::vector<std::string>& deletes) {
    Space space = at.back();
    const Revision next = revision() + 1;
    const size_t before = events.size();
    for (const auto& [key, value] : puts) {
      Event event;
      const auto old = space.find(key);
      if (old != space.end()) event.prev_kv = old->second;
      event.kv = {key,
                  value,
                  event.prev_kv.version == 0 ? next : event.prev_kv.create_revision,
                  next,
                  event.prev_kv.version + 1,
                  0};
      space[key] = event.kv;
      events.push_back(event);
    }
    for (const std::string& key : deletes) {
      const auto old = space.find(key);
      if (old == space.end()) continue;
      Event event;
      event.type = Event::Type::kDelete;
      event.kv.key = key;
      event.kv.mod_revision = next;
      event.prev_kv = old->second;
      space.erase(old);
      events.push_back(event);
    }
    if (events.size() != before) at.push_back(space);
  }
};

std::string RandomKey(std::mt19937& rng) {
  return std::string(1, static_cast<char>('a' + rng() % 5)) +
         (rng() % 3 == 0 ? std::string(1, '\0') : "");
}

/// A transaction of puts of distinct keys and single deletes of others.
KvTxn RandomTxn(std::mt19937& rng, Twin& twin) {
  std::map<std::string, bool> keys;
  for (uint32_t n = static_cast<uint32_t>(1 + rng() % 3); n > 0; --n)
    keys[RandomKey(rng)] = rng() % 3 != 0;
  KvTxn txn;
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;
  for (const auto& [key, put] : keys) {
    if (!put) continue;
    puts.emplace_back(key, std::to_string(rng() % 1000));
    txn.then.push_back(PutRequest{key, puts.back().second});
  }
  for (const auto& [key, put] : keys) {
    if (put) continue;
    deletes.push_back(key);
    txn.then.push_back(DeleteRequest{key, ""});
  }
  twin.Write(puts, deletes);
  return txn;
}

void Compare(const test::FakeDatabase& database, const Twin& twin) {
  const auto view = database.TakeView();
  const auto reader = StateReader::On(*view).value();
  REQUIRE(reader.mark().revision == twin.revision());
  for (Revision revision = 1; revision <= twin.revision(); ++revision) {
    RangeRequest request;
    request.key = "a";
    request.range_end = std::string(1, '\0');
    request.revision = revision;
    const auto range = reader.Range(request);
    if (revision < twin.compacted) {
      REQUIRE(range.error().code == ErrorCode::kCompacted);
      continue;
    }
    std::vector<KeyValue> expected;
    for (const auto& [key, pair] : twin.at[static_cast<size_t>(revision)]) expected.push_back(pair);
    REQUIRE(range.value().kvs == expected);
  }
  std::vector<Event> expected;
  for (const Event& event : twin.events) {
    if (event.kv.mod_revision < std::max<Revision>(twin.compacted, 1)) continue;
    expected.push_back(event);
    // What was before is known as long as it was not compacted away.
    if (event.prev_kv.mod_revision < twin.compacted && event.kv.mod_revision <= twin.compacted) {
      expected.back().prev_kv = {};
    }
  }
  const auto history = reader.EventsFrom(std::max<Revision>(twin.compacted, 1), SIZE_MAX).value();
  REQUIRE(history.events == expected);
  REQUIRE(history.next == twin.revision() + 1);
}

TEST_CASE("history equals a twin that keeps everything") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 rng(seed);
    test::FakeDatabase database;
    auto state = MetaState::Open(database).value();
    Twin twin;
    raft::LogIndex index = 0;
    for (int round = 0; round < 30; ++round) {
      WriteBatch batch;
      AppliedChanges changes;
      const size_t known = twin.events.size();
      std::vector<Event> live;
      // Several commands share a batch, as entries of one Ready do.
      for (uint32_t n = static_cast<uint32_t>(1 + rng() % 4); n > 0; --n) {
        if (rng() % 8 == 0 && twin.revision() > twin.compacted + 1) {
          const Revision to = twin.compacted + 1 +
                              static_cast<Revision>(
                                  rng() % static_cast<uint64_t>(twin.revision() - twin.compacted));
          REQUIRE(state.Apply({Compact{to}, 0}, batch, changes)->has_value());
          twin.compacted = to;
        } else {
          REQUIRE(state.Apply({RandomTxn(rng, twin), 0}, batch, changes)->has_value());
        }
        state.MarkApplied(++index, 1, batch);
      }
      REQUIRE(database.Write(batch, Durability::kBuffered).has_value());
      REQUIRE(changes.events ==
              std::vector<Event>(twin.events.begin() + static_cast<std::ptrdiff_t>(known),
                                 twin.events.end()));
      INFO("seed " << seed << " round " << round);
      Compare(database, twin);
    }
  }
}

TEST_CASE("how commands are cut into batches does not change a byte") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    std::vector<Command> commands;
    {
      std::mt19937 rng(seed);
      Twin ignored;
      for (int n = 0; n < 60; ++n) {
        const LeaseId lease = static_cast<LeaseId>(1 + rng() % 3);
        switch (rng() % 6) {
          case 0:
            commands.push_back({LeaseGrant{lease, 1000}, 0});
            break;
          case 1:
            commands.push_back({LeaseRevoke{lease}, 0});
            break;
          case 2:
            commands.push_back({KvTxn{{}, {PutRequest{RandomKey(rng), "v", lease}}, {}}, 0});
            break;
          case 3:
            commands.push_back({Compact{static_cast<Revision>(rng() % 40)}, 0});
            break;
          default:
            commands.push_back({RandomTxn(rng, ignored), 0});
            break;
        }
      }
    }
    std::vector<test::FakeDatabase::Maps> dumps;
    for (const uint32_t batch_size : {1U, 3U, 60U}) {
      test::FakeDatabase database;
      auto state = MetaState::Open(database).value();
      WriteBatch batch;
      AppliedChanges changes;
      for (size_t n = 0; n < commands.size(); ++n) {
        REQUIRE(state.Apply(commands[n], batch, changes).has_value());
        if ((n + 1) % batch_size != 0) continue;
        state.MarkApplied(n + 1, 1, batch);
        REQUIRE(database.Write(batch, Durability::kBuffered).has_value());
        batch.Clear();
        // A restart in between changes nothing either.
        state = MetaState::Open(database).value();
      }
      dumps.push_back(database.Dump());
    }
    CHECK(dumps[0] == dumps[1]);
    CHECK(dumps[0] == dumps[2]);
  }
}

}  // namespace
}  // namespace pd

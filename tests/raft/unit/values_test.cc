// Configuration, storage in memory, payloads and texts.
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "raft/describe.h"
#include "raft/mem_storage.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::TestNode;

TEST_CASE("a bad option is named") {
  const auto text = [](const std::function<void(Config&)>& spoil) {
    TestNode node(1);
    spoil(node.config);
    Result<std::unique_ptr<RawNode>> made = RawNode::Create(node.config);
    return made ? std::string("fine") : made.error().context;
  };
  CHECK(text([](Config&) {}) == "fine");
  CHECK(text([](Config& c) { c.id = 0; }) == "cannot use none as id");
  CHECK(text([](Config& c) { c.id = kApplyThread; }) == "cannot use local target as id");
  CHECK(text([](Config& c) { c.heartbeat_tick = 0; }) == "heartbeat tick must be greater than 0");
  CHECK(text([](Config& c) { c.election_tick = 1; }) ==
        "election tick must be greater than heartbeat tick");
  CHECK(text([](Config& c) { c.storage = nullptr; }) == "storage cannot be nil");
  CHECK(text([](Config& c) { c.max_inflight_msgs = 0; }) ==
        "max inflight messages must be greater than 0");
  CHECK(text([](Config& c) {
          c.max_size_per_msg = 10;
          c.max_inflight_bytes = 9;
        }) == "max inflight bytes must be >= max message size");
  CHECK(text([](Config& c) { c.read_only_option = ReadOnlyOption::kLeaseBased; }) ==
        "CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased");
  for (const uint32_t margin : {0U, 10U}) {
    CHECK(text([margin](Config& c) {
            c.read_only_option = ReadOnlyOption::kLeaseBased;
            c.check_quorum = true;
            c.lease_margin = margin;
          }) == "lease margin must be greater than 0 and less than election tick");
  }
  CHECK(text([](Config& c) { c.random = nullptr; }) == "random source cannot be nil");
}

TEST_CASE("of several bad options the first is named") {
  Config config;  // All of it is wrong, as soon as it can be told.
  config.max_size_per_msg = 10;
  config.max_inflight_bytes = 9;
  config.read_only_option = ReadOnlyOption::kLeaseBased;
  config.lease_margin = 0;
  TestNode node(1);
  const auto next = [&config](const std::string& text) {
    const Result<void> valid = Validate(config);
    REQUIRE_FALSE(valid.has_value());
    CHECK(valid.error().code == ErrorCode::kInvalidConfig);
    CHECK(valid.error().context == text);
  };
  next("cannot use none as id");
  config.id = kAppendThread;
  next("cannot use local target as id");
  config.id = 1;
  next("heartbeat tick must be greater than 0");
  config.heartbeat_tick = 1;
  next("election tick must be greater than heartbeat tick");
  config.election_tick = (1U << 30) + 1;
  next("election tick must be at most 1073741824");
  config.election_tick = 1U << 30;
  next("storage cannot be nil");
  config.storage = &node.storage;
  next("max inflight messages must be greater than 0");
  config.max_inflight_msgs = 1;
  next("max inflight bytes must be >= max message size");
  config.max_inflight_bytes = 10;
  next("CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased");
  config.check_quorum = true;
  next("lease margin must be greater than 0 and less than election tick");
  config.lease_margin = 1;
  next("random source cannot be nil");
  config.random = node.config.random;
  CHECK(Validate(config));
}

std::vector<Entry> Entries(LogIndex from, LogIndex to, Term term = 1) {
  std::vector<Entry> entries;
  for (LogIndex i = from; i <= to; ++i) entries.push_back({EntryType::kNormal, term, i, {}});
  return entries;
}

TEST_CASE("storage in memory: what is read") {
  MemStorage storage;
  CHECK(storage.FirstIndex() == 1);
  CHECK(storage.LastIndex() == 0);
  std::vector<Entry> out;
  CHECK(storage.GetEntries(1, 1, kNoLimit, out).error().code == ErrorCode::kUnavailable);
  storage.Append(Entries(1, 9));
  CHECK(storage.Compact(4));
  CHECK(storage.FirstIndex() == 5);
  CHECK(storage.GetTerm(3).error().code == ErrorCode::kCompacted);
  CHECK(*storage.GetTerm(4) == 1);
  CHECK(storage.GetTerm(10).error().code == ErrorCode::kUnavailable);
  CHECK(storage.GetEntries(4, 6, kNoLimit, out).error().context == kTextCompacted);
  CHECK(storage.GetEntries(5, 10, 0, out));
  CHECK(out.size() == 1);
  CHECK(storage.GetEntries(6, 10, kNoLimit, out));
  CHECK(out.size() == 5);
  CHECK(storage.Compact(4).error().code == ErrorCode::kCompacted);
}

TEST_CASE("storage in memory: what is written") {
  MemStorage storage;
  storage.Append(Entries(1, 5));
  storage.Append(Entries(4, 4, 2));
  CHECK(storage.LastIndex() == 4);
  CHECK(*storage.GetTerm(4) == 2);
  CHECK(storage.Compact(3));
  storage.Append(Entries(1, 3, 7));
  CHECK(storage.LastIndex() == 4);
  storage.Append(Entries(2, 6, 3));
  CHECK(storage.LastIndex() == 6);
  CHECK(*storage.GetTerm(4) == 3);
  storage.Append({});

  const ConfState state{{1}, {}, {}, {}, false};
  const SnapshotPtr made = *storage.CreateSnapshot(5, &state, Payload::Copy("state"));
  CHECK(made->metadata.term == 3);
  CHECK(storage.FirstIndex() == 4);
  CHECK(storage.GetInitialState()->conf_state == state);
  CHECK(storage.CreateSnapshot(5, nullptr, {}).error().code == ErrorCode::kSnapshotOutOfDate);
  CHECK(storage.ApplySnapshot(*made).error().context == kTextSnapshotOutOfDate);
  Snapshot newer = *made;
  newer.metadata.index = 20;
  CHECK(storage.ApplySnapshot(newer));
  CHECK(storage.FirstIndex() == 21);
  CHECK(storage.LastIndex() == 20);
}

TEST_CASE("limits leave at least one entry") {
  const std::vector<Entry> entries = Entries(1, 3);
  const uint64_t one = EncodedSize(entries[0]);
  CHECK(LimitSize({}, 0) == 0);
  CHECK(LimitSize(entries, 0) == 1);
  CHECK(LimitSize(entries, 2 * one) == 2);
  CHECK(LimitSize(entries, 3 * one - 1) == 2);
  CHECK(LimitSize(entries, kNoLimit) == 3);
}

TEST_CASE("payloads share their bytes") {
  CHECK(rc::check([](const std::string& head, const std::string& tail, size_t from, size_t size) {
    const Payload whole = Payload::Concat(head, tail);
    RC_ASSERT(whole.view() == head + tail);
    Payload copy = whole;
    RC_ASSERT(copy.view().data() == whole.view().data());
    const size_t at = (head + tail).empty() ? 0 : from % ((head + tail).size() + 1);
    const Payload part = whole.Slice(at, size);
    RC_ASSERT(part.view() == (head + tail).substr(at, size));
    const Payload moved = std::move(copy);
    copy = part;
    copy = moved;
    RC_ASSERT(copy == whole);
  }));
  CHECK_FALSE(Payload().is_set());
  CHECK(Payload::Copy("").is_set());
  CHECK(Payload() == Payload::Copy(""));
  CHECK(Payload().Slice(3, 4).empty());
}

TEST_CASE("quoted text") {
  CHECK(Quote("") == "\"\"");
  CHECK(Quote("a b\"\\") == "\"a b\\\"\\\\\"");
  CHECK(Quote("\a\b\f\n\r\t\v") == "\"\\a\\b\\f\\n\\r\\t\\v\"");
  CHECK(Quote(std::string_view("\0\x1f\x7f", 3)) == "\"\\x00\\x1f\\x7f\"");
  CHECK(Quote("\xff"
              "a\xc3") == "\"\\xffa\\xc3\"");
  CHECK(Quote("\xc0\xaf") == "\"\\xc0\\xaf\"");
  CHECK(Quote("\u00e4\u4e16\U0001f600") == "\"\u00e4\u4e16\U0001f600\"");
  CHECK(Quote("\u0085\u200b\ufeff") == "\"\\u0085\\u200b\\ufeff\"");
  CHECK(Quote("\U000e0001") == "\"\\U000e0001\"");
}

TEST_CASE("change tokens") {
  const std::vector<ConfChangeSingle> changes = {{ConfChangeType::kAddNode, 1},
                                                 {ConfChangeType::kAddLearnerNode, 2},
                                                 {ConfChangeType::kRemoveNode, 3},
                                                 {ConfChangeType::kUpdateNode, 4}};
  CHECK(ToTokens(changes) == "v1 l2 r3 u4");
  CHECK(*FromTokens("v1 l2 r3 u4") == changes);
  CHECK(FromTokens("")->empty());
  CHECK(FromTokens("v").error().context == "unknown token v");
  CHECK(FromTokens("v1x").error().context == "strconv.ParseUint: parsing \"1x\": invalid syntax");
  CHECK(FromTokens("v18446744073709551616").error().context ==
        "strconv.ParseUint: parsing \"18446744073709551616\": value out of range");
  CHECK(FromTokens("x1").error().context == "unknown input: x1");
  CHECK_FALSE(FromTokens("v1x"));
}

TEST_CASE("a change in a log line") {
  ConfChangeV2 change;
  change.changes = {{ConfChangeType::kAddNode, 17}};
  change.context = Payload::Copy("here");
  CHECK(Describe(change) ==
        "transition:ConfChangeTransitionAuto changes:{type:ConfChangeAddNode node_id:17} "
        "context:\"here\"");
}

TEST_CASE("read states and the empty Ready") {
  Ready ready;
  CHECK(Describe(ready) == "<empty Ready>");
  ready.read_states = {{7, Payload::Copy("ab")}, {8, {}}};
  CHECK(Describe(ready) == "Ready MustSync=false:\nReadStates [{7 [97 98]} {8 []}]\n");
}

TEST_CASE("status as JSON") {
  Status status;
  status.id = 31;
  status.hard_state = {4, 31, 9};
  status.soft_state = {31, Role::kLeader};
  status.applied = 8;
  status.progress.resize(2);
  status.progress[0] = {.id = 2, .match = 3, .next = 4};
  status.progress[1] = {.id = 31, .match = 9, .next = 10, .state = ProgressState::kReplicate};
  CHECK(ToJson(status) ==
        R"({"id":"1f","term":4,"vote":"1f","commit":9,"lead":"1f","raftState":"StateLeader",)"
        R"("applied":8,"progress":{"2":{"match":3,"next":4,"state":"StateProbe"},)"
        R"("1f":{"match":9,"next":10,"state":"StateReplicate"}},"leadtransferee":"0"})");
}

}  // namespace
}  // namespace raft

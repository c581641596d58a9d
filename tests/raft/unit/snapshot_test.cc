// Snapshots that a follower asks for, and entries that a leader must fetch before it can send them.
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/raw_node.h"
#include "tests/raft/storage_over.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::Pump;
using testing::TestNode;
using testing::Text;
using testing::Trio;

/// Node 1 leads; all have applied entry 4.
struct Led : Trio {
  Led() {
    Start();
    Elect();
    CHECK(one.raw->Propose(Text("x")));
    Pump(all);
  }
  void SnapshotAt(LogIndex index) {
    const ConfState members = one.raw->GetStatus().config;
    CHECK(one.storage.CreateSnapshot(index, &members, Text("state")));
  }
  ProgressStatus ProgressOfTwo() { return one.raw->GetStatus().progress[1]; }
};

TEST_CASE("a follower that asks for a snapshot gets one that covers its log") {
  Led led;
  led.SnapshotAt(3);
  CHECK(led.two.raw->RequestSnapshot());
  Pump(led.all);
  // The one there is does not cover entry 4.
  CHECK(led.two.storage.FirstIndex() == 3);
  led.SnapshotAt(4);
  led.one.raw->Tick();
  Pump(led.all);
  CHECK(led.two.storage.FirstIndex() == 5);
  CHECK((*led.two.storage.GetSnapshot(4, 2))->data.view() == "state");
  led.one.raw->ReportSnapshot(2, SnapshotStatus::kFinish);
  led.one.raw->Tick();
  CHECK(led.one.raw->Propose(Text("y")));
  Pump(led.all);
  CHECK(led.two.commit() == 5);
  CHECK(led.ProgressOfTwo().state == ProgressState::kReplicate);
}

TEST_CASE("a request that was lost is repeated, and appends are taken meanwhile") {
  Led led;
  CHECK(led.two.raw->RequestSnapshot());
  CHECK(led.two.RunAll().size() == 1);  // Lost.
  CHECK(led.one.raw->Propose(Text("y")));
  Pump(led.all);
  CHECK(led.two.storage.LastIndex() == 5);
  led.SnapshotAt(5);
  led.one.raw->Tick();
  Pump(led.all);
  CHECK(led.two.storage.FirstIndex() == 6);
  CHECK(led.two.commit() == 5);
}

TEST_CASE("who wants a snapshot is sent no entries where the others can commit") {
  Led led;
  CHECK(led.two.raw->RequestSnapshot());
  Pump(led.all);
  CHECK(led.one.raw->Propose(Text("y")));
  Pump(led.all);
  CHECK(led.one.commit() == 5);
  CHECK(led.two.storage.LastIndex() == 4);
}

TEST_CASE("a group that needs who wants a snapshot goes on") {
  TestNode one(1, {1, 2});
  TestNode two(2, {1, 2});
  const std::vector<TestNode*> both = {&one, &two};
  for (TestNode* node : both) node->Start();
  CHECK(one.raw->Campaign());
  Pump(both);
  CHECK(one.raw->Propose(Text("x")));
  for (Message& append : one.RunAll()) CHECK(two.raw->Step(std::move(append)));
  (void)two.RunAll();  // The acknowledgement is lost: entry 4 is not committed.
  CHECK(two.raw->RequestSnapshot());
  (void)two.RunAll();
  // A leader of a later term commits entry 4 along with one of its own only.
  CHECK(one.raw->Step(From(2, MessageType::kHeartbeat, one.term() + 1)));
  CHECK(one.raw->Campaign());
  Pump(both);
  one.raw->Tick();
  Pump(both);
  REQUIRE(one.leads());
  REQUIRE(one.commit() == 5);
  const ConfState members = one.raw->GetStatus().config;
  CHECK(one.storage.CreateSnapshot(5, &members, Text("state")));
  one.raw->Tick();
  Pump(both);
  CHECK(two.storage.FirstIndex() == 6);
}

/// Makes a snapshot of what its node has applied when it is asked for one.
class OnDemand final : public StorageOver {
 public:
  explicit OnDemand(TestNode& node) : StorageOver(node.storage), node_(node) {}
  Result<SnapshotPtr> GetSnapshot(LogIndex at_least, NodeId) override {
    const LogIndex applied = node_.applied.empty() ? 2 : node_.applied.back().index;
    if (applied < at_least) {
      return Fail(ErrorCode::kSnapshotUnavailable, kTextSnapshotUnavailable);
    }
    auto made = std::make_shared<Snapshot>();
    made->metadata = {{{1, 2, 3}, {}, {}, {}, false}, applied, *node_.storage.GetTerm(applied)};
    return SnapshotPtr(std::move(made));
  }

 private:
  TestNode& node_;
};

TEST_CASE("a snapshot that is asked for comes under load too") {
  Trio trio;
  OnDemand storage(trio.one);
  trio.one.config.storage = &storage;
  trio.Start();
  trio.Elect();
  const NodeId dead = GENERATE(0U, 3U);  // Without it the group needs who asks.
  const int delay = GENERATE(1, 2, 4);
  const int later = GENERATE(0, 3);  // Its acknowledgements, than those of the other.
  const int snapshot_delay = delay * GENERATE(1, 3);  // Snapshots go their own way.
  CHECK(trio.one.raw->Propose(Text("x")));
  Pump(trio.all);
  CHECK(trio.two.raw->RequestSnapshot());
  const LogIndex before = trio.two.storage.FirstIndex();
  const LogIndex committed_before = trio.one.commit();
  std::multimap<int, Message> network;  // By the step in which they arrive.
  int step = 0;
  int snapshots = 0;
  for (; step < 400 && trio.two.storage.FirstIndex() == before; ++step) {
    if (step % 10 == 0) trio.one.raw->Tick();
    CHECK(trio.one.raw->Propose(Text("p")));
    for (TestNode* node : trio.all) {
      if (node->config.id == dead) continue;
      for (Message& message : node->RunAll()) {
        const bool is_snapshot = message.type == MessageType::kSnap;
        const int more = node->config.id == 2 ? later : 0;
        network.emplace(step + more + (is_snapshot ? snapshot_delay : delay), std::move(message));
      }
    }
    while (!network.empty() && network.begin()->first <= step) {
      Message message = std::move(network.extract(network.begin()).mapped());
      const NodeId to = message.to;
      if (to == dead) continue;
      const bool is_snapshot = message.type == MessageType::kSnap;
      CHECK(trio.all[to - 1]->raw->Step(std::move(message)));
      if (!is_snapshot) continue;
      ++snapshots;
      trio.one.raw->ReportSnapshot(to, SnapshotStatus::kFinish);
    }
  }
  CAPTURE(dead, delay, later, snapshot_delay, step);
  CHECK(trio.two.storage.FirstIndex() > before);
  CHECK(snapshots <= 4);  // Few came too late to cover a log that grew on.
  CHECK(trio.one.commit() > committed_before);
}

struct TwoOfThree : Led {
  /// Node 3 is dead; heartbeats, one by one.
  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      one.raw->Tick();
      Pump({&one, &two});
    }
  }
};

TEST_CASE("a group that needs who wants a snapshot need not wait until there is one") {
  TwoOfThree led;
  CHECK(led.two.raw->RequestSnapshot());
  led.Rounds(1);
  CHECK(led.one.raw->Propose(Text("y")));
  led.Rounds(2);
  CHECK(led.one.commit() == 5);
  SECTION("nor if it wants none any more, after a restart") {
    led.two.Start();
    CHECK(led.one.raw->Propose(Text("z")));
    led.Rounds(5);
    CHECK(led.one.commit() == 6);
    CHECK(led.ProgressOfTwo().state == ProgressState::kReplicate);
  }
}

TEST_CASE("a group that needs who wants a snapshot is seldom held up by it") {
  TwoOfThree led;
  CHECK(led.two.raw->RequestSnapshot());
  int held_up = 0;
  for (int i = 0; i < 24; ++i) {
    CHECK(led.one.raw->Propose(Text("y")));
    led.Rounds(1);
    if (led.one.commit() < led.one.storage.LastIndex()) ++held_up;
  }
  CHECK(held_up > 0);
  CHECK(held_up <= 6);
}

TEST_CASE("a request that is late, or of a log that the leader has not, changes nothing") {
  Led led;
  CHECK(led.two.raw->RequestSnapshot());
  Message again = led.two.RunAll().front();
  led.SnapshotAt(4);
  CHECK(led.one.raw->Step(again));
  Pump(led.all);
  led.one.raw->ReportSnapshot(2, SnapshotStatus::kFinish);
  led.one.raw->Tick();
  Pump(led.all);
  CHECK(led.one.raw->Propose(Text("y")));
  Pump(led.all);
  REQUIRE(led.two.commit() == 5);
  again.request_snapshot = GENERATE(LogIndex{4}, LogIndex{1000000});
  CHECK(led.one.raw->Step(again));
  CHECK_FALSE(led.one.raw->HasReady());
  CHECK(led.ProgressOfTwo().state == ProgressState::kReplicate);
}

TEST_CASE("who has applied more than a snapshot holds asks for a newer one") {
  Trio trio;
  trio.three.config.applied = 6;
  trio.three.config.max_apply_unpersisted_log_limit = 10;
  trio.Start();
  CHECK(trio.one.raw->Campaign());
  const std::vector<TestNode*> alive = {&trio.one, &trio.two};
  Pump(alive);
  for (int i = 0; i < 5; ++i) {
    CHECK(trio.one.raw->Propose(Text("x")));
    Pump(alive);
  }
  const ConfState members = trio.one.raw->GetStatus().config;
  const auto round = [&trio] {
    trio.one.raw->Tick();
    Pump(trio.all);
    trio.one.raw->ReportSnapshot(3, SnapshotStatus::kFinish);
  };
  CHECK(trio.one.storage.CreateSnapshot(5, &members, Text("old")));
  CHECK(trio.one.storage.Compact(5));
  for (int i = 0; i < 3; ++i) round();
  CHECK(trio.three.commit() == 2);
  CHECK(trio.one.storage.CreateSnapshot(7, &members, Text("new")));
  for (int i = 0; i < 3; ++i) round();
  CHECK(trio.three.commit() == trio.one.commit());
}

TEST_CASE("a snapshot that does not cover the log is no answer to the request") {
  Led led;
  CHECK(led.two.raw->RequestSnapshot());
  (void)led.two.RunAll();
  Message message = From(1, MessageType::kSnap, led.one.term());
  message.to = 2;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata = {{{1, 2, 3}, {}, {}, {}, false}, 4, led.one.term()};
  message.snapshot = snapshot;
  Message append = From(1, MessageType::kApp, led.one.term());
  append.to = 2;
  append.index = 4;
  append.log_term = led.one.term();
  append.entries = {{EntryType::kNormal, led.one.term(), 5, Text("acknowledged")}};
  CHECK(led.two.raw->Step(append));
  (void)led.two.RunAll();
  CHECK(led.two.raw->Step(message));
  (void)led.two.RunAll();
  CHECK(led.two.storage.LastIndex() == 5);
  CHECK(led.two.storage.FirstIndex() == 3);
}

TEST_CASE("a snapshot is asked for once, of a leader whose entries have come") {
  Led led;
  const auto refused = [](TestNode& node) { return node.raw->RequestSnapshot().error().context; };
  CHECK(refused(led.one) == "raft: request snapshot dropped");
  CHECK(led.two.raw->RequestSnapshot());
  CHECK(refused(led.two) == "raft: request snapshot dropped");
  led.three.raw->ForgetLeader();
  CHECK(refused(led.three) == "raft: request snapshot dropped");
  TestNode new_term(1);
  new_term.Start();
  CHECK(new_term.raw->Step(From(2, MessageType::kHeartbeat, 2)));
  CHECK(refused(new_term) == "raft: request snapshot dropped");
}

TEST_CASE("a new leader is asked as well, a new candidate asks no more") {
  Led led;
  CHECK(led.two.raw->RequestSnapshot());
  (void)led.two.RunAll();
  SECTION("another leader") {
    Message heartbeat = From(3, MessageType::kHeartbeat, led.two.term() + 1);
    heartbeat.to = 2;
    CHECK(led.two.raw->Step(heartbeat));
    const std::vector<Message> answers = led.two.RunAll();
    REQUIRE(answers.size() == 2);  // That of the heartbeat as well.
    CHECK(answers[1].to == 3);
    CHECK(answers[1].request_snapshot == 4);
    CHECK(answers[1].reject);
  }
  SECTION("a candidate") {
    CHECK(led.two.raw->Campaign());
    (void)led.two.RunAll();
    Message heartbeat = From(3, MessageType::kHeartbeat, led.two.term());
    heartbeat.to = 2;
    CHECK(led.two.raw->Step(heartbeat));
    const std::vector<Message> answers = led.two.RunAll();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].type == MessageType::kHeartbeatResp);
  }
}

TEST_CASE("a request that comes again while the snapshot is on its way starts no second one") {
  Led led;
  led.SnapshotAt(4);
  Message request = From(2, MessageType::kAppResp, led.one.term());
  request.reject = true;
  request.index = 4;
  request.reject_hint = 4;
  request.request_snapshot = 4;
  CHECK(led.one.raw->Step(request));
  CHECK(led.one.raw->Step(request));
  CHECK(led.one.RunAll().size() == 1);
  CHECK(led.ProgressOfTwo().state == ProgressState::kSnapshot);
  led.one.raw->ReportSnapshot(2, SnapshotStatus::kFailure);
  CHECK(led.one.RunAll().empty());
  CHECK(led.one.raw->Step(request));
  CHECK(led.one.RunAll().size() == 1);
  request.request_snapshot = UINT64_MAX;
  CHECK(led.one.raw->Step(request).error().code == ErrorCode::kInvalidMessage);
}

/// A storage in memory whose entries take a while to read.
class SlowStorage final : public StorageOver {
 public:
  using StorageOver::StorageOver;
  bool PrepareEntries(LogIndex lo, LogIndex hi, uint64_t, const FetchContext& context) override {
    if (ready) return true;
    asked.push_back({lo, hi, context});
    return false;
  }

  struct Asked {
    LogIndex lo = 0;
    LogIndex hi = 0;
    FetchContext context;
  };
  bool ready = true;
  std::vector<Asked> asked;
};

struct SlowLeader : Trio {
  SlowLeader() {
    one.config.storage = &slow;
    Start();
    Elect();
    slow.ready = false;
    // The third member misses entries that are on disk by now.
    one.raw->ReportUnreachable(3);
    CHECK(one.raw->Propose(Text("a")));
    Pump({&one, &two});
    CHECK(one.raw->Propose(Text("b")));
    Pump({&one, &two});
    slow.asked.clear();
    one.raw->Tick();
    Pump(all);
  }
  SlowStorage slow{one.storage};
};

TEST_CASE("entries that must be fetched are sent when they are there") {
  SlowLeader led;
  CHECK(led.three.commit() < led.one.commit());
  REQUIRE_FALSE(led.slow.asked.empty());
  const SlowStorage::Asked asked = led.slow.asked.front();
  CHECK(asked.context == FetchContext{3, led.one.term(), false});
  CHECK(asked.hi == 6);
  led.slow.ready = true;
  SECTION("the host tells") {
    led.one.raw->OnEntriesFetched(asked.context);
    Pump(led.all);
    CHECK(led.three.commit() == 5);
  }
  SECTION("or not: the next heartbeat tries again") {
    led.one.raw->Tick();
    Pump(led.all);
    CHECK(led.three.commit() == 5);
  }
}

TEST_CASE("fetched entries are not sent where that is no more wanted") {
  SlowLeader led;
  led.slow.ready = true;
  const auto sends = [&led](const FetchContext& context) {
    led.one.raw->OnEntriesFetched(context);
    return !led.one.RunAll().empty();
  };
  const Term term = led.one.term();
  CHECK_FALSE(sends({3, term - 1, false}));
  CHECK_FALSE(sends({9, term, false}));
  CHECK_FALSE(sends({1, term, false}));
  CHECK(led.one.raw->Step(From(2, MessageType::kHeartbeat, term + 1)));
  (void)led.one.RunAll();
  CHECK_FALSE(sends({3, term, false}));
  CHECK_FALSE(sends({3, term + 1, false}));
}

TEST_CASE("what is not on disk yet needs no fetching") {
  Trio trio;
  SlowStorage slow(trio.one.storage);
  trio.one.config.storage = &slow;
  trio.Start();
  trio.Elect();
  slow.ready = false;
  CHECK(trio.one.raw->Propose(Text("a")));
  Pump(trio.all);
  CHECK(slow.asked.empty());
  CHECK(trio.three.commit() == 4);
}

TEST_CASE("fetched entries go out as far as the window lets them") {
  Trio trio;
  SlowStorage slow(trio.one.storage);
  trio.one.config.storage = &slow;
  trio.one.config.max_size_per_msg = 0;  // One entry a message.
  trio.Start();
  trio.Elect();
  trio.one.raw->ReportUnreachable(3);
  for (int i = 0; i < 4; ++i) {
    CHECK(trio.one.raw->Propose(Text("x")));
    Pump({&trio.one, &trio.two});
  }
  // Found out where the logs meet; then the disk is slow.
  Message accepted = From(3, MessageType::kAppResp, trio.one.term());
  accepted.index = 4;
  slow.ready = false;
  CHECK(trio.one.raw->Step(accepted));
  REQUIRE_FALSE(slow.asked.empty());
  CHECK(slow.asked.back().context.aggressively);
  slow.ready = true;
  trio.one.raw->OnEntriesFetched(slow.asked.back().context);
  CHECK(trio.one.RunAll().size() == 3);
}

TEST_CASE("a storage in memory may start with members, and miss a snapshot once") {
  MemStorage storage(ConfState{{1, 2}, {3}, {}, {}, false});
  CHECK(storage.GetInitialState()->conf_state.learners == std::vector<NodeId>{3});
  CHECK(storage.LastIndex() == 0);
  CHECK(storage.GetSnapshot(1, 2).error().code == ErrorCode::kSnapshotUnavailable);
  storage.MissSnapshotOnce();
  CHECK(storage.GetSnapshot(0, 2).error().context == kTextSnapshotUnavailable);
  CHECK(storage.GetSnapshot(0, 2));
}

}  // namespace
}  // namespace raft

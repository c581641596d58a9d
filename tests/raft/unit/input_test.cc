// What comes off the wire may be anything: it is refused or ignored, and never breaks a node.
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::Pump;
using testing::TestNode;

std::string RefusalOf(TestNode& node, const Message& message) {
  Result<void> stepped = node.raw->Step(message);
  return stepped ? std::string("taken") : stepped.error().context;
}

TEST_CASE("messages that never travel are refused") {
  TestNode node(1);
  node.Start();
  for (const MessageType type :
       {MessageType::kHup, MessageType::kBeat, MessageType::kUnreachable, MessageType::kSnapStatus,
        MessageType::kCheckQuorum, MessageType::kStorageAppend, MessageType::kStorageAppendResp,
        MessageType::kStorageApply, MessageType::kStorageApplyResp}) {
    CHECK(RefusalOf(node, From(2, type, 1)) == "raft: cannot step raft local message");
  }
  CHECK(RefusalOf(node, From(9, MessageType::kAppResp, 1)) ==
        "raft: cannot step as peer not found");
  CHECK_FALSE(node.raw->HasReady());
}

TEST_CASE("messages that contradict themselves are refused") {
  TestNode node(1);
  node.Start();
  const auto refused = [&node](Message message) {
    Result<void> stepped = node.raw->Step(std::move(message));
    return !stepped && stepped.error().code == ErrorCode::kInvalidMessage;
  };
  const auto append = [](std::vector<Entry> entries) {
    Message message = From(2, MessageType::kApp, 3);
    message.index = 2;
    message.log_term = 1;
    message.entries = std::move(entries);
    return message;
  };
  CHECK(refused(append({{EntryType::kNormal, 3, 4, {}}})));
  CHECK(refused(append({{EntryType::kNormal, 3, 3, {}}, {EntryType::kNormal, 3, 3, {}}})));
  CHECK(refused(append({{EntryType::kNormal, 4, 3, {}}})));
  CHECK(refused(append({{EntryType::kNormal, 2, 3, {}}, {EntryType::kNormal, 1, 4, {}}})));
  Message edge = append({{EntryType::kNormal, 3, 0, {}}});
  edge.index = UINT64_MAX;
  CHECK(refused(edge));
  CHECK(refused(From(2, MessageType::kSnap, 3)));
  CHECK(refused(From(2, MessageType::kProp, 0)));
  CHECK(refused(From(2, MessageType::kReadIndex, 0)));
  CHECK(refused(From(2, MessageType::kHeartbeat, 0)));
  CHECK(refused(From(2, MessageType::kVote, UINT64_MAX / 2 + 1)));
  Message vote = From(2, MessageType::kVote, 3);
  vote.index = 5;
  vote.log_term = 2;
  vote.commit = 6;
  CHECK(refused(vote));
  vote.commit = 5;
  vote.commit_term = 3;
  CHECK(refused(vote));
  Message wish = From(2, MessageType::kAppResp, 3);
  wish.reject = true;
  wish.request_snapshot = UINT64_MAX;
  CHECK(refused(wish));
  CHECK(refused(From(0, MessageType::kHeartbeat, 3)));
  CHECK(refused(From(1, MessageType::kHeartbeat, 3)));
  CHECK(refused(From(1, MessageType::kAppResp, 3)));
  Message snap = From(2, MessageType::kSnap, 3);
  Snapshot torn;
  torn.metadata = {{{1, 2}, {2}, {}, {}, false}, 9, 3};
  snap.snapshot = std::make_shared<Snapshot>(torn);
  CHECK(refused(snap));
  CHECK(node.raw->GetStatus().config.voters == std::vector<NodeId>{1, 2, 3});
}

TEST_CASE("a heartbeat beyond the log is refused, and its sender not followed") {
  TestNode node(1);
  node.Start();
  Message heartbeat = From(2, MessageType::kHeartbeat, 1);
  heartbeat.commit = 7;
  CHECK(node.raw->Step(heartbeat).error().code == ErrorCode::kLogLost);
  CHECK(RefusalOf(node, heartbeat) ==
        "raft: heartbeat from 2 commits 7, the log ends at 2; was it truncated or lost?");
  CHECK(node.raw->GetBasicStatus().soft_state.leader == kNoNode);
  CHECK(node.commit() == 2);
  CHECK(node.lines.Has("was it truncated or lost?"));
  heartbeat.commit = 2;
  CHECK(RefusalOf(node, heartbeat) == "taken");
  CHECK(node.raw->GetBasicStatus().soft_state.leader == 2);
}

TEST_CASE("numbers of no type, and messages for others, are refused") {
  TestNode node(1);
  node.Start();
  CHECK(RefusalOf(node, From(2, static_cast<MessageType>(200), 5)) ==
        "raft: invalid unknown message from 2: no known type");
  Message append = From(2, MessageType::kApp, 3);
  append.index = 2;
  append.log_term = 1;
  append.entries.push_back({static_cast<EntryType>(9), 3, 3, {}});
  CHECK(RefusalOf(node, append) == "raft: invalid MsgApp from 2: entry of no known type");
  Message proposal = From(2, MessageType::kProp, 0);
  proposal.entries.push_back({static_cast<EntryType>(9), 0, 0, {}});
  CHECK(RefusalOf(node, proposal) == "raft: invalid MsgProp from 2: entry of no known type");
  Message elsewhere = From(2, MessageType::kHeartbeat, 3);
  elsewhere.to = 3;
  CHECK(RefusalOf(node, elsewhere) == "raft: invalid MsgHeartbeat from 2: for another node");
  CHECK(node.term() == 1);
}

TEST_CASE("a node at the last term does not campaign") {
  TestNode node(1);
  node.Start();
  CHECK(RefusalOf(node, From(2, MessageType::kHeartbeat, UINT64_MAX / 2)) == "taken");
  CHECK(node.term() == UINT64_MAX / 2);
  CHECK(node.raw->Campaign());
  CHECK(node.term() == UINT64_MAX / 2);
  CHECK(node.lines.Has("1 cannot campaign: no term is left after 9223372036854775807"));
}

TEST_CASE("nobody else speaks for a storage thread") {
  const auto answers = [](TestNode& node) {
    std::vector<std::string> texts;
    for (const NodeId thread : {kAppendThread, kApplyThread}) {
      for (int type = 0; type <= static_cast<int>(MessageType::kForgetLeader); ++type) {
        Message message = From(thread, static_cast<MessageType>(type), 1);
        message.index = 100;
        message.entries.push_back({EntryType::kNormal, 1, 100, {}});
        Snapshot snapshot;
        snapshot.metadata.index = 1000;
        message.snapshot = std::make_shared<Snapshot>(snapshot);
        Result<void> stepped = node.raw->Step(message);
        if (stepped || stepped.error().code != ErrorCode::kInvalidMessage) {
          texts.push_back(std::to_string(type));
        }
      }
    }
    return texts;
  };
  TestNode plain(1, {1});
  plain.Start();
  CHECK(plain.raw->Campaign());
  (void)plain.RunAll();
  CHECK(answers(plain).empty());
  TestNode asynchronous(1, {1});
  asynchronous.config.async_storage_writes = true;
  asynchronous.Start();
  CHECK(answers(asynchronous).empty());
}

TEST_CASE("a snapshot's term is one that was before it was sent") {
  TestNode node(1);
  node.Start();
  Message message = From(2, MessageType::kSnap, 2);
  for (const Term term : {Term{0}, Term{3}, UINT64_MAX}) {
    Snapshot snapshot;
    snapshot.metadata = {{{1, 2, 3}, {}, {}, {}, false}, 9, term};
    message.snapshot = std::make_shared<Snapshot>(snapshot);
    CHECK(RefusalOf(node, message) ==
          "raft: invalid MsgSnap from 2: term of the snapshot out of range");
  }
}

TEST_CASE("ids of storage threads are no members") {
  TestNode node(1, {1});
  node.Start();
  CHECK(node.raw->Campaign());
  (void)node.RunAll();
  const ConfChange change{0, ConfChangeType::kAddLearnerNode, kAppendThread, {}};
  CHECK(node.raw->ProposeConfChange(change).error().code == ErrorCode::kInvalidConfChange);
  CHECK(node.raw->ApplyConfChange(change).error().code == ErrorCode::kInvalidConfChange);
  Message snap = From(2, MessageType::kSnap, 9);
  Snapshot snapshot;
  snapshot.metadata = {{{1, kApplyThread}, {}, {}, {}, false}, 9, 3};
  snap.snapshot = std::make_shared<Snapshot>(snapshot);
  CHECK(node.raw->Step(snap).error().code == ErrorCode::kInvalidMessage);
  for (const NodeId id : {kNoNode, kApplyThread, kAppendThread}) {
    TestNode fresh(1, {});
    fresh.Start();
    const std::vector<Peer> peers = {{1, {}}, {id, {}}};
    CHECK(fresh.raw->Bootstrap(peers).error().code == ErrorCode::kInvalidBootstrap);
    CHECK_FALSE(fresh.raw->HasReady());
  }
}

TEST_CASE("a snapshot of many members is looked at once") {
  TestNode node(1);
  node.Start();
  Message snap = From(2, MessageType::kSnap, 9);
  Snapshot snapshot;
  snapshot.metadata.index = 9;
  snapshot.metadata.term = 3;
  // One by one this took minutes, and a node that works on it misses its elections.
  for (NodeId id = 1; id <= 100'000; ++id) snapshot.metadata.conf_state.voters.push_back(id);
  snap.snapshot = std::make_shared<Snapshot>(snapshot);
  CHECK(RefusalOf(node, snap) == "taken");
  CHECK(node.raw->GetStatus().config.voters.size() == 100'000);
}

TEST_CASE("a transfer to nobody asks nobody") {
  TestNode node(1);
  node.Start();
  CHECK(RefusalOf(node, From(2, MessageType::kHeartbeat, 1)) == "taken");
  (void)node.RunAll();
  node.raw->TransferLeader(kNoNode);
  CHECK_FALSE(node.raw->HasReady());
}

TEST_CASE("with asynchronous writes own acknowledgements come in, but no refusals") {
  TestNode node(1);
  node.config.async_storage_writes = true;
  node.Start();
  Message own = From(1, MessageType::kAppResp, 1);
  CHECK(RefusalOf(node, own) == "taken");
  own.reject = true;
  CHECK(RefusalOf(node, own) == "raft: invalid MsgAppResp from 1: own name as the sender");
}

TEST_CASE("a leader takes no acknowledgement of entries it does not have") {
  TestNode node(1);
  TestNode two(2);
  node.Start();
  two.Start();
  CHECK(node.raw->Campaign());
  const std::vector<TestNode*> both = {&node, &two};
  Pump(both);
  REQUIRE(node.leads());
  Message acknowledged = From(2, MessageType::kAppResp, node.term());
  acknowledged.index = 99;
  CHECK(RefusalOf(node, acknowledged) == "raft: 2 acknowledged index 99, the log ends at 3");
  Message bad = From(2, MessageType::kProp, 0);
  bad.entries.push_back({EntryType::kConfChange, 0, 0, Payload::Copy("\x10")});
  CHECK(RefusalOf(node, bad) == "malformed membership change: cut short");
}

// Small numbers, so that messages hit something.
Message AnyMessage() {
  Message message;
  message.type = static_cast<MessageType>(*rc::gen::inRange(0, 26));
  message.from = *rc::gen::weightedOneOf<NodeId>(
      {{9, rc::gen::inRange<NodeId>(0, 6)}, {1, rc::gen::element(kAppendThread, kApplyThread)}});
  message.to = *rc::gen::weightedElement<NodeId>({{9, 1}, {1, 0}, {1, 2}});
  message.commit = *rc::gen::inRange<LogIndex>(0, 14);
  message.term = *rc::gen::inRange<Term>(0, 6);
  message.log_term = *rc::gen::inRange<Term>(0, 5);
  message.index = *rc::gen::inRange<LogIndex>(0, 12);
  message.reject = *rc::gen::arbitrary<bool>();
  message.reject_hint = *rc::gen::inRange<LogIndex>(0, 14);
  message.request_snapshot = *rc::gen::weightedOneOf<LogIndex>(
      {{3, rc::gen::just<LogIndex>(0)}, {1, rc::gen::inRange<LogIndex>(1, 14)}});
  message.commit_term = *rc::gen::inRange<Term>(0, 5);
  message.priority = *rc::gen::inRange<int64_t>(-1, 2);
  const int count = *rc::gen::inRange(0, 3);
  for (int i = 0; i < count; ++i) {
    Entry entry;
    entry.type = static_cast<EntryType>(*rc::gen::inRange(0, 3));
    entry.term = message.log_term + *rc::gen::inRange<Term>(0, 2);
    entry.index = message.index + 1 + static_cast<LogIndex>(i);
    entry.data = Payload::Copy(*rc::gen::arbitrary<std::string>());
    message.entries.push_back(std::move(entry));
  }
  if (*rc::gen::inRange(0, 3) == 0) {
    Snapshot snapshot;
    snapshot.metadata.index = *rc::gen::inRange<LogIndex>(0, 20);
    snapshot.metadata.term = *rc::gen::inRange<Term>(0, 5);
    snapshot.metadata.conf_state.voters =
        *rc::gen::container<std::vector<NodeId>>(rc::gen::inRange<NodeId>(0, 5));
    message.snapshot = std::make_shared<Snapshot>(std::move(snapshot));
  }
  message.context =
      Payload::Copy(*rc::gen::element<std::string>("", "CampaignTransfer", "12345678"));
  return message;
}

TEST_CASE("no message of a stranger breaks a node") {
  CHECK(rc::check([] {
    TestNode node(1);
    node.config.fatal = [](std::string_view text) { RC_FAIL(std::string(text)); };
    node.config.pre_vote = *rc::gen::arbitrary<bool>();
    node.config.commit_by_vote = *rc::gen::arbitrary<bool>();
    node.config.batch_append = *rc::gen::arbitrary<bool>();
    node.config.light_ready = *rc::gen::arbitrary<bool>();
    node.config.check_quorum = *rc::gen::arbitrary<bool>();
    if (node.config.check_quorum && *rc::gen::arbitrary<bool>()) {
      node.config.read_only_option = ReadOnlyOption::kLeaseBased;
    }
    Result<std::unique_ptr<RawNode>> made = RawNode::Create(node.config);
    RC_ASSERT(made.has_value());
    node.raw = std::move(*made);
    const int steps = *rc::gen::inRange(0, 30);
    for (int i = 0; i < steps; ++i) {
      if (*rc::gen::inRange(0, 4) == 0) (void)node.raw->Campaign();
      if (*rc::gen::inRange(0, 4) == 0) node.raw->Tick();
      (void)node.raw->Step(AnyMessage());
      if (*rc::gen::arbitrary<bool>() && node.raw->HasReady()) {
        Ready& ready = node.raw->GetReady();
        if (ready.hard_state) node.storage.SetHardState(*ready.hard_state);
        if (ready.snapshot != nullptr) (void)node.storage.ApplySnapshot(*ready.snapshot);
        node.storage.Append(ready.entries);
        node.raw->Advance();
      }
    }
  }));
}

}  // namespace
}  // namespace raft

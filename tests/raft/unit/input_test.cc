// What comes off the wire may be anything: it is refused or ignored, and never breaks a node.
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::Pump;
using testing::TestNode;

std::string RefusalOf(TestNode& node, const Message& message) {
  Result<void> stepped = node.raw->Step(message);
  return stepped ? std::string("taken") : stepped.error().context;
}

Message From(NodeId from, MessageType type, Term term) {
  Message message;
  message.type = type;
  message.from = from;
  message.to = 1;
  message.term = term;
  return message;
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
  message.type = static_cast<MessageType>(*rc::gen::inRange(0, 24));
  message.from = *rc::gen::inRange<NodeId>(0, 6);
  message.to = 1;
  message.term = *rc::gen::inRange<Term>(0, 6);
  message.log_term = *rc::gen::inRange<Term>(0, 5);
  message.index = *rc::gen::inRange<LogIndex>(0, 12);
  message.reject = *rc::gen::arbitrary<bool>();
  message.reject_hint = *rc::gen::inRange<LogIndex>(0, 14);
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
  // Heartbeats and appends may still name a commit index or a history that this node cannot have
  // acknowledged; that is a broken promise, not bad input, and kept out by a commit of 0.
  CHECK(rc::check([] {
    TestNode node(1);
    node.config.fatal = [](std::string_view text) { RC_FAIL(std::string(text)); };
    node.config.pre_vote = *rc::gen::arbitrary<bool>();
    node.config.check_quorum = *rc::gen::arbitrary<bool>();
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

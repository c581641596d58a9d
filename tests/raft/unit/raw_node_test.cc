#include "raft/raw_node.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/describe.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::Pump;
using testing::TestNode;
using testing::Text;

std::vector<std::string> AppliedTexts(const TestNode& node) {
  std::vector<std::string> texts;
  for (const Entry& entry : node.applied) {
    if (!entry.data.empty()) texts.emplace_back(entry.data.view());
  }
  return texts;
}

struct Trio : testing::Trio {
  Trio() { Start(); }
};

TEST_CASE("a new group is bootstrapped on empty storages only") {
  TestNode node(1, {});
  node.Start();
  CHECK(node.raw->Bootstrap({}).error().context == "must provide at least one peer to Bootstrap");
  const std::vector<Peer> peers = {{1, Text("a")}, {2, Text("b")}};
  CHECK(node.raw->Bootstrap(peers));
  CHECK(node.term() == 1);
  CHECK(node.raw->GetStatus().config.voters == std::vector<NodeId>{1, 2});
  const std::vector<Message> none = node.RunAll();
  CHECK(none.empty());
  CHECK(node.storage.hard_state() == HardState{1, 0, 2});
  CHECK(node.applied.size() == 2);
  CHECK(DecodeConfChange(node.applied[1])->context.view() == "b");
  CHECK(node.raw->Bootstrap(peers).error().context == "can't bootstrap a nonempty Storage");
}

TEST_CASE("a node alone elects itself and commits, each in its own Ready") {
  TestNode node(1, {1});
  node.Start();
  CHECK_FALSE(node.raw->HasReady());
  CHECK(node.raw->Campaign());
  CHECK_FALSE(node.leads());
  (void)node.RunReady();
  CHECK(node.leads());
  CHECK(node.raw->Propose(Text("x")));
  (void)node.RunReady();
  CHECK(node.commit() == 4);
  CHECK(node.applied.empty());
  (void)node.RunReady();
  CHECK(AppliedTexts(node) == std::vector<std::string>{"x"});
  CHECK_FALSE(node.raw->HasReady());
}

TEST_CASE("only a changed vote, term or log asks for a sync") {
  TestNode node(1, {1});
  node.Start();
  CHECK(node.raw->Campaign());
  CHECK(node.raw->GetReady().must_sync);
  node.raw->Advance();
  Ready& ready = node.raw->GetReady();
  CHECK(ready.must_sync);
  node.storage.Append(ready.entries);
  node.raw->Advance();
  const Ready& commit = node.raw->GetReady();
  CHECK(commit.hard_state.has_value());
  CHECK_FALSE(commit.must_sync);
}

TEST_CASE("a Ready with a snapshot and a commit index only asks for no sync") {
  TestNode node(1);
  node.Start();
  CHECK(node.raw->Step(From(2, MessageType::kHeartbeat, 3)));
  (void)node.RunAll();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata = {{{1, 2, 3}, {}, {}, {}, false}, 9, 2};
  Message message = From(2, MessageType::kSnap, 3);
  message.snapshot = snapshot;
  CHECK(node.raw->Step(message));
  const Ready& ready = node.raw->GetReady();
  CHECK(ready.snapshot == snapshot);
  CHECK(ready.hard_state == HardState{3, kNoNode, 9});
  CHECK(ready.entries.empty());
  CHECK_FALSE(ready.must_sync);
  CHECK(node.storage.ApplySnapshot(*ready.snapshot));
  node.raw->Advance();

  // In a new term, or with entries behind it, it does.
  auto newer = std::make_shared<Snapshot>(*snapshot);
  newer->metadata.index = 20;
  message.snapshot = newer;
  message.term = 4;
  CHECK(node.raw->Step(message));
  CHECK(node.raw->GetReady().must_sync);
}

TEST_CASE("proposals of a batch travel together and in order") {
  Trio trio;
  trio.Elect();
  const std::vector<Payload> batch = {Text("a"), Text("b"), Text("c")};
  CHECK(trio.one.raw->ProposeBatch(batch));
  const std::vector<Message> sent = trio.one.RunReady();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].entries.size() == 3);
  CHECK(sent[0].entries[1].data.view().data() == batch[1].view().data());
  for (const Message& message : sent) (void)trio.all[message.to - 1]->raw->Step(message);
  Pump(trio.all);
  for (const TestNode* node : trio.all) {
    CHECK(AppliedTexts(*node) == std::vector<std::string>{"a", "b", "c"});
  }
}

TEST_CASE("a follower passes proposals on, unless told not to") {
  Trio trio;
  CHECK(trio.two.raw->Propose(Text("early")).error().code == ErrorCode::kProposalDropped);
  trio.Elect();
  CHECK(trio.two.raw->Propose(Text("x")));
  Pump(trio.all);
  CHECK(AppliedTexts(trio.three) == std::vector<std::string>{"x"});

  TestNode quiet(1);
  quiet.config.disable_proposal_forwarding = true;
  quiet.Start();
  CHECK(quiet.raw->Step(From(2, MessageType::kHeartbeat, 3)));
  CHECK(quiet.raw->Propose(Text("x")).error().context == "raft proposal dropped");
  CHECK(quiet.lines.Has("1 not forwarding to leader 2 at term 3; dropping proposal"));
}

TEST_CASE("messages that may go at once come first") {
  Trio trio;
  trio.Elect();
  CHECK(trio.one.raw->Propose(Text("x")));
  const Ready& leader = trio.one.raw->GetReady();
  CHECK(leader.immediate_count == 2);
  trio.one.storage.Append(leader.entries);
  const Message append = leader.messages[0];
  trio.one.raw->Advance();
  CHECK(trio.two.raw->Step(append));
  const Ready& follower = trio.two.raw->GetReady();
  CHECK(follower.immediate_count == 0);
  REQUIRE(follower.messages.size() == 1);
  CHECK(follower.messages[0].type == MessageType::kAppResp);
}

TEST_CASE("the uncommitted limit drops proposals until there is room") {
  Trio trio;
  trio.one.config.max_uncommitted_entries_size = 10;
  trio.one.Start();
  trio.Elect();
  CHECK(trio.one.raw->Propose(Text("much longer than the limit")));
  CHECK(trio.one.raw->Propose(Text("x")).error().code == ErrorCode::kProposalDropped);
  CHECK(trio.one.raw->Propose(Payload()));
  Pump(trio.all);
  CHECK(trio.one.raw->Propose(Text("12345")));
  CHECK(trio.one.raw->Propose(Text("12345")));
  CHECK_FALSE(trio.one.raw->Propose(Text("1")));
}

TEST_CASE("random timeouts are drawn between once and twice the base") {
  std::set<int> waits;
  for (uint64_t draw = 0; draw < 10; ++draw) {
    TestNode node(1);
    node.config.random = [draw](uint64_t bound) { return draw % bound; };
    node.Start();
    int ticks = 0;
    for (; !node.raw->HasReady(); ++ticks) node.raw->Tick();
    waits.insert(ticks);
  }
  CHECK(*waits.begin() == 10);
  CHECK(*waits.rbegin() == 19);
  CHECK(waits.size() == 10);
}

TEST_CASE("a transfer ends with the transferee, or after a base election timeout") {
  Trio trio;
  trio.Elect();
  trio.one.raw->TransferLeader(2);
  CHECK(trio.one.raw->GetBasicStatus().lead_transferee == 2);
  CHECK_FALSE(trio.one.raw->Propose(Text("x")));
  Pump(trio.all);
  CHECK(trio.two.leads());
  CHECK_FALSE(trio.one.leads());

  trio.two.raw->TransferLeader(3);
  (void)trio.two.RunAll();
  for (int i = 0; i < 10; ++i) trio.two.raw->Tick();
  CHECK(trio.two.raw->GetBasicStatus().lead_transferee == kNoNode);
  CHECK(trio.two.raw->Propose(Text("x")));
}

TEST_CASE("a transfer asked of a follower goes on to the leader") {
  Trio trio;
  trio.Elect();
  trio.three.raw->TransferLeader(3);
  Pump(trio.all);
  CHECK(trio.three.leads());
}

TEST_CASE("a forwarded transfer that reaches a follower is passed on again") {
  Trio trio;
  trio.Elect();
  Message astray = From(3, MessageType::kTransferLeader, trio.two.term());
  astray.to = 2;
  CHECK(trio.two.raw->Step(astray));
  Pump(trio.all);
  CHECK(trio.three.leads());
}

TEST_CASE("a learner gets the log and does not vote it in") {
  Trio trio;
  TestNode four(4, {});
  four.Start();
  trio.all.push_back(&four);
  trio.Elect();
  CHECK(trio.one.raw->ProposeConfChange(
      ConfChange{0, ConfChangeType::kAddLearnerNode, 4, Text("address")}));
  Pump(trio.all);
  const ConfState members = trio.one.raw->GetStatus().config;
  CHECK(members.learners == std::vector<NodeId>{4});
  // The first snapshot was of a membership without it, and refused.
  CHECK(four.storage.LastIndex() == 0);
  CHECK(trio.one.storage.CreateSnapshot(4, &members, {}));
  trio.one.raw->ReportSnapshot(4, SnapshotStatus::kFailure);
  trio.one.raw->Tick();
  Pump(trio.all);
  CHECK(four.storage.LastIndex() == 4);
  CHECK(trio.one.raw->Propose(Text("x")));
  // Only the learner answers.
  for (Message& message : trio.one.RunAll()) {
    if (message.to == 4) CHECK(four.raw->Step(std::move(message)));
  }
  for (Message& message : four.RunAll()) CHECK(trio.one.raw->Step(std::move(message)));
  CHECK(trio.one.commit() == 4);
  CHECK(four.storage.LastIndex() == 5);
  CHECK(four.raw->Campaign());
  CHECK_FALSE(four.raw->HasReady());
}

TEST_CASE("a change that does not apply leaves the membership as it is") {
  TestNode node(1, {1});
  node.Start();
  Result<ConfState> result =
      node.raw->ApplyConfChange(ConfChange{0, ConfChangeType::kRemoveNode, 1, {}});
  CHECK(result.error().context == "removed all voters");
  CHECK(node.raw->GetStatus().config.voters == std::vector<NodeId>{1});
}

TEST_CASE("progress is shown on the leader only") {
  Trio trio;
  trio.Elect();
  CHECK(trio.two.raw->GetStatus().progress.empty());
  const Status status = trio.one.raw->GetStatus();
  REQUIRE(status.progress.size() == 3);
  CHECK(Describe(status.progress[1]) == "StateReplicate match=3 next=4");
}

TEST_CASE("a follower behind a compacted log gets a snapshot once there is one") {
  Trio trio;
  trio.Elect();
  Message lost;
  for (int i = 0; i < 5; ++i) CHECK(trio.one.raw->Propose(Text("x")));
  const std::vector<TestNode*> pair = {&trio.one, &trio.two};
  Pump(pair);
  const ConfState members = trio.one.raw->GetStatus().config;
  CHECK(trio.one.storage.CreateSnapshot(8, &members, Text("state")));
  CHECK(trio.one.storage.Compact(8));
  trio.one.raw->ReportUnreachable(3);
  trio.one.raw->Tick();
  Pump(trio.all);
  CHECK(trio.three.storage.FirstIndex() == 9);
  CHECK((*trio.three.storage.GetSnapshot(0, 3))->data.view() == "state");
  CHECK(trio.one.raw->Propose(Text("y")));
  Pump(trio.all);
  CHECK(AppliedTexts(trio.three) == std::vector<std::string>{"y"});
}

TEST_CASE("a leader that hears nothing for an election timeout steps down") {
  Trio trio;
  for (TestNode* node : trio.all) {
    node->config.check_quorum = true;
    node->Start();
  }
  trio.Elect();
  for (int i = 0; i < 10; ++i) trio.one.raw->Tick();
  CHECK(trio.one.leads());  // It was heard of in the first period.
  for (int i = 0; i < 10; ++i) trio.one.raw->Tick();
  CHECK_FALSE(trio.one.leads());
}

TEST_CASE("asynchronous writes: only what is written is acknowledged and applied") {
  TestNode node(1, {1});
  node.config.async_storage_writes = true;
  node.Start();
  CHECK(node.raw->Campaign());
  const auto work = [&node](NodeId thread) {
    Message found;
    Ready& ready = node.raw->GetReady();
    for (Message& message : ready.messages) {
      if (message.to == thread) found = std::move(message);
    }
    CHECK(ready.immediate_count == ready.messages.size());
    return found;
  };
  const auto finish = [&node](Message& done) {
    for (Message& response : done.responses) CHECK(node.raw->Step(std::move(response)));
  };
  Message vote = work(kAppendThread);
  CHECK(vote.vote == 1);
  CHECK_FALSE(node.leads());
  finish(vote);
  CHECK(node.leads());
  Message first = work(kAppendThread);
  CHECK(node.raw->Propose(Text("x")));
  Message second = work(kAppendThread);
  CHECK(second.entries.size() == 1);
  node.storage.Append(first.entries);
  node.storage.Append(second.entries);
  CHECK(node.commit() == 2);
  finish(second);
  CHECK(node.commit() == 4);
  Message apply = work(kApplyThread);
  CHECK(apply.entries.size() == 2);
  finish(first);
  finish(apply);
  CHECK(node.raw->GetBasicStatus().applied == 4);
}

TEST_CASE("a crash between the saves of what was applied and what was committed") {
  TestNode node(1, {1});
  node.Start();
  CHECK(node.raw->Campaign());
  (void)node.RunAll();
  CHECK(node.raw->Propose(Text("x")));
  (void)node.RunAll();
  REQUIRE(node.commit() == 4);
  HardState stored = node.storage.hard_state();
  stored.commit = 2;
  node.storage.SetHardState(stored);
  node.config.applied = 4;
  node.Start();
  CHECK(node.commit() == 4);
  CHECK(node.raw->GetBasicStatus().applied == 4);
}

TEST_CASE("what was applied ahead of its write commits nothing in the log that is there") {
  TestNode node(1);
  node.storage.Append(std::vector<Entry>{{EntryType::kNormal, 1, 3, Text("stale")}});
  node.config.applied = 3;
  node.config.max_apply_unpersisted_log_limit = 10;
  node.Start();
  CHECK(node.commit() == 2);
  Message append = From(2, MessageType::kApp, 2);
  append.index = 2;
  append.log_term = 1;
  append.commit = 3;
  append.entries.push_back({EntryType::kNormal, 2, 3, Text("right")});
  CHECK(node.raw->Step(append));
  (void)node.RunAll();
  CHECK(node.commit() == 3);
  CHECK(node.applied.empty());
  CHECK(node.storage.GetTerm(3) == Term{2});
}

// The work handed to a storage thread in the next Ready, if any.
std::optional<Message> WorkFor(TestNode& node, NodeId thread) {
  for (Message& message : node.raw->GetReady().messages) {
    if (message.to == thread) return std::move(message);
  }
  return std::nullopt;
}

TEST_CASE("an entry that was overwritten and came back is stable only when written again") {
  TestNode node(1);
  node.config.async_storage_writes = true;
  node.Start();
  const auto append = [&node](NodeId leader, Term term, std::vector<Entry> entries) {
    Message message = From(leader, MessageType::kApp, term);
    message.index = 2;
    message.log_term = 1;
    message.entries = std::move(entries);
    message.commit = 2;
    CHECK(node.raw->Step(message));
    return WorkFor(node, kAppendThread).value();
  };
  const Entry first{EntryType::kNormal, 2, 3, Text("a")};
  Message early = append(2, 2, {first});
  (void)append(3, 3, {{EntryType::kNormal, 3, 3, Text("b")}});
  Message late = append(2, 4, {first, {EntryType::kNormal, 4, 4, {}}});
  Message heartbeat = From(2, MessageType::kHeartbeat, 4);
  heartbeat.commit = 4;
  CHECK(node.raw->Step(heartbeat));
  // Index and term of the first write fit again, but on disk is what was written second.
  for (Message& response : early.responses) {
    if (response.to == 1) CHECK(node.raw->Step(std::move(response)));
  }
  CHECK_FALSE(WorkFor(node, kApplyThread).has_value());
  node.storage.Append(late.entries);
  for (Message& response : late.responses) {
    if (response.to == 1) CHECK(node.raw->Step(std::move(response)));
  }
  CHECK(WorkFor(node, kApplyThread).value().entries.size() == 2);
}

TEST_CASE("a membership change applied under a newer snapshot leaves that alone") {
  TestNode node(1);
  node.config.async_storage_writes = true;
  node.Start();
  Message snap = From(2, MessageType::kSnap, 2);
  Snapshot snapshot;
  snapshot.metadata = {{{1, 2, 3, 4}, {}, {}, {}, false}, 9, 2};
  snap.snapshot = std::make_shared<Snapshot>(snapshot);
  CHECK(node.raw->Step(snap));
  const Result<ConfState> older =
      node.raw->ApplyConfChange(ConfChange{0, ConfChangeType::kAddLearnerNode, 4, {}});
  REQUIRE(older);
  CHECK(older->voters == std::vector<NodeId>{1, 2, 3});
  CHECK(older->learners == std::vector<NodeId>{4});
  CHECK(node.raw->GetStatus().config.voters == std::vector<NodeId>{1, 2, 3, 4});
}

}  // namespace
}  // namespace raft

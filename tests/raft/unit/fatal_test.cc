// A broken promise of the host, or of the disk under it, ends the node with a clear text. Each case
// runs in a process of its own that is expected to die.
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::TestNode;

// The text given to the fatal hook, or nothing if the body came back.
std::string FatalText(const std::function<void(FatalHook)>& body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    body([&ends](std::string_view text) {
      const ssize_t written = write(ends[1], text.data(), text.size());
      _exit(written < 0 ? 2 : 1);
    });
    _exit(0);
  }
  close(ends[1]);
  char buffer[2048];
  const ssize_t got = read(ends[0], buffer, sizeof(buffer));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return std::string(buffer, got > 0 ? static_cast<size_t>(got) : 0);
}

// The first line; the second tells the node's state.
std::string NodeFatalText(const std::function<void(TestNode&)>& body) {
  const std::string text = FatalText([&body](FatalHook fatal) {
    TestNode node(1);
    node.config.fatal = std::move(fatal);
    body(node);
  });
  const size_t end = text.find('\n');
  CHECK(text.substr(end == std::string::npos ? 0 : end + 1).starts_with("1 StateFollower term="));
  return text.substr(0, end);
}

TEST_CASE("calls of another mode, and of what was not handed out") {
  CHECK(NodeFatalText([](TestNode& node) {
          node.Start();
          (void)node.raw->AdvanceAppend();
        }) == "AdvanceAppend must not be called without light_ready");
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.light_ready = true;
          node.Start();
          (void)node.raw->GetReady();
          node.raw->OnPersistReady(1);
        }) == "Ready 1 is not written, the last one is 1");
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.light_ready = true;
          node.Start();
          node.raw->AdvanceApplyTo(3);
        }) == "applied(3) was not handed out [applying(2)]");
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.applied = 3;
          node.Start();
        }) == "applied(3) is out of range [prevApplied(2), committed(2)]");
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.applied = 7;
          node.config.max_apply_unpersisted_log_limit = 4;
          node.Start();
        }) == "applied(7) is out of range [prevApplied(2), committed(2)]");
}

TEST_CASE("the node's state comes with the text") {
  CHECK(FatalText([](FatalHook fatal) {
          TestNode node(1);
          node.config.fatal = std::move(fatal);
          node.Start();
          (void)node.raw->GetReady();
          (void)node.raw->GetReady();
        }) ==
        "two accepted Ready structs without call to Advance\n"
        "1 StateFollower term=1 vote=0 leader=0 committed=2, applied=2, applying=2, "
        "unstable.offset=3, unstable.offsetInProgress=3, len(unstable.Entries)=0 lastindex=2 "
        "voters=(1 2 3) 1: [StateProbe match=2 next=3 inactive] 2: [StateProbe match=0 next=3 "
        "inactive] 3: [StateProbe match=0 next=3 inactive]");
}

TEST_CASE("a log that lost what it had committed") {
  CHECK(NodeFatalText([](TestNode& node) {
          node.storage.SetHardState({3, 0, 9});
          (void)RawNode::Create(node.config);
        }) == "1 state.commit 9 is out of range [2, 2]");
}

TEST_CASE("a Ready taken twice, and an Advance too much") {
  CHECK(NodeFatalText([](TestNode& node) {
          node.Start();
          (void)node.raw->GetReady();
          (void)node.raw->GetReady();
        }) == "two accepted Ready structs without call to Advance");
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.async_storage_writes = true;
          node.Start();
          node.raw->Advance();
        }) == "Advance must not be called when using AsyncStorageWrites");
}

TEST_CASE("a random source that does not keep its bound") {
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.random = [](uint64_t bound) { return bound; };
          (void)RawNode::Create(node.config);
        }) == "random source gave 10 where less than 10 was asked for");
}

TEST_CASE("an applied index beyond what is committed") {
  CHECK(NodeFatalText([](TestNode& node) {
          node.config.applied = 5;
          (void)RawNode::Create(node.config);
        }) == "applied(5) is out of range [prevApplied(2), committed(2)]");
}

TEST_CASE("an empty batch of proposals on the leader") {
  CHECK(FatalText([](FatalHook fatal) {
          TestNode node(1, {1});
          node.config.fatal = std::move(fatal);
          node.Start();
          (void)node.raw->Campaign();
          (void)node.RunAll();
          (void)node.raw->ProposeBatch({});
        }).starts_with("1 stepped empty MsgProp\n1 StateLeader term=2 "));
}

TEST_CASE("misuse of the storage in memory") {
  const auto text = [](const std::function<void(MemStorage&)>& misuse) {
    return FatalText([&misuse](FatalHook fatal) {
      MemStorage storage(std::move(fatal));
      misuse(storage);
    });
  };
  CHECK(text([](MemStorage& s) {
          s.Append({{EntryType::kNormal, 1, 3, {}}});
        }) == "missing log entry [last: 0, append at: 3]");
  CHECK(text([](MemStorage& s) { (void)s.Compact(3); }) ==
        "compact 3 is out of bound lastindex(0)");
  CHECK(text([](MemStorage& s) { (void)s.CreateSnapshot(3, nullptr, {}); }) ==
        "snapshot 3 is out of bound lastindex(0)");
  CHECK(text([](MemStorage& s) {
          std::vector<Entry> out;
          (void)s.GetEntries(1, 5, kNoLimit, out);
        }) == "entries' hi(5) is out of bound lastindex(0)");
}

TEST_CASE("without a hook, or with one that comes back, the process aborts") {
  for (const bool hook : {false, true}) {
    const pid_t child = fork();
    if (child == 0) {
      signal(SIGABRT, SIG_DFL);
      TestNode node(1);
      node.config.logger = nullptr;
      if (hook) node.config.fatal = [](std::string_view) {};
      node.Start();
      (void)node.raw->GetReady();
      (void)node.raw->GetReady();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
  }
}

}  // namespace
}  // namespace raft

// Replication in its steady state reuses the leader's memory: beyond the proposals' own payloads,
// which are made outside, nothing is allocated.
#include <cstdlib>
#include <new>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/raft/unit/testing.h"

namespace {

thread_local bool counting = false;
thread_local size_t allocations = 0;

void* Allocate(size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace raft {
namespace {

constexpr size_t kEntriesMax = 2000;

// A log in memory that is set aside before, so that its own allocations do not count.
class ReservedStorage final : public Storage {
 public:
  ReservedStorage() { entries_.reserve(kEntriesMax); }

  Result<InitialState> GetInitialState() const override {
    return InitialState{{1, 0, 2}, {{1, 2, 3}, {}, {}, {}, false}};
  }
  Result<void> GetEntries(LogIndex lo, LogIndex hi, uint64_t,
                          std::vector<Entry>& out) const override {
    for (LogIndex i = lo; i < hi; ++i) out.push_back(entries_[i - 3]);
    return {};
  }
  Result<Term> GetTerm(LogIndex index) const override {
    return index < 3 ? 1 : entries_[index - 3].term;
  }
  LogIndex FirstIndex() const override { return 3; }
  LogIndex LastIndex() const override { return 2 + entries_.size(); }
  Result<SnapshotPtr> GetSnapshot(LogIndex, NodeId) override {
    return Fail(ErrorCode::kStorage, "none");
  }

  void Append(const std::vector<Entry>& entries) {
    entries_.insert(entries_.end(), entries.begin(), entries.end());
  }

 private:
  std::vector<Entry> entries_;
};

struct Leader {
  explicit Leader(bool async_storage_writes) {
    config.id = 1;
    config.election_tick = 10;
    config.heartbeat_tick = 1;
    config.storage = &storage;
    config.random = [](uint64_t) -> uint64_t { return 0; };
    config.max_size_per_msg = 1 << 20;
    config.max_inflight_msgs = 256;
    config.async_storage_writes = async_storage_writes;
    node = std::move(*RawNode::Create(config));
    for (NodeId id = 2; id <= 3; ++id) {
      answers[id - 2].type = MessageType::kAppResp;
      answers[id - 2].from = id;
      answers[id - 2].to = 1;
      answers[id - 2].term = 2;
    }
    REQUIRE(node->Campaign());
    RunReady();
    Message vote = answers[0];
    vote.type = MessageType::kVoteResp;
    REQUIRE(node->Step(vote));
    REQUIRE(node->GetBasicStatus().soft_state.role == Role::kLeader);
  }

  void RunReady() {
    Ready& ready = node->GetReady();
    if (!ready.entries.empty()) {
      storage.Append(ready.entries);
      for (Message& answer : answers) answer.index = ready.entries.back().index;
    }
    if (!config.async_storage_writes) {
      node->Advance();
      return;
    }
    // What is done at once may stay where it is.
    for (Message& message : ready.messages) {
      for (Message& response : message.responses) {
        if (response.to == 1) (void)node->Step(std::move(response));
      }
    }
  }

  /// Proposals from propose to commit: append, send to two, hear from both; and apply the one before.
  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      (void)node->Propose(payload);
      RunReady();
      for (const Message& answer : answers) (void)node->Step(answer);
    }
  }

  ReservedStorage storage;
  Config config;
  std::unique_ptr<RawNode> node;
  Message answers[2];
  const Payload payload = Payload::Copy(std::string(100, 'x'));
};

TEST_CASE("steady replication allocates nothing on the leader") {
  Leader leader(GENERATE(false, true));
  leader.Rounds(300);
  const LogIndex before = leader.storage.LastIndex();
  allocations = 0;
  counting = true;
  leader.Rounds(300);
  counting = false;
  CHECK(leader.storage.LastIndex() == before + 300);
  CHECK(leader.node->GetBasicStatus().applied > before + 290);
  CHECK(allocations == 0);
}

}  // namespace
}  // namespace raft

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

// The leader's side of one proposal: append, send to two, hear from one, commit; and apply the one
// before.
void Round(RawNode& node, ReservedStorage& storage, const Payload& payload, Message& answer) {
  (void)node.Propose(payload);
  Ready& first = node.GetReady();
  answer.index = first.entries.back().index;
  (void)node.Step(answer);
  storage.Append(first.entries);
  node.Advance();
}

TEST_CASE("steady replication allocates nothing on the leader") {
  ReservedStorage storage;
  Config config;
  config.id = 1;
  config.election_tick = 10;
  config.heartbeat_tick = 1;
  config.storage = &storage;
  config.random = [](uint64_t) -> uint64_t { return 0; };
  config.max_size_per_msg = 1 << 20;
  config.max_inflight_msgs = 256;
  std::unique_ptr<RawNode> node = std::move(*RawNode::Create(config));
  REQUIRE(node->Campaign());
  storage.Append(node->GetReady().entries);
  node->Advance();
  Message vote;
  vote.type = MessageType::kVoteResp;
  vote.from = 2;
  vote.to = 1;
  vote.term = 2;
  REQUIRE(node->Step(vote));
  REQUIRE(node->GetBasicStatus().soft_state.role == Role::kLeader);

  const Payload payload = Payload::Copy(std::string(100, 'x'));
  Message answers[2];
  for (NodeId id = 2; id <= 3; ++id) {
    answers[id - 2].type = MessageType::kAppResp;
    answers[id - 2].from = id;
    answers[id - 2].to = 1;
    answers[id - 2].term = 2;
  }
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      Round(*node, storage, payload, answers[0]);
      answers[1].index = answers[0].index;
      (void)node->Step(answers[1]);
    }
  };
  rounds(300);
  const LogIndex before = storage.LastIndex();
  counting = true;
  rounds(300);
  counting = false;
  CHECK(storage.LastIndex() == before + 300);
  CHECK(allocations == 0);
}

}  // namespace
}  // namespace raft

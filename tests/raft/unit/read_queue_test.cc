#include "raft/src/read_queue.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "tests/raft/unit/program.h"

namespace raft {
namespace {

using testing::Program;

constexpr NodeId kSelf = 1;
constexpr NodeId kNodes = 6;

Tracker SomeTracker(Program& program) {
  ConfState members;
  for (NodeId id = 1; id <= kNodes; ++id) {
    if (program.Flag()) members.voters.push_back(id);
  }
  if (members.voters.empty()) members.voters.push_back(program.Between(1, kNodes));
  if (program.Below(3) == 1) {
    for (NodeId id = 1; id <= kNodes; ++id) {
      if (program.Flag()) members.voters_outgoing.push_back(id);
    }
  }
  Tracker tracker(4, 0);
  tracker.Replace(std::move(members), {});
  return tracker;
}

/// The queue, and a dumb twin that writes down for each request who has confirmed it.
class Reads {
 public:
  explicit Reads(Program& program) : program_(program), tracker_(SomeTracker(program)) {}

  void Step() {
    switch (program_.Below(10)) {
      case 0:
      case 1:
      case 2:
        return Ask();
      case 3:
      case 4:
      case 5:
        return Answer();
      case 6:
      case 7:
        return Take();
      case 8:
        return TalkNonsense();
      default:
        if (program_.Flag()) {
          tracker_ = SomeTracker(program_);
        } else if (program_.Flag()) {
          Clear();
        }
    }
  }

  void Check() const {
    RC_ASSERT(queue_.size() == waiting_.size());
    RC_ASSERT(queue_.empty() == waiting_.empty());
    RC_ASSERT(queue_.heartbeat_context().is_set() == !waiting_.empty());
  }

 private:
  struct Waiting {
    uint64_t number;
    std::set<NodeId> confirmed_by;
  };
  struct Heartbeat {
    Payload context;
    uint64_t newest;
  };

  // Each is known by its index; a heartbeat goes out at once.
  void Ask() {
    ++asked_;
    queue_.Add({2, asked_, Payload::Copy(std::to_string(asked_))});
    waiting_.push_back({asked_, {kSelf}});
    sent_.push_back({queue_.heartbeat_context(), asked_});
  }

  // Late, again, or out of order.
  void Answer() {
    if (sent_.empty()) return;
    const Heartbeat& heartbeat = sent_[sent_.size() - 1 - program_.Below(sent_.size())];
    const NodeId from = program_.Between(2, kNodes);
    queue_.Acknowledge(from, heartbeat.context.view());
    for (Waiting& request : waiting_) {
      if (request.number <= heartbeat.newest) request.confirmed_by.insert(from);
    }
  }

  void Take() {
    std::vector<uint64_t> expected;
    while (!waiting_.empty() && Confirmed(waiting_.front())) {
      expected.push_back(waiting_.front().number);
      waiting_.erase(waiting_.begin());
    }
    std::vector<uint64_t> taken;
    for (const ReadQueue::Request& request : queue_.TakeConfirmed(tracker_, kSelf)) {
      RC_ASSERT(request.context.view() == std::to_string(request.index));
      taken.push_back(request.index);
    }
    RC_ASSERT(taken == expected);
  }

  bool Confirmed(const Waiting& request) const {
    const ConfState& members = tracker_.membership();
    for (const auto* half : {&members.voters, &members.voters_outgoing}) {
      const auto yes = std::count_if(half->begin(), half->end(),
                                     [&](NodeId id) { return request.confirmed_by.contains(id); });
      if (!half->empty() && static_cast<size_t>(yes) <= half->size() / 2) return false;
    }
    return true;
  }

  // No number, or that of a request that nobody has made.
  void TalkNonsense() {
    std::string bytes(program_.Below(10), static_cast<char>(program_.Below(2)));
    if (bytes.size() == 8) bytes[7] = '\x01';
    queue_.Acknowledge(program_.Between(2, kNodes), bytes);
  }

  // The leader is another's, or its own in a later term: heartbeats from before are dropped by their term.
  void Clear() {
    queue_.Clear();
    waiting_.clear();
    sent_.clear();
  }

  Program& program_;
  Tracker tracker_;
  ReadQueue queue_;
  uint64_t asked_ = 0;
  std::vector<Waiting> waiting_;
  std::vector<Heartbeat> sent_;
};

TEST_CASE("a read is confirmed once a joint majority has confirmed it, and in its turn") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    Reads reads(program);
    while (!program.done()) {
      reads.Step();
      reads.Check();
    }
  }));
}

}  // namespace
}  // namespace raft

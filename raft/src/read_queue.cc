#include "raft/src/read_queue.h"

#include <algorithm>

#include "raft/src/wire.h"

namespace raft {
namespace {

constexpr size_t kContextSize = 8;

}  // namespace

void ReadQueue::Clear() {
  waiting_.clear();
  confirmed_ = 0;
  acknowledged_.clear();
  context_ = Payload();
}

void ReadQueue::Add(Request request) {
  waiting_.push_back(std::move(request));
  RenewContext();
}

void ReadQueue::RenewContext() {
  if (waiting_.empty()) {
    context_ = Payload();
    return;
  }
  context_ = Payload::Copy(LittleEndian(newest()));
}

void ReadQueue::Acknowledge(NodeId from, std::string_view context) {
  if (context.size() != kContextSize) return;
  const uint64_t number = FromLittleEndian(context);
  if (number > newest()) return;
  for (auto& [node, reached] : acknowledged_) {
    if (node != from) continue;
    reached = std::max(reached, number);
    return;
  }
  acknowledged_.emplace_back(from, number);
}

std::vector<ReadQueue::Request> ReadQueue::TakeConfirmed(const Tracker& tracker, NodeId self) {
  const uint64_t quorum = tracker.QuorumOf([this, self](NodeId id) -> uint64_t {
    if (id == self) return newest();
    for (const auto& [node, reached] : acknowledged_) {
      if (node == id) return reached;
    }
    return 0;
  });
  std::vector<Request> confirmed;
  const uint64_t until = std::min(quorum, newest());
  for (; confirmed_ < until; ++confirmed_) {
    confirmed.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  if (!confirmed.empty() && waiting_.empty()) RenewContext();
  return confirmed;
}

}  // namespace raft

#include <algorithm>
#include <string>
#include <utility>

#include "raft/src/core.h"
#include "raft/src/wire.h"

namespace raft {
namespace {

// Above it requests are dropped, as they are without a leader: the caller asks again.
constexpr size_t kWaitingReadsMax = 65536;

// With leases a heartbeat carries the number of the newest read, as without, and that of its tick.
constexpr size_t kNumberSize = 8;

}  // namespace

bool Core::CommittedInOwnTerm() const { return log_.TermAt(log_.committed()) == term_; }

Result<void> Core::OnReadIndex(Message& message) {
  if (reads_.size() + postponed_reads_.size() >= kWaitingReadsMax) return {};
  ReadQueue::Request request{message.from, 0, std::move(message.entries.front().data)};
  // Until an entry of its own term is committed a leader does not know how far the group has
  // committed (thesis 6.4), not even as the only voter: its saved commit index may lag behind.
  if (!CommittedInOwnTerm()) {
    postponed_reads_.push_back(std::move(request));
    return {};
  }
  StartRead(std::move(request));
  return {};
}

void Core::StartRead(ReadQueue::Request request) {
  request.index = log_.committed();
  if (tracker_.IsOnlyVoter(id()) || (uses_lease() && HoldsLease())) {
    AnswerRead(std::move(request));
    return;
  }
  reads_.Add(std::move(request));
  BroadcastHeartbeat();
}

Payload Core::HeartbeatContext() const {
  const Payload& reads = reads_.heartbeat_context();
  if (!uses_lease()) return reads;
  return Payload::Concat(reads.empty() ? LittleEndian(0) : reads.view(),
                         LittleEndian(lead_ticks_ + 1));
}

void Core::OnHeartbeatContext(NodeId from, std::string_view context) {
  if (uses_lease() && context.size() == 2 * kNumberSize) {
    const uint64_t tick = FromLittleEndian(context.substr(kNumberSize));
    context = context.substr(0, kNumberSize);
    const auto known = std::find_if(lease_answers_.begin(), lease_answers_.end(),
                                    [from](const auto& answer) { return answer.first == from; });
    if (tick > lead_ticks_ + 1) return;  // Of no heartbeat that was sent.
    if (known == lease_answers_.end()) {
      lease_answers_.emplace_back(from, tick);
    } else {
      known->second = std::max(known->second, tick);
    }
  }
  reads_.Acknowledge(from, context);
  ReleaseConfirmedReads();
}

bool Core::HoldsLease() const {
  if (lease_given_up_) return false;
  const uint64_t now = lead_ticks_ + 1;
  const uint64_t since = tracker_.QuorumOf([&](NodeId node) -> uint64_t {
    if (node == id()) return now;
    for (const auto& [member, tick] : lease_answers_) {
      if (member == node) return tick;
    }
    return 0;
  });
  return since != 0 && now - std::min(since, now) + config_.lease_margin < config_.election_tick;
}

// A vote of this node could depose a leader that still counts on its answer to a heartbeat, whatever
// has happened to this node's own idea of the leader meanwhile.
bool Core::KeepsPromise(const Message& message) const {
  const bool vote = message.type == MessageType::kVote || message.type == MessageType::kPreVote;
  return vote && promised_ticks_ > 0 && message.term >= term_ &&
         message.context.view() != kCampaignTransfer;
}

void Core::AnswerRead(ReadQueue::Request request) {
  if (request.from == kNoNode || request.from == id()) {
    read_states_.push_back({request.index, std::move(request.context)});
    return;
  }
  Message answer = Make(MessageType::kReadIndexResp, request.from);
  answer.index = request.index;
  answer.entries = TakeBuffer();
  answer.entries.emplace_back().data = std::move(request.context);
  Send(std::move(answer));
}

void Core::ReleasePostponedReads() {
  if (postponed_reads_.empty()) return;
  if (!CommittedInOwnTerm()) {
    journal_.Error(
        "pending MsgReadIndex should be released only after first commit in current term");
    return;
  }
  for (ReadQueue::Request& request : std::exchange(postponed_reads_, {})) {
    StartRead(std::move(request));
  }
}

void Core::ReleaseConfirmedReads() {
  for (ReadQueue::Request& request : reads_.TakeConfirmed(tracker_, id())) {
    AnswerRead(std::move(request));
  }
}

void Core::OnReadIndexResponse(Message& message) {
  if (message.entries.size() != 1) {
    journal_.Error("{:x} invalid format of MsgReadIndexResp from {:x}, entries count: {}", id(),
                   message.from, message.entries.size());
    return;
  }
  read_states_.push_back({message.index, std::move(message.entries.front().data)});
}

}  // namespace raft

#include <utility>

#include "raft/src/core.h"

namespace raft {
namespace {

// Above it requests are dropped, as they are without a leader: the caller asks again.
constexpr size_t kWaitingReadsMax = 65536;

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
  if (config_.read_only_option == ReadOnlyOption::kLeaseBased || tracker_.IsOnlyVoter(id())) {
    AnswerRead(std::move(request));
    return;
  }
  reads_.Add(std::move(request));
  BroadcastHeartbeat();
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

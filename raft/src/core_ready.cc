#include <utility>

#include "raft/src/core.h"

namespace raft {

bool Core::HardStateChanged() const {
  const HardState state = hard_state();
  return !state.empty() && state != previous_hard_state_;
}

bool Core::HasReady() const {
  return soft_state() != previous_soft_state_ || HardStateChanged() || !messages_.empty() ||
         !messages_after_append_.empty() || !own_acks_.empty() ||
         log_.unstable().NextSnapshot() != nullptr || !log_.unstable().NextEntries().empty() ||
         log_.HasNextCommitted(visibility()) || !read_states_.empty();
}

Ready& Core::GetReady() {
  if (!config_.async_storage_writes) {
    if (awaiting_advance_) {
      journal_.Fatal("two accepted Ready structs without call to Advance");
    }
    awaiting_advance_ = true;
  }
  RecycleReady();
  FillReady();
  AcceptReady();
  return ready_;
}

void Core::RecycleReady() {
  for (Message& message : ready_.messages) GiveBack(std::move(message.entries));
  ready_.messages.clear();
  ready_.entries.clear();
  ready_.committed_entries.clear();
  ready_.read_states.clear();
  ready_.snapshot = nullptr;
  ready_.soft_state.reset();
  ready_.hard_state.reset();
  ready_.must_sync = false;
  ready_.immediate_count = 0;
}

void Core::FillReady() {
  if (soft_state() != previous_soft_state_) ready_.soft_state = soft_state();
  if (HardStateChanged()) ready_.hard_state = hard_state();
  ready_.read_states.swap(read_states_);
  const std::span<const Entry> entries = log_.unstable().NextEntries();
  ready_.entries.assign(entries.begin(), entries.end());
  ready_.snapshot = log_.unstable().NextSnapshot();
  log_.NextCommitted(visibility(), ready_.committed_entries);
  // A commit index lost in a crash is learned again from the leader; a vote or a term is not.
  ready_.must_sync = !ready_.entries.empty() || vote_ != previous_hard_state_.vote ||
                     term_ != previous_hard_state_.term;
  MoveMessages();
}

void Core::MoveMessages() {
  ready_.messages.swap(messages_);
  queued_appends_.clear();
  if (config_.async_storage_writes) {
    MakeStorageMessages();
    ready_.immediate_count = ready_.messages.size();
    return;
  }
  ready_.immediate_count = ready_.messages.size();
  on_advance_.own_acks.swap(own_acks_);
  for (Message& message : messages_after_append_) {
    auto& list = message.to == id() ? on_advance_.to_self : ready_.messages;
    list.push_back(std::move(message));
  }
  messages_after_append_.clear();
}

void Core::MakeStorageMessages() {
  if (!ready_.entries.empty() || ready_.hard_state || ready_.snapshot != nullptr ||
      !messages_after_append_.empty()) {
    Message append = Make(MessageType::kStorageAppend, kAppendThread);
    append.entries = ready_.entries;
    if (ready_.hard_state) {
      append.term = ready_.hard_state->term;
      append.vote = ready_.hard_state->vote;
      append.commit = ready_.hard_state->commit;
    }
    append.snapshot = ready_.snapshot;
    append.responses.swap(messages_after_append_);
    if (NeedsAppendResponse()) append.responses.push_back(MakeAppendResponse());
    ready_.messages.push_back(std::move(append));
  }
  if (!ready_.committed_entries.empty()) {
    Message apply = Make(MessageType::kStorageApply, kApplyThread);
    apply.entries = ready_.committed_entries;
    Message response = Make(MessageType::kStorageApplyResp, id());
    response.from = kApplyThread;
    response.entries = ready_.committed_entries;
    apply.responses.push_back(std::move(response));
    ready_.messages.push_back(std::move(apply));
  }
}

bool Core::NeedsAppendResponse() const {
  return log_.unstable().size() > 0 || ready_.snapshot != nullptr;
}

// Says that everything handed out so far is durable. It names the last entry of the log, not of
// this batch: writes go in order, so that the newest acknowledgement covers all before it, and its
// term tells whether the log was changed meanwhile.
Message Core::MakeAppendResponse() const {
  Message response = Make(MessageType::kStorageAppendResp, id());
  response.from = kAppendThread;
  response.term = term_;
  if (log_.unstable().size() > 0) {
    const EntryId last = log_.LastId();
    response.index = last.index;
    response.log_term = last.term;
  }
  response.snapshot = ready_.snapshot;
  return response;
}

void Core::AcceptReady() {
  if (ready_.soft_state) previous_soft_state_ = *ready_.soft_state;
  if (ready_.hard_state) previous_hard_state_ = *ready_.hard_state;
  const std::vector<Entry>& committed = ready_.committed_entries;
  const uint64_t bytes = EncodedSize(std::span<const Entry>(committed));
  if (!config_.async_storage_writes) {
    on_advance_.append_response = NeedsAppendResponse();
    if (on_advance_.append_response) on_advance_.append = MakeAppendResponse();
    on_advance_.applied = committed.empty() ? 0 : committed.back().index;
    on_advance_.applied_bytes = bytes;
    on_advance_.applied_payload_bytes = PayloadSize(committed);
  }
  log_.unstable().AcceptInProgress();
  if (!committed.empty()) log_.AcceptApplying(committed.back().index, bytes, visibility());
}

void Core::Advance() {
  if (config_.async_storage_writes) {
    journal_.Fatal("Advance must not be called when using AsyncStorageWrites");
  }
  if (!awaiting_advance_) return;
  awaiting_advance_ = false;
  RecycleReady();
  // What a step below adds to these lists belongs to the next Ready.
  for (const EntryId& ack : on_advance_.own_acks) {
    Message own = Make(MessageType::kAppResp, id());
    own.term = ack.term;
    own.index = ack.index;
    (void)Step(own);
  }
  on_advance_.own_acks.clear();
  for (Message& message : on_advance_.to_self) (void)Step(message);
  on_advance_.to_self.clear();
  if (on_advance_.append_response) {
    (void)Step(on_advance_.append);
    on_advance_.append = Message();
    on_advance_.append_response = false;
  }
  if (on_advance_.applied == 0) return;
  AppliedTo(on_advance_.applied, on_advance_.applied_bytes);
  uncommitted_bytes_ -= std::min(uncommitted_bytes_, on_advance_.applied_payload_bytes);
  on_advance_.applied = 0;
}

}  // namespace raft

#include <algorithm>
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
  for (Message& message : ready_.messages) {
    GiveBack(std::move(message.entries));
    GiveBack(std::move(message.responses));
  }
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
  ready_.number = ++ready_number_;
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
  // What they promise may be in an earlier write.
  if (!writes_.empty() && ready_.messages.size() > ready_.immediate_count) ready_.must_sync = true;
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
  write_.own_acks.swap(own_acks_);
  for (Message& message : messages_after_append_) {
    auto& list = message.to == id() ? write_.to_self : ready_.messages;
    list.push_back(std::move(message));
  }
  messages_after_append_.clear();
}

std::vector<Entry> Core::CopyOf(const std::vector<Entry>& entries) {
  std::vector<Entry> copy = TakeBuffer();
  copy.assign(entries.begin(), entries.end());
  return copy;
}

void Core::MakeStorageMessages() {
  if (!ready_.entries.empty() || ready_.hard_state || ready_.snapshot != nullptr ||
      !messages_after_append_.empty()) {
    Message append = Make(MessageType::kStorageAppend, kAppendThread);
    append.entries = CopyOf(ready_.entries);
    if (ready_.hard_state) {
      append.term = ready_.hard_state->term;
      append.vote = ready_.hard_state->vote;
      append.commit = ready_.hard_state->commit;
    }
    append.snapshot = ready_.snapshot;
    append.responses = std::exchange(messages_after_append_, TakeMessages());
    if (NeedsAppendResponse()) append.responses.push_back(MakeAppendResponse());
    ready_.messages.push_back(std::move(append));
  }
  if (!ready_.committed_entries.empty()) {
    Message apply = Make(MessageType::kStorageApply, kApplyThread);
    apply.entries = CopyOf(ready_.committed_entries);
    Message response = Make(MessageType::kStorageApplyResp, id());
    response.from = kApplyThread;
    response.entries = CopyOf(ready_.committed_entries);
    apply.responses = TakeMessages();
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
  if (!config_.async_storage_writes) {
    write_.ready = ready_.number;
    write_.append_response = NeedsAppendResponse();
    if (write_.append_response) write_.append = MakeAppendResponse();
  }
  log_.unstable().AcceptInProgress();
  AcceptCommitted(ready_.committed_entries);
}

void Core::AcceptCommitted(const std::vector<Entry>& committed) {
  if (committed.empty()) return;
  const uint64_t bytes = EncodedSize(std::span<const Entry>(committed));
  const LogIndex last = committed.back().index;
  log_.AcceptApplying(last, bytes, visibility());
  if (!config_.async_storage_writes) applying_.push_back({last, bytes, PayloadSize(committed)});
}

void Core::Advance() {
  if (config_.async_storage_writes) {
    journal_.Fatal("Advance must not be called when using AsyncStorageWrites");
  }
  if (!awaiting_advance_ && !config_.light_ready) return;
  awaiting_advance_ = false;
  RecycleReady();
  for (Write& write : writes_) OnDurable(write);
  writes_.clear();
  OnDurable(write_);
  AppliedBatches(applying_.size());
}

// What a step below adds to the node's lists belongs to the next Ready.
void Core::OnDurable(Write& write) {
  for (const OwnAcks& acks : write.own_acks) {
    for (LogIndex index = acks.first; index <= acks.last; ++index) {
      Message own = Make(MessageType::kAppResp, id());
      own.term = acks.term;
      own.index = index;
      (void)Step(own);
    }
  }
  write.own_acks.clear();
  for (Message& message : write.to_self) (void)Step(message);
  write.to_self.clear();
  if (!write.append_response) return;
  (void)Step(write.append);
  write.append = Message();
  write.append_response = false;
}

void Core::AppliedBatches(size_t count) {
  const auto end = applying_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto batch = applying_.begin(); batch != end; ++batch) {
    AppliedTo(batch->last, batch->bytes);
    uncommitted_bytes_ -= std::min(uncommitted_bytes_, batch->payload_bytes);
  }
  applying_.erase(applying_.begin(), end);
}

void Core::RequireLightReady(const char* call) const {
  if (!config_.light_ready) journal_.Fatal("{} must not be called without light_ready", call);
}

LightReady& Core::AdvanceAppend() {
  RequireLightReady("AdvanceAppend");
  AdvanceAppendAsync();
  for (Write& write : writes_) OnDurable(write);
  writes_.clear();
  FillLightReady();
  return light_ready_;
}

void Core::AdvanceAppendAsync() {
  RequireLightReady("AdvanceAppendAsync");
  if (!awaiting_advance_) return;
  awaiting_advance_ = false;
  RecycleReady();
  writes_.push_back(std::exchange(write_, {}));
}

void Core::OnPersistReady(uint64_t number) {
  RequireLightReady("OnPersistReady");
  if (number > ready_number_ || (awaiting_advance_ && number == ready_number_)) {
    journal_.Fatal("Ready {} is not written, the last one is {}", number, ready_number_);
  }
  while (!writes_.empty() && writes_.front().ready <= number) {
    Write write = std::move(writes_.front());
    writes_.pop_front();
    OnDurable(write);
  }
}

void Core::FillLightReady() {
  for (Message& message : light_ready_.messages) GiveBack(std::move(message.entries));
  light_ready_.messages.clear();
  light_ready_.committed_entries.clear();
  light_ready_.commit_index.reset();
  // A new term or vote must be written as well: then all comes with the next Ready.
  const HardState now = hard_state();
  if (now.term != previous_hard_state_.term || now.vote != previous_hard_state_.vote) return;
  if (log_.unstable().NextSnapshot() != nullptr) return;
  // Entries that came in since the Ready are not written; the commit index must not be ahead of them.
  const LogIndex commit = std::min(now.commit, log_.unstable().offset_in_progress() - 1);
  if (commit > previous_hard_state_.commit) {
    light_ready_.commit_index = commit;
    previous_hard_state_.commit = commit;
  }
  log_.NextCommitted(visibility(), light_ready_.committed_entries);
  AcceptCommitted(light_ready_.committed_entries);
  if (!leads()) return;
  light_ready_.messages.swap(messages_);
  queued_appends_.clear();
}

void Core::AdvanceApply() {
  RequireLightReady("AdvanceApply");
  AppliedBatches(applying_.size());
}

void Core::AdvanceApplyTo(LogIndex index) {
  RequireLightReady("AdvanceApplyTo");
  // A snapshot counts as applied once it is durable.
  if (log_.HasSnapshot()) index = std::min(index, log_.applying());
  if (index > log_.applying()) {
    journal_.Fatal("applied({}) was not handed out [applying({})]", index, log_.applying());
  }
  const auto after = std::find_if(applying_.begin(), applying_.end(),
                                  [index](const Batch& batch) { return batch.last > index; });
  AppliedBatches(static_cast<size_t>(after - applying_.begin()));
  AppliedTo(index, 0);  // Into a batch: its bytes go back to the quota with its end.
}

}  // namespace raft

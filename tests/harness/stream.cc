#include "tests/harness/stream.h"

#include <utility>

namespace harness {

Stream::Stream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
               Callbacks callbacks)
    : stub_(channel), callbacks_(std::move(callbacks)) {
  stub_.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
  // Held until the stream ends: writes start outside of reactions.
  AddHold();
  StartRead(&incoming_);
  StartCall();
}

Stream::~Stream() { End(); }

bool Stream::Write(grpc::ByteBuffer message) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  queue_.push_back(std::move(message));
  if (!writing_) WriteNext();
  return true;
}

void Stream::WriteNext() {
  if (queue_.empty()) return;
  writing_ = true;
  outgoing_ = std::move(queue_.front());
  queue_.pop_front();
  StartWrite(&outgoing_);
}

size_t Stream::backlog() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + (writing_ ? 1 : 0);
}

void Stream::End() {
  context_.TryCancel();  // Does nothing to a call that is over.
  std::unique_lock lock(mutex_);
  done_changed_.wait(lock, [this] { return done_; });
}

void Stream::OnReadDone(bool ok) {
  if (ok) {
    callbacks_.on_message(std::move(incoming_));
    incoming_.Clear();
    StartRead(&incoming_);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    queue_.clear();
  }
  context_.TryCancel();
  RemoveHold();
}

void Stream::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok && !ended_) WriteNext();
}

void Stream::OnDone(const grpc::Status& status) {
  callbacks_.on_end(status);
  // Told under the lock: who waits may destroy us as soon as it is free.
  const std::lock_guard lock(mutex_);
  done_ = true;
  done_changed_.notify_all();
}

}  // namespace harness

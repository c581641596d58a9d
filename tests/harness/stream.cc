#include "tests/harness/stream.h"

#include <utility>

namespace harness {

// Lives from Open to OnDone and keeps the Stream alive for as long.
class Stream::Reactor : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Reactor(std::shared_ptr<Stream> owner, const std::shared_ptr<grpc::Channel>& channel,
          const std::string& method, Callbacks callbacks)
      : owner_(std::move(owner)), stub_(channel), callbacks_(std::move(callbacks)) {
    stub_.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
  }

  void Start() {
    // Held until the stream ends: writes start outside of reactions.
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }

  void Write(grpc::ByteBuffer message) {
    outgoing_ = std::move(message);
    StartWrite(&outgoing_);
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      End();
      return;
    }
    callbacks_.on_message(std::move(incoming_));
    incoming_.Clear();
    StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(owner_->mutex_);
    owner_->writing_ = false;
    if (ok && !owner_->ended_) owner_->Next();
  }

  void OnDone(const grpc::Status& status) override {
    {
      const std::lock_guard lock(owner_->mutex_);
      owner_->ended_ = true;
      owner_->reactor_ = nullptr;
    }
    callbacks_.on_end(status);
    delete this;
  }

 private:
  void End() {
    {
      const std::lock_guard lock(owner_->mutex_);
      owner_->ended_ = true;
      owner_->queue_.clear();
    }
    context_.TryCancel();
    RemoveHold();
  }

  std::shared_ptr<Stream> owner_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  Callbacks callbacks_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
};

std::shared_ptr<Stream> Stream::Open(const std::shared_ptr<grpc::Channel>& channel,
                                     const std::string& method, Callbacks callbacks) {
  std::shared_ptr<Stream> stream(new Stream());
  auto* reactor = new Reactor(stream, channel, method, std::move(callbacks));
  stream->reactor_ = reactor;
  reactor->Start();
  return stream;
}

Stream::~Stream() = default;

bool Stream::Write(grpc::ByteBuffer message) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  queue_.push_back(std::move(message));
  if (!writing_) Next();
  return true;
}

void Stream::Next() {
  if (queue_.empty() || reactor_ == nullptr) return;
  writing_ = true;
  grpc::ByteBuffer message = std::move(queue_.front());
  queue_.pop_front();
  reactor_->Write(std::move(message));
}

size_t Stream::backlog() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + (writing_ ? 1 : 0);
}

void Stream::Cancel() {
  const std::lock_guard lock(mutex_);
  if (reactor_ != nullptr) reactor_->Cancel();
}

}  // namespace harness

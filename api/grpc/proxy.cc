#include "api/grpc/proxy.h"

#include <optional>
#include <string_view>
#include <utility>

namespace api {
namespace {

/// Keys that the transport writes itself.
bool IsTransportKey(std::string_view key) {
  return key.empty() || key[0] == ':' || key.substr(0, 5) == "grpc-" || key == "user-agent" ||
         key == "content-type" || key == "te";
}

/// The answers' way back. Holds the call weakly: that one may end first.
class ProxyAnswers final : public ClientStream::Listener {
 public:
  ProxyAnswers(std::weak_ptr<Call> call, bool unary) : call_(std::move(call)), unary_(unary) {}

  void Bind(const std::shared_ptr<ClientStream>& stream) { stream_ = stream; }

  /// Sends a request, or keeps it until the stream has started.
  void Send(const grpc::ByteBuffer& bytes) {
    pd::MutexLock lock(mutex_);
    if (!started_) {
      first_ = bytes;
    } else if (const auto stream = stream_.lock()) {
      stream->Write(bytes);
    }
  }

  void HalfClose() {
    pd::MutexLock lock(mutex_);
    half_close_ = !started_;
    const auto stream = stream_.lock();
    if (started_ && stream) stream->HalfClose();
  }

  /// An answer has left towards the client: take the next one.
  void Resume() {
    {
      pd::MutexLock lock(mutex_);
      if (!read_paused_) return;
      read_paused_ = false;
    }
    if (const auto stream = stream_.lock()) stream->ReadNext();
  }

  void OnStarted() override {
    const auto stream = stream_.lock();
    if (!stream) return;
    {
      pd::MutexLock lock(mutex_);
      started_ = true;
      if (first_) stream->Write(*first_);
      if (half_close_) stream->HalfClose();
    }
    stream->ReadNext();
  }

  void OnWritten(bool ok) override {
    const auto stream = stream_.lock();
    const auto call = call_.lock();
    if (!ok || !stream || !call) return;
    unary_ ? stream->HalfClose() : call->ReadNext();
  }

  void OnMessage(const grpc::ByteBuffer& bytes) override {
    const auto stream = stream_.lock();
    if (!stream) return;
    if (unary_) {
      answer_ = bytes;  // Goes out together with the status.
      return stream->ReadNext();
    }
    const auto call = call_.lock();
    if (!call || call->Write(bytes) != SinkResult::kQueued) {
      stream->Cancel();
      return stream->ReadNext();
    }
    {
      pd::MutexLock lock(mutex_);
      read_paused_ = true;
    }
    // OnWritten resumes a paused proxy; it may have come before the pause.
    if (!call->congested()) Resume();
  }

  void OnDone(const RpcStatus& status) override {
    const auto call = call_.lock();
    if (!call) return;
    if (unary_ && status.ok()) {
      call->FinishWith(answer_);
    } else {
      call->Finish(status);
    }
  }

 private:
  const std::weak_ptr<Call> call_;
  const bool unary_;
  std::weak_ptr<ClientStream> stream_;  // Set before the stream starts.
  grpc::ByteBuffer answer_;

  pd::Mutex mutex_;
  bool started_ PD_GUARDED_BY(mutex_) = false;
  bool half_close_ PD_GUARDED_BY(mutex_) = false;  // To be sent once started.
  bool read_paused_ PD_GUARDED_BY(mutex_) = false;
  std::optional<grpc::ByteBuffer> first_ PD_GUARDED_BY(mutex_);
};

class ProxySession final : public BytesSession {
 public:
  ProxySession(std::shared_ptr<ClientStream> stream, std::shared_ptr<ProxyAnswers> answers)
      : stream_(std::move(stream)), answers_(std::move(answers)) {}

  void OnBytes(const grpc::ByteBuffer& bytes) override { answers_->Send(bytes); }
  void OnHalfClose() override { answers_->HalfClose(); }
  void OnWritten() override { answers_->Resume(); }
  void OnClose() override {
    stream_->Cancel();
    answers_->Resume();  // A read must be under way for the end to be noticed.
  }
  [[nodiscard]] bool reads_on() const override { return false; }  // ProxyAnswers::OnWritten does.

 private:
  const std::shared_ptr<ClientStream> stream_;
  const std::shared_ptr<ProxyAnswers> answers_;
};

}  // namespace

std::shared_ptr<grpc::Channel> ChannelCache::To(const std::string& url) {
  pd::MutexLock lock(mutex_);
  if (channels_.size() >= kMax) channels_.clear();
  std::shared_ptr<grpc::Channel>& channel = channels_[url];
  if (!channel) channel = OpenChannel(url, ChannelTiming(), tls_);
  return channel;
}

std::shared_ptr<BytesSession> StartProxy(std::shared_ptr<Call> call, ChannelCache& channels,
                                         const std::string& url, bool unary) {
  const auto answers = std::make_shared<ProxyAnswers>(call, unary);
  const auto stream = std::make_shared<ClientStream>(channels.loop(), channels.To(url), answers);
  answers->Bind(stream);
  for (const auto& [key, value] : call->context().metadata()) {
    if (IsTransportKey(key)) continue;
    stream->context().AddMetadata(key, key == kForwardedHostKey ? std::string() : value);
  }
  stream->context().AddMetadata(std::string(kSentOnKey), "1");
  stream->context().set_deadline(call->deadline());
  stream->Start(call->context().method());
  return std::make_shared<ProxySession>(stream, answers);
}

}  // namespace api

#include "api/grpc/proxy.h"

#include <string_view>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/channel_arguments.h>

namespace api {
namespace {

/// Keys that the transport writes itself.
bool IsTransportKey(std::string_view key) {
  return key.empty() || key[0] == ':' || key.substr(0, 5) == "grpc-" || key == "user-agent" ||
         key == "content-type" || key == "te";
}

/// The client half. gRPC calls the reactor from its own threads; it stays alive until OnDone. A hold keeps OnDone away
/// until the answers have ended, because requests start from outside the reactor's own callbacks.
class ProxyReactor final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                           public std::enable_shared_from_this<ProxyReactor> {
 public:
  ProxyReactor(std::weak_ptr<Call> call, std::shared_ptr<grpc::Channel> channel, bool unary)
      : call_(std::move(call)), stub_(std::move(channel)), unary_(unary) {}

  void Begin(const Call& call) {
    for (const auto& [key, value] : call.context().metadata()) {
      if (IsTransportKey(key)) continue;
      context_.AddMetadata(key, key == kForwardedHostKey ? std::string() : value);
    }
    context_.set_deadline(call.deadline());
    self_ = shared_from_this();
    stub_.PrepareBidiStreamingCall(&context_, call.context().method(), grpc::StubOptions(), this);
    AddHold();
    StartRead(&answer_);
    StartCall();
  }

  void Send(const grpc::ByteBuffer& bytes) {
    pd::MutexLock lock(mutex_);
    if (ended_) return;
    request_ = bytes;
    if (unary_) {
      StartWriteLast(&request_, grpc::WriteOptions());
    } else {
      StartWrite(&request_);
    }
  }

  void HalfClose() {
    pd::MutexLock lock(mutex_);
    if (!ended_ && !unary_) StartWritesDone();
  }

  void Cancel() {
    context_.TryCancel();
    Resume();
  }

  /// An answer has left towards the client: take the next one.
  void Resume() {
    pd::MutexLock lock(mutex_);
    if (!read_paused_ || ended_) return;
    read_paused_ = false;
    StartRead(&answer_);
  }

  void OnWriteDone(bool ok) override {
    const auto call = call_.lock();
    if (ok && call && !unary_) call->ReadNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        pd::MutexLock lock(mutex_);
        ended_ = true;
      }
      RemoveHold();
      return;
    }
    if (unary_) {
      StartRead(&next_answer_);  // Only ends: a unary call has one answer, kept for OnDone.
      return;
    }
    const auto call = call_.lock();
    const bool taken = call && call->Write(answer_) == SinkResult::kQueued;
    if (!taken) context_.TryCancel();
    if (taken && call->congested()) {
      pd::MutexLock lock(mutex_);
      read_paused_ = true;
    } else {
      StartRead(&answer_);
      return;
    }
    if (!call->congested())
      Resume();  // It shrank meanwhile, and its last OnWritten came too early.
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<ProxyReactor> self = std::move(self_);
    const auto call = call_.lock();
    if (!call) return;
    if (unary_ && status.ok()) {
      call->FinishWith(answer_);
    } else {
      call->Finish({static_cast<StatusCode>(status.error_code()), status.error_message()});
    }
  }

 private:
  const std::weak_ptr<Call> call_;
  grpc::GenericStub stub_;
  const bool unary_;
  grpc::ClientContext context_;
  std::shared_ptr<ProxyReactor> self_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer answer_;
  grpc::ByteBuffer next_answer_;

  pd::Mutex mutex_;
  bool read_paused_ PD_GUARDED_BY(mutex_) = false;
  bool ended_ PD_GUARDED_BY(mutex_) = false;  // No answer will come any more.
};

class ProxySession final : public BytesSession {
 public:
  explicit ProxySession(std::shared_ptr<ProxyReactor> reactor) : reactor_(std::move(reactor)) {}

  void OnBytes(const grpc::ByteBuffer& bytes) override { reactor_->Send(bytes); }
  void OnHalfClose() override { reactor_->HalfClose(); }
  void OnWritten() override { reactor_->Resume(); }
  void OnClose() override { reactor_->Cancel(); }
  [[nodiscard]] bool reads_on() const override { return false; }  // OnWriteDone does.

 private:
  const std::shared_ptr<ProxyReactor> reactor_;
};

}  // namespace

std::shared_ptr<grpc::Channel> ChannelCache::To(const std::string& url) {
  pd::MutexLock lock(mutex_);
  if (channels_.size() >= kMax) channels_.clear();
  std::shared_ptr<grpc::Channel>& channel = channels_[url];
  if (channel) return channel;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   3000);  // In truth the time a connect may take.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  const size_t scheme = url.find("://");
  channel = grpc::CreateCustomChannel(scheme == std::string::npos ? url : url.substr(scheme + 3),
                                      grpc::InsecureChannelCredentials(), arguments);
  return channel;
}

std::shared_ptr<BytesSession> StartProxy(std::shared_ptr<Call> call,
                                         std::shared_ptr<grpc::Channel> channel, bool unary) {
  auto reactor = std::make_shared<ProxyReactor>(call, std::move(channel), unary);
  reactor->Begin(*call);
  return std::make_shared<ProxySession>(std::move(reactor));
}

}  // namespace api

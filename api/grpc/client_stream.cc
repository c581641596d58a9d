#include "api/grpc/client_stream.h"

#include <utility>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

namespace api {

ClientLoop::ClientLoop() : thread_([this] { Run(); }) {}

ClientLoop::~ClientLoop() {
  {
    pd::MutexLock lock(mutex_);
    while (outstanding_ != 0) idle_.Wait(mutex_);
  }
  queue_.Shutdown();
  thread_.join();
}

ClientLoop::Event* ClientLoop::NewEvent(std::function<void(bool ok)> handle) {
  pd::MutexLock lock(mutex_);
  ++outstanding_;
  return new Event{std::move(handle)};  // Back in Run(): the queue returns every tag once.
}

void ClientLoop::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    std::unique_ptr<Event> event(static_cast<Event*>(tag));
    event->handle(ok);
    event.reset();  // May let go of a stream, before anyone is told that nothing is left.
    pd::MutexLock lock(mutex_);
    if (--outstanding_ == 0) idle_.NotifyAll();
  }
}

void ClientLoop::Timer::Start(ClientLoop& loop, std::chrono::milliseconds after,
                              std::function<void()> done) {
  alarm_.Set(&loop.queue_, std::chrono::system_clock::now() + after,
             loop.NewEvent([done = std::move(done)](bool) { done(); }));
}

namespace {

std::shared_ptr<grpc::ChannelCredentials> CredentialsFor(const std::string& url,
                                                         const GrpcCredentials* tls) {
  if (!url.starts_with("https://")) return grpc::InsecureChannelCredentials();
  return tls != nullptr ? tls->channel() : grpc::SslCredentials({});
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& url, const ChannelTiming& timing,
                                           const GrpcCredentials* tls) {
  const auto ms = [](std::chrono::milliseconds time) { return static_cast<int>(time.count()); };
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, ms(timing.backoff_min));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ms(timing.backoff_max));
  // Despite its name: how long a connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ms(timing.connect_timeout));
  if (timing.ping.count() > 0) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ms(timing.ping));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ms(timing.ping));
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  const size_t scheme = url.find("://");
  return grpc::CreateCustomChannel(scheme == std::string::npos ? url : url.substr(scheme + 3),
                                   CredentialsFor(url, tls), arguments);
}

ClientStream::ClientStream(ClientLoop& loop, const std::shared_ptr<grpc::Channel>& channel,
                           std::shared_ptr<Listener> listener)
    : loop_(loop), stub_(channel), listener_(std::move(listener)) {}

template <class Handle>
void* ClientStream::Tag(Handle handle) {
  return loop_.NewEvent([self = shared_from_this(), handle](bool ok) { handle(*self, ok); });
}

void ClientStream::Start(const std::string& method) {
  call_ = stub_.PrepareCall(&context_, method, &loop_.queue_);
  call_->StartCall(
      Tag([](ClientStream& self, bool ok) { ok ? self.listener_->OnStarted() : self.End(); }));
}

void ClientStream::Write(const grpc::ByteBuffer& bytes) {
  pd::MutexLock lock(mutex_);
  if (ended_) return;
  call_->Write(bytes, Tag([](ClientStream& self, bool ok) { self.listener_->OnWritten(ok); }));
}

void ClientStream::HalfClose() {
  pd::MutexLock lock(mutex_);
  if (ended_) return;
  call_->WritesDone(Tag([](ClientStream&, bool) {}));
}

void ClientStream::ReadNext() {
  pd::MutexLock lock(mutex_);
  if (ended_) return;
  call_->Read(&incoming_, Tag([](ClientStream& self, bool ok) { self.OnRead(ok); }));
}

void ClientStream::OnRead(bool ok) {
  if (!ok) return End();
  const grpc::ByteBuffer bytes = incoming_;  // The listener may start the next read.
  listener_->OnMessage(bytes);
}

void ClientStream::End() {
  pd::MutexLock lock(mutex_);
  ended_ = true;
  call_->Finish(&status_, Tag([](ClientStream& self, bool) {
    self.listener_->OnDone(
        {static_cast<StatusCode>(self.status_.error_code()), self.status_.error_message()});
  }));
}

}  // namespace api

#include "api/grpc/call.h"

#include <exception>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include "api/grpc/bytes.h"
#include "api/grpc/proxy.h"

namespace api {
namespace {

grpc::Status ToGrpc(const RpcStatus& status) {
  return {static_cast<grpc::StatusCode>(status.code), status.message};
}

/// gRPC's deadline on our clock; nothing for an infinite one.
std::optional<CallContext::TimePoint> ToSteady(gpr_timespec deadline) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return std::nullopt;
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return std::chrono::steady_clock::now() + std::chrono::seconds(left.tv_sec) +
         std::chrono::nanoseconds(left.tv_nsec);
}

/// The sink that handlers hold: it outlives its call without keeping it.
class CallSink final : public RawSink {
 public:
  explicit CallSink(std::weak_ptr<Call> call) : call_(std::move(call)) {}

  SinkResult Write(const google::protobuf::MessageLite& message) override {
    const auto call = call_.lock();
    return call ? call->Write(Encode(message)) : SinkResult::kClosed;
  }
  void Finish(RpcStatus status) override {
    if (const auto call = call_.lock()) call->Finish(std::move(status));
  }
  void Abort(RpcStatus status) override {
    if (const auto call = call_.lock()) call->Abort(std::move(status));
  }
  [[nodiscard]] bool closed() const override {
    const auto call = call_.lock();
    return !call || call->closed();
  }

 private:
  const std::weak_ptr<Call> call_;
};

RpcStatus Undecodable() {
  return {StatusCode::kInternal, "grpc: error unmarshalling request: malformed message"};
}

class UnarySession final : public BytesSession {
 public:
  UnarySession(Call& call, const UnaryMethod& method) : call_(call), method_(method) {}

  void OnBytes(const grpc::ByteBuffer& bytes) override {
    const auto request = method_.NewRequest();
    if (!Decode(bytes, *request)) return call_.Finish(Undecodable());
    grpc::ByteBuffer response;
    RpcStatus status = method_.Handle(
        call_.context(), *request,
        [&response](const google::protobuf::MessageLite& message) { response = Encode(message); });
    status.ok() ? call_.FinishWith(response) : call_.Finish(std::move(status));
  }
  void OnHalfClose() override {
    call_.Finish({StatusCode::kInternal, "no request on a unary call"});
  }
  void OnClose() override {}
  [[nodiscard]] bool reads_on() const override { return false; }

 private:
  Call& call_;
  const UnaryMethod& method_;
};

class MessageSession final : public BytesSession {
 public:
  MessageSession(Call& call, std::unique_ptr<RawSession> session)
      : call_(call), session_(std::move(session)) {}

  void OnBytes(const grpc::ByteBuffer& bytes) override {
    if (!Decode(bytes, session_->request())) return call_.Finish(Undecodable());
    session_->OnMessage();
  }
  void OnHalfClose() override { session_->OnHalfClose(); }
  void OnClose() override { session_->OnClose(); }
  [[nodiscard]] bool reads_on() const override { return true; }

 private:
  Call& call_;
  const std::unique_ptr<RawSession> session_;
};

}  // namespace

Call::Call(CallHost& host) : host_(host) {}

void Call::Await(CallHost& host) {
  const auto call = std::make_shared<Call>(host);
  host.live.fetch_add(1);
  call->server_context_.AsyncNotifyWhenDone(call->Start(call->done_event_));
  host.service.RequestCall(&call->server_context_, &call->stream_, &host.queue, &host.queue,
                           call->Start(call->new_));
}

void* Call::Start(Event& event) {
  event.alive = shared_from_this();
  return &event;
}

void Call::OnEvent(void* tag, bool ok) {
  auto& event = *static_cast<Event*>(tag);
  const std::shared_ptr<Call> alive = std::move(event.alive);
  (event.call->*event.handler)(ok);
}

void Call::OnNew(bool ok) {
  if (!ok) {  // The server shuts down; the done event of a call that never was does not come.
    done_event_.alive.reset();
    host_.live.fetch_sub(1);
    return;
  }
  Await(host_);
  started_ = std::chrono::steady_clock::now();
  ReadContext();
  method_ = host_.methods.Find(context_->method());
  if (method_ == nullptr) return Finish(host_.methods.Unimplemented(context_->method()));
  if (host_.metrics != nullptr) host_.metrics->OnStarted(*method_);
  if (host_.leaders != nullptr && context_->Find("hasleader") == "true" &&
      host_.leaders->Leader().leader_client_urls.empty()) {
    return Finish({StatusCode::kUnavailable, "etcdserver: no leader"});  // For every service.
  }
  if (host_.limiter != nullptr && method_->options.rate_limited == RateLimited::kYes) {
    limited_ = host_.limiter->Enter(method_->name);
    if (!limited_) {
      return Finish(
          {StatusCode::kResourceExhausted, "[PD:server:ErrRateLimitExceeded]rate limit exceeded"});
    }
  }
  ReadNext();
}

void Call::ReadContext() {
  CallContext::Fields fields;
  fields.method = server_context_.method();
  fields.peer = server_context_.peer();
  fields.deadline = ToSteady(server_context_.raw_deadline());
  for (const auto& [key, value] : server_context_.client_metadata()) {
    fields.metadata.emplace_back(std::string(key.data(), key.size()),
                                 std::string(value.data(), value.size()));
  }
  context_.emplace(std::move(fields));
}

void Call::ReadNext() {
  pd::MutexLock lock(mutex_);
  if (done_ || finishing_ || reading_ || half_closed_) return;
  paused_ = queue_.size() >= host_.limits.pause_reading_at;
  if (paused_) return;
  reading_ = true;
  stream_.Read(&incoming_, Start(read_));
}

void Call::OnRead(bool ok) {
  bool opened = false;
  {
    pd::MutexLock lock(mutex_);
    reading_ = false;
    half_closed_ = !ok;
    if (done_ || finishing_) return;
    ++dispatches_;
    opened = session_ != nullptr;
  }
  if (ok && host_.metrics != nullptr) host_.metrics->OnReceived(*method_);
  if (!opened && !Forward()) return EndDispatch();
  Run(ok);
}

bool Call::Forward() {
  const Forwarding kind = method_->options.forwarding;
  if (host_.leaders == nullptr || kind == Forwarding::kNone || kind == Forwarding::kByHandler) {
    return true;
  }
  if (kind == Forwarding::kToLeader) {
    if (const auto target = LeaderTarget(*context_, host_.leaders->Leader())) SendTo(*target);
    return true;
  }
  if (context_->Find(kForwardedHostKey).value_or("").empty()) return true;
  const LeaderView view = host_.leaders->Leader();
  if (auto refusal = CheckForwardedHost(*context_, view)) {
    if (kind == Forwarding::kBeforeWrapped) {
      refusal->message = fmt::format("rpc error: code = {} desc = {}",
                                     StatusCodeName(refusal->code), refusal->message);
    }
    Finish(std::move(*refusal));
    return false;
  }
  if (const auto target = ForwardTarget(*context_, view)) SendTo(*target);
  return true;
}

void Call::SendTo(const std::string& url) {
  const bool unary = std::holds_alternative<std::unique_ptr<UnaryMethod>>(method_->body);
  auto proxy = StartProxy(shared_from_this(), host_.channels, url, unary);
  forwarded_ = true;
  pd::MutexLock lock(mutex_);
  session_ = std::move(proxy);
}

void Call::Run(bool has_message) {
  if (forwarded_ || method_->options.run_on == RunOn::kIo) return CallSession(has_message);
  const bool taken = host_.pool.Submit(
      [self = shared_from_this(), has_message] { self->CallSession(has_message); });
  if (taken) return;
  Finish({StatusCode::kResourceExhausted, "too many requests waiting"});
  EndDispatch();
}

void Call::CallSession(bool has_message) {
  std::shared_ptr<BytesSession> session;
  {
    pd::MutexLock lock(mutex_);
    session = session_;
  }
  try {
    if (!session) {
      session = OpenSession();
      pd::MutexLock lock(mutex_);
      session_ = session;
    }
    has_message ? session->OnBytes(incoming_) : session->OnHalfClose();
  } catch (const std::exception& error) {
    Finish({StatusCode::kInternal, error.what()});
  }
  EndDispatch();
}

std::shared_ptr<BytesSession> Call::OpenSession() {
  if (const auto* unary = std::get_if<std::unique_ptr<UnaryMethod>>(&method_->body)) {
    return std::make_shared<UnarySession>(*this, **unary);
  }
  const auto& stream = *std::get<std::unique_ptr<StreamMethod>>(method_->body);
  auto sink = std::make_shared<CallSink>(weak_from_this());
  return std::make_shared<MessageSession>(*this, stream.Open(*context_, std::move(sink)));
}

void Call::EndDispatch() {
  bool close = false;
  bool read_on = false;
  {
    pd::MutexLock lock(mutex_);
    --dispatches_;
    close = done_ && dispatches_ == 0;
    read_on = session_ && session_->reads_on();
  }
  if (close) {
    CloseSession();
  } else if (read_on) {
    ReadNext();
  }
}

SinkResult Call::Write(grpc::ByteBuffer bytes) {
  pd::MutexLock lock(mutex_);
  if (done_ || finishing_) return SinkResult::kClosed;
  if (!writing_) {
    StartWrite(bytes);
    return SinkResult::kQueued;
  }
  if (queue_.size() >= host_.limits.queue_max || queue_bytes_ >= host_.limits.queue_bytes_max) {
    return SinkResult::kFull;
  }
  queue_bytes_ += bytes.Length();
  queue_.push_back(std::move(bytes));
  return SinkResult::kQueued;
}

void Call::StartWrite(const grpc::ByteBuffer& bytes) {
  writing_ = true;
  if (host_.metrics != nullptr) host_.metrics->OnSent(*method_);
  grpc::WriteOptions options;
  if (!queue_.empty())
    options.set_buffer_hint();  // More follows at once: let the transport gather it.
  stream_.Write(bytes, options, Start(write_));
}

void Call::OnWritten(bool ok) {
  bool resume = false;
  std::shared_ptr<BytesSession> session;
  {
    pd::MutexLock lock(mutex_);
    writing_ = false;
    if (done_ || !ok) return;  // A broken call: its done event is on the way.
    if (!queue_.empty()) {
      const grpc::ByteBuffer bytes = queue_.front();
      queue_.pop_front();
      queue_bytes_ -= bytes.Length();
      StartWrite(bytes);
    } else if (finishing_) {
      StartFinish();
    }
    resume = paused_ && queue_.size() < host_.limits.pause_reading_at;
    if (forwarded_) session = session_;
  }
  if (resume) ReadNext();
  if (session) session->OnWritten();
}

void Call::Finish(RpcStatus status) {
  pd::MutexLock lock(mutex_);
  if (done_ || finishing_) return;
  finishing_ = true;
  status_ = std::move(status);
  if (!writing_)
    StartFinish();  // Else behind the last queued message; nothing waits without a write.
}

void Call::Abort(RpcStatus status) {
  pd::MutexLock lock(mutex_);
  if (done_) return;
  queue_.clear();
  queue_bytes_ = 0;
  finishing_ = true;
  status_ = std::move(status);
  // TryCancel() with a status. It waits for nothing and calls nobody; a write under way fails, and the done event comes
  // without a Finish.
  grpc_call_cancel_with_status(server_context_.c_call(),
                               static_cast<grpc_status_code>(status_.code), status_.message.c_str(),
                               nullptr);
}

void Call::StartFinish() { stream_.Finish(ToGrpc(status_), Start(finish_)); }

void Call::FinishWith(const grpc::ByteBuffer& bytes) {
  pd::MutexLock lock(mutex_);
  if (done_ || finishing_) return;
  finishing_ = true;
  stream_.WriteAndFinish(bytes, grpc::WriteOptions(), grpc::Status::OK, Start(finish_));
}

void Call::OnFinished(bool /*ok*/) {}

void Call::OnDone(bool /*ok*/) {
  bool close = false;
  {
    pd::MutexLock lock(mutex_);
    done_ = true;
    if (server_context_.IsCancelled() && context_) context_->MarkCancelled();
    queue_.clear();
    queue_bytes_ = 0;
    close = dispatches_ == 0;
  }
  if (close) CloseSession();
}

void Call::CloseSession() {
  std::shared_ptr<BytesSession> session;
  StatusCode code = StatusCode::kCancelled;
  {
    pd::MutexLock lock(mutex_);
    session = std::move(session_);
    if (finishing_) code = status_.code;
  }
  if (session) session->OnClose();
  session.reset();
  if (limited_) host_.limiter->Leave(method_->name);
  if (host_.metrics != nullptr && method_ != nullptr) {
    host_.metrics->OnHandled(*method_, code, std::chrono::steady_clock::now() - started_);
  }
  host_.live.fetch_sub(1);
}

bool Call::closed() {
  pd::MutexLock lock(mutex_);
  return done_ || finishing_;
}

bool Call::congested() {
  pd::MutexLock lock(mutex_);
  return queue_.size() >= host_.limits.pause_reading_at;
}

}  // namespace api

#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/byte_buffer.h>

#include "api/grpc/call_hooks.h"
#include "api/grpc/forwarding.h"
#include "api/grpc/registry.h"
#include "api/worker_pool.h"
#include "pd/runtime/mutex.h"

namespace api {

class ChannelCache;

/// What calls need from the server they belong to; outlives them. Null pointers switch a thing off.
struct CallHost {
  const MethodRegistry& methods;
  WorkerPool& pool;
  ChannelCache& channels;
  StreamLimits limits;
  const LeaderDirectory* leaders = nullptr;
  RateLimiter* limiter = nullptr;
  CallMetrics* metrics = nullptr;
  grpc::AsyncGenericService& service;
  grpc::ServerCompletionQueue& queue;
  std::atomic<int64_t>& live;  // Calls that may still start an operation, waiting ones included.
};

/// What stands behind an open call. Calls come one at a time, OnClose last, except OnWritten.
class BytesSession {
 public:
  virtual ~BytesSession() = default;
  virtual void OnBytes(const grpc::ByteBuffer& bytes) = 0;
  virtual void OnHalfClose() = 0;
  /// One more message has left. At any time, from any thread.
  virtual void OnWritten() {}
  virtual void OnClose() = 0;
  /// False: the call does not ask for the next message by itself.
  [[nodiscard]] virtual bool reads_on() const = 0;
};

/// One call on the server, unary or streaming: everything is a stream of messages here. It turns completions of gRPC's
/// queue into calls of a session, and a session's writes, from any thread, into one write operation at a time.
///
///     waiting --OnNew--> open --Finish--> finishing --OnDone--> done
///                          \------------- cancelled --OnDone--/
///
/// Finish waits for the client to read what is queued; Abort, and the client, cancel at any time.
///
/// Every operation under way holds the call alive; a sink holds it weakly. Once `done_` is set under the lock no new
/// operation starts, which lets the server close the queue when `live` is 0. The session is called without the lock.
class Call final : public std::enable_shared_from_this<Call> {
 public:
  /// Asks gRPC for one more call. Each call that arrives asks for its successor.
  static void Await(CallHost& host);

  /// Handles one completion of the queue. Thread-safe.
  static void OnEvent(void* tag, bool ok);

  explicit Call(CallHost& host);
  ~Call() = default;

  SinkResult Write(grpc::ByteBuffer bytes) PD_EXCLUDES(mutex_);
  void Finish(RpcStatus status) PD_EXCLUDES(mutex_);
  /// Cancels the call, which hands the status to the client past all that is queued.
  void Abort(RpcStatus status) PD_EXCLUDES(mutex_);
  /// The answer and the OK of a unary call in one operation.
  void FinishWith(const grpc::ByteBuffer& bytes) PD_EXCLUDES(mutex_);
  /// Reads the next message unless the outgoing queue is long; then when it has shrunk.
  void ReadNext() PD_EXCLUDES(mutex_);
  [[nodiscard]] bool closed() PD_EXCLUDES(mutex_);
  /// True when so many messages wait that the source should stop for a while.
  [[nodiscard]] bool congested() PD_EXCLUDES(mutex_);

  [[nodiscard]] const CallContext& context() const { return *context_; }
  [[nodiscard]] std::chrono::system_clock::time_point deadline() const {
    return server_context_.deadline();
  }

 private:
  using Handler = void (Call::*)(bool ok);

  /// The tag of one kind of operation.
  struct Event {
    Call* call;
    Handler handler;
    std::shared_ptr<Call> alive;  // Set while the operation is under way.
  };

  void OnNew(bool ok);
  void OnRead(bool ok) PD_EXCLUDES(mutex_);
  void OnWritten(bool ok) PD_EXCLUDES(mutex_);
  void OnFinished(bool ok);
  void OnDone(bool ok) PD_EXCLUDES(mutex_);

  void ReadContext();
  /// False when the call was refused, and finished, before a session came to be.
  bool Forward() PD_EXCLUDES(mutex_);
  void SendTo(const std::string& url) PD_EXCLUDES(mutex_);
  void Run(bool has_message) PD_EXCLUDES(mutex_);
  void CallSession(bool has_message) PD_EXCLUDES(mutex_);
  void EndDispatch() PD_EXCLUDES(mutex_);
  void CloseSession() PD_EXCLUDES(mutex_);
  std::shared_ptr<BytesSession> OpenSession();

  void* Start(Event& event);
  void StartWrite(const grpc::ByteBuffer& bytes) PD_REQUIRES(mutex_);
  void StartFinish() PD_REQUIRES(mutex_);

  CallHost& host_;
  grpc::GenericServerContext server_context_;
  grpc::GenericServerAsyncReaderWriter stream_{&server_context_};
  Event new_{this, &Call::OnNew, nullptr};
  Event read_{this, &Call::OnRead, nullptr};
  Event write_{this, &Call::OnWritten, nullptr};
  Event finish_{this, &Call::OnFinished, nullptr};
  Event done_event_{this, &Call::OnDone, nullptr};

  // Written before the first read starts, read-only afterwards.
  const MethodRegistry::Method* method_ = nullptr;
  std::optional<CallContext> context_;
  std::chrono::steady_clock::time_point started_;
  bool limited_ = false;  // Holds a slot of the limiter.

  // Touched by one dispatch at a time.
  grpc::ByteBuffer incoming_;
  bool forwarded_ = false;

  pd::Mutex mutex_;
  std::shared_ptr<BytesSession> session_ PD_GUARDED_BY(mutex_);
  std::deque<grpc::ByteBuffer> queue_ PD_GUARDED_BY(mutex_);
  size_t queue_bytes_ PD_GUARDED_BY(mutex_) = 0;
  RpcStatus status_ PD_GUARDED_BY(mutex_);
  bool reading_ PD_GUARDED_BY(mutex_) = false;
  bool paused_ PD_GUARDED_BY(mutex_) = false;  // A read waits for the queue to shrink.
  bool half_closed_ PD_GUARDED_BY(mutex_) = false;
  int dispatches_ PD_GUARDED_BY(mutex_) =
      0;  // Calls of the session under way: more than 1 only if forwarded.
  bool writing_ PD_GUARDED_BY(mutex_) = false;
  bool finishing_ PD_GUARDED_BY(mutex_) = false;  // status_ is set.
  bool done_ PD_GUARDED_BY(mutex_) = false;
};

}  // namespace api

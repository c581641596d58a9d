#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "api/grpc/rpc_status.h"
#include "api/tls/grpc_credentials.h"
#include "pd/runtime/mutex.h"

namespace api {

/// One completion queue with one thread for the calls this server makes to other members. (gRPC's callback API would do
/// without, but 1.51 joins its own threads from one of them when the last channel goes, and crashes.) Thread-safe. The
/// destructor waits for everything started on it, so cancel that first.
class ClientLoop {
 public:
  ClientLoop();
  ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  /// A one-shot timer. `done` runs on the loop's thread, also when the timer is cancelled.
  class Timer {
   public:
    void Start(ClientLoop& loop, std::chrono::milliseconds after, std::function<void()> done);
    void Cancel() { alarm_.Cancel(); }

   private:
    grpc::Alarm alarm_;
  };

 private:
  friend class ClientStream;

  /// A tag of the queue.
  struct Event {
    std::function<void(bool ok)> handle;
  };

  [[nodiscard]] Event* NewEvent(std::function<void(bool ok)> handle) PD_EXCLUDES(mutex_);
  void Run() PD_EXCLUDES(mutex_);

  grpc::CompletionQueue queue_;
  pd::Mutex mutex_;
  pd::CondVar idle_;
  int64_t outstanding_ PD_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

struct ChannelTiming {
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{500};
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds ping{
      0};  // 0: no pings. Unanswered for as long again, the connection is given up.
};

/// A channel to "http://host:port" (or "host:port") or "https://host:port" of another member, with a subchannel of its
/// own. Over TLS it uses `tls`; null: shows no certificate and trusts the authorities of the system.
[[nodiscard]] std::shared_ptr<grpc::Channel> OpenChannel(const std::string& url,
                                                         const ChannelTiming& timing,
                                                         const GrpcCredentials* tls);

/// A stream of bytes to another member. The listener is called on the loop's thread, one call at a time, OnDone last;
/// the methods may be called from any thread, also from the listener. At most one write and one read are under way.
class ClientStream final : public std::enable_shared_from_this<ClientStream> {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The call has gone out: writes and reads may start. Not called when it could not.
    virtual void OnStarted() = 0;
    virtual void OnWritten(bool ok) = 0;
    virtual void OnMessage(const grpc::ByteBuffer& bytes) = 0;
    virtual void OnDone(const RpcStatus& status) = 0;
  };

  ClientStream(ClientLoop& loop, const std::shared_ptr<grpc::Channel>& channel,
               std::shared_ptr<Listener> listener);

  /// For metadata and deadline, before Start.
  [[nodiscard]] grpc::ClientContext& context() { return context_; }

  void Start(const std::string& method);
  /// After OnStarted, and after OnWritten of the one before. Ignored once the stream has ended.
  void Write(const grpc::ByteBuffer& bytes) PD_EXCLUDES(mutex_);
  /// As Write, in its place: nothing more will be written. No OnWritten follows.
  void HalfClose() PD_EXCLUDES(mutex_);
  /// After OnStarted: asks for the next message. The end of the stream is only noticed by a read.
  void ReadNext() PD_EXCLUDES(mutex_);
  void Cancel() { context_.TryCancel(); }

 private:
  void OnRead(bool ok) PD_EXCLUDES(mutex_);
  void End() PD_EXCLUDES(mutex_);
  template <class Handle>
  void* Tag(Handle handle);

  ClientLoop& loop_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  const std::shared_ptr<Listener> listener_;
  grpc::ByteBuffer incoming_;
  grpc::Status status_;

  pd::Mutex mutex_;
  bool ended_ PD_GUARDED_BY(mutex_) = false;
};

}  // namespace api

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

namespace harness {

/// One bidirectional stream of bytes. Thread-safe. Messages are written in order from a queue; what arrives and the end
/// are told to the callbacks, on gRPC's threads.
///
/// A stream holds its channel, and gives it up where the stream is destroyed. That must not be one of gRPC's threads:
/// who gives up the last channel of a process joins these threads, and one that joins itself goes on with a queue that
/// is freed.
class Stream final : private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  struct Callbacks {
    std::function<void(grpc::ByteBuffer)> on_message;
    std::function<void(const grpc::Status&)> on_end;  // The last one.
  };

  /// Opens "/pdpb.PD/Tso" on the channel.
  Stream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
         Callbacks callbacks);
  /// Ends it.
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// False once the stream has ended.
  bool Write(grpc::ByteBuffer message);

  /// Messages that wait to be written.
  size_t backlog() const;
  bool ended() const { return ended_; }

  /// Cancels the stream and waits until its last callback has returned: what the callbacks use may go then. At once if
  /// that is so already. Not from a callback, nor under a lock that one of them takes.
  void End();

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void WriteNext();  // Under mutex_, before the end.

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  const Callbacks callbacks_;
  grpc::ByteBuffer incoming_;
  mutable std::mutex mutex_;
  std::condition_variable done_changed_;
  std::deque<grpc::ByteBuffer> queue_;
  grpc::ByteBuffer outgoing_;
  bool writing_ = false;
  std::atomic<bool> ended_ = false;  // Set under mutex_: no write begins after it.
  bool done_ = false;                // The last callback has returned.
};

}  // namespace harness

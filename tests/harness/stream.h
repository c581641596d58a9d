#pragma once

#include <atomic>
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
class Stream {
 public:
  struct Callbacks {
    std::function<void(grpc::ByteBuffer)> on_message;
    std::function<void(const grpc::Status&)> on_end;
  };

  /// Opens "/pdpb.PD/Tso" on the channel.
  static std::shared_ptr<Stream> Open(const std::shared_ptr<grpc::Channel>& channel,
                                      const std::string& method, Callbacks callbacks);

  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// False once the stream has ended.
  bool Write(grpc::ByteBuffer message);

  /// Messages that wait to be written.
  size_t backlog() const;
  bool ended() const { return ended_; }

  /// Ends the stream at once; on_end still comes. Call it before dropping the last reference.
  void Cancel();

 private:
  class Reactor;

  Stream() = default;
  void Next();  // Under mutex_: starts the next write, or closes.

  mutable std::mutex mutex_;
  std::deque<grpc::ByteBuffer> queue_;
  bool writing_ = false;
  std::atomic<bool> ended_ = false;
  Reactor* reactor_ = nullptr;  // Deletes itself at the end; null after it.
};

}  // namespace harness

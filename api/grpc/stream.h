#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "api/grpc/rpc_status.h"

namespace google::protobuf {
class MessageLite;
}  // namespace google::protobuf

namespace api {

/// What became of one written message.
enum class SinkResult {
  kQueued,  // It will be sent in order, unless the connection breaks.
  kFull,    // The client does not read; nothing was queued. Drop it, or end the stream.
  kClosed,  // The stream is over; no further write can succeed.
};

/// The outgoing half of a stream, without a message type. Implemented by the transport, and by
/// tests.
class RawSink {
 public:
  virtual ~RawSink() = default;
  virtual SinkResult Write(const google::protobuf::MessageLite& message) = 0;
  virtual void Finish(RpcStatus status) = 0;
  virtual void Abort(RpcStatus status) = 0;
  [[nodiscard]] virtual bool closed() const = 0;
};

/// Writes responses to one stream. A cheap handle to copy and keep: it may outlive the stream,
/// writes then return kClosed. Thread-safe; never blocks. The queue is bounded by StreamLimits.
template <class Response>
class StreamSink {
 public:
  explicit StreamSink(std::shared_ptr<RawSink> raw) : raw_(std::move(raw)) {}

  /// Encodes the message now and queues it. Messages of one sink leave in the order of the calls.
  SinkResult Write(const Response& response) const { return raw_->Write(response); }

  /// Sends what is queued, then ends the stream with this status. The first call wins. OnClose
  /// follows.
  void Finish(RpcStatus status) const { raw_->Finish(std::move(status)); }

  /// Drops what is queued and ends the stream with this status at once, even one whose Finish still
  /// waits for the client to read. For clients that do not. OnClose follows.
  void Abort(RpcStatus status) const { raw_->Abort(std::move(status)); }

  [[nodiscard]] bool closed() const { return raw_->closed(); }

 private:
  std::shared_ptr<RawSink> raw_;
};

/// One open stream of the client, bidirectional or client-streaming. The transport owns it and
/// calls it from one thread at a time, in order; after OnClose it is destroyed. Never call Write or
/// Finish of a sink with a lock held that OnClose takes.
///
///     class TsoSession final : public StreamSession<pdpb::TsoRequest> {
///      public:
///       TsoSession(TsoService& tso, StreamSink<pdpb::TsoResponse> sink) : tso_(tso),
///       sink_(std::move(sink)) {} void OnMessage(const pdpb::TsoRequest& request) override {
///         ...
///         sink_.Write(response);  // Or sink_.Finish({StatusCode::kUnknown, "..."}) to end it.
///       }
///       void OnHalfClose() override { sink_.Finish({}); }
///     };
template <class Request>
class StreamSession {
 public:
  virtual ~StreamSession() = default;

  /// The next message. Not called any more once the session has called Finish. When the client does
  /// not read its answers the transport stops reading its requests, so one answer a request never
  /// finds the queue full.
  virtual void OnMessage(const Request& request) = 0;

  /// The client will send nothing more (it may still read). Comes at most once, after the last
  /// message.
  virtual void OnHalfClose() = 0;

  /// The last call: finished, cancelled or disconnected. Let go of the sink and of whatever knows
  /// this stream.
  virtual void OnClose() {}
};

/// One open server stream: the request came with its creation, only its end is left to tell.
class ServerStreamSession {
 public:
  virtual ~ServerStreamSession() = default;
  /// The last call, as above. Stop writing.
  virtual void OnClose() = 0;
};

/// Bounds of one stream's outgoing queue.
struct StreamLimits {
  size_t queue_max = 4096;  // Messages; one more is kFull.
  size_t queue_bytes_max =
      64u << 20;  // Bytes; a message that finds less queued than this is taken whole.
  size_t pause_reading_at = 64;  // With so many messages unsent the client's next ones stay unread.
};

}  // namespace api

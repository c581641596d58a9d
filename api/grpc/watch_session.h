#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/grpc/stream.h"
#include "pd/meta/meta_store.h"

namespace api {

/// A server stream that shows what happens to keys: one message for each batch of whole revisions.
template <class Response>
class WatchSession final : public ServerStreamSession {
 public:
  /// Makes the message of a batch; false when the batch holds nothing to show.
  using Encode = std::function<bool(const std::vector<pd::Event>& events, pd::Revision revision,
                                    Response& out)>;
  /// Makes the message that tells why the watch ends.
  using EncodeEnd = std::function<Response(const pd::Error& error, pd::Revision compact_revision)>;

  /// Null when the watch could not begin: the stream was then finished with the end message.
  static std::unique_ptr<ServerStreamSession> Open(pd::MetaStore& meta, pd::WatchRequest request,
                                                   StreamSink<Response> sink, Encode encode,
                                                   EncodeEnd encode_end) {
    auto target = std::make_shared<Target>(sink, std::move(encode), std::move(encode_end));
    auto watch = meta.StartWatch(std::move(request), target);
    if (!watch) {
      target->OnCanceled(watch.error(), 0);
      return nullptr;
    }
    return std::unique_ptr<ServerStreamSession>(new WatchSession(std::move(*watch)));
  }

  void OnClose() override { watch_.reset(); }

 private:
  class Target final : public pd::WatchSink {
   public:
    Target(StreamSink<Response> sink, Encode encode, EncodeEnd encode_end)
        : sink_(std::move(sink)), encode_(std::move(encode)), encode_end_(std::move(encode_end)) {}

    bool OnEvents(const std::vector<pd::Event>& events, pd::Revision revision) override {
      Response message;
      if (!encode_(events, revision, message)) return true;
      return sink_.Write(message) != SinkResult::kFull;
    }

    void OnCanceled(const pd::Error& error, pd::Revision compact_revision) override {
      if (error.code == pd::ErrorCode::kNotStarted) {
        return sink_.Finish({StatusCode::kUnavailable, "server not started"});
      }
      const RpcStatus status{StatusCode::kUnknown, error.context};
      // A client that has not read its events does not read this one.
      const bool full = sink_.Write(encode_end_(error, compact_revision)) == SinkResult::kFull;
      full ? sink_.Abort(status) : sink_.Finish(status);
    }

   private:
    const StreamSink<Response> sink_;
    const Encode encode_;
    const EncodeEnd encode_end_;
  };

  explicit WatchSession(std::unique_ptr<pd::Watch> watch) : watch_(std::move(watch)) {}

  std::unique_ptr<pd::Watch> watch_;
};

}  // namespace api

#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/grpc/call.h"
#include "api/grpc/client_stream.h"
#include "pd/runtime/mutex.h"

namespace api {

/// Open channels to other members, by client URL. Bounded: a cluster has few members, so when kMax is reached all are
/// dropped and those in use are made anew. Thread-safe.
class ChannelCache {
 public:
  static constexpr size_t kMax = 64;

  /// `tls`: for https URLs, as in OpenChannel; outlives this.
  explicit ChannelCache(const GrpcCredentials* tls) : tls_(tls) {}

  /// A channel to "http://host:port" or "https://host:port"; connects in the background, within 3 s a try.
  [[nodiscard]] std::shared_ptr<grpc::Channel> To(const std::string& url) PD_EXCLUDES(mutex_);

  [[nodiscard]] ClientLoop& loop() { return loop_; }

 private:
  const GrpcCredentials* const tls_;
  pd::Mutex mutex_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_ PD_GUARDED_BY(mutex_);
  ClientLoop loop_;
};

/// Starts a call to another member that carries every message, the half-close, the cancellation, the deadline and the
/// metadata of `call` there, and its answers and its status back, unchanged (as in the reference): bytes in, bytes out.
/// `pd-forwarded-host` goes on as an empty string. One message is under way in each direction at a time, so a slow
/// reader at either end holds the other one back.
[[nodiscard]] std::shared_ptr<BytesSession> StartProxy(std::shared_ptr<Call> call,
                                                       ChannelCache& channels,
                                                       const std::string& url, bool unary);

}  // namespace api

#pragma once

#include <atomic>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "api/grpc/registry.h"
#include "api/http/router.h"
#include "api/rate_limits.h"
#include "pd/result.h"
#include "pd/runtime/mutex.h"

namespace api {

/// The service-middleware configuration (as in the reference): switches and rate limits, kept as one JSON object under
/// /pd/{cid}/service_middleware. A leader loads it when it starts and saves each change. Thread-safe.
class ServiceMiddleware {
 public:
  /// Saves the text; blocks on Raft.
  using Save = std::function<pd::Result<void>(std::string text)>;

  ServiceMiddleware(RateLimits& http, RateLimits& grpc, Save save)
      : http_(http), grpc_(grpc), save_(std::move(save)) {}

  /// Takes what was saved; nothing saved (empty text) is the defaults: everything on, no limits. kCorrupt for what is
  /// no such object; nothing is changed then.
  pd::Result<void> Load(const std::string& text);

  [[nodiscard]] nlohmann::ordered_json ToJson() const;

  /// One item by its bare or dotted name. kInvalidArgument with the reference's text.
  pd::Result<void> SetItem(const std::string& name, const nlohmann::ordered_json& value);

  enum class Change { kUpdated, kNotChanged, kDeleted };
  /// What a limiter is to become; what is absent stays.
  struct Wanted {
    std::optional<double> qps;
    std::optional<uint64_t> concurrency;
  };
  pd::Result<Change> SetHttpLimit(const std::string& name, const Wanted& wanted);
  pd::Result<Change> SetGrpcLimit(const std::string& name, const Wanted& wanted);

 private:
  pd::Result<Change> SetLimit(RateLimits& limits, const std::string& name, const Wanted& wanted)
      PD_EXCLUDES(change_mutex_);

  RateLimits& http_;
  RateLimits& grpc_;
  const Save save_;
  std::atomic<bool> audit_ = true;
  pd::Mutex change_mutex_;  // One change at a time, so that what is saved is what came last.
};

/// The four routes under /pd/api/v1/service-middleware/config. Labels must be names of `router` and `methods`.
void RegisterMiddlewareHandlers(Router& router, const MethodRegistry& methods,
                                ServiceMiddleware& middleware);

}  // namespace api

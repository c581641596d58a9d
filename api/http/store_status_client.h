#pragma once

#include <string>
#include <utility>

#include "api/tls/files.h"
#include "pd/cluster/store_config_watch.h"

namespace api {

/// Asks stores over HTTP at their status addresses; over TLS, with the files given, where this server has a
/// certificate: a cluster has TLS on all its ports or on none (as in the reference). Thread-safe.
class HttpStoreStatusClient final : public pd::StoreStatusClient {
 public:
  /// No store's configuration is nearly as large.
  static constexpr size_t kAnswerBytesMax = size_t{4} << 20U;

  explicit HttpStoreStatusClient(TlsFiles files) : files_(std::move(files)) {}

  /// kUnavailable also for any status but 200 and for an answer larger than kAnswerBytesMax.
  pd::Result<std::string> FetchConfig(const std::string& status_address,
                                      pd::Millis timeout) override;

 private:
  const TlsFiles files_;
};

}  // namespace api

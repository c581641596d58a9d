#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/tls/files.h"
#include "pd/runtime/mutex.h"

namespace boost::asio::ssl {
class context;
}

namespace api {

/// Serves TLS 1.2 and later for the HTTP server: shows the certificate, speaks HTTP/1.1 by ALPN, and, with an authority
/// in the files, wants a client certificate signed by it. Thread-safe.
class TlsServerContext {
 public:
  /// `allowed_names`: a client's certificate must carry one of these common names; empty: any. Errors of CheckTlsFiles.
  static pd::Result<std::unique_ptr<TlsServerContext>> Load(TlsFiles files,
                                                            std::vector<std::string> allowed_names);

  /// For one new connection, which must keep it. Made anew when a file has changed; when the new files are not good
  /// that is logged and the old ones stay in use.
  [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> Current() PD_EXCLUDES(mutex_);

 private:
  using Context = std::shared_ptr<boost::asio::ssl::context>;
  /// Changes when a file does: inode, size and time of each.
  using Stamp = std::array<int64_t, 12>;

  TlsServerContext(TlsFiles files, std::vector<std::string> allowed_names);
  [[nodiscard]] Stamp Look() const;
  [[nodiscard]] pd::Result<Context> Make() const;

  const TlsFiles files_;
  const std::vector<std::string> allowed_names_;
  pd::Mutex mutex_;
  Stamp stamp_ PD_GUARDED_BY(mutex_) = {};
  Context current_ PD_GUARDED_BY(mutex_);
};

}  // namespace api

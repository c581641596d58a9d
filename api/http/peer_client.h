#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/tls/files.h"
#include "pd/members/identity.h"
#include "pd/server.h"

namespace api {

/// Calls other members over HTTP at their client URLs, one after the other until one answers; over TLS at https URLs,
/// with the files given (OpenHttpClient). Thread-safe.
class HttpPeerClient final : public pd::PeerClient {
 public:
  explicit HttpPeerClient(TlsFiles files) : files_(std::move(files)) {}

  pd::Result<void> Publish(const std::vector<std::string>& leader_urls,
                           const pd::MemberDetail& self, pd::Millis timeout) override;
  bool Ping(const std::vector<std::string>& client_urls, pd::Millis timeout) override;

  /// Asks the cluster at `client_urls` to take a new member in. Errors: kAlreadyExists and kInvalidArgument with the
  /// cluster's words, kUnavailable when nobody answers.
  pd::Result<pd::MemberIdentity> Join(const std::vector<std::string>& client_urls,
                                      const std::string& name,
                                      const std::vector<std::string>& peer_urls,
                                      pd::Millis timeout);

 private:
  const TlsFiles files_;
};

}  // namespace api

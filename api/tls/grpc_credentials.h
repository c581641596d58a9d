#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/tls/files.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace api {

/// What gRPC shows and wants over TLS, as a server and as a client of other members. The files are looked at once a
/// second, so connections made later use changed ones. Thread-safe.
class GrpcCredentials {
 public:
  /// The files have passed CheckTlsFiles and hold a certificate with its key. With an authority, clients must show a
  /// certificate signed by it, and, when `allowed_names` are given, with one of these as its common name.
  GrpcCredentials(const TlsFiles& files, std::vector<std::string> allowed_names);

  [[nodiscard]] const std::shared_ptr<grpc::ServerCredentials>& server() const { return server_; }
  [[nodiscard]] const std::shared_ptr<grpc::ChannelCredentials>& channel() const {
    return channel_;
  }

 private:
  std::shared_ptr<grpc::ServerCredentials> server_;
  std::shared_ptr<grpc::ChannelCredentials> channel_;
};

}  // namespace api

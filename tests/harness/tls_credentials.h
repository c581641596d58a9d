#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <grpcpp/security/credentials.h>

#include "tests/harness/certificates.h"

namespace harness {

/// Trusts the authority of the file and, when there is one, shows the client's certificate.
inline std::shared_ptr<grpc::ChannelCredentials> ClientCredentials(const std::string& ca,
                                                                   const Issued& client = {}) {
  const auto read = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  return grpc::SslCredentials({read(ca), read(client.key), read(client.certificate)});
}

}  // namespace harness

#pragma once

#include <cstddef>
#include <string_view>

namespace api {

/// What a client speaks, judged by its first bytes.
enum class Protocol {
  kUndecided,  // Too few bytes.
  kHttp2,      // The whole HTTP/2 connection preface: gRPC.
  kHttp1,      // Anything else; the HTTP server refuses what is no request.
  kTls,        // A TLS record. Its hello's ALPN list will decide once the port has a certificate.
};

/// As many bytes decide always.
inline constexpr size_t kSniffBytes = 24;

[[nodiscard]] Protocol Sniff(std::string_view first_bytes);

}  // namespace api

#pragma once

#include <cstddef>
#include <string_view>

namespace api {

/// What a client speaks, judged by its first bytes.
enum class Protocol {
  kUndecided,  // Too few bytes.
  kHttp2,      // The whole HTTP/2 connection preface: gRPC.
  kHttp1,      // Anything else; the HTTP server refuses what is no request.
  kTls,        // A TLS record: ask SniffHello.
  kGarbage,    // On a TLS port: no hello, or a broken one.
};

/// As many bytes decide always.
inline constexpr size_t kSniffBytes = 24;

[[nodiscard]] Protocol Sniff(std::string_view first_bytes);

/// As many bytes decide always. Hellos have 200 to 2,000 bytes, one with a ticket or many key shares a few thousand.
inline constexpr size_t kHelloBytesMax = 16 << 10;

/// The same for a TLS port, by the protocols that the client's hello offers (ALPN, RFC 7301): kHttp1 when it offers
/// http/1.1 or makes no offer; kHttp2 when it offers h2 without http/1.1. Reads hellos of TLS 1.0 to 1.3 (RFC 8446,
/// 4.1.2), in one record or several.
[[nodiscard]] Protocol SniffHello(std::string_view first_bytes);

}  // namespace api

#include "api/port/sniff.h"

namespace api {

Protocol Sniff(std::string_view first_bytes) {
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113, 3.4.
  static_assert(kPreface.size() == kSniffBytes);
  if (first_bytes.empty()) return Protocol::kUndecided;
  if (first_bytes[0] == '\x16') return Protocol::kTls;
  const std::string_view seen = first_bytes.substr(0, kSniffBytes);
  if (seen != kPreface.substr(0, seen.size())) return Protocol::kHttp1;
  return seen.size() == kPreface.size() ? Protocol::kHttp2 : Protocol::kUndecided;
}

}  // namespace api

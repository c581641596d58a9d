#include "api/port/sniff.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace api {
namespace {

/// Takes big-endian numbers and byte strings off the front of a text; once something was missing nothing is there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  std::string_view Bytes(size_t count) {
    ok_ = ok_ && count <= bytes_.size();
    if (!ok_) bytes_ = {};
    const std::string_view taken = bytes_.substr(0, ok_ ? count : 0);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  size_t Number(size_t width) {
    size_t value = 0;
    for (const char c : Bytes(width)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  std::string_view Rest() { return Bytes(bytes_.size()); }
  /// What a length of `width` bytes stands before.
  Reader Block(size_t width) {
    Reader block(Bytes(Number(width)));
    block.ok_ = ok_;
    return block;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

constexpr char kHandshakeRecord = 22;
constexpr char kClientHello = 1;
constexpr size_t kAlpn = 16;
constexpr size_t kRecordHeaderBytes = 5;
constexpr size_t kHelloHeaderBytes = 4;

/// A hello's size with its header, by what has come of it; the most that there can be while that does not tell yet.
size_t HelloSize(std::string_view hello) {
  if (hello.size() < kHelloHeaderBytes) return kHelloBytesMax;
  Reader size(hello.substr(1));
  return kHelloHeaderBytes + size.Number(3);
}

/// The hello out of the records that hold it, as far as it has come; nothing when they hold none.
std::optional<std::string> GatherHello(std::string_view records) {
  std::string hello;
  while (!records.empty() && hello.size() < HelloSize(hello)) {
    if (records[0] != kHandshakeRecord || (records.size() > 1 && records[1] != 3))
      return std::nullopt;
    if (records.size() < kRecordHeaderBytes) break;
    Reader header(records.substr(3));
    const size_t size = header.Number(2);
    if (size == 0 || size > kHelloBytesMax) return std::nullopt;
    records.remove_prefix(kRecordHeaderBytes);
    hello += records.substr(0, size);
    if (!hello.empty() && hello.front() != kClientHello) return std::nullopt;
    records.remove_prefix(std::min(size, records.size()));
  }
  return hello;
}

/// The verdict on a whole hello without its header.
Protocol JudgeHello(std::string_view body) {
  Reader hello(body);
  hello.Bytes(2 + 32);  // Version and random.
  hello.Block(1);       // Session id.
  hello.Block(2);       // Cipher suites.
  hello.Block(1);       // Compression methods.
  if (!hello.ok()) return Protocol::kGarbage;
  if (hello.empty()) return Protocol::kHttp1;  // No extensions: TLS 1.2 allows that.
  Reader extensions = hello.Block(2);
  bool http1 = false;
  bool http2 = false;
  while (!extensions.empty()) {
    const size_t type = extensions.Number(2);
    Reader extension = extensions.Block(2);
    if (!extensions.ok()) return Protocol::kGarbage;
    if (type != kAlpn) continue;
    Reader names = extension.Block(2);
    while (!names.empty()) {
      Reader name = names.Block(1);
      const std::string_view text = name.Rest();
      http1 = http1 || text == "http/1.1";
      http2 = http2 || text == "h2";
    }
    if (!names.ok()) return Protocol::kGarbage;
  }
  if (!extensions.ok() || !hello.ok()) return Protocol::kGarbage;
  return http2 && !http1 ? Protocol::kHttp2 : Protocol::kHttp1;
}

}  // namespace

Protocol Sniff(std::string_view first_bytes) {
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113, 3.4.
  static_assert(kPreface.size() == kSniffBytes);
  if (first_bytes.empty()) return Protocol::kUndecided;
  if (first_bytes[0] == '\x16') return Protocol::kTls;
  const std::string_view seen = first_bytes.substr(0, kSniffBytes);
  if (seen != kPreface.substr(0, seen.size())) return Protocol::kHttp1;
  return seen.size() == kPreface.size() ? Protocol::kHttp2 : Protocol::kUndecided;
}

Protocol SniffHello(std::string_view first_bytes) {
  const auto hello = GatherHello(first_bytes.substr(0, kHelloBytesMax));
  if (!hello || HelloSize(*hello) > kHelloBytesMax) return Protocol::kGarbage;
  if (hello->size() >= HelloSize(*hello)) {
    return JudgeHello(
        std::string_view(*hello).substr(kHelloHeaderBytes, HelloSize(*hello) - kHelloHeaderBytes));
  }
  return first_bytes.size() < kHelloBytesMax ? Protocol::kUndecided : Protocol::kGarbage;
}

}  // namespace api

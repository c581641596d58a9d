#include <cctype>

#include <fmt/format.h>

#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

using Parsed = tl::expected<std::string, std::string>;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Parsed FromHex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) {
      const auto byte = static_cast<unsigned char>(text[i]);
      return tl::unexpected(
          fmt::format("encoding/hex: invalid byte: U+{:04X} '{}'", byte, text[i]));
    }
    if (i % 2 == 0) {
      bytes += static_cast<char>(digit << 4);
    } else {
      bytes.back() = static_cast<char>(bytes.back() | digit);
    }
  }
  if (text.size() % 2 != 0)
    return tl::unexpected<std::string>("encoding/hex: odd length hex string");
  return bytes;
}

// Reads the digits of \ooo or \xHH that start at `at`, and moves `at` behind them. -1 when they are malformed.
int NumericEscape(const std::string& text, size_t& at, size_t digits, int base) {
  int value = 0;
  for (size_t i = 0; i < digits; ++i, ++at) {
    const int digit = at < text.size() ? HexDigit(text[at]) : -1;
    if (digit < 0 || digit >= base) return -1;
    value = value * base + digit;
  }
  return value <= 255 ? value : -1;
}

int SimpleEscape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      return -1;
  }
}

// Keys as they stand in logs: t\200\000, \x80, \n.
Parsed FromEscapes(const std::string& text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      bytes += text[at++];
      continue;
    }
    if (++at == text.size()) return tl::unexpected<std::string>("key ends in a backslash");
    int value = -1;
    if (text[at] == 'x') {
      value = NumericEscape(text, ++at, 2, 16);
    } else if (std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
      value = NumericEscape(text, at, 3, 8);
    } else {
      value = SimpleEscape(text[at++]);
    }
    if (value < 0) return tl::unexpected(fmt::format("invalid escape sequence in key {}", text));
    bytes += static_cast<char>(value);
  }
  return bytes;
}

}  // namespace

Parsed ParseKey(const std::string& format, const std::string& text) {
  if (format == "raw") return text;
  if (format == "encode") return FromEscapes(text);
  if (format == "hex") return FromHex(text);
  return tl::unexpected<std::string>("unknown format");
}

}  // namespace api::pdctl

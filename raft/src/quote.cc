#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "raft/describe.h"

namespace raft {
namespace {

struct Rune {
  uint32_t code = 0;
  size_t size = 0;  // 0: the bytes are not UTF-8.
};

// The lengths of UTF-8 sequences by their first byte, and the least code each may carry.
struct Lead {
  uint8_t mask;
  uint8_t bits;
  size_t size;
  uint32_t least;
};
constexpr std::array<Lead, 3> kLeads = {
    {{0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}}};

Rune DecodeRune(std::string_view bytes) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (first < 0x80) return {first, 1};
  for (const Lead& lead : kLeads) {
    if ((first & lead.mask) != lead.bits) continue;
    if (bytes.size() < lead.size) return {};
    uint32_t code = first & static_cast<uint8_t>(~lead.mask);
    for (size_t i = 1; i < lead.size; ++i) {
      const auto next = static_cast<uint8_t>(bytes[i]);
      if ((next & 0xc0) != 0x80) return {};
      code = (code << 6) | (next & 0x3f);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < lead.least || code > 0x10ffff || surrogate) return {};
    return {code, lead.size};
  }
  return {};
}

// Beyond ASCII everything counts as printable but controls, spaces, formatting and private use.
bool Printable(uint32_t code) {
  struct Range {
    uint32_t from;
    uint32_t to;
  };
  static constexpr std::array<Range, 14> kHidden = {{{0x00, 0x1f},
                                                     {0x7f, 0xa0},
                                                     {0xad, 0xad},
                                                     {0x61c, 0x61c},
                                                     {0x1680, 0x1680},
                                                     {0x180e, 0x180e},
                                                     {0x2000, 0x200f},
                                                     {0x2028, 0x202f},
                                                     {0x205f, 0x206f},
                                                     {0x3000, 0x3000},
                                                     {0xe000, 0xf8ff},
                                                     {0xfeff, 0xfeff},
                                                     {0xfff0, 0xfffb},
                                                     {0xe0000, 0x10ffff}}};
  for (const Range& range : kHidden) {
    if (code >= range.from && code <= range.to) return false;
  }
  return (code & 0xfffe) != 0xfffe;
}

char ShortEscape(uint32_t code) {
  static constexpr std::string_view kCodes = "\a\b\f\n\r\t\v\\\"";
  static constexpr std::string_view kLetters = "abfnrtv\\\"";
  const size_t at = code < 0x80 ? kCodes.find(static_cast<char>(code)) : std::string_view::npos;
  return at == std::string_view::npos ? '\0' : kLetters[at];
}

}  // namespace

std::string Quote(std::string_view bytes) {
  std::string out = "\"";
  while (!bytes.empty()) {
    const Rune rune = DecodeRune(bytes);
    const size_t size = rune.size == 0 ? 1 : rune.size;
    if (rune.size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<uint8_t>(bytes[0]));
    } else if (const char letter = ShortEscape(rune.code); letter != '\0') {
      out += {'\\', letter};
    } else if (Printable(rune.code)) {
      out += bytes.substr(0, size);
    } else if (rune.code < 0x20 || rune.code == 0x7f) {
      out += fmt::format("\\x{:02x}", rune.code);
    } else if (rune.code < 0x10000) {
      out += fmt::format("\\u{:04x}", rune.code);
    } else {
      out += fmt::format("\\U{:08x}", rune.code);
    }
    bytes.remove_prefix(size);
  }
  return out + '"';
}

}  // namespace raft

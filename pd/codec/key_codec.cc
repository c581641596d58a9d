#include "pd/codec/key_codec.h"

#include <fmt/format.h>

namespace pd {
namespace {

constexpr size_t kGroup = 8;
constexpr unsigned kFull =
    0xff;  // The mark of a group of which all counts; one less for each byte that does not.

/// Nearly as Go's %q prints bytes: printable ASCII as it is, the rest escaped, text beyond ASCII too.
std::string Quoted(std::string_view bytes) {
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (const size_t known = kEscaped.find(c); known != std::string_view::npos) {
      text += '\\';
      text += kLetters[known];
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text + '"';
}

}  // namespace

std::string EncodedKeyFault(std::string_view key) {
  while (true) {
    if (key.size() < kGroup + 1) return "insufficient bytes to decode value";
    const std::string_view group = key.substr(0, kGroup + 1);
    const size_t padding = kFull - static_cast<unsigned char>(group[kGroup]);
    if (padding > kGroup) return "invalid marker byte, group bytes " + Quoted(group);
    if (padding == 0) {
      key.remove_prefix(group.size());
      continue;
    }
    const std::string_view pads = group.substr(kGroup - padding, padding);
    if (pads.find_first_not_of('\0') == std::string_view::npos) return {};
    return "invalid padding byte, group bytes " + Quoted(group);
  }
}

}  // namespace pd

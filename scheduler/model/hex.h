#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace scheduler {

/// Bytes in hexadecimal digits, two each.
[[nodiscard]] std::string UpperHex(std::string_view bytes);
[[nodiscard]] std::string LowerHex(std::string_view bytes);

/// Digits of either case back to bytes; nothing unless they are pairs of digits.
[[nodiscard]] std::optional<std::string> FromHex(std::string_view digits);

}  // namespace scheduler

#pragma once

#include <string>
#include <string_view>

namespace pd {

/// Why `key` does not begin with bytes in the stores' order-preserving encoding (groups of eight bytes, each followed
/// by a mark of how many count), with the reference's words; empty if it does.
[[nodiscard]] std::string EncodedKeyFault(std::string_view key);

}  // namespace pd

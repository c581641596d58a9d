#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace scheduler {

/// The table whose records or index entries a key belongs to, as TiDB lays keys out.
struct TableId {
  uint32_t keyspace = 0;  // 0 also without keyspaces.
  int64_t table = 0;

  friend auto operator<=>(const TableId&, const TableId&) = default;
};

/// The table of an encoded key: memcomparable bytes (groups of eight and a marker) of "t" and a big-endian id with its
/// sign bit flipped, with "x" and the three bytes of a keyspace before it where there are keyspaces. None for any other
/// key.
std::optional<TableId> TableOfKey(std::string_view key);

}  // namespace scheduler

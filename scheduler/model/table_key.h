#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "scheduler/model/region.h"

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

/// A table, or one of its indexes.
struct TableScope {
  std::optional<uint32_t> keyspace;  // None: the cluster has none.
  int64_t table = 0;
  std::optional<int64_t> index;  // None: the whole table.

  friend bool operator==(const TableScope&, const TableScope&) = default;
};

/// What an encoded key is part of: the table when it is a record's ("_r" behind the table's id), the index when it is
/// an entry's ("_i" and the index's id). None for other keys, the bounds of a table among them.
std::optional<TableScope> ScopeOfKey(std::string_view key);

/// All encoded keys of the scope. Those of a table are its records and the entries of all its indexes.
KeyRange RangeOfScope(const TableScope& scope);

}  // namespace scheduler

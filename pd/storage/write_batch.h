#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pd {

/// Column families of the one database of a server.
enum class Column : uint8_t {
  kRaftLog,    // index -> entry
  kRaftState,  // hard state, log bounds, configuration, generation, applied state
  kKeys,       // key -> current pair
  kHistory,    // events by revision, and revisions by key
  kLeases,     // leases and the keys attached to them
  kRegions,    // region id -> region
  kMembers,    // member id -> member
};
inline constexpr size_t kColumnCount = 7;

/// Writes that go to disk together or not at all. Ordered by key: the last write to a key wins.
/// Range deletions take effect before all other writes of the batch, wherever they were called. Not
/// thread-safe.
class WriteBatch {
 public:
  using Writes =
      std::map<std::string, std::optional<std::string>, std::less<>>;  // nullopt: deleted.
  using Range = std::pair<std::string, std::string>;                   // [first, second)

  void Put(Column column, std::string key, std::string value);
  void Delete(Column column, std::string key);
  /// Deletes all keys of [begin, end) that are in the database; earlier writes of this batch in the
  /// range go as well.
  void DeleteRange(Column column, std::string begin, std::string end);
  /// Adds all of `later` behind what is here.
  void Append(WriteBatch&& later);
  void Clear();

  [[nodiscard]] const Writes& writes(Column column) const { return writes_[Slot(column)]; }
  [[nodiscard]] const std::vector<Range>& deleted_ranges(Column column) const {
    return deleted_ranges_[Slot(column)];
  }
  /// Keys and values written, in bytes.
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool RangeDeleted(Column column, std::string_view key) const;

 private:
  static constexpr size_t Slot(Column column) { return static_cast<size_t>(column); }

  std::array<Writes, kColumnCount> writes_;
  std::array<std::vector<Range>, kColumnCount> deleted_ranges_;
  size_t bytes_ = 0;
};

}  // namespace pd

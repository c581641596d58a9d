#include "scheduler/model/table_key.h"

#include <string>

namespace scheduler {
namespace {

constexpr size_t kGroupBytes = 8;
constexpr uint8_t kFullGroup = 0xff;
constexpr size_t kIdBytes = 8;
constexpr size_t kKeyspaceBytes = 3;
constexpr std::string_view kRecord = "_r";
constexpr std::string_view kIndex = "_i";
constexpr size_t kPrefixBytesMax = 1 + kKeyspaceBytes + 1 + kIdBytes + kIndex.size() + kIdBytes;
constexpr uint64_t kSignBit = uint64_t{1} << 63U;

/// The first bytes behind the encoding, as many as the prefix of an index can have, or some more; fewer where the key
/// ends or is no such encoding.
std::string DecodedStart(std::string_view key) {
  std::string bytes;
  while (key.size() > kGroupBytes && bytes.size() < kPrefixBytesMax) {
    const auto marker = static_cast<uint8_t>(key[kGroupBytes]);
    const size_t padding = static_cast<size_t>(kFullGroup - marker);
    if (padding > kGroupBytes) break;
    bytes.append(key.substr(0, kGroupBytes - padding));
    if (padding > 0) break;
    key.remove_prefix(kGroupBytes + 1);
  }
  return bytes;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<uint8_t>(c);
  return value;
}

/// Takes an id off the front; none when there are too few bytes.
std::optional<int64_t> TakeId(std::string_view& bytes) {
  if (bytes.size() < kIdBytes) return {};
  const auto id = static_cast<int64_t>(BigEndian(bytes.substr(0, kIdBytes)) ^ kSignBit);
  bytes.remove_prefix(kIdBytes);
  return id;
}

/// Takes the table's prefix off the front of a decoded key.
std::optional<TableScope> TakeTable(std::string_view& bytes) {
  TableScope scope;
  if (bytes.starts_with('x') && bytes.size() > 1 + kKeyspaceBytes) {
    scope.keyspace = static_cast<uint32_t>(BigEndian(bytes.substr(1, kKeyspaceBytes)));
    bytes.remove_prefix(1 + kKeyspaceBytes);
  }
  if (!bytes.starts_with('t')) return {};
  bytes.remove_prefix(1);
  const std::optional<int64_t> table = TakeId(bytes);
  if (!table) return {};
  scope.table = *table;
  return scope;
}

void AppendBigEndian(uint64_t value, size_t bytes, std::string& out) {
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i) & 0xffU));
}

void AppendId(int64_t id, std::string& out) {
  AppendBigEndian(static_cast<uint64_t>(id) ^ kSignBit, kIdBytes, out);
}

/// What the decoded keys of the scope, and no others, begin with.
std::string PrefixOf(const TableScope& scope) {
  std::string prefix;
  if (scope.keyspace) {
    prefix += 'x';
    AppendBigEndian(*scope.keyspace, kKeyspaceBytes, prefix);
  }
  prefix += 't';
  AppendId(scope.table, prefix);
  if (scope.index) {
    prefix += kIndex;
    AppendId(*scope.index, prefix);
  }
  return prefix;
}

/// The first string behind all that begin with `prefix`, which has a byte that is not the largest.
std::string Behind(std::string prefix) {
  while (prefix.back() == '\xff') prefix.pop_back();
  ++prefix.back();
  return prefix;
}

/// Memcomparable: keeps the order of what is encoded.
std::string Encoded(std::string_view bytes) {
  std::string out;
  while (bytes.size() >= kGroupBytes) {
    out += bytes.substr(0, kGroupBytes);
    out += static_cast<char>(kFullGroup);
    bytes.remove_prefix(kGroupBytes);
  }
  const size_t padding = kGroupBytes - bytes.size();
  out += bytes;
  out.append(padding, '\0');
  out += static_cast<char>(kFullGroup - padding);
  return out;
}

}  // namespace

std::optional<TableId> TableOfKey(std::string_view key) {
  const std::string decoded = DecodedStart(key);
  std::string_view rest = decoded;
  const std::optional<TableScope> scope = TakeTable(rest);
  if (!scope) return {};
  return TableId{scope->keyspace.value_or(0), scope->table};
}

std::optional<TableScope> ScopeOfKey(std::string_view key) {
  const std::string decoded = DecodedStart(key);
  std::string_view rest = decoded;
  std::optional<TableScope> scope = TakeTable(rest);
  if (!scope || rest.starts_with(kRecord)) return scope;
  if (!rest.starts_with(kIndex)) return {};
  rest.remove_prefix(kIndex.size());
  scope->index = TakeId(rest);
  if (!scope->index) return {};
  return scope;
}

KeyRange RangeOfScope(const TableScope& scope) {
  const std::string prefix = PrefixOf(scope);
  return {Encoded(prefix), Encoded(Behind(prefix))};
}

}  // namespace scheduler

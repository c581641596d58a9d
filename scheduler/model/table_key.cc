#include "scheduler/model/table_key.h"

#include <string>

namespace scheduler {
namespace {

constexpr size_t kGroupBytes = 8;
constexpr uint8_t kFullGroup = 0xff;
constexpr size_t kIdBytes = 8;
constexpr size_t kKeyspaceBytes = 3;
constexpr size_t kPrefixBytesMax = 1 + kKeyspaceBytes + 1 + kIdBytes;

/// The first bytes behind the encoding, as many as a table's prefix can have; fewer where the key ends or is no such
/// encoding.
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

}  // namespace

std::optional<TableId> TableOfKey(std::string_view key) {
  const std::string decoded = DecodedStart(key);
  std::string_view rest = decoded;
  TableId id;
  if (rest.starts_with('x') && rest.size() > 1 + kKeyspaceBytes) {
    id.keyspace = static_cast<uint32_t>(BigEndian(rest.substr(1, kKeyspaceBytes)));
    rest.remove_prefix(1 + kKeyspaceBytes);
  }
  if (!rest.starts_with('t') || rest.size() < 1 + kIdBytes) return {};
  constexpr uint64_t kSignBit = uint64_t{1} << 63U;
  id.table = static_cast<int64_t>(BigEndian(rest.substr(1, kIdBytes)) ^ kSignBit);
  return id;
}

}  // namespace scheduler

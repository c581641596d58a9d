#include "pd/cluster/paths.h"

#include "scheduler/model/hex.h"

namespace pd {
namespace {

constexpr size_t kBytes = 8;
constexpr unsigned kBitsPerByte = 8;
constexpr uint64_t kByteMask = 0xff;

}  // namespace

std::string ClusterPaths::PlacementRule(const std::string& group, const std::string& id) const {
  return PlacementRules() + scheduler::LowerHex(group) + "-" + scheduler::LowerHex(id);
}

std::string EncodeBigEndian(uint64_t value) {
  std::string text(kBytes, '\0');
  for (size_t i = kBytes; i-- > 0; value >>= kBitsPerByte) {
    text[i] = static_cast<char>(value & kByteMask);
  }
  return text;
}

bool DecodeBigEndian(const std::string& text, uint64_t& value) {
  if (text.size() != kBytes) return false;
  value = 0;
  for (const char byte : text) value = value << kBitsPerByte | static_cast<unsigned char>(byte);
  return true;
}

}  // namespace pd

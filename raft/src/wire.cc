#include "raft/src/wire.h"

namespace raft {
namespace {

constexpr uint32_t kVarint = 0;
constexpr uint32_t kFixed64 = 1;
constexpr uint32_t kLengthDelimited = 2;
constexpr uint32_t kFixed32 = 5;

void AppendVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

}  // namespace

std::string LittleEndian(uint64_t number) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

uint64_t FromLittleEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof(number); ++i) {
    number |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return number;
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void AppendVarintField(std::string& out, uint32_t field, uint64_t value) {
  AppendVarint(out, (uint64_t{field} << 3) | kVarint);
  AppendVarint(out, value);
}

void AppendBytesField(std::string& out, uint32_t field, std::string_view bytes) {
  AppendVarint(out, (uint64_t{field} << 3) | kLengthDelimited);
  AppendVarint(out, bytes.size());
  out.append(bytes);
}

bool WireReader::ReadVarint(uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (input_.empty()) return false;
    const auto byte = static_cast<uint8_t>(input_.front());
    input_.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool WireReader::Skip(uint64_t size) {
  if (size > input_.size()) return false;
  input_.remove_prefix(size);
  return true;
}

bool WireReader::ReadField(uint32_t wire_type, WireField& field, bool& wanted) {
  wanted = wire_type == kVarint || wire_type == kLengthDelimited;
  if (wire_type == kVarint) return ReadVarint(field.value);
  if (wire_type == kFixed64) return Skip(8);
  if (wire_type == kFixed32) return Skip(4);
  if (wire_type != kLengthDelimited) return false;
  uint64_t size = 0;
  if (!ReadVarint(size) || size > input_.size()) return false;
  field.bytes = input_.substr(0, size);
  return Skip(size);
}

bool WireReader::Next(WireField& field) {
  while (ok_ && !input_.empty()) {
    uint64_t key = 0;
    bool wanted = false;
    field = WireField();
    ok_ = ReadVarint(key) && key >> 3 != 0 && key >> 3 <= UINT32_MAX;
    if (!ok_) break;
    field.number = static_cast<uint32_t>(key >> 3);
    ok_ = ReadField(static_cast<uint32_t>(key & 7), field, wanted);
    if (ok_ && wanted) return true;
  }
  return false;
}

}  // namespace raft

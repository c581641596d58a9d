#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pd {

/// Appends numbers big-endian (so that keys sort as numbers do) and strings behind their length.
class ByteWriter {
 public:
  ByteWriter& U8(uint8_t value) {
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  ByteWriter& U32(uint32_t value) { return BigEndian(value, 4); }
  ByteWriter& U64(uint64_t value) { return BigEndian(value, 8); }
  ByteWriter& I64(int64_t value) { return U64(static_cast<uint64_t>(value)); }
  ByteWriter& Raw(std::string_view value) {
    bytes_.append(value);
    return *this;
  }
  /// Requires value.size() < 4 GiB.
  ByteWriter& String(std::string_view value) {
    return U32(static_cast<uint32_t>(value.size())).Raw(value);
  }
  [[nodiscard]] std::string Take() { return std::move(bytes_); }

 private:
  ByteWriter& BigEndian(uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU));
    }
    return *this;
  }

  std::string bytes_;
};

/// Reads what ByteWriter wrote. Reading past the end gives zeros and makes ok() false for good, so
/// that a decoder reads all fields and asks once. Views point into the bytes given.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint8_t U8() { return static_cast<uint8_t>(BigEndian(1)); }
  uint32_t U32() { return static_cast<uint32_t>(BigEndian(4)); }
  uint64_t U64() { return BigEndian(8); }
  int64_t I64() { return static_cast<int64_t>(BigEndian(8)); }
  std::string_view Raw(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view String() { return Raw(U32()); }
  std::string_view Rest() { return Raw(rest_.size()); }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }
  /// Everything was read, nothing was missing.
  [[nodiscard]] bool Complete() const { return ok_ && rest_.empty(); }
  /// Bytes left; an upper bound for any count of things still to come.
  [[nodiscard]] size_t left() const { return rest_.size(); }

 private:
  uint64_t BigEndian(size_t size) {
    uint64_t value = 0;
    for (const char byte : Raw(size)) value = (value << 8U) | static_cast<uint8_t>(byte);
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pd

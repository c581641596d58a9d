#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace raft {

/// The little of the protobuf encoding that membership entries need: fields that are varints or
/// length-delimited. The library has no protobuf under it.
size_t VarintSize(uint64_t value);
void AppendVarintField(std::string& out, uint32_t field, uint64_t value);
void AppendBytesField(std::string& out, uint32_t field, std::string_view bytes);

/// Eight bytes, little end first, and back. `bytes` has eight.
std::string LittleEndian(uint64_t number);
uint64_t FromLittleEndian(std::string_view bytes);

struct WireField {
  uint32_t number = 0;
  uint64_t value = 0;      // Of a varint.
  std::string_view bytes;  // Of a length-delimited field; points into the input.
};

/// Takes fields off the front of an encoded message.
class WireReader {
 public:
  explicit WireReader(std::string_view input) : input_(input) {}

  /// Reads the next varint or length-delimited field; fields of the fixed widths are skipped. False
  /// at the end or at bytes that make no sense; ok() tells which.
  [[nodiscard]] bool Next(WireField& field);

  bool ok() const { return ok_; }

 private:
  bool ReadVarint(uint64_t& value);
  bool Skip(uint64_t size);
  bool ReadField(uint32_t wire_type, WireField& field, bool& wanted);

  std::string_view input_;
  bool ok_ = true;
};

}  // namespace raft

#include "scheduler/model/packed_keys.h"

#include <algorithm>
#include <cstring>

namespace scheduler {
namespace {

constexpr size_t kVarintBytesMax = 10;
constexpr unsigned kVarintBits = 7;
constexpr unsigned char kVarintMore = 0x80;

char* WriteVarint(char* out, size_t value) {
  while (value >= kVarintMore) {
    *out++ = static_cast<char>((value & (kVarintMore - 1)) | kVarintMore);
    value >>= kVarintBits;
  }
  *out++ = static_cast<char>(value);
  return out;
}

const char* ReadVarint(const char* in, size_t& value) {
  value = 0;
  for (unsigned shift = 0;; shift += kVarintBits) {
    const auto byte = static_cast<unsigned char>(*in++);
    value |= static_cast<size_t>(byte & (kVarintMore - 1)) << shift;
    if (byte < kVarintMore) return in;
  }
}

}  // namespace

PackedKeys::PackedKeys(std::string_view start, std::string_view end) {
  const auto shared = static_cast<size_t>(std::ranges::mismatch(start, end).in1 - start.begin());
  const std::string_view suffix = end.substr(shared);
  char header[3 * kVarintBytesMax];
  char* header_end = WriteVarint(header, start.size());
  header_end = WriteVarint(header_end, shared);
  header_end = WriteVarint(header_end, suffix.size());
  const auto header_size = static_cast<size_t>(header_end - header);
  bytes_ = std::make_unique_for_overwrite<char[]>(header_size + start.size() + suffix.size());
  char* out = std::copy(header, header_end, bytes_.get());
  out = std::copy(start.begin(), start.end(), out);
  std::copy(suffix.begin(), suffix.end(), out);
}

PackedKeys::Parts PackedKeys::Split() const {
  size_t start_size = 0;
  size_t shared_size = 0;
  size_t suffix_size = 0;
  const char* in = ReadVarint(bytes_.get(), start_size);
  in = ReadVarint(in, shared_size);
  in = ReadVarint(in, suffix_size);
  return {{in, start_size}, {in, shared_size}, {in + start_size, suffix_size}};
}

std::string_view PackedKeys::start() const { return Split().start; }

std::string PackedKeys::end() const {
  const Parts parts = Split();
  std::string end;
  end.reserve(parts.end_size());
  end.append(parts.shared).append(parts.suffix);
  return end;
}

int PackedKeys::CompareEnd(std::string_view key) const {
  const Parts parts = Split();
  if (parts.end_size() == 0) return 1;
  if (const int head = parts.shared.compare(key.substr(0, parts.shared.size())); head != 0)
    return head;
  return parts.suffix.compare(key.substr(parts.shared.size()));
}

bool PackedKeys::Equals(std::string_view start, std::string_view end) const {
  const Parts parts = Split();
  return parts.start == start && parts.end_size() == end.size() && end.starts_with(parts.shared) &&
         end.ends_with(parts.suffix);
}

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace scheduler {

/// The two keys of a region in one allocation: the full start key, and of the end key only what
/// differs. Neighbouring keys share most of their bytes, so this takes little more than one key.
/// Layout: varint start length, varint shared length, varint suffix length, start bytes, suffix
/// bytes.
class PackedKeys {
 public:
  PackedKeys() = default;
  PackedKeys(std::string_view start, std::string_view end);

  [[nodiscard]] std::string_view start() const;
  [[nodiscard]] std::string end() const;
  /// As std::string_view::compare(end(), key), where an empty end is above every key.
  [[nodiscard]] int CompareEnd(std::string_view key) const;
  /// False for a default-constructed value, which has no keys to ask for.
  [[nodiscard]] bool IsSet() const { return bytes_ != nullptr; }
  [[nodiscard]] bool Equals(std::string_view start, std::string_view end) const;

 private:
  struct Parts {
    std::string_view start;
    std::string_view shared;
    std::string_view suffix;
    [[nodiscard]] size_t end_size() const { return shared.size() + suffix.size(); }
  };
  [[nodiscard]] Parts Split() const;

  std::unique_ptr<char[]> bytes_;
};

}  // namespace scheduler

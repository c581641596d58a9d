#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace raft {

/// An immutable byte string that is cheap to copy: copies share one block, freed with the last of
/// them. A default-constructed payload is unset, which differs from set but empty only in its
/// encoded size. Blocks may be shared between threads; one Payload object may not.
class Payload {
 public:
  Payload() = default;

  /// Copies `bytes` into a block of its own; the result is set even if `bytes` is empty.
  static Payload Copy(std::string_view bytes);

  /// Copies two pieces, one behind the other, into one block (a header and a body, say).
  static Payload Concat(std::string_view head, std::string_view tail);

  Payload(const Payload& other) : block_(other.block_), view_(other.view_) { Retain(); }
  Payload(Payload&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), view_(std::exchange(other.view_, {})) {}
  Payload& operator=(const Payload& other) {
    Payload copy(other);
    swap(copy);
    return *this;
  }
  Payload& operator=(Payload&& other) noexcept {
    Payload moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Payload() {
    if (block_ != nullptr) Release();
  }

  void swap(Payload& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(view_, other.view_);
  }

  /// A part of the bytes, sharing the block: what a decoder cuts out of a received buffer. `offset`
  /// and `size` are clipped to the payload. The whole block lives as long as the part.
  Payload Slice(size_t offset, size_t size) const;

  std::string_view view() const { return view_; }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  bool is_set() const { return block_ != nullptr; }

  friend bool operator==(const Payload& a, const Payload& b) { return a.view_ == b.view_; }

 private:
  struct Block {
    std::atomic<uint32_t> references;
  };

  static Payload Allocate(size_t size, char** bytes);

  void Retain() const {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void Release();

  Block* block_ = nullptr;
  std::string_view view_;
};

}  // namespace raft

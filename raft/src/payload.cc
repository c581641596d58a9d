#include "raft/payload.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace raft {

Payload Payload::Allocate(size_t size, char** bytes) {
  void* memory = ::operator new(sizeof(Block) + size);
  Payload payload;
  payload.block_ = new (memory) Block{1};
  *bytes = static_cast<char*>(memory) + sizeof(Block);
  payload.view_ = std::string_view(*bytes, size);
  return payload;
}

Payload Payload::Copy(std::string_view bytes) { return Concat(bytes, {}); }

Payload Payload::Concat(std::string_view head, std::string_view tail) {
  char* bytes = nullptr;
  Payload payload = Allocate(head.size() + tail.size(), &bytes);
  if (!head.empty()) std::memcpy(bytes, head.data(), head.size());
  if (!tail.empty()) std::memcpy(bytes + head.size(), tail.data(), tail.size());
  return payload;
}

Payload Payload::Slice(size_t offset, size_t size) const {
  Payload part(*this);
  part.view_ = view_.substr(std::min(offset, view_.size()), size);
  return part;
}

void Payload::Release() {
  if (block_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  block_->~Block();
  ::operator delete(block_);
}

}  // namespace raft

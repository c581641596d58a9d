#include "scheduler/model/slot_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "scheduler/model/assert.h"

namespace scheduler {
namespace {

size_t CommonPrefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

/// Eight bytes of `key` from `from` on, as a number that orders like the bytes; missing bytes read
/// as zero, so equal slices do not mean equal keys.
uint64_t Slice(std::string_view key, size_t from) {
  if (from >= key.size()) return 0;
  uint64_t slice = 0;
  std::memcpy(&slice, key.data() + from, std::min(sizeof(slice), key.size() - from));
  return __builtin_bswap64(slice);
}

}  // namespace

SlotTree::~SlotTree() {
  if (root_ != nullptr) Free(root_);
}

SlotTree::SlotTree(SlotTree&& other) noexcept
    : slab_(other.slab_),
      root_(std::exchange(other.root_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

void SlotTree::Insert(Slot slot) {
  if (root_ == nullptr) root_ = NewNode(true);
  if (Node* sibling = InsertBelow(*root_, slot, slab_->StartKey(slot)); sibling != nullptr) {
    Node* root = NewNode(false);
    SetEntry(*root, 0, EntryOf(root_));
    SetEntry(*root, 1, EntryOf(sibling));
    root->used = 2;
    Reslice(*root);
    root_ = root;
  }
  ++size_;
}

void SlotTree::Erase(Slot slot) {
  PD_ASSERT(root_ != nullptr);
  EraseBelow(*root_, slot, slab_->StartKey(slot));
  --size_;
  while (!root_->leaf && root_->used == 1) {
    Node* child = AsInner(*root_).children[0];
    root_->used = 0;
    Free(root_);
    root_ = child;
  }
}

size_t SlotTree::Rank(std::string_view key, Bound bound) const {
  size_t rank = 0;
  const Node* node = root_;
  if (node == nullptr) return 0;
  while (!node->leaf) {
    const Inner& inner = AsInner(*node);
    // Children before the last one that starts within the bound lie within it entirely.
    const size_t within = Position(inner, key, bound);
    if (within == 0) return rank;
    for (size_t i = 0; i + 1 < within; ++i) rank += inner.sizes[i];
    node = inner.children[within - 1];
  }
  return rank + Position(*node, key, bound);
}

Slot SlotTree::At(size_t rank) const {
  PD_ASSERT(rank < size_);
  const Node* node = root_;
  while (!node->leaf) {
    const Inner& inner = AsInner(*node);
    size_t i = 0;
    for (; rank >= inner.sizes[i]; ++i) rank -= inner.sizes[i];
    node = inner.children[i];
  }
  return node->slots[rank];
}

/// How many entries of `node` have a key within the bound.
size_t SlotTree::Position(const Node& node, std::string_view key, Bound bound) const {
  if (node.used == 0) return 0;
  if (node.prefix > 0) {
    const std::string_view prefix = slab_->StartKey(node.slots[0]).substr(0, node.prefix);
    const int order = key.substr(0, node.prefix).compare(prefix);
    if (order != 0) return order < 0 ? 0 : node.used;
  }
  const uint64_t slice = Slice(key, node.prefix);
  const uint64_t* const end = node.slices + node.used;
  const uint64_t* const low = std::lower_bound(node.slices, end, slice);
  const uint64_t* const high = std::upper_bound(low, end, slice);
  auto first = static_cast<size_t>(low - node.slices);
  auto last = static_cast<size_t>(high - node.slices);
  while (first < last) {
    const size_t middle = (first + last) / 2;
    const int order = slab_->StartKey(node.slots[middle]).compare(key);
    const bool within = order < 0 || (order == 0 && bound == Bound::kUpTo);
    (within ? first : last) = within ? middle + 1 : middle;
  }
  return first;
}

SlotTree::Node* SlotTree::InsertBelow(Node& node, Slot slot, std::string_view key) {
  const size_t up_to = Position(node, key, Bound::kUpTo);
  if (node.leaf) return InsertEntry(node, up_to, {.slot = slot});
  Inner& inner = AsInner(node);
  const size_t at = up_to == 0 ? 0 : up_to - 1;
  Node* sibling = InsertBelow(*inner.children[at], slot, key);
  RefreshEntry(inner, at);
  return sibling == nullptr ? nullptr : InsertEntry(node, at + 1, EntryOf(sibling));
}

/// Puts an entry at a place; a full node gives its upper part to a new right sibling, which is
/// returned.
SlotTree::Node* SlotTree::InsertEntry(Node& node, size_t at, const Entry& entry) {
  if (node.used < kEntries) {
    PlaceEntry(node, at, entry);
    return nullptr;
  }
  // Keys that come in ascending order leave full nodes behind rather than half-full ones.
  const size_t keep = at == node.used ? kEntries - 4 : kEntries / 2;
  Node* sibling = NewNode(node.leaf);
  MoveEntries(node, keep, kEntries, *sibling, 0);
  sibling->used = static_cast<uint16_t>(kEntries - keep);
  node.used = static_cast<uint16_t>(keep);
  Reslice(node);
  Reslice(*sibling);
  if (at <= keep) {
    PlaceEntry(node, at, entry);
  } else {
    PlaceEntry(*sibling, at - keep, entry);
  }
  return sibling;
}

void SlotTree::PlaceEntry(Node& node, size_t at, const Entry& entry) {
  MoveEntries(node, at, node.used, node, at + 1);
  SetEntry(node, at, entry);
  ++node.used;
  FitPrefix(node, at);
}

void SlotTree::EraseBelow(Node& node, Slot slot, std::string_view key) {
  const size_t up_to = Position(node, key, Bound::kUpTo);
  PD_ASSERT(up_to > 0);
  const size_t at = up_to - 1;
  if (node.leaf) {
    PD_ASSERT(node.slots[at] == slot);
    RemoveEntry(node, at);
    return;
  }
  Inner& inner = AsInner(node);
  Node* child = inner.children[at];
  EraseBelow(*child, slot, key);
  if (child->used == 0) {
    Free(child);
    RemoveEntry(node, at);
    return;
  }
  RefreshEntry(inner, at);
  if (child->used < kEntriesMin && inner.used > 1) Rebalance(inner, at == 0 ? 0 : at - 1);
}

/// Takes the first slot and the size of child `i` over into its entry.
void SlotTree::RefreshEntry(Inner& inner, size_t i) {
  const Node& child = *inner.children[i];
  inner.sizes[i] = static_cast<uint32_t>(SizeOf(child));
  if (inner.slots[i] == child.slots[0]) return;
  inner.slots[i] = child.slots[0];
  FitPrefix(inner, i);
}

/// Merges children `i` and `i + 1`, or shares their entries evenly when one node would be too full
/// soon.
void SlotTree::Rebalance(Inner& inner, size_t i) {
  Node& left = *inner.children[i];
  Node& right = *inner.children[i + 1];
  const size_t total = size_t{left.used} + right.used;
  const size_t in_left = total <= kMergedMax ? total : total / 2;
  if (in_left > left.used) {
    const size_t moved = in_left - left.used;
    MoveEntries(right, 0, moved, left, left.used);
    MoveEntries(right, moved, right.used, right, 0);
  } else {
    const size_t moved = left.used - in_left;
    MoveEntries(right, 0, right.used, right, moved);
    MoveEntries(left, in_left, left.used, right, 0);
  }
  left.used = static_cast<uint16_t>(in_left);
  right.used = static_cast<uint16_t>(total - in_left);
  Reslice(left);
  RefreshEntry(inner, i);
  if (right.used == 0) {
    Free(&right);
    RemoveEntry(inner, i + 1);
  } else {
    Reslice(right);
    RefreshEntry(inner, i + 1);
  }
}

/// Finds the longest prefix again and with it every slice.
void SlotTree::Reslice(Node& node) const {
  if (node.used == 0) return;
  const std::string_view first = slab_->StartKey(node.slots[0]);
  const std::string_view last = slab_->StartKey(node.slots[node.used - 1]);
  node.prefix = static_cast<uint32_t>(CommonPrefix(first, last));
  for (size_t i = 0; i < node.used; ++i) {
    node.slices[i] = Slice(slab_->StartKey(node.slots[i]), node.prefix);
  }
}

/// Makes entry `i`, whose key is new here, agree with the node's prefix: its slice alone if it
/// shares it, else all.
void SlotTree::FitPrefix(Node& node, size_t i) const {
  if (node.used == 1) {
    Reslice(node);
    return;
  }
  const std::string_view key = slab_->StartKey(node.slots[i]);
  const std::string_view other = slab_->StartKey(node.slots[i == 0 ? 1 : 0]);
  if (CommonPrefix(key, other) < node.prefix) {
    Reslice(node);
  } else {
    node.slices[i] = Slice(key, node.prefix);
  }
}

SlotTree::Entry SlotTree::EntryOf(Node* child) const {
  return {.slot = child->slots[0], .size = static_cast<uint32_t>(SizeOf(*child)), .child = child};
}

size_t SlotTree::SizeOf(const Node& node) {
  if (node.leaf) return node.used;
  const Inner& inner = AsInner(node);
  size_t size = 0;
  for (size_t i = 0; i < inner.used; ++i) size += inner.sizes[i];
  return size;
}

SlotTree::Node* SlotTree::NewNode(bool leaf) {
  Node* node = leaf ? new Node : new Inner;
  node->leaf = leaf;
  return node;
}

void SlotTree::Free(Node* node) {
  if (node->leaf) {
    delete node;
    return;
  }
  Inner* inner = &AsInner(*node);
  for (size_t i = 0; i < inner->used; ++i) Free(inner->children[i]);
  delete inner;
}

void SlotTree::SetEntry(Node& node, size_t i, const Entry& entry) {
  node.slices[i] = entry.slice;
  node.slots[i] = entry.slot;
  if (node.leaf) return;
  AsInner(node).sizes[i] = entry.size;
  AsInner(node).children[i] = entry.child;
}

/// Copies entries [first, last) of `from` to `to`, place `at` on; both may be the same node.
void SlotTree::MoveEntries(Node& from, size_t first, size_t last, Node& to, size_t at) {
  const size_t count = last - first;
  std::memmove(to.slices + at, from.slices + first, count * sizeof(from.slices[0]));
  std::memmove(to.slots + at, from.slots + first, count * sizeof(from.slots[0]));
  if (from.leaf) return;
  Inner& source = AsInner(from);
  Inner& target = AsInner(to);
  std::memmove(target.sizes + at, source.sizes + first, count * sizeof(source.sizes[0]));
  std::memmove(target.children + at, source.children + first, count * sizeof(source.children[0]));
}

void SlotTree::RemoveEntry(Node& node, size_t at) {
  MoveEntries(node, at + 1, node.used, node, at);
  --node.used;
}

}  // namespace scheduler

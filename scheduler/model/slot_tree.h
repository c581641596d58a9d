#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "scheduler/model/region_slab.h"

namespace scheduler {

/// A set of slots ordered by the start keys of their regions, with ranks: an order-statistics
/// B+tree.
///
/// A node holds up to 64 entries. An entry is a slot and an eight-byte slice of its start key,
/// taken behind the prefix that all keys of the node share, so that most comparisons touch neither
/// the slab nor the key. Inner entries name the first slot of their child and the number of slots
/// below it. A leaf entry takes 12 bytes; at the usual fill of a B+tree about 17 bytes a region and
/// tree. Insert, erase, rank and pick cost O(log n).
///
/// Start keys within one tree are distinct. The slab keeps the record and its start key as long as
/// the tree holds the slot.
class SlotTree {
 public:
  explicit SlotTree(const RegionSlab& slab) : slab_(&slab) {}
  ~SlotTree();
  SlotTree(SlotTree&& other) noexcept;
  SlotTree& operator=(SlotTree&&) = delete;

  void Insert(Slot slot);
  void Erase(Slot slot);

  [[nodiscard]] size_t size() const { return size_; }
  /// How many slots have a start key below `key`.
  [[nodiscard]] size_t CountBelow(std::string_view key) const { return Rank(key, Bound::kBelow); }
  /// How many slots have a start key of `key` or below.
  [[nodiscard]] size_t CountUpTo(std::string_view key) const { return Rank(key, Bound::kUpTo); }
  /// The slot of a rank below size().
  [[nodiscard]] Slot At(size_t rank) const;

  /// Calls `visit(slot)` in key order from `rank` on, until it returns false.
  template <class Visit>
  void Walk(size_t rank, Visit&& visit) const {
    if (root_ != nullptr) WalkNode(*root_, rank, visit);
  }

 private:
  static constexpr size_t kEntries = 64;
  static constexpr size_t kEntriesMin = kEntries / 4;
  static constexpr size_t kMergedMax = kEntries * 3 / 4;
  enum class Bound : uint8_t { kBelow, kUpTo };

  struct Node {
    uint16_t used = 0;
    bool leaf = true;
    uint32_t prefix = 0;  // Length of the prefix shared by all keys here; slices start behind it.
    uint64_t slices[kEntries];
    Slot slots[kEntries];
  };
  struct Inner : Node {
    uint32_t sizes[kEntries];
    Node* children[kEntries];
  };
  struct Entry {
    uint64_t slice = 0;
    Slot slot = 0;
    uint32_t size = 0;      // Inner nodes only.
    Node* child = nullptr;  // Inner nodes only.
  };

  static Inner& AsInner(Node& node) { return static_cast<Inner&>(node); }
  static const Inner& AsInner(const Node& node) { return static_cast<const Inner&>(node); }
  static Node* NewNode(bool leaf);
  static void Free(Node* node);
  static size_t SizeOf(const Node& node);
  static void SetEntry(Node& node, size_t i, const Entry& entry);
  static void MoveEntries(Node& from, size_t first, size_t last, Node& to, size_t at);

  [[nodiscard]] size_t Rank(std::string_view key, Bound bound) const;
  [[nodiscard]] size_t Position(const Node& node, std::string_view key, Bound bound) const;
  void Reslice(Node& node) const;
  void FitPrefix(Node& node, size_t i) const;
  Node* InsertBelow(Node& node, Slot slot, std::string_view key);
  Node* InsertEntry(Node& node, size_t at, const Entry& entry);
  void PlaceEntry(Node& node, size_t at, const Entry& entry);
  void EraseBelow(Node& node, Slot slot, std::string_view key);
  void RefreshEntry(Inner& inner, size_t i);
  void Rebalance(Inner& inner, size_t i);
  static void RemoveEntry(Node& node, size_t at);
  [[nodiscard]] Entry EntryOf(Node* child) const;

  template <class Visit>
  static bool WalkNode(const Node& node, size_t rank, Visit& visit) {
    if (node.leaf) {
      for (size_t i = rank; i < node.used; ++i) {
        if (!visit(node.slots[i])) return false;
      }
      return true;
    }
    const Inner& inner = AsInner(node);
    for (size_t i = 0; i < inner.used; ++i) {
      if (rank >= inner.sizes[i]) {
        rank -= inner.sizes[i];
        continue;
      }
      if (!WalkNode(*inner.children[i], rank, visit)) return false;
      rank = 0;
    }
    return true;
  }

  const RegionSlab* slab_;
  Node* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace scheduler

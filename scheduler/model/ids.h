#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace scheduler {

/// A 64-bit id of one kind. Kinds do not convert into each other; 0 is "none" on the wire and here.
template <class Kind>
struct Id {
  uint64_t value = 0;

  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

using RegionId = Id<struct RegionKind>;
using StoreId = Id<struct StoreKind>;
using PeerId = Id<struct PeerKind>;

}  // namespace scheduler

template <class Kind>
struct std::hash<scheduler::Id<Kind>> {
  size_t operator()(const scheduler::Id<Kind>& id) const noexcept {
    return std::hash<uint64_t>{}(id.value);
  }
};

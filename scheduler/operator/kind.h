#pragma once

#include <cstdint>
#include <string>

namespace scheduler {

/// What an operator is for, as a bit set. Bit order is on the wire: GET /operators?object prints the mask, and the text
/// form lists the names in this order.
enum class Kind : uint32_t {
  kNone = 0,
  kAdmin = 1U << 0,
  kAffinity = 1U << 1,
  kMerge = 1U << 2,
  kRange = 1U << 3,
  kReplica = 1U << 4,
  kSplit = 1U << 5,
  kHotRegion = 1U << 6,
  kRegion = 1U << 7,
  kLeader = 1U << 8,
  kWitnessLeader = 1U << 9,
  kWitness = 1U << 10,
  kSplitScatter = 1U << 11,
};

constexpr Kind operator|(Kind a, Kind b) {
  return static_cast<Kind>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
constexpr Kind& operator|=(Kind& a, Kind b) { return a = a | b; }

/// True when `set` has all bits of `wanted` (and `wanted` has any).
constexpr bool Has(Kind set, Kind wanted) {
  return wanted != Kind::kNone && (static_cast<uint32_t>(set) & static_cast<uint32_t>(wanted)) ==
                                      static_cast<uint32_t>(wanted);
}

/// The one bit under which an operator counts against a schedule limit: admin if set, else split-scatter if set, else
/// the lowest bit (as in the reference). kNone for an empty set: such an operator counts against no limit.
Kind CountingKind(Kind set);

/// "admin,region" in bit order; "unknown" for an empty set.
std::string KindText(Kind set);

/// The single kind of a name in the text form, kNone when there is none.
Kind KindFromText(const std::string& name);

/// Later values outrank earlier ones when two operators want the same region.
enum class Priority : uint8_t { kLow, kMedium, kHigh, kUrgent };

const char* PriorityText(Priority priority);

}  // namespace scheduler

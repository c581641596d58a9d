#include "scheduler/operator/kind.h"

#include <array>
#include <cstddef>

namespace scheduler {
namespace {

constexpr std::array<const char*, 12> kNames = {
    "admin",      "affinity", "merge",  "range",          "replica", "split",
    "hot-region", "region",   "leader", "witness-leader", "witness", "split-scatter"};

}  // namespace

Kind CountingKind(Kind set) {
  if (Has(set, Kind::kAdmin)) return Kind::kAdmin;
  if (Has(set, Kind::kSplitScatter)) return Kind::kSplitScatter;
  const uint32_t bits = static_cast<uint32_t>(set);
  return static_cast<Kind>(bits & (~bits + 1U));
}

std::string KindText(Kind set) {
  std::string text;
  for (size_t bit = 0; bit < kNames.size(); ++bit) {
    if (!Has(set, static_cast<Kind>(1U << bit))) continue;
    if (!text.empty()) text += ',';
    text += kNames[bit];
  }
  return text.empty() ? "unknown" : text;
}

Kind KindFromText(const std::string& name) {
  for (size_t bit = 0; bit < kNames.size(); ++bit) {
    if (name == kNames[bit]) return static_cast<Kind>(1U << bit);
  }
  return Kind::kNone;
}

const char* PriorityText(Priority priority) {
  switch (priority) {
    case Priority::kLow:
      return "low";
    case Priority::kMedium:
      return "medium";
    case Priority::kHigh:
      return "high";
    case Priority::kUrgent:
      return "urgent";
  }
  return "medium";
}

}  // namespace scheduler

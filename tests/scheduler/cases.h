#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/harness/sanitized.h"

namespace scheduler::test {

/// How many random cases a property test looks at: 20,000, 2,500 under a sanitizer, or what QM_CASES says
/// (`make fuzz` says a million).
inline uint64_t CasesWanted() {
  constexpr uint64_t kUsual = harness::kSanitized ? 2'500 : 20'000;
  const char* wanted = std::getenv("QM_CASES");
  return wanted == nullptr ? kUsual : std::stoull(wanted);
}

}  // namespace scheduler::test

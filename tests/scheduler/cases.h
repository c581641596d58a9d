#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace scheduler::test {

/// How many random cases a property test looks at: 20,000, or what QM_CASES says (`make fuzz` says a million).
inline uint64_t CasesWanted() {
  const char* wanted = std::getenv("QM_CASES");
  return wanted == nullptr ? 20'000 : std::stoull(wanted);
}

}  // namespace scheduler::test

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace killtest {

/// One answered request for `count` numbers (ids, or timestamps as physical << 18 | logical), of which `last` is the
/// last. Times are in ns on one clock of this machine.
struct Grant {
  int64_t sent_ns = 0;
  int64_t received_ns = 0;
  uint64_t last = 0;
  uint32_t count = 0;

  uint64_t first() const { return last - count + 1; }
};

/// What is wrong with the grants of all clients together; empty if nothing is. No number may be given twice, and a
/// request sent after another one was answered gets higher numbers. O(n log n).
std::vector<std::string> FindViolations(std::vector<Grant> grants, const std::string& what);

/// The longest time without an answer, in ns: between one answer (of any client) and the next, of those that end in the
/// span or began before it. `received_ns` is in order.
int64_t LongestGap(const std::vector<int64_t>& received_ns, int64_t from_ns, int64_t to_ns);

/// The value below which `percent` of the values lie (nearest rank); 0 for none.
int64_t Percentile(std::vector<int64_t> values, int percent);

}  // namespace killtest

#include "tests/e2e/kill/history.h"

#include <algorithm>

namespace killtest {
namespace {

constexpr size_t kReportedMax = 10;

void FindTwice(std::vector<Grant>& grants, const std::string& what,
               std::vector<std::string>& found) {
  std::sort(grants.begin(), grants.end(),
            [](const Grant& a, const Grant& b) { return a.first() < b.first(); });
  for (size_t i = 1; i < grants.size() && found.size() < kReportedMax; ++i) {
    if (grants[i].first() <= grants[i - 1].last) {
      found.push_back(what + " given twice: " + std::to_string(grants[i].first()) + " .. " +
                      std::to_string(std::min(grants[i].last, grants[i - 1].last)));
    }
  }
}

// Sweeps over the sends in order and keeps the highest number answered so far.
void FindBackwards(std::vector<Grant>& grants, const std::string& what,
                   std::vector<std::string>& found) {
  std::vector<Grant> answered = grants;
  std::sort(answered.begin(), answered.end(),
            [](const Grant& a, const Grant& b) { return a.received_ns < b.received_ns; });
  std::sort(grants.begin(), grants.end(),
            [](const Grant& a, const Grant& b) { return a.sent_ns < b.sent_ns; });
  size_t next = 0;
  uint64_t highest = 0;
  for (const Grant& grant : grants) {
    for (; next < answered.size() && answered[next].received_ns < grant.sent_ns; ++next) {
      highest = std::max(highest, answered[next].last);
    }
    if (grant.first() <= highest && found.size() < kReportedMax) {
      found.push_back(what + " went backwards: " + std::to_string(grant.first()) + " after " +
                      std::to_string(highest));
    }
  }
}

}  // namespace

std::vector<std::string> FindViolations(std::vector<Grant> grants, const std::string& what) {
  std::vector<std::string> found;
  FindTwice(grants, what, found);
  FindBackwards(grants, what, found);
  return found;
}

int64_t LongestGap(const std::vector<int64_t>& received_ns, int64_t from_ns, int64_t to_ns) {
  auto after = std::upper_bound(received_ns.begin(), received_ns.end(), from_ns);
  int64_t previous = after == received_ns.begin() ? from_ns : *(after - 1);
  int64_t longest = 0;
  for (; after != received_ns.end() && previous < to_ns; ++after) {
    // One that begins inside the span and ends behind it belongs to what happened at its end.
    if (*after <= to_ns || previous <= from_ns) longest = std::max(longest, *after - previous);
    previous = *after;
  }
  if (previous < to_ns) longest = std::max(longest, to_ns - previous);
  return longest;
}

int64_t Percentile(std::vector<int64_t> values, int percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t rank = (values.size() * static_cast<size_t>(percent) + 99) / 100;
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

}  // namespace killtest

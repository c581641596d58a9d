#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace harness {

using Millis = std::chrono::milliseconds;

/// Asks every 5 ms until `condition` holds; false if it does not within `timeout`: a bound for a run that hangs, not a
/// measure.
template <class Condition>
bool Eventually(Condition condition, Millis timeout = Millis(60'000)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(Millis(5));
  }
  return true;
}

/// The same for what cannot go on without. Throws std::runtime_error with `what` in it.
template <class Condition>
void WaitUntil(const std::string& what, Millis timeout, Condition condition) {
  if (!Eventually(condition, timeout)) throw std::runtime_error("waited in vain for " + what);
}

}  // namespace harness

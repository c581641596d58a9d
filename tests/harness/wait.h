#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace harness {

using Millis = std::chrono::milliseconds;

/// Asks every 5 ms until `condition` holds. Throws std::runtime_error with `what` in it if it does not within
/// `timeout`: a bound for a run that hangs, not a measure.
template <class Condition>
void WaitUntil(const std::string& what, Millis timeout, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("waited in vain for " + what);
    }
    std::this_thread::sleep_for(Millis(5));
  }
}

}  // namespace harness

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <rapidcheck.h>

namespace raft::testing {

/// A drawn sequence of numbers that tells a property what to do next. It is shrunk as any drawn value is, by leaving
/// numbers out and making them smaller: let 0 stand for the plainest choice.
class Program {
 public:
  static Program Draw() {
    return Program(*rc::gen::resize(kNumbersMax, rc::gen::arbitrary<std::vector<uint8_t>>())
                        .as("the program"));
  }

  explicit Program(std::vector<uint8_t> numbers) : numbers_(std::move(numbers)) {}

  bool done() const { return at_ == numbers_.size(); }

  /// 0 once the program is done, or when there is only one choice.
  uint64_t Below(uint64_t bound) { return done() || bound < 2 ? 0 : numbers_[at_++] % bound; }

  /// In [from, to].
  uint64_t Between(uint64_t from, uint64_t to) { return from + Below(to - from + 1); }

  bool Flag() { return Below(2) == 1; }

 private:
  static constexpr int kNumbersMax = 300;

  std::vector<uint8_t> numbers_;
  size_t at_ = 0;
};

}  // namespace raft::testing

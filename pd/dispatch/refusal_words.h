#pragma once

#include <string>

#include "scheduler/filters/reason.h"

namespace pd {

/// A refusal as a sentence for people, with its numbers: "store 3 has 0 of the 1000 cost units left that
/// a new peer takes".
[[nodiscard]] std::string RefusalWords(const scheduler::Refusal& refusal);

}  // namespace pd

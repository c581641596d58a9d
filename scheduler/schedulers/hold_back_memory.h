#pragma once

#include <cstddef>
#include <optional>

#include "scheduler/model/time.h"

namespace scheduler {

/// How long a balance scheduler waits for stores to get what they are to have by the straight way, before others may
/// give or take in their stead (see HoldBack). Kept from run to run.
class HoldBackMemory {
 public:
  static constexpr Millis kBelow = Seconds{60};
  static constexpr Millis kAtLevel = Seconds{3};
  static constexpr Millis kFull = Seconds{60};
  /// Without a run for longer nothing has been waited for.
  static constexpr Millis kGap = Seconds{60};

  /// Who was held back in vain.
  struct InVain {
    /// Runs that proposed nothing have held stores back, which are below the level where all will meet, for so long
    /// that what holds the others up will not pass: the level is out of reach, until a run without it proposes nothing.
    bool below = false;
    /// The same for a few seconds: nothing is on its way that those could give which are above the level. Then those
    /// just at it may, which get as much back.
    bool at_level = false;
    /// Stores that have reached the level were kept from taking for so long that those below it are not about to get
    /// what they could take over: whoever has much is rid of it first. Until a run that asked all and would keep none
    /// from it.
    bool full = false;

    friend bool operator==(const InVain&, const InVain&) = default;
  };
  InVain StartRun(Instant now);

  /// What a run came to: whether it held any store back from giving or, as it was full, from taking (or would have,
  /// were that not in vain), and whether every store was asked.
  struct Run {
    size_t proposals = 0;
    bool held_back = false;
    bool full = false;
    bool asked_all = true;
  };
  void EndRun(const Run& run, Instant now);

 private:
  std::optional<Instant> ran_at_;
  std::optional<Instant> held_back_since_;
  std::optional<Instant> full_since_;
  bool out_of_reach_ = false;
};

}  // namespace scheduler

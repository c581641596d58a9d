#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "pd/runtime/clock.h"
#include "raft/types.h"

namespace pd {

/// When a member tells the leader what it is called and where it is, and which failures are worth a line in the log.
/// Failures double the time to the next try, from kRetryMin to kRetryMax; another leader is tried at once. Not
/// thread-safe.
class PublishSchedule {
 public:
  static constexpr Nanos kRetryMin = std::chrono::milliseconds(100);
  static constexpr Nanos kRetryMax = std::chrono::seconds(10);
  /// From a success to the next look whether it still holds.
  static constexpr Nanos kAgain = std::chrono::seconds(10);

  /// Whether it is time for a try. `leader`: whom it would go to; 0 while nobody is known.
  [[nodiscard]] bool Due(Nanos now, raft::NodeId leader) const;

  /// The group knows this member. True if that is news, after a failure.
  bool OnPublished(Nanos now);
  /// The leader could not be told. True if that is news: the first failure, another leader, or another reason.
  bool OnFailed(Nanos now, raft::NodeId leader, std::string_view reason);

 private:
  Nanos next_{0};
  Nanos delay_{0};           // The last one after a failure; 0 when the last try was none.
  raft::NodeId leader_ = 0;  // Whom the last failure was about.
  std::string reason_;
};

}  // namespace pd

#include "pd/members/publish_schedule.h"

#include <algorithm>

namespace pd {

bool PublishSchedule::Due(Nanos now, raft::NodeId leader) const {
  const bool other_leader = delay_ > Nanos(0) && leader != 0 && leader != leader_;
  return now >= next_ || other_leader;
}

bool PublishSchedule::OnPublished(Nanos now) {
  const bool news = delay_ > Nanos(0);
  delay_ = Nanos(0);
  next_ = now + kAgain;
  return news;
}

bool PublishSchedule::OnFailed(Nanos now, raft::NodeId leader, std::string_view reason) {
  const bool goes_on = delay_ > Nanos(0) && leader == leader_;
  const bool news = !goes_on || reason != reason_;
  delay_ = goes_on ? std::min(delay_ * 2, kRetryMax) : kRetryMin;
  next_ = now + delay_;
  leader_ = leader;
  reason_ = reason;
  return news;
}

}  // namespace pd

#include "pd/cluster/range_history.h"

namespace pd {
namespace {

/// `outer` has all keys of `inner`.
bool Covers(const scheduler::Region& outer, const scheduler::Region& inner) {
  return outer.start_key <= inner.start_key && !scheduler::EndsAfter(inner.end_key, outer.end_key);
}

}  // namespace

void RangeHistory::Note(const scheduler::Region* before, const scheduler::Region& now) {
  const scheduler::Instant at = InstantOf(clock_.Monotonic());
  if (before == nullptr || !Covers(now, *before)) {
    splits_.Note(now.id, at);
  } else if (!Covers(*before, now)) {
    merges_.Note(now.id, at);
  }
}

}  // namespace pd

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"
#include "scheduler/operator/operator.h"
#include "scheduler/scatter/scatter_counts.h"

namespace scheduler {

enum class ScatterOutcome : uint8_t {
  kRefused,
  kInPlace,  // Nothing to move: the region already is where it belongs.
  kMove,
};

/// Whether the limits of the stores that peers leave hold scattering back. Those of the stores to which they come never
/// do, nor what these have to be sent (as in the reference).
enum class Limits : uint8_t { kObeyed, kPassed };

/// What became of the wish to scatter one region.
struct ScatterPlan {
  ScatterOutcome outcome = ScatterOutcome::kRefused;
  /// When refused: kRegionNotReplicated, kRegionNoLeader, kNoTarget (nobody may lead), or kBuildFailed with why.
  std::optional<Refusal> refusal;
  std::optional<Proposal> proposal;  // When there is something to move.

  /// What to record: where the region will have its peers, ascending, and its leader. Where it has them now when the
  /// steps could not be built; nothing when it was refused before or is an affinity group's.
  std::vector<StoreId> stores;
  StoreId leader;
};

/// Spreads the regions of a group over the stores, for a caller who asks for it, as after splitting a new table (as in
/// the reference). Each peer goes to the store with the fewest peers of the group among those that may take it, the
/// lead to the store with the fewest leaders; by ascending store id on ties. Data moves only to stores with strictly
/// fewer peers than the one where it is.
///
/// A store may take a peer when it is of the same engine, is in a state to take peers, holds none of the region, and
/// the region's rules stay as well fulfilled. The reference judges each move by itself; here each is judged with the
/// ones before it, so that two moves that are harmless alone do not put two copies into one failure domain.
///
/// A region that its affinity group does not let be balanced stays where it is and is not counted.
///
/// Whether another operator holds the region, and whether it is hot, is for the caller to see to. Pure.
/// Cost O(peers * stores), and a fit for each store that comes into question.
ScatterPlan PlanScatter(const PlanContext& context, const Region& region, const std::string& group,
                        const ScatterCounts& counts, Limits limits = Limits::kObeyed);

/// Notes in the group's counts what was planned. For every plan, refused or not, before the next one of the group.
void Record(const ScatterPlan& plan, ScatterCounts& counts);

}  // namespace scheduler

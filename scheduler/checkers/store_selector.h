#pragma once

#include <span>
#include <vector>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// A store for a peer, or why there is none (as in the reference). Cost O(stores * peers * labels).
struct Selection {
  const Store* store = nullptr;
  bool blocked_for_now =
      false;  // A best located store exists but cannot take a peer at this moment.
  std::vector<Refusal> refusals;  // One for each store passed over.
};

/// What the new peer is to be. A witness takes no snapshot and little room, so that fewer things keep a store from
/// taking one: no limit, no snapshots under way, no pending peers.
enum class NewPeer : uint8_t { kWithData, kWitness };
inline NewPeer NewPeerLike(bool witness) {
  return witness ? NewPeer::kWitness : NewPeer::kWithData;
}

/// Chooses stores for the peers of one rule of one region.
class StoreSelector {
 public:
  StoreSelector(const PlanContext& context, const Region& region, const Rule& rule,
                NewPeer new_peer = NewPeer::kWithData)
      : context_(context), region_(region), rule_(rule), new_peer_(new_peer) {}

  /// The best store beside `others`: first the best located stores of all that may take a peer at any time, then of
  /// those the one with the lowest region score that can take it now. A worse location is never taken because the
  /// best store is busy for a moment.
  [[nodiscard]] Selection ToAdd(std::span<const Store* const> others) const;

  /// The best store to take over from the peer on `old_store`, which is one of `others`.
  [[nodiscard]] Selection ToReplace(std::span<const Store* const> others, StoreId old_store) const;

  /// As ToReplace, but only stores that are strictly better located than `old_store`.
  [[nodiscard]] Selection ToImprove(std::span<const Store* const> others,
                                    const Store& old_store) const;

  /// The chosen store; null after noting in `decision` why there is none. `have` peers of the rule are there.
  const Store* Take(Selection selection, size_t have, Decision& decision) const;

 private:
  [[nodiscard]] std::optional<Refusal> RefuseAtAnyTime(const Store& store,
                                                       std::span<const Store* const> others) const;
  [[nodiscard]] std::optional<Refusal> RefuseNow(const Store& store) const;
  [[nodiscard]] Selection Select(std::span<const Store* const> others, double score_to_beat) const;

  const PlanContext& context_;
  const Region& region_;
  const Rule& rule_;
  NewPeer new_peer_;
};

/// The worst located of `stores`, on ties the fullest; stores that cannot give a peer away now are left out. Null:
/// none.
const Store* SelectStoreToLeave(const PlanContext& context, const Rule& rule,
                                std::span<const Store* const> stores);
/// Why stores of these may give nothing away now: one of them may be the one to leave.
void RefuseToLeave(const PlanContext& context, std::span<const Store* const> stores,
                   Decision& decision);

}  // namespace scheduler

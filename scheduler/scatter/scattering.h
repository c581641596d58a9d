#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/builder.h"
#include "scheduler/scatter/scatter.h"
#include "scheduler/scatter/scatter_counts.h"

namespace scheduler {

/// Where the peers of one region go, and who leads: what both kinds of scattering have in common. Their taste is in the
/// classes below this one. What it is made from outlives it; for one region, on one thread.
class Scattering {
 public:
  /// `fit`: of the region as it is. Its rules are satisfied, so that all its stores are known.
  Scattering(const PlanContext& context, const Region& region, const RegionFit& fit,
             const ScatterCounts& counts);
  virtual ~Scattering() = default;
  Scattering(const Scattering&) = delete;
  Scattering& operator=(const Scattering&) = delete;

  /// Once, and first.
  void PlacePeers();
  /// The resulting store that leads best; 0 when nobody may lead.
  [[nodiscard]] virtual StoreId ChooseLeader() const = 0;

  [[nodiscard]] const Region& region() const { return region_; }
  [[nodiscard]] const ScatterCounts& counts() const { return counts_; }
  /// By store; peers that moved have no id yet.
  [[nodiscard]] std::map<StoreId, Peer> Targets() const;

 protected:
  /// Whether the peer may go away at all.
  [[nodiscard]] virtual bool MayLeave(const Peer& peer) const = 0;
  /// Whether a peer on `from` is better off on `to`.
  [[nodiscard]] virtual bool IsGain(const Store& from, const Store& to) const = 0;
  /// Whether a peer goes to `store` rather than to `other`. Of equal ones it goes to that with the smaller id.
  [[nodiscard]] virtual bool IsBetter(const Store& store, const Store& other) const = 0;

  /// By its role and by the rule that it served where it was; with it as leader the rules have to hold. A peer that
  /// moves comes with its data; one that stays behind or is gone could not take the lead.
  [[nodiscard]] bool MayLead(const Peer& peer) const;
  /// The peers where they will be, by ascending store.
  [[nodiscard]] std::vector<Peer> PlacedPeers() const;

  [[nodiscard]] const PlanContext& context() const { return context_; }

 private:
  void Place(const Peer& peer);
  [[nodiscard]] StoreId Choose(const Peer& peer) const;
  [[nodiscard]] bool MayTake(const Peer& peer, const Store& own, const Store& store) const;
  [[nodiscard]] bool KeepsRules(const Region& after) const;
  [[nodiscard]] bool SharesLevel(const RuleFit& rule_fit) const;

  const PlanContext& context_;
  const Region& region_;
  const ScatterCounts& counts_;
  const RegionFit& first_fit_;  // Of the region as it is.
  Region after_;                // With the moves so far.
  RegionFit fit_;               // Of `after_`.
  std::set<StoreId> selected_;  // Each was somebody's choice.
};

ScatterPlan RefusedScatter(Reason reason, const Region& region, std::string detail = {});

/// What is decided before anything is placed: a refusal, or that the region stays for its affinity group; nothing when
/// it may be scattered. `fit`: its own.
std::optional<ScatterPlan> SettleScatter(const PlanContext& context, const Region& region,
                                         const RegionFit& fit);

/// The steps to where `scattering` has put the peers, with `leader` as leader, by a builder of its region. Peers that
/// come cost the stores' limits nothing (as in the reference).
ScatterPlan PlanPlaces(const Scattering& scattering, StoreId leader, const std::string& group,
                       Builder& builder, Kind kind);

}  // namespace scheduler

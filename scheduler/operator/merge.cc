#include "scheduler/operator/merge.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "scheduler/operator/builder.h"

namespace scheduler {
namespace {

const MergeRegion* MergeStep(const Proposal& proposal) {
  if (proposal.steps.empty()) return nullptr;
  return std::get_if<MergeRegion>(&proposal.steps.back());
}

bool HasRange(const Region& region, const KeyRange& range) {
  return region.start_key == range.start && region.end_key == range.end;
}

/// Where and as what the target's peers are; ids are of no account.
std::map<StoreId, Peer> Places(const Region& region) {
  std::map<StoreId, Peer> places;
  for (Peer peer : region.peers) {
    peer.id = {};
    places[peer.store] = peer;
  }
  return places;
}

Kind KindOf(MergeWish wish) {
  switch (wish) {
    case MergeWish::kOfPerson:
      return Kind::kAdmin;
    case MergeWish::kOfAffinity:
      return Kind::kAffinity;
    case MergeWish::kOfChecker:
      break;
  }
  return Kind::kNone;
}

}  // namespace

bool AreNeighbours(const Region& a, const Region& b) {
  return (!a.end_key.empty() && a.end_key == b.start_key) ||
         (!b.end_key.empty() && b.end_key == a.start_key);
}

Result<Proposal> ProposeMerge(const PlanContext& context, MergeWish wish, std::string desc,
                              const Region& source, const Region& target) {
  const auto fail = [](const char* text) { return Fail(ErrorCode::kInvalidArgument, text); };
  if (source.InJointState() || target.InJointState()) {
    return fail("cannot merge regions which are in joint state");
  }
  if (!AreNeighbours(source, target)) return fail("two regions are not adjacent");
  const bool by_person = wish == MergeWish::kOfPerson;
  const Kind kind = KindOf(wish);
  const Priority priority = by_person ? Priority::kUrgent : Priority::kMedium;
  Proposal proposal;
  const std::map<StoreId, Peer> places = Places(target);
  if (Places(source) == places) {
    proposal.desc = std::move(desc);
    proposal.region = source.id;
    proposal.epoch = source.epoch;
    proposal.range = {source.start_key, source.end_key};
    proposal.size_mib = source.size_mib;
    proposal.kind = kind;
    proposal.priority = priority;
  } else {
    Builder builder(context, std::move(desc), source);
    if (by_person) builder.SkipRuleCheck();
    builder.SetPeers(places);
    Result<Proposal> moves = builder.Build(kind, priority);
    if (!moves) return moves;
    proposal = std::move(*moves);
  }
  proposal.brief =
      "merge: region " + std::to_string(source.id.value) + " to " + std::to_string(target.id.value);
  proposal.kind |= Kind::kMerge;
  proposal.steps.emplace_back(MergeRegion{source, target, false});
  return proposal;
}

std::optional<Proposal> TargetSide(const Proposal& proposal) {
  const MergeRegion* merge = MergeStep(proposal);
  if (merge == nullptr || merge->passive) return {};
  Proposal side;
  side.desc = proposal.desc;
  side.brief = proposal.brief;
  side.region = merge->to.id;
  side.epoch = merge->to.epoch;
  side.range = {merge->to.start_key, merge->to.end_key};
  side.size_mib = merge->to.size_mib;
  side.kind = Kind::kMerge;
  for (const Kind whose : {Kind::kAdmin, Kind::kAffinity}) {
    if (Has(proposal.kind, whose)) side.kind |= whose;
  }
  side.priority = proposal.priority;
  side.why = proposal.why;
  side.timeout_min = proposal.Timeout();
  side.steps.emplace_back(MergeRegion{merge->from, merge->to, true});
  return side;
}

RegionId MergePartner(const Proposal& proposal) {
  const MergeRegion* merge = MergeStep(proposal);
  if (merge == nullptr) return {};
  return merge->passive ? merge->from.id : merge->to.id;
}

bool IsMergeOvertaken(const Proposal& proposal, const Region& region) {
  const MergeRegion* merge = MergeStep(proposal);
  if (merge == nullptr) return false;
  if (!HasRange(region, proposal.range)) return true;
  const uint64_t planned = proposal.epoch.version;
  if (region.epoch.version == planned) return false;
  return merge->passive || !IsPreparedMerge(*merge, region);
}

}  // namespace scheduler

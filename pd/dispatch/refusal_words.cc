#include "pd/dispatch/refusal_words.h"

#include <fmt/args.h>
#include <fmt/format.h>

namespace pd {
namespace {

using scheduler::Reason;

const char* StorePhrase(Reason reason) {
  switch (reason) {
    case Reason::kStoreTombstone:
      return "store {store} is gone for good";
    case Reason::kStoreRemoving:
      return "store {store} is being removed";
    case Reason::kStoreDown:
      return "store {store} has been silent for {value} s";
    case Reason::kStoreNotConnected:
      return "store {store} has been silent for {value} s";
    case Reason::kStoreBusy:
      return "store {store} says it is busy";
    case Reason::kStoreTransferInPaused:
      return "store {store} takes no leaders at the moment";
    case Reason::kStoreTransferOutPaused:
      return "store {store} keeps its leaders at the moment";
    case Reason::kStoreSlow:
      return "store {store} is slow";
    case Reason::kStoreStopping:
      return "store {store} is stopping";
    case Reason::kStoreSlowTrend:
      return "store {store} is becoming slow";
    case Reason::kStoreRejectsLeaders:
      return "store {store} is labelled to hold no leaders";
    case Reason::kStoreAddLimit:
      return "store {store} has {value} of the {bound} cost units left that a new peer takes";
    case Reason::kStoreRemoveLimit:
      return "store {store} has {value} of the {bound} cost units left that a removal takes";
    case Reason::kStoreSendLimit:
      return "store {store} has {value} MiB left in its snapshot windows, {bound} must be free";
    case Reason::kStoreSnapshots:
      return "store {store} has {value} snapshots under way, {bound} are allowed";
    case Reason::kStorePendingPeers:
      return "store {store} has {value} pending peers, {bound} are allowed";
    case Reason::kStoreLowSpace:
      return "store {store} has used {value} of its space, {bound} is the limit";
    case Reason::kStoreSpecialUse:
      return "store {store} is reserved for a special use";
    case Reason::kStoreHoldsPeer:
      return "store {store} holds a peer of the region already";
    case Reason::kStoreExcluded:
      return "store {store} is excluded";
    case Reason::kStoreLabels:
      return "store {store} does not have the labels that the rule wants";
    case Reason::kStoreIsolation:
      return "store {store} is too near to another peer";
    case Reason::kStoreWorseLocation:
      return "store {store} would spread the region worse than now";
    case Reason::kStorePlacement:
      return "store {store} would make the placement rules worse off";
    case Reason::kStoreUnknown:
      return "store {store} is not known";
    case Reason::kStorePreparing:
      return "store {store} is still taking its first share of the data";
    default:
      return nullptr;
  }
}

const char* RegionPhrase(Reason reason) {
  switch (reason) {
    case Reason::kRegionNoLeader:
      return "region {region} has no leader";
    case Reason::kRegionDownPeers:
      return "region {region} has {value} peers down";
    case Reason::kRegionPendingPeers:
      return "region {region} has {value} pending peers";
    case Reason::kRegionNotReplicated:
      return "region {region} has not all its replicas yet";
    case Reason::kRegionBetterLocation:
      return "region {region} would be better located on other stores";
    case Reason::kRegionEmpty:
      return "region {region} is as good as empty";
    case Reason::kRegionHot:
      return "region {region} is hot";
    case Reason::kRegionJointState:
      return "region {region} is in the middle of a change of peers";
    case Reason::kRegionCrossesRules:
      return "region {region} crosses the bounds of a placement rule";
    case Reason::kNoRules:
      return "no placement rules are in force: the log says which cannot be read, or do not go "
             "together";
    case Reason::kRulesOff:
      return "placement rules are turned off";
    case Reason::kRegionWitness:
      return "region {region} has a witness in the way";
    case Reason::kRegionWitnessSwitched:
      return "a witness of region {region} got its data back {value} s ago and keeps it for "
             "{bound} s";
    case Reason::kRegionTooFewCopies:
      return "region {region} would be left with {value} healthy copies, {bound} are wanted";
    case Reason::kRegionQuorum:
      return "region {region} would lose its quorum: {value} of {bound} voters would be alive";
    case Reason::kRegionScheduleDenied:
      return "region {region} is labelled to be left where it is";
    case Reason::kRegionAffinity:
      return "region {region} is its affinity group's business";
    case Reason::kRegionGone:
      return "region {region} is no longer there";
    case Reason::kRegionSplitRecently:
      return "region {region} came of a split {value} s ago, it is left alone for {bound} s";
    case Reason::kRegionMergedRecently:
      return "region {region} took in another {value} s ago, it is left alone for {bound} s";
    case Reason::kRegionTooLarge:
      return "region {region} would be too large: {value}, {bound} is the bound";
    case Reason::kMergeBoundary:
      return "region {region} may not be merged with its neighbour";
    default:
      return nullptr;
  }
}

const char* OtherPhrase(Reason reason) {
  switch (reason) {
    case Reason::kNoSource:
      return "no store needs anything taken off it";
    case Reason::kNoTarget:
      return "no other store would be better";
    case Reason::kNoRegion:
      return "no fitting region found in {value} tries";
    case Reason::kAlreadyBalanced:
      return "balanced: score {value} against {bound}, tolerance included";
    case Reason::kBelowLevel:
      return "score {value} is below {bound}, where all stores will meet: it would only have to "
             "come back";
    case Reason::kAtLevel:
      return "score {value} has reached {bound}, where all stores will meet: what it gave or took "
             "would only have to move again";
    case Reason::kTargetsBusy:
      return "the stores that would be better are busy at the moment";
    case Reason::kScheduleLimit:
      return "{value} such operators run, {bound} are allowed";
    case Reason::kPaused:
      return "it is paused";
    case Reason::kSwitchedOff:
      return "a setting says not to";
    case Reason::kHalted:
      return "all scheduling is halted";
    case Reason::kBuildFailed:
      return "no steps lead there";
    case Reason::kNotEnoughRegions:
      return "{value} regions heard of since this member leads, {bound} are wanted";
    case Reason::kStoresUnheard:
      return "store {store} has not been heard since this member leads, for {value} s of {bound}";
    case Reason::kKnownTooShort:
      return "this member has seen splits and merges for {value} s, {bound} are wanted";
    case Reason::kMovedRecently:
      return "it was taken from there {value} s ago, and stays away for {bound} s";
    case Reason::kNoJob:
      return "no job waits";
    case Reason::kRangesReserved:
      return "a balance-range job has the keys to itself";
    case Reason::kNoHotPeers:
      return "store {store} has no hot peer that may be moved";
    case Reason::kLoadEven:
      return "the load of store {store} is {value}, it would have to pass {bound}";
    case Reason::kLoadsAlike:
      return "the loads of the stores deviate by {value} of their mean, {bound} counts as even";
    case Reason::kLoadNoBetter:
      return "no move from store {store} helps: the best has rank {value}, {bound} is wanted";
    case Reason::kOtherLoadWorse:
      return "store {store} would have a load of {value} of the other kind, {bound} is the most";
    case Reason::kRegionMovedLately:
      return "region {region} was moved {value} s ago, its load must show within {bound} s";
    case Reason::kLeaderMovedLately:
      return "region {region} has had its leader for {value} s, it is left alone for {bound} s";
    case Reason::kStaleEpoch:
      return "region {region} has changed meanwhile";
    case Reason::kOperatorExists:
      return "region {region} has an operator already";
    case Reason::kNotLeader:
      return "this member no longer leads";
    default:
      return nullptr;
  }
}

const char* PhraseOf(Reason reason) {
  if (const char* phrase = StorePhrase(reason)) return phrase;
  if (const char* phrase = RegionPhrase(reason)) return phrase;
  return OtherPhrase(reason);
}

}  // namespace

std::string RefusalWords(const scheduler::Refusal& refusal) {
  const char* phrase = PhraseOf(refusal.reason);
  if (phrase == nullptr) return scheduler::RefusalText(refusal);
  // Some look at all there are rather than try a few.
  const bool uncounted = refusal.reason == Reason::kNoRegion && refusal.value == 0;
  if (uncounted) phrase = "no fitting region found";
  std::string words = fmt::format(fmt::runtime(phrase), fmt::arg("store", refusal.store.value),
                                  fmt::arg("region", refusal.region.value),
                                  fmt::arg("value", scheduler::NumberText(refusal.value)),
                                  fmt::arg("bound", scheduler::NumberText(refusal.bound)));
  if (!refusal.detail.empty()) words += fmt::format(" ({})", refusal.detail);
  return words;
}

}  // namespace pd

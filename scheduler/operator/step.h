#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/model/time.h"
#include "scheduler/stats/influence.h"

namespace scheduler {

/// The steps an operator is made of (as in the reference). A peer id of 0 stands for a peer that does not exist yet:
/// planning allocates nothing, admission fills the id in before the operator starts.

struct TransferLeader {
  StoreId from;
  StoreId to;
  std::vector<StoreId> candidates;  // Further stores that will do; empty: only `to`.
};

struct AddPeer {
  StoreId store;
  PeerId peer;
  bool witness = false;
};

struct AddLearner {
  StoreId store;
  PeerId peer;
  StoreId sender;  // The leader's store when the operator was built: it sends the snapshot.
  bool witness = false;
  bool light = false;  // Costs the stores' limits nothing.
};

struct PromoteLearner {
  StoreId store;
  PeerId peer;
  bool witness = false;
};

/// Only inside joint steps.
struct DemoteVoter {
  StoreId store;
  PeerId peer;
  bool witness = false;
};

struct RemovePeer {
  StoreId store;
  PeerId peer;
  bool down = false;   // The store is down: costs little, since nothing is read from it.
  bool light = false;  // Costs the store's limit nothing.
};

struct ChangePeerV2Enter {
  std::vector<PromoteLearner> promotes;
  std::vector<DemoteVoter> demotes;
};

/// The same peers as the enter step before it.
struct ChangePeerV2Leave {
  std::vector<PromoteLearner> promotes;
  std::vector<DemoteVoter> demotes;
};

/// The active half runs on the source region, which disappears with it; the passive half waits on the target. Both
/// regions as planned: the stores refuse a target of another epoch.
struct MergeRegion {
  Region from;
  Region to;
  bool passive = false;
};

/// The source has agreed to merge, which raises both parts of its epoch by one (kvproto, PrepareMerge), and waits.
bool IsPreparedMerge(const MergeRegion& step, const Region& source);

enum class SplitPolicy : uint8_t { kScan = 0, kApproximate = 1, kUseKey = 2 };

struct SplitRegion {
  KeyRange range;  // The region's when the operator was built.
  SplitPolicy policy = SplitPolicy::kScan;
  std::vector<std::string> keys;  // For kUseKey.
};

struct WitnessSwitch {
  StoreId store;
  PeerId peer;
  bool witness = false;
};

struct BatchSwitchWitness {
  std::vector<WitnessSwitch> switches;
};

using Step =
    std::variant<TransferLeader, AddPeer, AddLearner, PromoteLearner, RemovePeer, ChangePeerV2Enter,
                 ChangePeerV2Leave, MergeRegion, SplitRegion, BatchSwitchWitness>;

/// The reference's words: "add learner peer 5 on store 2".
std::string StepText(const Step& step);

/// Time a step may take: fast ones max(60 s, 0.6 s per MiB), slow ones (data moves) max(600 s, 6 s per MiB).
Millis StepTimeout(const Step& step, uint64_t region_size_mib);

/// True when `region`, as last reported, shows the step's effect.
bool IsFinished(const Step& step, const Region& region);

/// By how much this step alone has raised conf_ver as far as `region` shows. Sums of these tell foreign changes.
uint64_t ConfVerChanges(const Step& step, const Region& region);

/// True for a store that is known and not down; see RefuseInProgress.
using StoreUsable = std::function<bool(StoreId)>;

/// Why a step that was sent can no longer come true, or nothing (the reference's check of steps in progress).
std::optional<std::string> RefuseInProgress(const Step& step, const Region& region,
                                            const StoreUsable& usable);

/// Adds what the step will change on the stores to `influence`.
void AddInfluence(const Step& step, const Region& region, Influence& influence);

/// Sets the id of the not yet existing peer on `store` in this step.
void FillPeerId(Step& step, StoreId store, PeerId peer);

/// The store on which this step adds a peer without an id, if any.
std::optional<StoreId> NeedsPeerId(const Step& step);

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/operator/step.h"

namespace scheduler {

/// What the leader of a region is told to do: the contents of a region heartbeat response, without the wire format.

/// Values as in eraftpb.ConfChangeType.
enum class PeerChangeType : uint8_t { kAddNode = 0, kRemoveNode = 1, kAddLearnerNode = 2 };

struct PeerChange {
  PeerChangeType type = PeerChangeType::kAddNode;
  Peer peer;

  friend bool operator==(const PeerChange&, const PeerChange&) = default;
};

struct TransferLeaderCommand {
  Peer peer;
  std::vector<Peer> peers;  // All that will do, when there are several.
};
/// One change, for clusters below version 5.0.
struct ChangePeerCommand {
  PeerChange change;
};
/// Several changes at once; none of them: leave the joint state.
struct ChangePeerV2Command {
  std::vector<PeerChange> changes;
};
struct MergeCommand {
  Region target;  // Id, range, epoch and peers count.
};
struct SplitCommand {
  SplitPolicy policy = SplitPolicy::kScan;
  std::vector<std::string> keys;
};
struct SwitchWitnessCommand {
  std::vector<WitnessSwitch> switches;
};

using StepCommand = std::variant<TransferLeaderCommand, ChangePeerCommand, ChangePeerV2Command,
                                 MergeCommand, SplitCommand, SwitchWitnessCommand>;

/// Whether the cluster version knows joint consensus; then single changes travel as ChangePeerV2 as well.
enum class ConfChange : uint8_t { kV1, kV2 };

/// What to send for a step that `region` does not show as finished. Nothing while a peer is just being filled, for the
/// passive side of a merge, and for a step that `conf_change` rules out.
std::optional<StepCommand> CommandFor(const Step& step, const Region& region,
                                      ConfChange conf_change);

/// "transfer-leader", "add-learner", "add-peer", "remove-peer", "change-peer-v2-enter" ...: for logs and metrics.
const char* CommandText(const StepCommand& command);

}  // namespace scheduler

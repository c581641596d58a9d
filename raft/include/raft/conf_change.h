#pragma once

#include <vector>

#include "raft/payload.h"
#include "raft/result.h"
#include "raft/types.h"

namespace raft {

enum class ConfChangeType : uint8_t {
  kAddNode = 0,  ///< A new voter, or a learner promoted.
  kRemoveNode = 1,
  kUpdateNode = 2,  ///< No effect on the membership; carries the host's context.
  kAddLearnerNode = 3,
};

/// How a change of several nodes goes through a joint configuration.
enum class ConfChangeTransition : uint8_t {
  kAuto = 0,           ///< Simple when at most one node changes, else as kJointImplicit.
  kJointImplicit = 1,  ///< Joint; the leader leaves it by itself once it is applied.
  kJointExplicit = 2,  ///< Joint; the host leaves it by proposing an empty change.
};

struct ConfChangeSingle {
  ConfChangeType type = ConfChangeType::kAddNode;
  NodeId node_id = kNoNode;  ///< kNoNode: ignored when applied.

  friend bool operator==(const ConfChangeSingle&, const ConfChangeSingle&) = default;
};

/// A change of one node, in an entry of type kConfChange.
struct ConfChange {
  uint64_t id = 0;  ///< The host's.
  ConfChangeType type = ConfChangeType::kAddNode;
  NodeId node_id = kNoNode;
  Payload context;  ///< The host's, an address say.

  friend bool operator==(const ConfChange&, const ConfChange&) = default;
};

/// A change of any number of nodes, in an entry of type kConfChangeV2. Without changes and with
/// transition kAuto it leaves a joint configuration.
struct ConfChangeV2 {
  ConfChangeTransition transition = ConfChangeTransition::kAuto;
  std::vector<ConfChangeSingle> changes;
  Payload context;

  bool leaves_joint() const { return transition == ConfChangeTransition::kAuto && changes.empty(); }
  friend bool operator==(const ConfChangeV2&, const ConfChangeV2&) = default;
};

/// The same change in the wider form.
ConfChangeV2 ToV2(const ConfChange& change);

/// Bytes as the protobuf messages eraftpb.ConfChange and ConfChangeV2 have them, with the change
/// types numbered as above.
Payload Encode(const ConfChange& change);
Payload Encode(const ConfChangeV2& change);

/// The change inside an entry of type kConfChange or kConfChangeV2, in the wider form. Unknown
/// fields are skipped. Errors: kDecode, also for an entry of another type.
Result<ConfChangeV2> DecodeConfChange(const Entry& entry);

}  // namespace raft

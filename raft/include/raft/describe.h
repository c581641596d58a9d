#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "raft/conf_change.h"
#include "raft/ready.h"
#include "raft/status.h"
#include "raft/types.h"

/// Texts for logs and scripts. Ids are hexadecimal in messages and memberships, decimal elsewhere.
namespace raft {

std::string_view Name(MessageType type);           ///< "MsgApp"
std::string_view Name(EntryType type);             ///< "EntryNormal"
std::string_view Name(Role role);                  ///< "StateLeader"
std::string_view Name(ProgressState state);        ///< "StateProbe"
std::string_view Name(ConfChangeType type);        ///< "ConfChangeAddNode"
std::string_view Name(ConfChangeTransition kind);  ///< "ConfChangeTransitionAuto"

/// Shows the payload of a normal entry.
using DataFormatter = std::function<std::string(std::string_view)>;

/// In double quotes, with escapes: printable characters stay, the rest as \n, \x07, \u200b.
std::string Quote(std::string_view bytes);

std::string Describe(const HardState& state);
std::string Describe(const SoftState& state);
std::string Describe(const ConfState& state);
std::string Describe(const Snapshot& snapshot);
std::string Describe(const ProgressStatus& progress);

/// `1/2 EntryNormal "data"`; membership entries as tokens: `v1 l2 r3 u4`.
std::string Describe(const Entry& entry, const DataFormatter& format = Quote);
std::string Describe(const Message& message, const DataFormatter& format = Quote);
std::string Describe(const Ready& ready, const DataFormatter& format = Quote);

/// `voters=(1 2)&&(3) learners=(4) autoleave`.
std::string DescribeMembership(const ConfState& state);
std::string Describe(const ConfChangeV2& change);

/// Changes as tokens separated by spaces, and back. v1: voter, l1: learner, r1: remove, u1: update.
/// Errors: kDecode.
std::string ToTokens(const std::vector<ConfChangeSingle>& changes);
Result<std::vector<ConfChangeSingle>> FromTokens(std::string_view tokens);

/// The status as a JSON object.
std::string ToJson(const Status& status);

}  // namespace raft

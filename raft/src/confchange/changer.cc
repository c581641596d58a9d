#include "raft/src/confchange/changer.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace raft {
namespace {

tl::unexpected<Error> Refuse(std::string text) {
  return Fail(ErrorCode::kInvalidConfChange, std::move(text));
}

size_t DifferenceSize(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
  std::vector<NodeId> difference;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                std::back_inserter(difference));
  return difference.size();
}

const Progress* Find(const ProgressMap& progress, NodeId id) {
  const auto at =
      std::lower_bound(progress.begin(), progress.end(), id,
                       [](const Progress& p, NodeId wanted) { return p.id() < wanted; });
  return at != progress.end() && at->id() == id ? &*at : nullptr;
}

bool IsReserved(NodeId id) { return id >= kApplyThread; }

Result<void> CheckAllTracked(const ConfState& membership, const ProgressMap& progress) {
  for (const auto* ids : {&membership.voters, &membership.voters_outgoing, &membership.learners,
                          &membership.learners_next}) {
    for (const NodeId id : *ids) {
      if (Find(progress, id) == nullptr) return Refuse(fmt::format("no progress for {}", id));
    }
  }
  return {};
}

Result<void> CheckLearners(const ConfState& membership, const ProgressMap& progress) {
  for (const NodeId id : membership.learners_next) {
    if (!Contains(membership.voters_outgoing, id)) {
      return Refuse(fmt::format("{} is in LearnersNext, but not Voters[1]", id));
    }
    if (Find(progress, id)->is_learner()) {
      return Refuse(fmt::format("{} is in LearnersNext, but is already marked as learner", id));
    }
  }
  for (const NodeId id : membership.learners) {
    if (Contains(membership.voters_outgoing, id)) {
      return Refuse(fmt::format("{} is in Learners and Voters[1]", id));
    }
    if (Contains(membership.voters, id)) {
      return Refuse(fmt::format("{} is in Learners and Voters[0]", id));
    }
    if (!Find(progress, id)->is_learner()) {
      return Refuse(fmt::format("{} is in Learners, but is not marked as learner", id));
    }
  }
  return {};
}

}  // namespace

Result<void> CheckInvariants(const ConfState& membership, const ProgressMap& progress) {
  if (Result<void> tracked = CheckAllTracked(membership, progress); !tracked) return tracked;
  if (Result<void> learners = CheckLearners(membership, progress); !learners) return learners;
  if (!membership.voters_outgoing.empty()) return {};
  if (!membership.learners_next.empty()) {
    return Refuse("cfg.LearnersNext must be nil when not joint");
  }
  if (membership.auto_leave) return Refuse("AutoLeave must be false when not joint");
  return {};
}

Result<Changer::Outcome> Changer::Simple(std::span<const ConfChangeSingle> changes) && {
  if (joint()) return Refuse("can't apply simple config change in joint config");
  const std::vector<NodeId> before = outcome_.membership.voters;
  if (Result<void> applied = Apply(changes); !applied) {
    return tl::unexpected(std::move(applied).error());
  }
  if (DifferenceSize(before, outcome_.membership.voters) > 1) {
    return Refuse("more than one voter changed without entering joint config");
  }
  Result<void> sound = CheckInvariants(outcome_.membership, outcome_.progress);
  if (!sound) return tl::unexpected(std::move(sound).error());
  return std::move(outcome_);
}

Result<Changer::Outcome> Changer::EnterJoint(bool auto_leave,
                                             std::span<const ConfChangeSingle> changes) && {
  if (joint()) return Refuse("config is already joint");
  if (outcome_.membership.voters.empty()) {
    return Refuse("can't make a zero-voter config joint");
  }
  outcome_.membership.voters_outgoing = outcome_.membership.voters;
  if (Result<void> applied = Apply(changes); !applied) {
    return tl::unexpected(std::move(applied).error());
  }
  outcome_.membership.auto_leave = auto_leave;
  Result<void> sound = CheckInvariants(outcome_.membership, outcome_.progress);
  if (!sound) return tl::unexpected(std::move(sound).error());
  return std::move(outcome_);
}

Result<Changer::Outcome> Changer::LeaveJoint() && {
  if (!joint()) return Refuse("can't leave a non-joint config");
  ConfState& membership = outcome_.membership;
  for (const NodeId id : membership.learners_next) {
    Insert(membership.learners, id);
    SetLearner(id, true);
  }
  membership.learners_next.clear();
  const std::vector<NodeId> outgoing = std::move(membership.voters_outgoing);
  membership.voters_outgoing.clear();
  membership.auto_leave = false;
  for (const NodeId id : outgoing) {
    if (!Contains(membership.voters, id) && !Contains(membership.learners, id)) EraseProgress(id);
  }
  Result<void> sound = CheckInvariants(membership, outcome_.progress);
  if (!sound) return tl::unexpected(std::move(sound).error());
  return std::move(outcome_);
}

Result<void> Changer::Apply(std::span<const ConfChangeSingle> changes) {
  for (const ConfChangeSingle& change : changes) {
    if (change.node_id == kNoNode) continue;  // How a host refuses a change it has committed.
    if (IsReserved(change.node_id)) return Refuse("a storage thread is no node");
    switch (change.type) {
      case ConfChangeType::kAddNode:
        MakeVoter(change.node_id);
        break;
      case ConfChangeType::kAddLearnerNode:
        MakeLearner(change.node_id);
        break;
      case ConfChangeType::kRemoveNode:
        Remove(change.node_id);
        break;
      case ConfChangeType::kUpdateNode:
        break;
      default:
        return Refuse(fmt::format("unexpected conf type {}", static_cast<int>(change.type)));
    }
  }
  if (outcome_.membership.voters.empty()) return Refuse("removed all voters");
  return {};
}

void Changer::MakeVoter(NodeId id) {
  Insert(outcome_.membership.voters, id);
  if (FindProgress(outcome_.progress, id) == nullptr) {
    AddProgress(id, false);
    return;
  }
  SetLearner(id, false);
  Erase(outcome_.membership.learners, id);
  Erase(outcome_.membership.learners_next, id);
}

void Changer::MakeLearner(NodeId id) {
  const Progress* progress = FindProgress(outcome_.progress, id);
  if (progress == nullptr) {
    Insert(outcome_.membership.learners, id);
    AddProgress(id, true);
    return;
  }
  if (progress->is_learner()) return;
  Erase(outcome_.membership.voters, id);
  Erase(outcome_.membership.learners_next, id);
  // An outgoing voter votes until the end of the joint configuration, and only then is a learner.
  if (Contains(outcome_.membership.voters_outgoing, id)) {
    Insert(outcome_.membership.learners_next, id);
  } else {
    SetLearner(id, true);
    Insert(outcome_.membership.learners, id);
  }
}

void Changer::Remove(NodeId id) {
  Erase(outcome_.membership.voters, id);
  Erase(outcome_.membership.learners, id);
  Erase(outcome_.membership.learners_next, id);
  if (!Contains(outcome_.membership.voters_outgoing, id)) EraseProgress(id);
}

void Changer::AddProgress(NodeId id, bool is_learner) {
  Progress progress(id, next_, inflights_);
  progress.set_is_learner(is_learner);
  // Without this a leader that checks its quorum would depose itself before a new member answers.
  progress.set_recent_active(true);
  const auto at =
      std::lower_bound(outcome_.progress.begin(), outcome_.progress.end(), id,
                       [](const Progress& p, NodeId wanted) { return p.id() < wanted; });
  outcome_.progress.insert(at, std::move(progress));
}

void Changer::EraseProgress(NodeId id) {
  std::erase_if(outcome_.progress, [id](const Progress& p) { return p.id() == id; });
}

void Changer::SetLearner(NodeId id, bool is_learner) {
  FindProgress(outcome_.progress, id)->set_is_learner(is_learner);
}

namespace {

// Sorts; refused when an id comes twice or can be nobody's.
Result<void> Sort(std::vector<NodeId>& ids) {
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
    return Refuse("the saved membership names a node twice");
  }
  if (!ids.empty() && (ids.front() == kNoNode || IsReserved(ids.back()))) {
    return Refuse("the saved membership names an id that is no node's");
  }
  return {};
}

bool Overlap(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
  return std::any_of(a.begin(), a.end(), [&b](NodeId id) { return Contains(b, id); });
}

void MergeInto(std::vector<NodeId>& all, const std::vector<NodeId>& more) {
  if (more.empty()) return;
  std::vector<NodeId> both;
  both.reserve(all.size() + more.size());
  std::set_union(all.begin(), all.end(), more.begin(), more.end(), std::back_inserter(both));
  all = std::move(both);
}

}  // namespace

Result<Changer::Outcome> RestoreMembership(ConfState saved, const Inflights& prototype,
                                           LogIndex next) {
  Changer::Outcome outcome;
  outcome.membership = std::move(saved);
  ConfState& membership = outcome.membership;
  for (auto* list : {&membership.voters, &membership.learners, &membership.voters_outgoing,
                     &membership.learners_next}) {
    if (Result<void> sorted = Sort(*list); !sorted) {
      return tl::unexpected(std::move(sorted).error());
    }
  }
  if (membership.voters.empty() && membership != ConfState{}) {
    return Refuse("the saved membership has no voters");
  }
  if (Overlap(membership.voters, membership.learners_next)) {
    return Refuse("the saved membership is none that changes lead to");
  }
  std::vector<NodeId> all = membership.voters;
  MergeInto(all, membership.voters_outgoing);
  MergeInto(all, membership.learners);
  outcome.progress.reserve(all.size());
  for (const NodeId id : all) {
    Progress& progress = outcome.progress.emplace_back(id, next, prototype);
    progress.set_is_learner(Contains(membership.learners, id));
    // As for a member that is added: see Changer::AddProgress.
    progress.set_recent_active(true);
  }
  if (Result<void> sound = CheckInvariants(membership, outcome.progress); !sound) {
    return tl::unexpected(std::move(sound).error());
  }
  return outcome;
}

}  // namespace raft

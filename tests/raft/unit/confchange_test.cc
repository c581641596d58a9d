#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "raft/describe.h"
#include "raft/src/confchange/changer.h"

namespace raft {
namespace {

const Inflights kPrototype(4, 0);

rc::Gen<ConfChangeSingle> AnyChange() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange<NodeId>(1, 7)),
      [](const std::pair<int, NodeId>& drawn) {
        return ConfChangeSingle{static_cast<ConfChangeType>(drawn.first), drawn.second};
      });
}

Changer::Outcome Seed() {
  return *RestoreMembership({{1, 2, 3}, {4}, {}, {}, false}, kPrototype, 1);
}

Changer From(const Changer::Outcome& outcome) {
  return Changer(outcome.membership, outcome.progress, kPrototype, 1);
}

bool SameProgress(const ProgressMap& a, const ProgressMap& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].id() != b[i].id() || a[i].is_learner() != b[i].is_learner()) return false;
  }
  return true;
}

TEST_CASE("whatever the changes, membership and progress fit together") {
  CHECK(rc::check([](const std::vector<uint8_t>& kinds) {
    Changer::Outcome now = Seed();
    for (const uint8_t kind : kinds) {
      const auto changes = *rc::gen::container<std::vector<ConfChangeSingle>>(AnyChange());
      Result<Changer::Outcome> next = kind % 4 == 0   ? From(now).LeaveJoint()
                                      : kind % 4 == 1 ? From(now).EnterJoint(kind % 8 == 1, changes)
                                                      : From(now).Simple(changes);
      if (!next) continue;
      now = std::move(*next);
      RC_ASSERT(CheckInvariants(now.membership, now.progress).has_value());
      RC_ASSERT(!now.membership.voters.empty());
      // What is saved comes back.
      Result<Changer::Outcome> again = RestoreMembership(now.membership, kPrototype, 1);
      RC_ASSERT(again.has_value());
      RC_ASSERT(again->membership == now.membership);
      RC_ASSERT(SameProgress(again->progress, now.progress));
    }
  }));
}

// The last of several changes of one node counts.
std::map<NodeId, ConfChangeType> LastWords(const std::vector<ConfChangeSingle>& changes) {
  std::map<NodeId, ConfChangeType> last;
  for (const ConfChangeSingle& change : changes) {
    if (change.type != ConfChangeType::kUpdateNode) last[change.node_id] = change.type;
  }
  return last;
}

// What a joint change of a membership that is not joint leads to, by definition.
ConfState JointOf(const ConfState& before, const std::vector<ConfChangeSingle>& changes) {
  ConfState joint;
  joint.voters_outgoing = before.voters;
  const auto last = LastWords(changes);
  for (NodeId id = 1; id < 7; ++id) {
    const auto word = last.find(id);
    const bool changed = word != last.end();
    const bool added = changed && word->second == ConfChangeType::kAddNode;
    const bool demoted = changed && word->second == ConfChangeType::kAddLearnerNode;
    const bool was_voter = Contains(before.voters, id);
    if (added || (!changed && was_voter)) joint.voters.push_back(id);
    if (demoted && was_voter) joint.learners_next.push_back(id);
    if (!was_voter && (demoted || (!changed && Contains(before.learners, id)))) {
      joint.learners.push_back(id);
    }
  }
  return joint;
}

TEST_CASE("the last word on each node counts") {
  CHECK(rc::check([] {
    const auto changes = *rc::gen::container<std::vector<ConfChangeSingle>>(AnyChange());
    const Changer::Outcome seed = Seed();
    ConfState expected = JointOf(seed.membership, changes);
    Result<Changer::Outcome> joint = From(seed).EnterJoint(false, changes);
    Result<Changer::Outcome> simple = From(seed).Simple(changes);
    // Removing the last voter on the way is refused at the end only, and only if none has come since.
    RC_ASSERT(joint.has_value() == !expected.voters.empty());
    if (!joint) return;
    RC_ASSERT(joint->membership == expected);
    std::vector<NodeId> moved;
    std::set_symmetric_difference(expected.voters.begin(), expected.voters.end(),
                                  seed.membership.voters.begin(), seed.membership.voters.end(),
                                  std::back_inserter(moved));
    RC_ASSERT(simple.has_value() == (moved.size() <= 1));
    if (!simple) return;
    RC_ASSERT(simple->membership.voters == expected.voters);
    RC_ASSERT(simple->membership.voters_outgoing.empty());
  }));
}

TEST_CASE("who stays keeps its progress, who comes starts anew") {
  CHECK(rc::check([](bool joint) {
    const auto changes = *rc::gen::container<std::vector<ConfChangeSingle>>(AnyChange());
    Changer::Outcome before = Seed();
    for (Progress& progress : before.progress) progress.set_match(10 + progress.id());
    constexpr LogIndex kNext = 50;
    Changer changer(before.membership, before.progress, kPrototype, kNext);
    Result<Changer::Outcome> after =
        joint ? std::move(changer).EnterJoint(true, changes) : std::move(changer).Simple(changes);
    if (!after) return;
    const auto removed = [&](NodeId id) {
      return std::any_of(changes.begin(), changes.end(), [id](const ConfChangeSingle& change) {
        return change.node_id == id && change.type == ConfChangeType::kRemoveNode;
      });
    };
    for (const Progress& progress : after->progress) {
      const NodeId id = progress.id();
      const bool was_voter = Contains(before.membership.voters, id);
      const bool was_here = FindProgress(before.progress, id) != nullptr;
      // With a joint change an old voter stays to its end, whatever else becomes of it.
      const bool stayed = was_here && (!removed(id) || (joint && was_voter));
      RC_ASSERT(progress.match() == (stayed ? 10 + id : 0));
      if (!stayed) RC_ASSERT(progress.next() == kNext && progress.recent_active());
    }
  }));
}

TEST_CASE("one by one leads to where a joint change leads") {
  CHECK(rc::check([] {
    const auto changes = *rc::gen::container<std::vector<ConfChangeSingle>>(AnyChange());
    Changer::Outcome slow = Seed();
    for (const ConfChangeSingle& change : changes) {
      Result<Changer::Outcome> next = From(slow).Simple({&change, 1});
      if (!next) return;  // Not every order can be walked: the last voter may go on the way.
      slow = std::move(*next);
    }
    Result<Changer::Outcome> joint = From(Seed()).EnterJoint(false, changes);
    if (!joint) return;
    Result<Changer::Outcome> fast = From(*joint).LeaveJoint();
    RC_ASSERT(fast.has_value());
    RC_ASSERT(fast->membership == slow.membership);
    RC_ASSERT(SameProgress(fast->progress, slow.progress));
  }));
}

TEST_CASE("impossible memberships are not restored") {
  for (const ConfState& bad : std::vector<ConfState>{{{1}, {1}, {}, {}, false},
                                                     {{1, 1}, {}, {}, {}, false},
                                                     {{1}, {}, {}, {2}, false},
                                                     {{1}, {}, {}, {}, true},
                                                     {{}, {1}, {}, {}, false},
                                                     {{1}, {2}, {2}, {}, false},
                                                     {{0, 1}, {}, {}, {}, false}}) {
    INFO(Describe(bad));
    CHECK_FALSE(RestoreMembership(bad, kPrototype, 1));
  }
}

TEST_CASE("broken invariants are named") {
  const auto text = [](const ConfState& state) {
    Result<void> checked = CheckInvariants(state, Seed().progress);
    return checked ? std::string() : checked.error().context;
  };
  CHECK(text({{1, 9}, {}, {}, {}, false}) == "no progress for 9");
  CHECK(text({{1, 2}, {}, {3}, {2}, false}) == "2 is in LearnersNext, but not Voters[1]");
  CHECK(text({{1}, {}, {4}, {4}, false}) ==
        "4 is in LearnersNext, but is already marked as learner");
  CHECK(text({{1}, {4}, {4}, {}, false}) == "4 is in Learners and Voters[1]");
  CHECK(text({{1, 4}, {4}, {}, {}, false}) == "4 is in Learners and Voters[0]");
  CHECK(text({{1}, {3}, {}, {}, false}) == "3 is in Learners, but is not marked as learner");
  CHECK(text({{1}, {4}, {}, {2}, false}) == "2 is in LearnersNext, but not Voters[1]");
  CHECK(text({{1}, {4}, {}, {}, true}) == "AutoLeave must be false when not joint");
}

TEST_CASE("membership entries survive the wire") {
  CHECK(rc::check([](const std::string& context, uint64_t id, NodeId node) {
    ConfChange simple{id, static_cast<ConfChangeType>(id % 4), node, {}};
    if (!context.empty()) simple.context = Payload::Copy(context);
    const Entry entry{EntryType::kConfChange, 1, 1, Encode(simple)};
    RC_ASSERT(*DecodeConfChange(entry) == ToV2(simple));

    ConfChangeV2 wide;
    wide.transition = static_cast<ConfChangeTransition>(id % 3);
    wide.changes = *rc::gen::container<std::vector<ConfChangeSingle>>(AnyChange());
    wide.context = simple.context;
    const Entry wide_entry{EntryType::kConfChangeV2, 1, 1, Encode(wide)};
    RC_ASSERT(*DecodeConfChange(wide_entry) == wide);
    RC_ASSERT(*FromTokens(ToTokens(wide.changes)) == wide.changes);
  }));
}

TEST_CASE("bytes that are no membership change are an error, never worse") {
  CHECK(rc::check([](const std::string& bytes) {
    for (const EntryType type : {EntryType::kConfChange, EntryType::kConfChangeV2}) {
      Result<ConfChangeV2> change = DecodeConfChange({type, 1, 1, Payload::Copy(bytes)});
      if (!change) RC_ASSERT(change.error().code == ErrorCode::kDecode);
    }
  }));
  CHECK_FALSE(DecodeConfChange({EntryType::kNormal, 1, 1, {}}));
  CHECK(DecodeConfChange({EntryType::kConfChangeV2, 1, 1, {}})->leaves_joint());
  // Field 9 of either width is skipped; a cut varint is not.
  const auto decode = [](std::string_view bytes) {
    return DecodeConfChange({EntryType::kConfChange, 1, 1, Payload::Copy(bytes)});
  };
  CHECK(decode(std::string_view("\x18\x07\x49........", 11))->changes[0].node_id == 7);
  CHECK_FALSE(decode("\x18"));
  CHECK_FALSE(decode("\x10\x04"));
}

}  // namespace
}  // namespace raft

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

#include "tests/sim/invariants.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <variant>

#include <catch2/catch.hpp>

namespace sim {
namespace {

using storesim::ChangePeers;
using storesim::Peer;
using storesim::PeerChange;
using storesim::Region;
using storesim::Role;
using storesim::World;

/// A region that comes back to a store within this time needs a reason.
constexpr int64_t kBackAndForthMs = 10LL * 60 * 1000;

bool IsHealthy(const World& world, const Peer& peer) {
  return !peer.pending && world.stores().at(peer.store_id).up;
}

bool Majority(const World& world, const Region& region, Role left_out) {
  size_t voters = 0;
  size_t alive = 0;
  for (const Peer& peer : region.peers) {
    if (peer.role == Role::kLearner || peer.role == left_out) continue;
    ++voters;
    if (IsHealthy(world, peer)) ++alive;
  }
  return alive * 2 > voters;
}

/// Both of the old and of the new voters.
bool HasQuorum(const World& world, const Region& region) {
  return Majority(world, region, Role::kIncomingVoter) &&
         Majority(world, region, Role::kDemotingVoter);
}

int64_t Healthy(const World& world, const Region& region) {
  return std::ranges::count_if(region.peers,
                               [&](const Peer& peer) { return IsHealthy(world, peer); });
}

Region After(const Region& region, const ChangePeers& changes) {
  Region after = region;
  const bool joint = changes.changes.size() > 1;
  for (const PeerChange& change : changes.changes) {
    Peer* there = after.PeerOn(change.peer.store_id);
    if (change.kind == PeerChange::Kind::kRemove) {
      std::erase_if(after.peers, [&](const Peer& p) { return p.store_id == change.peer.store_id; });
    } else if (there == nullptr) {
      Peer peer = change.peer;
      peer.role = change.kind == PeerChange::Kind::kAddVoter ? Role::kVoter : Role::kLearner;
      peer.pending = true;
      after.peers.push_back(peer);
    } else if (change.kind == PeerChange::Kind::kAddVoter) {
      there->role = joint ? Role::kIncomingVoter : Role::kVoter;
    } else {
      there->role = joint ? Role::kDemotingVoter : Role::kLearner;
    }
  }
  if (!changes.changes.empty()) return after;
  for (Peer& peer : after.peers) {
    if (peer.role == Role::kIncomingVoter) peer.role = Role::kVoter;
    if (peer.role == Role::kDemotingVoter) peer.role = Role::kLearner;
  }
  return after;
}

/// Whether a peer may come to where one has just left for another purpose: what is missing goes wherever there is room,
/// merges go after their neighbour, and a peer that no rule needs goes before anybody asks how the others are spread.
bool MayFollow(Purpose left, Purpose comes) {
  return left == Purpose::kSwap || comes == Purpose::kFill || comes == Purpose::kMerge ||
         (left == Purpose::kRepair && comes == Purpose::kSpread);
}

}  // namespace

void Invariants::CheckStep(const World& world, const Region& region,
                           const storesim::StepRequest& request, const Occasion& occasion) {
  INFO("region " << region.id << " at " << occasion.now_ms << " ms");
  const auto* changes = std::get_if<ChangePeers>(&request.step);
  if (changes == nullptr) return;
  CheckPeers(world, region, *changes);
  CheckMoves(region, *changes, occasion);
}

void Invariants::CheckPeers(const World& world, const Region& region,
                            const ChangePeers& changes) const {
  for (const PeerChange& change : changes.changes) {
    const Peer* there = region.PeerOn(change.peer.store_id);
    const bool second = there != nullptr && there->id != change.peer.id;
    INFO("store " << change.peer.store_id);
    CHECK_FALSE(second);
    // The leader's own removal would be refused by the store.
    if (change.kind == PeerChange::Kind::kRemove) {
      CHECK(change.peer.store_id != region.leader_store);
    }
  }
  const Region after = After(region, changes);
  if (HasQuorum(world, region)) CHECK(HasQuorum(world, after));
  CHECK(Healthy(world, after) >= std::min<int64_t>(Healthy(world, region), 1));
}

void Invariants::CheckMoves(const Region& region, const ChangePeers& changes,
                            const Occasion& occasion) {
  for (const PeerChange& change : changes.changes) {
    const std::pair place(region.id, change.peer.store_id);
    if (change.kind == PeerChange::Kind::kRemove) {
      left_[place] = {occasion.now_ms, occasion.began_ms, occasion.purpose};
    } else if (region.PeerOn(change.peer.store_id) == nullptr) {
      const auto found = left_.find(place);
      if (found == left_.end()) continue;
      const Left left = found->second;
      // What a move was begun for may have passed before its end.
      const bool caused = last_cause_ms_ > left.began_ms;
      const bool long_ago = occasion.now_ms - left.at_ms >= kBackAndForthMs;
      const bool back = !caused && !long_ago && !MayFollow(left.purpose, occasion.purpose);
      if (!back) continue;
      INFO("back to store " << change.peer.store_id << " without a cause");
      ++moved_back_;
      const bool of_balance =
          occasion.purpose == Purpose::kBalance || left.purpose == Purpose::kBalance;
      CHECK(of_balance);
    }
  }
}

void Invariants::CheckDriver(Driver& driver, pd::Millis now) {
  constexpr pd::Millis kSlack{10'000};
  for (const pd::OperatorInfo& info : driver.coordinator().operators().Running()) {
    const scheduler::Operator& op = info.op;
    INFO("operator " << op.plan().desc << " of region " << op.plan().region.value);
    REQUIRE(op.started_at().has_value());
    CHECK(now - op.started_at()->since_epoch <= op.plan().Timeout() + kSlack);
  }
  std::optional<std::string> end;
  driver.cluster().regions().Visit({}, [&](const scheduler::Region& region) {
    INFO("region " << region.id.value);
    CHECK((!end || (!end->empty() && *end <= region.start_key)));
    end = region.end_key;
    return true;
  });
}

}  // namespace sim

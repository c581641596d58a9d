#include "tests/pd/replication/simulation.h"

#include <algorithm>
#include <iterator>

#include <catch2/catch.hpp>

#include "pd/codec/command_codec.h"
#include "pd/fsm/layout.h"
#include "tests/pd/script.h"

namespace pd::test {

bool SimulatedMember::Send(raft::NodeId to, std::string bytes) {
  group.Deliver(id, to, std::move(bytes), false);
  return true;
}

bool SimulatedMember::SendSnapshotChunk(raft::NodeId to, std::string bytes) {
  if (refuse_chunks) return false;
  group.Deliver(id, to, std::move(bytes), true);
  return true;
}

void SimulatedMember::OnLeaderStart(raft::Term term) {
  CHECK(leader_started == 0);
  leader_started = term;
}

void SimulatedMember::OnLeaderStop(raft::Term term) {
  CHECK(leader_started == term);
  leader_started = 0;
}

void SimulatedMember::OnApplied(raft::LogIndex index, const AppliedChanges& changes) {
  const auto view = database.TakeView();
  const auto mark = StateReader::On(*view)->mark();
  CHECK(mark.applied_index == index);  // What is told can be read.
  for (const Event& event : changes.events) {
    const Revision revision = event.kv.mod_revision;
    CHECK((revision == told_revision || revision == told_revision + 1));
    told_revision = revision;
  }
}

void SimulatedMember::OnStateReplaced(raft::LogIndex index) {
  ++snapshots_seen;
  const auto view = database.TakeView();
  const auto mark = StateReader::On(*view)->mark();
  CHECK(mark.applied_index == index);
  told_revision = mark.revision;
}

Member SimulatedGroup::MakeMember(raft::NodeId id, bool learner) {
  Member member;
  member.id = id;
  member.peer_urls = {"sim://" + std::to_string(id)};
  member.is_learner = learner;
  return member;
}

SimulatedGroup::SimulatedGroup(uint64_t seed, size_t members, double drift)
    : rng_(seed), drift_(drift) {
  std::vector<Member> list;
  for (raft::NodeId id = 1; id <= members; ++id) list.push_back(MakeMember(id));
  for (const Member& one : list) {
    SimulatedMember& server = AddServer(one.id);
    REQUIRE(RaftGroup::Bootstrap(server.database, list).has_value());
    StartMember(one.id);
  }
}

std::vector<raft::NodeId> SimulatedGroup::ids() const {
  std::vector<raft::NodeId> ids;
  for (const auto& [id, server] : members_) ids.push_back(id);
  return ids;
}

SimulatedMember& SimulatedGroup::AddServer(raft::NodeId id) {
  auto server = std::make_unique<SimulatedMember>(*this, id);
  const double rate = 1.0 + drift_ * (static_cast<double>(rng_() % 2001) - 1000.0) / 1000.0;
  server->clock = std::make_unique<DriftingClock>(
      now_, Nanos(static_cast<int64_t>(rng_() % 1'000'000'000)), rate);
  return *(members_[id] = std::move(server));
}

void SimulatedGroup::StartMember(raft::NodeId id) {
  SimulatedMember& server = member(id);
  GroupOptions options = options_;
  options.id = id;
  auto replica = Replica::Open(
      options, {server.database, server, *server.clock,
                [id](const std::string& text) { FAIL("member " << id << ": " << text); }, rng_()});
  REQUIRE(replica.has_value());
  server.replica = *std::move(replica);
  server.replica->AddListener(server);
  server.leader_started = 0;
  const auto view = server.database.TakeView();
  server.told_revision = StateReader::On(*view)->mark().revision;
  server.replica->Start();
  server.replica->HandleReadies();
  server.next_tick = server.clock->Monotonic() + options.tick;
  server.paused_until = Nanos(0);
}

void SimulatedGroup::Crash(raft::NodeId id) {
  SimulatedMember& server = member(id);
  server.replica.reset();
  server.database.Crash(rng_() % (server.database.unsynced() + 1));
}

bool SimulatedGroup::Connected(raft::NodeId a, raft::NodeId b) const {
  if (sets_.empty()) return true;
  for (const auto& set : sets_) {
    if (set.count(a) != 0 && set.count(b) != 0) return true;
  }
  return false;
}

void SimulatedGroup::Deliver(raft::NodeId from, raft::NodeId to, std::string bytes, bool chunk) {
  if (!Connected(from, to) || members_.count(to) == 0) return;
  const auto chance = static_cast<double>(rng_() % 1'000'000) / 1'000'000.0;
  if (chance < network_.drop) return;
  const auto spread = static_cast<uint64_t>((network_.delay_max - network_.delay_min).count()) + 1;
  const Nanos delay = network_.delay_min + Nanos(static_cast<int64_t>(rng_() % spread));
  Nanos at = now_ + delay;
  if (chunk) {  // One stream: pieces get lost with their connection, but do not overtake each other.
    Nanos& last = last_chunk_[{from, to}];
    at = std::max(at + Nanos(1'000'000), last);
    last = at;
  }
  flights_.emplace(at, Flight{from, to, std::move(bytes)});
}

void SimulatedGroup::RunMember(SimulatedMember& server) {
  if (!server.up() || now_ < server.paused_until) return;
  if (server.clock->Monotonic() < server.next_tick) return;
  server.replica->Tick();
  server.replica->HandleReadies();
  server.next_tick = server.clock->Monotonic() + options_.tick;
}

void SimulatedGroup::Step() {
  now_ += Nanos(500'000);
  std::vector<Flight> due;
  std::vector<std::pair<Nanos, Flight>> later;
  while (!flights_.empty() && flights_.begin()->first <= now_) {
    Flight flight = std::move(flights_.begin()->second);
    flights_.erase(flights_.begin());
    SimulatedMember& to = member(flight.to);
    if (now_ < to.paused_until) {
      later.emplace_back(to.paused_until, std::move(flight));
    } else if (to.up()) {
      due.push_back(std::move(flight));
    }
  }
  for (auto& [at, flight] : later) flights_.emplace(at, std::move(flight));
  for (Flight& flight : due) {
    SimulatedMember& to = member(flight.to);
    if (!to.up()) continue;
    auto envelope = codec::DecodeEnvelope(flight.bytes);
    REQUIRE(envelope.has_value());
    if (on_deliver) on_deliver(flight.to, *envelope);
    to.replica->Step(*std::move(envelope));
    to.replica->HandleReadies();
  }
  for (auto& [id, server] : members_) RunMember(*server);
  CheckLease();
}

void SimulatedGroup::CheckLease() {
  std::vector<raft::NodeId> holders;
  for (auto& [id, server] : members_) {
    if (server->up() && server->replica->lease().Valid()) holders.push_back(id);
  }
  INFO("time " << now_.count());
  REQUIRE(holders.size() <= 1);
}

void SimulatedGroup::Run(Nanos time) {
  for (const Nanos end = now_ + time; now_ < end;) Step();
}

bool SimulatedGroup::RunUntil(const std::function<bool()>& condition, Nanos limit) {
  for (const Nanos end = now_ + limit; now_ < end;) {
    if (condition()) return true;
    Step();
  }
  return condition();
}

SimulatedMember* SimulatedGroup::Leader() {
  for (auto& [id, server] : members_) {
    if (server->up() && server->replica->lease().Valid() && server->leader_started != 0) {
      return server.get();
    }
  }
  return nullptr;
}

SimulatedMember& SimulatedGroup::WaitForLeader() {
  REQUIRE(RunUntil([this] { return Leader() != nullptr; }));
  return *Leader();
}

std::shared_ptr<std::optional<Result<CommandResult>>> SimulatedGroup::Propose(raft::NodeId id,
                                                                              CommandBody body,
                                                                              raft::Term fence) {
  auto place = std::make_shared<std::optional<Result<CommandResult>>>();
  Replica& replica = *member(id).replica;
  Replica::Proposal proposal;
  proposal.id = next_proposal_++;
  proposal.fence = fence;
  proposal.bytes = codec::EncodeCommand({replica.proposer(), proposal.id, {std::move(body), 1}});
  proposal.done = [place](Result<CommandResult> result) {
    CHECK_FALSE(place->has_value());
    *place = std::move(result);
  };
  std::vector<Replica::Proposal> one;
  one.push_back(std::move(proposal));
  replica.Propose(std::move(one));
  replica.HandleReadies();
  return place;
}

CommandResult SimulatedGroup::Must(CommandBody body) {
  for (int attempt = 0; attempt < 50; ++attempt) {
    const auto place = Propose(WaitForLeader().id, body);
    if (RunUntil([&] { return place->has_value(); }, Nanos(1'000'000'000)) &&
        (*place)->has_value()) {
      return ***place;
    }
  }
  FAIL("the group does not take a proposal");
  return {};
}

Result<void> SimulatedGroup::Change(raft::ConfChangeType type, const Member& changed) {
  std::optional<Result<void>> answer;
  SimulatedMember& leader = WaitForLeader();
  leader.replica->Change({type, changed, [&answer](Result<void> result) { answer = result; }});
  leader.replica->HandleReadies();
  REQUIRE(RunUntil([&] { return answer.has_value(); }));
  return *answer;
}

void SimulatedGroup::Settle() {
  const auto same = [this] {
    std::set<raft::LogIndex> applied;
    for (auto& [id, server] : members_) {
      if (!server->up() || server->removed) continue;
      const LeaderStatus status = server->replica->status();
      applied.insert(status.applied);
      if (status.applied != status.committed) return false;
    }
    return applied.size() == 1 && Leader() != nullptr;
  };
  REQUIRE(RunUntil(same));
  // The same keys and values, but for the generation in front of them.
  std::vector<std::vector<std::string>> states;
  for (auto& [id, server] : members_) {
    if (!server->up() || server->removed) continue;
    const auto dump = server->database.Dump();
    const auto view = server->database.TakeView();
    const std::string prefix = layout::Prefix(StateReader::On(*view)->generation());
    std::vector<std::string> state;
    for (auto slot = static_cast<size_t>(Column::kKeys); slot < kColumnCount; ++slot) {
      for (const auto& [key, value] : dump[slot]) {
        if (!key.starts_with(prefix))
          continue;  // A snapshot that was on its way, and is not needed.
        state.push_back(std::to_string(slot) + key.substr(8) + "=" + value);
      }
    }
    std::sort(state.begin(), state.end());
    states.push_back(state);
  }
  for (const auto& state : states) {
    std::vector<std::string> only_here;
    std::vector<std::string> only_there;
    std::set_difference(state.begin(), state.end(), states[0].begin(), states[0].end(),
                        std::back_inserter(only_here));
    std::set_difference(states[0].begin(), states[0].end(), state.begin(), state.end(),
                        std::back_inserter(only_there));
    for (const auto& one : only_here) UNSCOPED_INFO("only here: " << Shown(one));
    for (const auto& one : only_there) UNSCOPED_INFO("only there: " << Shown(one));
    CHECK((only_here.empty() && only_there.empty()));
  }
}

KvTxn PutTxn(std::string key, std::string value) {
  KvTxn txn;
  txn.Put(std::move(key), std::move(value));
  return txn;
}

std::string ReadValue(const Database& database, const std::string& key) {
  const auto view = database.TakeView();
  RangeRequest request;
  request.key = key;
  const auto range = StateReader::On(*view)->Range(request);
  REQUIRE(range.has_value());
  return range->kvs.empty() ? "" : range->kvs.front().value;
}

}  // namespace pd::test

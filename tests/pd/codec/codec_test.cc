#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pd/codec/command_codec.h"
#include "pd/codec/envelope_codec.h"

namespace pd::codec {
namespace {

using Rng = std::mt19937;

uint32_t Below(Rng& rng, uint32_t bound) { return static_cast<uint32_t>(rng() % bound); }
uint64_t Number(Rng& rng) { return (uint64_t{rng()} << 32U | rng()) >> Below(rng, 64); }
int64_t Signed(Rng& rng) { return static_cast<int64_t>(Number(rng)); }
bool Coin(Rng& rng) { return Below(rng, 2) == 0; }

std::string Bytes(Rng& rng) {
  std::string bytes;
  for (uint32_t n = Below(rng, 9); n > 0; --n) bytes.push_back(static_cast<char>(rng()));
  return bytes;
}

PutRegions RandomRegions(Rng& rng) {
  PutRegions regions;
  for (uint32_t n = Below(rng, 3); n > 0; --n) {
    RegionRecord region{Number(rng), Bytes(rng), Bytes(rng),  Number(rng), Number(rng),
                        {},          Coin(rng),  Number(rng), Bytes(rng)};
    for (uint32_t peers = Below(rng, 4); peers > 0; --peers) {
      region.peers.push_back(
          {Number(rng), Number(rng), static_cast<PeerRole>(Below(rng, 4)), Coin(rng)});
    }
    regions.regions.push_back(region);
  }
  for (uint32_t n = Below(rng, 3); n > 0; --n) regions.deleted_ids.push_back(Number(rng));
  return regions;
}

KvTxn RandomTxn(Rng& rng, int depth);

TxnOp RandomOp(Rng& rng, int depth) {
  switch (Below(rng, depth > 0 ? 5 : 4)) {
    case 0: {
      RangeRequest range{Bytes(rng), Bytes(rng), Signed(rng), Signed(rng), Coin(rng), Coin(rng)};
      range.sort_target = static_cast<SortTarget>(Below(rng, 5));
      range.sort_order = static_cast<SortOrder>(Below(rng, 3));
      range.min_mod_revision = Signed(rng);
      range.max_create_revision = Signed(rng);
      return range;
    }
    case 1:
      return PutRequest{Bytes(rng), Bytes(rng), Signed(rng), Coin(rng), Coin(rng), Coin(rng)};
    case 2:
      return DeleteRequest{Bytes(rng), Bytes(rng), Coin(rng)};
    case 3:
      return RandomRegions(rng);
    default:
      return std::vector<KvTxn>{RandomTxn(rng, depth - 1)};
  }
}

KvTxn RandomTxn(Rng& rng, int depth) {
  KvTxn txn;
  for (uint32_t n = Below(rng, 3); n > 0; --n) {
    txn.compares.push_back({static_cast<Compare::Target>(Below(rng, 5)),
                            static_cast<Compare::Relation>(Below(rng, 4)), Bytes(rng), Bytes(rng),
                            Signed(rng), Bytes(rng)});
  }
  for (uint32_t n = Below(rng, 3); n > 0; --n) txn.then.push_back(RandomOp(rng, depth));
  for (uint32_t n = Below(rng, 3); n > 0; --n) txn.otherwise.push_back(RandomOp(rng, depth));
  return txn;
}

CommandBody RandomBody(Rng& rng) {
  switch (Below(rng, 7)) {
    case 0:
      return LeaseGrant{Signed(rng), Signed(rng)};
    case 1:
      return LeaseRevoke{Signed(rng)};
    case 2:
      return LeaseCheckpoint{{{Signed(rng), Signed(rng)}, {Signed(rng), Signed(rng)}}};
    case 3:
      return Compact{Signed(rng)};
    case 4:
      return RandomRegions(rng);
    case 5:
      return UpdateMember{{Number(rng), "name", {"a", "b"}, {"c"}, Coin(rng)}};
    default:
      return RandomTxn(rng, 3);
  }
}

raft::Entry RandomEntry(Rng& rng, raft::LogIndex index) {
  raft::Entry entry;
  entry.type = static_cast<raft::EntryType>(Below(rng, 3));
  entry.term = 7;
  entry.index = index;
  if (Coin(rng)) entry.data = raft::Payload::Copy(Bytes(rng));
  return entry;
}

raft::Message RandomMessage(Rng& rng, raft::MessageType type) {
  raft::Message message;
  message.type = type;
  message.from = 1;
  message.to = 2;
  message.term = Number(rng);
  message.log_term = Number(rng);
  message.index = Number(rng) >> 1U;
  for (uint32_t n = 0; n < Below(rng, 4); ++n) {
    message.entries.push_back(RandomEntry(rng, message.index + 1 + n));
  }
  message.commit = Number(rng);
  message.reject = Coin(rng);
  message.reject_hint = Number(rng);
  message.request_snapshot = Number(rng);
  message.commit_term = Number(rng);
  message.priority = static_cast<int64_t>(Number(rng));
  if (Coin(rng)) message.context = raft::Payload::Copy(Bytes(rng));
  return message;
}

Envelope RandomEnvelope(Rng& rng) {
  Envelope envelope{Number(rng), 1, 2, {}};
  switch (Below(rng, 4)) {
    case 0: {
      std::vector<raft::Message> messages;
      for (const auto type : {raft::MessageType::kApp, raft::MessageType::kHeartbeatResp}) {
        messages.push_back(RandomMessage(rng, type));
      }
      envelope.body = std::move(messages);
      break;
    }
    case 1: {
      SnapshotChunk chunk;
      chunk.transfer_id = Number(rng);
      chunk.items = {{Column::kKeys, Bytes(rng), Bytes(rng)}, {Column::kMembers, Bytes(rng), ""}};
      envelope.body = std::move(chunk);
      break;
    }
    case 2: {
      SnapshotChunk chunk;
      chunk.sequence = Number(rng);
      chunk.mark = {Number(rng), Number(rng), Signed(rng), Signed(rng)};
      auto snapshot = std::make_shared<raft::Snapshot>();
      snapshot->metadata = {
          {{1, 2}, {3}, {4}, {5}, true}, chunk.mark.applied_index, chunk.mark.applied_term};
      chunk.message.push_back(RandomMessage(rng, raft::MessageType::kSnap));
      chunk.message.front().snapshot = snapshot;
      envelope.body = std::move(chunk);
      break;
    }
    default:
      envelope.body = SnapshotAck{Number(rng), Number(rng), SnapshotAck::State::kUnknown};
  }
  return envelope;
}

/// Cuts, flips and inserts: what comes off a broken or hostile peer.
std::string Damaged(Rng& rng, std::string bytes) {
  for (uint32_t n = 1 + Below(rng, 3); n > 0 && !bytes.empty(); --n) {
    const size_t at = rng() % bytes.size();
    switch (Below(rng, 3)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] = static_cast<char>(rng());
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(rng()));
        break;
    }
  }
  return bytes;
}

TEST_CASE("commands come back as they were") {
  Rng rng(1);
  for (int round = 0; round < 5000; ++round) {
    const LoggedCommand command{Number(rng), Number(rng), {RandomBody(rng), Signed(rng)}};
    const std::string bytes = EncodeCommand(command);
    const auto back = DecodeCommand(bytes);
    REQUIRE(back.has_value());
    REQUIRE(back->proposer == command.proposer);
    REQUIRE(back->proposal_id == command.proposal_id);
    REQUIRE(back->command.leader_unix_ms == command.command.leader_unix_ms);
    REQUIRE(back->command.body.index() == command.command.body.index());
    REQUIRE(EncodeCommand(*back) == bytes);
  }
}

TEST_CASE("envelopes come back as they were") {
  Rng rng(2);
  for (int round = 0; round < 5000; ++round) {
    const Envelope envelope = RandomEnvelope(rng);
    const std::string bytes = EncodeEnvelope(envelope);
    const auto back = DecodeEnvelope(bytes);
    REQUIRE(back.has_value());
    REQUIRE(EncodeEnvelope(*back) == bytes);
  }
  const auto message = RandomMessage(rng, raft::MessageType::kApp);
  const auto back = DecodeEnvelope(EncodeEnvelope({9, 1, 2, std::vector{message}}));
  const auto& copy = std::get<std::vector<raft::Message>>(back.value().body).front();
  CHECK(back->group_id == 9);
  CHECK(copy.entries == message.entries);
  CHECK(copy.context == message.context);
  CHECK(copy.context.is_set() == message.context.is_set());
  CHECK(copy.term == message.term);
  CHECK(copy.log_term == message.log_term);
  CHECK(copy.reject_hint == message.reject_hint);
  CHECK(copy.request_snapshot == message.request_snapshot);
  CHECK(copy.commit_term == message.commit_term);
  CHECK(copy.priority == message.priority);
}

TEST_CASE("hostile bytes are an error or a message, never more") {
  Rng rng(3);
  for (int round = 0; round < 20'000; ++round) {
    const std::string command =
        Damaged(rng, EncodeCommand({Number(rng), Number(rng), {RandomBody(rng), 0}}));
    if (const auto back = DecodeCommand(command); !back) {
      REQUIRE(back.error().code == ErrorCode::kCorrupt);
    }
    const std::string envelope = Damaged(rng, EncodeEnvelope(RandomEnvelope(rng)));
    if (const auto back = DecodeEnvelope(envelope); !back) {
      REQUIRE(back.error().code == ErrorCode::kCorrupt);
    }
  }
}

TEST_CASE("what no honest member sends is refused") {
  Rng rng(4);
  const auto refused = [](const Envelope& envelope) {
    const auto back = DecodeEnvelope(EncodeEnvelope(envelope));
    return !back.has_value() && back.error().code == ErrorCode::kCorrupt;
  };
  for (const auto type : {raft::MessageType::kHup, raft::MessageType::kStorageAppend,
                          raft::MessageType::kSnap, static_cast<raft::MessageType>(99)}) {
    CHECK(refused({0, 1, 2, std::vector{RandomMessage(rng, type)}}));
  }
  auto other = RandomMessage(rng, raft::MessageType::kApp);
  other.from = 3;
  CHECK(refused({0, 1, 2, std::vector{other}}));
  auto gap = RandomMessage(rng, raft::MessageType::kApp);
  gap.entries = {RandomEntry(rng, 5), RandomEntry(rng, 7)};
  CHECK(refused({0, 1, 2, std::vector{gap}}));
  SnapshotChunk log;
  log.items = {{Column::kRaftLog, "k", "v"}};
  CHECK(refused({0, 1, 2, log}));
  SnapshotChunk elsewhere;
  elsewhere.mark.applied_index = 5;
  elsewhere.message.push_back(RandomMessage(rng, raft::MessageType::kSnap));
  elsewhere.message.front().snapshot = std::make_shared<raft::Snapshot>();
  CHECK(refused({0, 1, 2, elsewhere}));
  CHECK_FALSE(DecodeEnvelope("").has_value());
  CHECK_FALSE(DecodeCommand("").has_value());

  KvTxn deep;
  for (int level = 0; level < 200; ++level) {
    KvTxn outer;
    outer.then.emplace_back(std::vector<KvTxn>{deep});
    deep = outer;
  }
  CHECK(DecodeCommand(EncodeCommand({0, 0, {deep, 0}})).error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace pd::codec

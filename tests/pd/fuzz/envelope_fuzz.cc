// Whatever bytes another member sends, they decode or are an error; what decodes is the same after another round.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "pd/codec/envelope_codec.h"
#include "raft/describe.h"
#include "tests/fuzz/seeds.h"

namespace pd::codec {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckMessages(const Envelope& envelope, const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages) {
    Require(!raft::IsLocal(message.type) && message.responses.empty());
    Require(message.from == envelope.from && message.to == envelope.to);
    (void)raft::Describe(message);
  }
}

void CheckDecoded(const Envelope& envelope) {
  if (const auto* messages = std::get_if<std::vector<raft::Message>>(&envelope.body)) {
    CheckMessages(envelope, *messages);
  }
  if (const auto* chunk = std::get_if<SnapshotChunk>(&envelope.body)) {
    Require(chunk->message.size() <= 1);
    CheckMessages(envelope, chunk->message);
    for (const raft::Message& message : chunk->message) Require(message.snapshot != nullptr);
  }
}

bool Same(const raft::Message& a, const raft::Message& b) {
  const auto parts = [](const raft::Message& m) {
    return std::tie(m.type, m.to, m.from, m.term, m.log_term, m.index, m.entries, m.commit,
                    m.reject, m.reject_hint, m.context);
  };
  const bool both = a.snapshot != nullptr && b.snapshot != nullptr;
  return parts(a) == parts(b) && (both ? *a.snapshot == *b.snapshot : a.snapshot == b.snapshot);
}

bool Same(const std::vector<raft::Message>& a, const std::vector<raft::Message>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return Same(x, y); });
}

bool Same(const SnapshotChunk& a, const SnapshotChunk& b) {
  const auto mark = [](const StateMark& m) {
    return std::tie(m.applied_index, m.applied_term, m.revision, m.compact_revision);
  };
  return a.transfer_id == b.transfer_id && a.sequence == b.sequence && a.items == b.items &&
         mark(a.mark) == mark(b.mark) && Same(a.message, b.message);
}

bool Same(const SnapshotAck& a, const SnapshotAck& b) {
  return std::tie(a.transfer_id, a.next_sequence, a.state) ==
         std::tie(b.transfer_id, b.next_sequence, b.state);
}

bool Same(const Envelope& a, const Envelope& b) {
  if (std::tie(a.group_id, a.from, a.to) != std::tie(b.group_id, b.from, b.to)) return false;
  if (a.body.index() != b.body.index()) return false;
  return std::visit(
      [&b](const auto& body) { return Same(body, std::get<std::decay_t<decltype(body)>>(b.body)); },
      a.body);
}

void Try(std::string_view bytes) {
  const Result<Envelope> envelope = DecodeEnvelope(bytes);
  if (!envelope) return Require(envelope.error().code == ErrorCode::kCorrupt);
  CheckDecoded(*envelope);
  const Result<Envelope> again = DecodeEnvelope(EncodeEnvelope(*envelope));
  Require(again && Same(*envelope, *again));
}

raft::Message Append() {
  raft::Message message;
  message.type = raft::MessageType::kApp;
  message.from = 1;
  message.to = 2;
  message.term = message.log_term = 3;
  message.index = 300;
  message.commit = 299;
  message.context = raft::Payload::Copy("context");
  for (const auto type : {raft::EntryType::kNormal, raft::EntryType::kConfChangeV2}) {
    const raft::LogIndex index = message.index + message.entries.size() + 1;
    message.entries.push_back({type, 3, index, raft::Payload::Copy("data")});
  }
  return message;
}

SnapshotChunk LastChunk() {
  auto snapshot = std::make_shared<raft::Snapshot>();
  snapshot->metadata = {{{1, 2}, {3}, {1, 4}, {4}, true}, 200, 3};
  snapshot->data = raft::Payload::Copy("manifest");
  raft::Message message = Append();
  message.type = raft::MessageType::kSnap;
  message.entries.clear();
  message.snapshot = std::move(snapshot);
  SnapshotChunk chunk{7, 1, {{Column::kKeys, "key", "value"}, {Column::kKeys, "", ""}}, {}, {}};
  chunk.mark.applied_index = 200;
  chunk.mark.applied_term = 3;
  chunk.mark.revision = 41;
  chunk.mark.compact_revision = -1;
  chunk.message.push_back(std::move(message));
  return chunk;
}

std::vector<std::string> Seeds() {
  raft::Message refusal = Append();
  refusal.type = raft::MessageType::kAppResp;
  refusal.entries.clear();
  refusal.reject = true;
  refusal.reject_hint = 5;
  std::vector<std::string> seeds;
  seeds.push_back(EncodeEnvelope({9, 1, 2, std::vector<raft::Message>{Append(), refusal}}));
  seeds.push_back(
      EncodeEnvelope({9, 1, 2, SnapshotChunk{7, 0, {{Column::kKeys, "a", "b"}}, {}, {}}}));
  seeds.push_back(EncodeEnvelope({9, 1, 2, LastChunk()}));
  seeds.push_back(EncodeEnvelope({9, 1, 2, SnapshotAck{7, 2, SnapshotAck::State::kInstalled}}));
  return seeds;
}

}  // namespace
}  // namespace pd::codec

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  fuzz::WriteSeeds(*argc, *argv, pd::codec::Seeds());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pd::codec::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}

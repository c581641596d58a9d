#include "pd/codec/envelope_codec.h"

#include <limits>
#include <memory>
#include <utility>

#include "pd/storage/bytes.h"
#include "proto/qm_raft.pb.h"

namespace pd::codec {
namespace {

namespace wire = quartermaster::raft;

tl::unexpected<Error> Corrupt(const char* what) {
  return Fail(ErrorCode::kCorrupt, std::string("peer message does not decode: ") + what);
}

// ---- Encoding ------------------------------------------------------------------------------------------------------

void Encode(const raft::Snapshot& snapshot, wire::Snapshot& out) {
  const raft::ConfState& from = snapshot.metadata.conf_state;
  wire::ConfState& conf = *out.mutable_conf_state();
  conf.mutable_voters()->Add(from.voters.begin(), from.voters.end());
  conf.mutable_learners()->Add(from.learners.begin(), from.learners.end());
  conf.mutable_voters_outgoing()->Add(from.voters_outgoing.begin(), from.voters_outgoing.end());
  conf.mutable_learners_next()->Add(from.learners_next.begin(), from.learners_next.end());
  conf.set_auto_leave(from.auto_leave);
  out.set_index(snapshot.metadata.index);
  out.set_term(snapshot.metadata.term);
  if (snapshot.data.is_set()) out.set_data(std::string(snapshot.data.view()));
}

void Encode(const raft::Message& message, wire::Message& out) {
  out.set_type(static_cast<uint32_t>(message.type));
  out.set_to(message.to);
  out.set_from(message.from);
  out.set_term(message.term);
  out.set_log_term(message.log_term);
  out.set_index(message.index);
  for (const raft::Entry& entry : message.entries) {
    wire::Entry& to = *out.add_entries();
    to.set_type(static_cast<uint32_t>(entry.type));
    to.set_term(entry.term);
    to.set_index(entry.index);
    if (entry.data.is_set()) to.set_data(entry.data.view().data(), entry.data.size());
  }
  out.set_commit(message.commit);
  if (message.snapshot) Encode(*message.snapshot, *out.mutable_snapshot());
  out.set_reject(message.reject);
  out.set_reject_hint(message.reject_hint);
  out.set_request_snapshot(message.request_snapshot);
  out.set_commit_term(message.commit_term);
  out.set_priority(message.priority);
  if (message.context.is_set()) {
    out.set_context(message.context.view().data(), message.context.size());
  }
}

struct BodyEncoder {
  wire::Envelope& out;

  void operator()(const std::vector<raft::Message>& messages) const {
    wire::Messages& to = *out.mutable_messages();
    for (const raft::Message& message : messages) Encode(message, *to.add_messages());
  }
  void operator()(const SnapshotChunk& chunk) const {
    wire::SnapshotChunk& to = *out.mutable_chunk();
    to.set_transfer_id(chunk.transfer_id);
    to.set_sequence(chunk.sequence);
    ByteWriter items;
    for (const SnapshotItem& item : chunk.items) {
      items.U8(static_cast<uint8_t>(item.column)).String(item.key).String(item.value);
    }
    to.set_items(items.Take());
    if (chunk.message.empty()) return;
    to.set_mark(ByteWriter()
                    .U64(chunk.mark.applied_index)
                    .U64(chunk.mark.applied_term)
                    .I64(chunk.mark.revision)
                    .I64(chunk.mark.compact_revision)
                    .Take());
    Encode(chunk.message.front(), *to.mutable_message());
  }
  void operator()(const SnapshotAck& ack) const {
    wire::SnapshotAck& to = *out.mutable_ack();
    to.set_transfer_id(ack.transfer_id);
    to.set_next_sequence(ack.next_sequence);
    to.set_state(static_cast<wire::SnapshotAck::State>(ack.state));
  }
};

// ---- Decoding ------------------------------------------------------------------------------------------------------

raft::SnapshotPtr Decode(const wire::Snapshot& in) {
  auto snapshot = std::make_shared<raft::Snapshot>();
  raft::ConfState& conf = snapshot->metadata.conf_state;
  const wire::ConfState& from = in.conf_state();
  conf.voters.assign(from.voters().begin(), from.voters().end());
  conf.learners.assign(from.learners().begin(), from.learners().end());
  conf.voters_outgoing.assign(from.voters_outgoing().begin(), from.voters_outgoing().end());
  conf.learners_next.assign(from.learners_next().begin(), from.learners_next().end());
  conf.auto_leave = from.auto_leave();
  snapshot->metadata.index = in.index();
  snapshot->metadata.term = in.term();
  if (in.has_data()) snapshot->data = raft::Payload::Copy(in.data());
  return snapshot;
}

Result<void> DecodeEntries(const wire::Message& in, std::vector<raft::Entry>& entries) {
  entries.reserve(static_cast<size_t>(in.entries_size()));
  for (const wire::Entry& from : in.entries()) {
    if (from.type() > static_cast<uint32_t>(raft::EntryType::kConfChangeV2)) {
      return Corrupt("entry of no known type");
    }
    if (!entries.empty() &&
        (from.index() != entries.back().index + 1 || from.term() < entries.back().term)) {
      return Corrupt("entries do not follow each other");
    }
    raft::Entry entry;
    entry.type = static_cast<raft::EntryType>(from.type());
    entry.term = from.term();
    entry.index = from.index();
    if (from.has_data()) entry.data = raft::Payload::Copy(from.data());
    entries.push_back(std::move(entry));
  }
  return {};
}

Result<raft::Message> Decode(const wire::Message& in, const wire::Envelope& envelope) {
  const auto type = static_cast<raft::MessageType>(in.type());
  if (in.type() > static_cast<uint32_t>(raft::MessageType::kForgetLeader) || raft::IsLocal(type)) {
    return Corrupt("message type that does not travel");
  }
  if (in.from() != envelope.from() || in.to() != envelope.to()) {
    return Corrupt("message and envelope name different members");
  }
  raft::Message message;
  message.type = type;
  message.to = in.to();
  message.from = in.from();
  message.term = in.term();
  message.log_term = in.log_term();
  message.index = in.index();
  if (auto good = DecodeEntries(in, message.entries); !good) return tl::unexpected(good.error());
  message.commit = in.commit();
  if (in.has_snapshot()) message.snapshot = Decode(in.snapshot());
  message.reject = in.reject();
  message.reject_hint = in.reject_hint();
  message.request_snapshot = in.request_snapshot();
  message.commit_term = in.commit_term();
  message.priority = in.priority();
  if (in.has_context()) message.context = raft::Payload::Copy(in.context());
  return message;
}

/// The columns that hold replicated state.
bool InSnapshots(uint8_t column) {
  return column >= static_cast<uint8_t>(Column::kKeys) && column < kColumnCount;
}

Result<SnapshotChunk> Decode(const wire::SnapshotChunk& in, const wire::Envelope& envelope) {
  SnapshotChunk chunk;
  chunk.transfer_id = in.transfer_id();
  chunk.sequence = in.sequence();
  ByteReader items(in.items());
  while (!items.AtEnd()) {
    SnapshotItem item;
    const uint8_t column = items.U8();
    item.column = static_cast<Column>(column);
    item.key = items.String();
    item.value = items.String();
    if (!items.ok() || !InSnapshots(column)) return Corrupt("snapshot item");
    chunk.items.push_back(std::move(item));
  }
  if (!in.has_message()) return chunk;
  ByteReader mark(in.mark());
  chunk.mark.applied_index = mark.U64();
  chunk.mark.applied_term = mark.U64();
  chunk.mark.revision = mark.I64();
  chunk.mark.compact_revision = mark.I64();
  if (!mark.Complete()) return Corrupt("snapshot mark");
  auto message = Decode(in.message(), envelope);
  if (!message) return tl::unexpected(message.error());
  if (message->type != raft::MessageType::kSnap || !message->snapshot ||
      message->snapshot->metadata.index != chunk.mark.applied_index ||
      message->snapshot->metadata.term != chunk.mark.applied_term) {
    return Corrupt("snapshot without the message of its place");
  }
  chunk.message.push_back(*std::move(message));
  return chunk;
}

Result<Envelope> Decode(const wire::Envelope& in) {
  Envelope envelope;
  envelope.group_id = in.group_id();
  envelope.from = in.from();
  envelope.to = in.to();
  switch (in.body_case()) {
    case wire::Envelope::kMessages: {
      std::vector<raft::Message> messages;
      for (const wire::Message& from : in.messages().messages()) {
        auto message = Decode(from, in);
        if (!message) return tl::unexpected(message.error());
        // A snapshot's Raft message comes with its last piece, never by itself.
        if (message->type == raft::MessageType::kSnap) return Corrupt("snapshot without pieces");
        messages.push_back(*std::move(message));
      }
      envelope.body = std::move(messages);
      return envelope;
    }
    case wire::Envelope::kChunk: {
      auto chunk = Decode(in.chunk(), in);
      if (!chunk) return tl::unexpected(chunk.error());
      envelope.body = *std::move(chunk);
      return envelope;
    }
    case wire::Envelope::kAck: {
      const wire::SnapshotAck& ack = in.ack();
      if (!wire::SnapshotAck::State_IsValid(ack.state())) return Corrupt("snapshot answer");
      envelope.body = SnapshotAck{ack.transfer_id(), ack.next_sequence(),
                                  static_cast<SnapshotAck::State>(ack.state())};
      return envelope;
    }
    case wire::Envelope::BODY_NOT_SET:
      break;
  }
  return Corrupt("body of no kind");
}

}  // namespace

std::string EncodeEnvelope(const Envelope& envelope) {
  wire::Envelope out;
  out.set_group_id(envelope.group_id);
  out.set_from(envelope.from);
  out.set_to(envelope.to);
  std::visit(BodyEncoder{out}, envelope.body);
  return out.SerializeAsString();
}

Result<Envelope> DecodeEnvelope(std::string_view bytes) {
  wire::Envelope in;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Corrupt("not a message");
  }
  return Decode(in);
}

}  // namespace pd::codec

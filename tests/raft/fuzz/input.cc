#include "tests/raft/fuzz/input.h"

#include <memory>
#include <utility>

namespace raft::fuzz {
namespace {

void ReadIds(Input& in, std::vector<NodeId>& ids) {
  for (uint64_t count = in.Below(4); count > 0; --count) ids.push_back(in.Below(kIdBound));
}

}  // namespace

uint8_t Input::Byte() {
  if (left_ == 0) return 0;
  --left_;
  return *data_++;
}

uint64_t Input::Number() {
  const uint8_t byte = Byte();
  return byte < 250 ? byte % 24u : UINT64_MAX - (byte - 250u);
}

Payload Input::Bytes() {
  std::string bytes;
  for (uint64_t count = Below(16); count > 0; --count) bytes.push_back(static_cast<char>(Byte()));
  return Payload::Copy(bytes);
}

ConfChange ReadConfChange(Input& in) {
  ConfChange change;
  change.type = static_cast<ConfChangeType>(in.Below(4));
  change.node_id = in.Below(kIdBound);
  if (in.Flag()) change.context = in.Bytes();
  return change;
}

ConfChangeV2 ReadConfChangeV2(Input& in) {
  ConfChangeV2 change;
  change.transition = static_cast<ConfChangeTransition>(in.Below(3));
  for (uint64_t count = in.Below(4); count > 0; --count) {
    const auto type = static_cast<ConfChangeType>(in.Below(4));
    change.changes.push_back({type, in.Below(kIdBound)});
  }
  return change;
}

Entry ReadEntry(Input& in, Term term, LogIndex index) {
  Entry entry{EntryType::kNormal, term, index, {}};
  switch (in.Below(5)) {
    case 1:
      entry.type = EntryType::kConfChange;
      entry.data = Encode(ReadConfChange(in));
      break;
    case 2:
      entry.type = EntryType::kConfChangeV2;
      entry.data = Encode(ReadConfChangeV2(in));
      break;
    case 3:
      entry.type = static_cast<EntryType>(in.Below(4));
      entry.data = in.Bytes();
      break;
    default:
      entry.data = in.Bytes();
  }
  return entry;
}

SnapshotPtr ReadSnapshot(Input& in) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata.index = in.Below(64);
  snapshot->metadata.term = in.Below(8);
  ConfState& members = snapshot->metadata.conf_state;
  ReadIds(in, members.voters);
  ReadIds(in, members.learners);
  if (in.Flag()) {
    ReadIds(in, members.voters_outgoing);
    ReadIds(in, members.learners_next);
    members.auto_leave = in.Flag();
  }
  return snapshot;
}

Message ReadMessage(Input& in, NodeId self) {
  Message message;
  message.type = static_cast<MessageType>(in.Below(26));
  const uint8_t from = in.Byte();
  message.from = from < 250 ? from % kIdBound : kAppendThread - from % 2u;
  message.to = in.Byte() < 250 ? self : in.Below(kIdBound);
  message.term = in.Number();
  message.log_term = in.Number();
  message.index = in.Number();
  message.reject = in.Flag();
  message.reject_hint = in.Number();
  for (uint64_t count = in.Below(4); count > 0; --count) {
    const Term term = message.log_term + in.Below(2);
    const LogIndex index = message.index + message.entries.size() + 1 + in.Byte() / 250;
    message.entries.push_back(ReadEntry(in, term, index));
  }
  message.commit = in.Number();
  if (in.Below(4) == 1) {
    message.request_snapshot = in.Number();
    message.commit_term = in.Number();
    message.priority = static_cast<int64_t>(in.Number());
  }
  if (in.Below(4) == 1) message.snapshot = ReadSnapshot(in);
  message.context = in.Flag() ? Payload::Copy("CampaignTransfer") : in.Bytes();
  return message;
}

}  // namespace raft::fuzz

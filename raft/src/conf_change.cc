#include "raft/conf_change.h"

#include <string>

#include "raft/src/wire.h"

namespace raft {
namespace {

constexpr uint64_t kTypeMax = static_cast<uint64_t>(ConfChangeType::kAddLearnerNode);
constexpr uint64_t kTransitionMax = static_cast<uint64_t>(ConfChangeTransition::kJointExplicit);

tl::unexpected<Error> Malformed(const char* what) {
  return Fail(ErrorCode::kDecode, std::string("malformed membership change: ") + what);
}

// `data` is where the context's bytes live, so that it can be shared instead of copied.
Payload Part(const Payload& data, std::string_view part) {
  return data.Slice(static_cast<size_t>(part.data() - data.view().data()), part.size());
}

Result<ConfChangeV2> DecodeSimple(const Payload& data) {
  ConfChange change;
  WireReader reader(data.view());
  for (WireField field; reader.Next(field);) {
    if (field.number == 1) change.id = field.value;
    if (field.number == 2) {
      if (field.value > kTypeMax) return Malformed("unknown type");
      change.type = static_cast<ConfChangeType>(field.value);
    }
    if (field.number == 3) change.node_id = field.value;
    if (field.number == 4) change.context = Part(data, field.bytes);
  }
  if (!reader.ok()) return Malformed("cut short");
  return ToV2(change);
}

Result<ConfChangeSingle> DecodeSingle(std::string_view bytes) {
  ConfChangeSingle single;
  WireReader reader(bytes);
  for (WireField field; reader.Next(field);) {
    if (field.number == 1) {
      if (field.value > kTypeMax) return Malformed("unknown type");
      single.type = static_cast<ConfChangeType>(field.value);
    }
    if (field.number == 2) single.node_id = field.value;
  }
  if (!reader.ok()) return Malformed("cut short");
  return single;
}

Result<ConfChangeV2> DecodeV2(const Payload& data) {
  ConfChangeV2 change;
  WireReader reader(data.view());
  for (WireField field; reader.Next(field);) {
    if (field.number == 1) {
      if (field.value > kTransitionMax) return Malformed("unknown transition");
      change.transition = static_cast<ConfChangeTransition>(field.value);
    }
    if (field.number == 2) {
      Result<ConfChangeSingle> single = DecodeSingle(field.bytes);
      if (!single) return tl::unexpected(std::move(single).error());
      change.changes.push_back(*single);
    }
    if (field.number == 3) change.context = Part(data, field.bytes);
  }
  if (!reader.ok()) return Malformed("cut short");
  return change;
}

}  // namespace

ConfChangeV2 ToV2(const ConfChange& change) {
  ConfChangeV2 wide;
  wide.changes.push_back({change.type, change.node_id});
  wide.context = change.context;
  return wide;
}

Payload Encode(const ConfChange& change) {
  std::string out;
  if (change.id != 0) AppendVarintField(out, 1, change.id);
  AppendVarintField(out, 2, static_cast<uint64_t>(change.type));
  AppendVarintField(out, 3, change.node_id);
  if (!change.context.empty()) AppendBytesField(out, 4, change.context.view());
  return Payload::Copy(out);
}

Payload Encode(const ConfChangeV2& change) {
  std::string out;
  if (change.transition != ConfChangeTransition::kAuto) {
    AppendVarintField(out, 1, static_cast<uint64_t>(change.transition));
  }
  for (const ConfChangeSingle& single : change.changes) {
    std::string inner;
    AppendVarintField(inner, 1, static_cast<uint64_t>(single.type));
    AppendVarintField(inner, 2, single.node_id);
    AppendBytesField(out, 2, inner);
  }
  if (!change.context.empty()) AppendBytesField(out, 3, change.context.view());
  return Payload::Copy(out);
}

Result<ConfChangeV2> DecodeConfChange(const Entry& entry) {
  switch (entry.type) {
    case EntryType::kConfChange:
      return DecodeSimple(entry.data);
    case EntryType::kConfChangeV2:
      return DecodeV2(entry.data);
    case EntryType::kNormal:
      break;
  }
  return Malformed("not a membership entry");
}

}  // namespace raft

#include "pd/fsm/meta_state.h"

#include <iterator>
#include <utility>

#include "pd/fsm/kv_read.h"
#include "pd/fsm/layout.h"
#include "pd/fsm/state_writer.h"
#include "pd/storage/bytes.h"

namespace pd {
namespace {

Result<layout::MarkRecord> ReadMark(const ReadView& view) {
  const auto bytes = view.Get(Column::kRaftState, layout::kMarkKey);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return layout::MarkRecord{1, StateMark{}};
  return layout::DecodeMark(**bytes);
}

template <class T>
void MoveInto(std::vector<T>& to, std::vector<T>& from) {
  if (to.empty()) {
    to.swap(from);
  } else {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  }
}

void MoveInto(AppliedChanges& to, AppliedChanges& from) {
  MoveInto(to.events, from.events);
  MoveInto(to.regions, from.regions);
  MoveInto(to.granted, from.granted);
  MoveInto(to.revoked, from.revoked);
  to.members_changed |= from.members_changed;
  if (from.compacted != 0) to.compacted = from.compacted;
}

/// Walks the keys of `column` that begin with `prefix` until `visit(key behind the prefix, value)`
/// returns false or an error.
Result<void> VisitPrefix(
    const ReadView& view, Column column, const std::string& prefix,
    const std::function<Result<bool>(std::string_view, std::string_view)>& visit) {
  const auto cursor = view.NewCursor(column);
  for (cursor->Seek(prefix); cursor->Valid() && cursor->key().starts_with(prefix); cursor->Next()) {
    const auto more = visit(cursor->key().substr(prefix.size()), cursor->value());
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
  }
  return cursor->Check();
}

}  // namespace

Result<MetaState> MetaState::Open(const Database& database) {
  const auto record = ReadMark(database);
  if (!record) return tl::unexpected(record.error());
  return MetaState(database, record->generation, record->mark);
}

Result<Result<CommandResult>> MetaState::Apply(const Command& command, WriteBatch& batch,
                                               AppliedChanges& changes) {
  const OverlayView before(*database_, batch);
  StateWriter writer(before, generation_, mark_);
  auto result = std::visit([&writer](const auto& body) { return writer.Run(body); }, command.body);
  if (!result) {
    const ErrorCode code = result.error().code;
    if (code == ErrorCode::kIo || code == ErrorCode::kCorrupt) {
      return tl::unexpected(result.error());
    }
    return result;
  }
  mark_ = writer.mark();
  MoveInto(changes, writer.changes());
  batch.Append(std::move(writer.batch()));
  return result;
}

void MetaState::PutMember(const Member& member, WriteBatch& batch, AppliedChanges& changes) const {
  batch.Put(Column::kMembers, layout::IdKey(generation_, member.id), layout::EncodeMember(member));
  changes.members_changed = true;
}

void MetaState::RemoveMember(raft::NodeId id, WriteBatch& batch, AppliedChanges& changes) const {
  batch.Put(Column::kMembers, layout::IdKey(generation_, id), "");
  changes.members_changed = true;
}

void MetaState::MarkApplied(raft::LogIndex index, raft::Term term, WriteBatch& batch) {
  mark_.applied_index = index;
  mark_.applied_term = term;
  batch.Put(Column::kRaftState, std::string(layout::kMarkKey),
            layout::EncodeMark(generation_, mark_));
}

Result<StateReader> StateReader::On(const ReadView& view) {
  const auto record = ReadMark(view);
  if (!record) return tl::unexpected(record.error());
  return StateReader(view, record->generation, record->mark);
}

Result<RangeResult> StateReader::Range(const RangeRequest& request) const {
  return kv::Range({*view_, generation_, mark_}, request);
}

Result<StateReader::History> StateReader::EventsFrom(Revision first, size_t bytes_max) const {
  return kv::EventsFrom({*view_, generation_, mark_}, first, bytes_max);
}

Result<std::vector<Member>> StateReader::Members() const {
  std::vector<Member> members;
  const auto visited = VisitPrefix(*view_, Column::kMembers, layout::Prefix(generation_),
                                   [&](std::string_view, std::string_view value) -> Result<bool> {
                                     if (value.empty()) return true;  // Removed.
                                     auto member = layout::DecodeMember(value);
                                     if (!member) return tl::unexpected(member.error());
                                     members.push_back(*std::move(member));
                                     return true;
                                   });
  if (!visited) return tl::unexpected(visited.error());
  return members;
}

Result<std::vector<raft::NodeId>> StateReader::RemovedMembers() const {
  std::vector<raft::NodeId> removed;
  const auto visited =
      VisitPrefix(*view_, Column::kMembers, layout::Prefix(generation_),
                  [&](std::string_view key, std::string_view value) -> Result<bool> {
                    if (value.empty()) removed.push_back(ByteReader(key).U64());
                    return true;
                  });
  if (!visited) return tl::unexpected(visited.error());
  return removed;
}

Result<bool> StateReader::MemberRemoved(raft::NodeId id) const {
  const auto value = view_->Get(Column::kMembers, layout::IdKey(generation_, id));
  if (!value) return tl::unexpected(value.error());
  return *value && (*value)->empty();
}

Result<std::vector<StateReader::LeaseState>> StateReader::Leases() const {
  const std::string prefix = layout::LeaseKey(generation_, 0).substr(0, sizeof(Generation) + 1);
  std::vector<LeaseState> leases;
  const auto visited =
      VisitPrefix(*view_, Column::kLeases, prefix,
                  [&](std::string_view rest, std::string_view value) -> Result<bool> {
                    ByteReader id(rest);
                    const auto lease = layout::DecodeLease(value);
                    if (!lease) return tl::unexpected(lease.error());
                    leases.push_back({id.I64(), lease->granted_ms, lease->remaining_ms});
                    return true;
                  });
  if (!visited) return tl::unexpected(visited.error());
  return leases;
}

Result<std::vector<std::string>> StateReader::LeaseKeys(LeaseId id) const {
  std::vector<std::string> keys;
  const auto visited =
      VisitPrefix(*view_, Column::kLeases, layout::AttachmentPrefix(generation_, id),
                  [&](std::string_view key, std::string_view) -> Result<bool> {
                    keys.emplace_back(key);
                    return true;
                  });
  if (!visited) return tl::unexpected(visited.error());
  return keys;
}

Result<std::optional<RegionRecord>> StateReader::Region(uint64_t id) const {
  const auto bytes = view_->Get(Column::kRegions, layout::IdKey(generation_, id));
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return std::optional<RegionRecord>();
  auto region = layout::DecodeRegion(**bytes);
  if (!region) return tl::unexpected(region.error());
  return std::optional<RegionRecord>(*std::move(region));
}

Result<void> StateReader::VisitRegions(const std::function<bool(RegionRecord)>& visit) const {
  return VisitPrefix(*view_, Column::kRegions, layout::Prefix(generation_),
                     [&](std::string_view, std::string_view value) -> Result<bool> {
                       auto region = layout::DecodeRegion(value);
                       if (!region) return tl::unexpected(region.error());
                       return visit(*std::move(region));
                     });
}

}  // namespace pd

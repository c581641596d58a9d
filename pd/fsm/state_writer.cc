#include "pd/fsm/state_writer.h"

#include <algorithm>
#include <compare>

namespace pd {
namespace {

// etcd's texts: clients compare them.
constexpr const char* kTextDuplicateKey = "etcdserver: duplicate key given in txn request";
constexpr const char* kTextNoKey = "etcdserver: key is not provided";
constexpr const char* kTextKeyNotFound = "etcdserver: key not found";
constexpr const char* kTextValueProvided = "etcdserver: value is provided";
constexpr const char* kTextLeaseProvided = "etcdserver: lease is provided";
constexpr const char* kTextLeaseNotFound = "etcdserver: requested lease not found";
constexpr const char* kTextLeaseExists = "etcdserver: lease already exists";
constexpr const char* kTextMemberNotFound = "etcdserver: member not found";

bool Satisfies(Compare::Relation relation, std::strong_ordering order) {
  switch (relation) {
    case Compare::Relation::kEqual:
      return order == 0;
    case Compare::Relation::kGreater:
      return order > 0;
    case Compare::Relation::kLess:
      return order < 0;
    case Compare::Relation::kNotEqual:
      return order != 0;
  }
  return false;
}

bool Satisfies(const Compare& compare, const KeyValue& pair) {
  const auto number = [&](int64_t actual) {
    return Satisfies(compare.relation, actual <=> compare.number);
  };
  switch (compare.target) {
    case Compare::Target::kVersion:
      return number(pair.version);
    case Compare::Target::kCreateRevision:
      return number(pair.create_revision);
    case Compare::Target::kModRevision:
      return number(pair.mod_revision);
    case Compare::Target::kLease:
      return number(pair.lease);
    case Compare::Target::kValue:
      return Satisfies(compare.relation, pair.value <=> compare.value);
  }
  return false;
}

}  // namespace

Revision StateWriter::WriteRevision() {
  if (!wrote_) {
    wrote_ = true;
    ++mark_.revision;
  }
  return mark_.revision;
}

// ---- Transactions
// --------------------------------------------------------------------------------------------------

Result<TxnResult> StateWriter::Run(const KvTxn& txn) {
  Path path;
  if (auto decided = Decide(txn, path); !decided) return tl::unexpected(decided.error());
  size_t at = 0;
  return Execute(txn, path, at);
}

Result<bool> StateWriter::Holds(const Compare& compare) const {
  bool any = false;
  bool all = true;
  const auto visited =
      kv::VisitCurrent(Source(), compare.key, compare.range_end, [&](const KeyValue& pair) {
        any = true;
        all = Satisfies(compare, pair);
        return all;
      });
  if (!visited) return tl::unexpected(visited.error());
  if (any) return all;
  return compare.target != Compare::Target::kValue && Satisfies(compare, KeyValue{});
}

Result<void> StateWriter::Decide(const KvTxn& txn, Path& path) const {
  bool succeeded = true;
  for (const Compare& compare : txn.compares) {
    const auto holds = Holds(compare);
    if (!holds) return tl::unexpected(holds.error());
    if (!*holds) {
      succeeded = false;
      break;
    }
  }
  path.push_back(succeeded);
  for (const TxnOp& op : succeeded ? txn.then : txn.otherwise) {
    const auto* nested = std::get_if<std::vector<KvTxn>>(&op);
    if (nested == nullptr) continue;
    if (nested->size() != 1) {
      return Fail(ErrorCode::kInvalidArgument, "a nested transaction is not exactly one");
    }
    if (auto decided = Decide(nested->front(), path); !decided) return decided;
  }
  return {};
}

Result<TxnResult> StateWriter::Execute(const KvTxn& txn, const Path& path, size_t& at) {
  TxnResult result;
  result.succeeded = path[at++];
  for (const TxnOp& op : result.succeeded ? txn.then : txn.otherwise) {
    auto response = Execute(op, path, at);
    if (!response) return tl::unexpected(response.error());
    result.responses.push_back(*std::move(response));
  }
  result.revision = mark_.revision;
  return result;
}

Result<TxnOpResult> StateWriter::Execute(const TxnOp& op, const Path& path, size_t& at) {
  const auto wrap = [](auto result) -> Result<TxnOpResult> {
    if (!result) return tl::unexpected(result.error());
    return TxnOpResult(*std::move(result));
  };
  if (const auto* range = std::get_if<RangeRequest>(&op)) return wrap(kv::Range(Source(), *range));
  if (const auto* put = std::get_if<PutRequest>(&op)) return wrap(Put(*put));
  if (const auto* request = std::get_if<DeleteRequest>(&op)) return wrap(Delete(*request));
  if (const auto* regions = std::get_if<PutRegions>(&op)) {
    ApplyRegions(*regions);
    return TxnOpResult(std::monostate());
  }
  auto nested = Execute(std::get<std::vector<KvTxn>>(op).front(), path, at);
  if (!nested) return tl::unexpected(nested.error());
  std::vector<TxnResult> one;
  one.push_back(*std::move(nested));
  return TxnOpResult(std::move(one));
}

Result<PutResult> StateWriter::Put(const PutRequest& put) {
  if (put.key.empty()) return Fail(ErrorCode::kInvalidArgument, kTextNoKey);
  if (put.ignore_value && !put.value.empty()) {
    return Fail(ErrorCode::kInvalidArgument, kTextValueProvided);
  }
  if (put.ignore_lease && put.lease != 0) {
    return Fail(ErrorCode::kInvalidArgument, kTextLeaseProvided);
  }
  const bool deleted = std::any_of(
      deleted_ranges_.begin(), deleted_ranges_.end(),
      [&put](const auto& range) { return layout::InRange(put.key, range.first, range.second); });
  if (deleted || !put_keys_.insert(put.key).second) {
    return Fail(ErrorCode::kInvalidArgument, kTextDuplicateKey);
  }
  auto before = kv::Current(Source(), put.key);
  if (!before) return tl::unexpected(before.error());
  if (!*before && (put.ignore_value || put.ignore_lease)) {
    return Fail(ErrorCode::kNotFound, kTextKeyNotFound);
  }
  const KeyValue previous = before->value_or(KeyValue{});

  Event event;
  event.kv.key = put.key;
  event.kv.value = put.ignore_value ? previous.value : put.value;
  event.kv.lease = put.ignore_lease ? previous.lease : put.lease;
  event.kv.version = previous.version + 1;
  if (event.kv.lease != 0 && event.kv.lease != previous.lease) {
    const auto lease = view_.Get(Column::kLeases, layout::LeaseKey(generation_, event.kv.lease));
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease) return Fail(ErrorCode::kNotFound, kTextLeaseNotFound);
  }
  event.kv.mod_revision = WriteRevision();
  event.kv.create_revision = *before ? previous.create_revision : event.kv.mod_revision;
  event.prev_kv = previous;
  if (previous.lease != event.kv.lease) {
    if (previous.lease != 0) {
      batch_.Delete(Column::kLeases, layout::AttachmentKey(generation_, previous.lease, put.key));
    }
    if (event.kv.lease != 0) {
      batch_.Put(Column::kLeases, layout::AttachmentKey(generation_, event.kv.lease, put.key), "");
    }
  }
  batch_.Put(Column::kKeys, layout::KeyKey(generation_, put.key), layout::EncodePair(event.kv));
  WriteEvent(std::move(event));
  return put.prev_kv ? PutResult{previous} : PutResult{};
}

Result<DeleteResult> StateWriter::Delete(const DeleteRequest& request) {
  if (request.key.empty()) return Fail(ErrorCode::kInvalidArgument, kTextNoKey);
  for (const std::string& key : put_keys_) {
    if (layout::InRange(key, request.key, request.range_end)) {
      return Fail(ErrorCode::kInvalidArgument, kTextDuplicateKey);
    }
  }
  deleted_ranges_.emplace_back(request.key, request.range_end);
  std::vector<KeyValue> pairs;
  const auto visited =
      kv::VisitCurrent(Source(), request.key, request.range_end, [&pairs](KeyValue pair) {
        pairs.push_back(std::move(pair));
        return true;
      });
  if (!visited) return tl::unexpected(visited.error());
  DeleteResult result;
  result.deleted = static_cast<int64_t>(pairs.size());
  for (const KeyValue& pair : pairs) DeletePair(pair);
  if (request.prev_kv) result.prev_kvs = std::move(pairs);
  return result;
}

void StateWriter::DeletePair(KeyValue pair) {
  batch_.Delete(Column::kKeys, layout::KeyKey(generation_, pair.key));
  if (pair.lease != 0) {
    batch_.Delete(Column::kLeases, layout::AttachmentKey(generation_, pair.lease, pair.key));
  }
  Event event;
  event.type = Event::Type::kDelete;
  event.kv.key = pair.key;
  event.kv.mod_revision = WriteRevision();
  event.prev_kv = std::move(pair);
  WriteEvent(std::move(event));
}

void StateWriter::WriteEvent(Event event) {
  const layout::IndexEntry entry{event.kv.mod_revision, next_sub_++, event.type};
  batch_.Put(Column::kHistory, layout::EventKey(generation_, entry.revision, entry.sub),
             layout::EncodeEvent(event));
  batch_.Put(Column::kHistory, layout::KeyIndexKey(generation_, event.kv.key, entry.revision),
             layout::EncodeIndexEntry(entry));
  changes_.events.push_back(std::move(event));
}

// ---- Leases
// --------------------------------------------------------------------------------------------------------

Result<TxnResult> StateWriter::Run(const LeaseGrant& grant) {
  if (grant.id <= 0 || grant.ttl_ms <= 0) {
    return Fail(ErrorCode::kInvalidArgument, "a lease needs a positive id and time to live");
  }
  const std::string key = layout::LeaseKey(generation_, grant.id);
  const auto known = view_.Get(Column::kLeases, key);
  if (!known) return tl::unexpected(known.error());
  if (*known) return Fail(ErrorCode::kAlreadyExists, kTextLeaseExists);
  batch_.Put(Column::kLeases, key, layout::EncodeLease({grant.ttl_ms, grant.ttl_ms}));
  changes_.granted.push_back(grant);
  return Done();
}

Result<TxnResult> StateWriter::Run(const LeaseRevoke& revoke) {
  const std::string key = layout::LeaseKey(generation_, revoke.id);
  const auto known = view_.Get(Column::kLeases, key);
  if (!known) return tl::unexpected(known.error());
  if (!*known) return Fail(ErrorCode::kNotFound, kTextLeaseNotFound);
  const std::string prefix = layout::AttachmentPrefix(generation_, revoke.id);
  std::vector<std::string> keys;
  {
    const auto cursor = view_.NewCursor(Column::kLeases);
    for (cursor->Seek(prefix); cursor->Valid() && cursor->key().starts_with(prefix);
         cursor->Next()) {
      keys.emplace_back(cursor->key().substr(prefix.size()));
    }
    if (auto good = cursor->Check(); !good) return tl::unexpected(good.error());
  }
  for (const std::string& attached : keys) {
    auto pair = kv::Current(Source(), attached);
    if (!pair) return tl::unexpected(pair.error());
    if (!*pair) return Fail(ErrorCode::kCorrupt, "a lease names a key that does not exist");
    DeletePair(**std::move(pair));
  }
  batch_.Delete(Column::kLeases, key);
  changes_.revoked.push_back(revoke.id);
  return Done();
}

Result<TxnResult> StateWriter::Run(const LeaseCheckpoint& checkpoint) {
  for (const LeaseCheckpoint::Remaining& one : checkpoint.leases) {
    const std::string key = layout::LeaseKey(generation_, one.id);
    const auto known = view_.Get(Column::kLeases, key);
    if (!known) return tl::unexpected(known.error());
    if (!*known) continue;
    auto lease = layout::DecodeLease(**known);
    if (!lease) return tl::unexpected(lease.error());
    lease->remaining_ms = std::clamp<int64_t>(one.remaining_ms, 0, lease->granted_ms);
    batch_.Put(Column::kLeases, key, layout::EncodeLease(*lease));
  }
  return Done();
}

// ---- History
// -------------------------------------------------------------------------------------------------------

// Only keys that changed since the last compaction can have something to forget, so the cost
// follows the changes, not the size of the space.
Result<TxnResult> StateWriter::Run(const Compact& compact) {
  if (compact.revision > mark_.revision) {
    return Fail(ErrorCode::kInvalidArgument, kv::kTextFuture);
  }
  if (compact.revision <= mark_.compact_revision) {
    return Fail(ErrorCode::kCompacted, kv::kTextCompacted);
  }
  std::set<std::string> keys;
  {
    const std::string end = layout::EventKey(generation_, compact.revision + 1, 0);
    const auto cursor = view_.NewCursor(Column::kHistory);
    cursor->Seek(layout::EventKey(generation_, mark_.compact_revision, 0));
    for (; cursor->Valid() && cursor->key() < end; cursor->Next()) {
      auto event = layout::DecodeEvent(cursor->value());
      if (!event) return tl::unexpected(event.error());
      keys.insert(std::move(event->kv.key));
    }
    if (auto good = cursor->Check(); !good) return tl::unexpected(good.error());
  }
  for (const std::string& key : keys) {
    if (auto done = CompactKey(key, compact.revision); !done) return tl::unexpected(done.error());
  }
  mark_.compact_revision = compact.revision;
  changes_.compacted = compact.revision;
  return Done();
}

/// Keeps what is newest at `revision`, unless that is an older deletion; forgets all before it.
Result<void> StateWriter::CompactKey(const std::string& key, Revision revision) {
  const std::string prefix = layout::KeyIndexPrefix(generation_, key);
  std::vector<layout::IndexEntry> forgotten;
  {
    bool newest = true;
    const auto cursor = view_.NewCursor(Column::kHistory);
    cursor->Seek(layout::KeyIndexKey(generation_, key, revision));
    for (; cursor->Valid() && cursor->key().starts_with(prefix); cursor->Next()) {
      const auto entry =
          layout::DecodeIndexEntry(cursor->key().substr(prefix.size()), cursor->value());
      if (!entry) return tl::unexpected(entry.error());
      const bool keep = newest && (entry->type == Event::Type::kPut || entry->revision == revision);
      newest = false;
      if (!keep) forgotten.push_back(*entry);
    }
    if (auto good = cursor->Check(); !good) return good;
  }
  for (const layout::IndexEntry& entry : forgotten) {
    batch_.Delete(Column::kHistory, layout::EventKey(generation_, entry.revision, entry.sub));
    batch_.Delete(Column::kHistory, layout::KeyIndexKey(generation_, key, entry.revision));
  }
  return {};
}

// ---- Regions and members
// -------------------------------------------------------------------------------------------

Result<TxnResult> StateWriter::Run(const PutRegions& regions) {
  ApplyRegions(regions);
  return Done();
}

void StateWriter::ApplyRegions(const PutRegions& regions) {
  for (const uint64_t id : regions.deleted_ids) {
    batch_.Delete(Column::kRegions, layout::IdKey(generation_, id));
  }
  for (const RegionRecord& region : regions.regions) {
    batch_.Put(Column::kRegions, layout::IdKey(generation_, region.id),
               layout::EncodeRegion(region));
  }
  changes_.regions.push_back(regions);
}

Result<TxnResult> StateWriter::Run(const UpdateMember& update) {
  const std::string key = layout::IdKey(generation_, update.member.id);
  const auto known = view_.Get(Column::kMembers, key);
  if (!known) return tl::unexpected(known.error());
  if (!*known || (*known)->empty()) return Fail(ErrorCode::kNotFound, kTextMemberNotFound);
  const auto stored = layout::DecodeMember(**known);
  if (!stored) return tl::unexpected(stored.error());
  Member member = update.member;
  member.is_learner = stored->is_learner;
  batch_.Put(Column::kMembers, key, layout::EncodeMember(member));
  changes_.members_changed = true;
  return Done();
}

}  // namespace pd

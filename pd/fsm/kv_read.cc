#include "pd/fsm/kv_read.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace pd::kv {
namespace {

Result<KeyValue> EventPair(const Source& source, const layout::IndexEntry& entry) {
  const auto bytes = source.view.Get(
      Column::kHistory, layout::EventKey(source.generation, entry.revision, entry.sub));
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return Fail(ErrorCode::kCorrupt, "history lacks an event that its index names");
  auto event = layout::DecodeEvent(**bytes);
  if (!event) return tl::unexpected(event.error());
  return std::move(event->kv);
}

/// Calls `visit` with the pairs of a range as of an old revision, in key order, until it returns
/// false.
Result<void> VisitAt(const Source& source, const RangeRequest& request, Revision revision,
                     const std::function<bool(KeyValue)>& visit) {
  const std::string begin = layout::KeyIndexBegin(source.generation);
  const auto cursor = source.view.NewCursor(Column::kHistory);
  std::string key = request.key;
  cursor->Seek(layout::KeyIndexKey(source.generation, key, revision));
  while (cursor->Valid() && cursor->key().starts_with(begin)) {
    std::string found;
    std::string_view tail;
    if (!layout::Unescape(cursor->key().substr(begin.size()), found, tail)) {
      return Fail(ErrorCode::kCorrupt, "stored key index does not decode");
    }
    if (!layout::InRange(found, request.key, request.range_end)) break;
    const auto entry = layout::DecodeIndexEntry(tail, cursor->value());
    if (!entry) return tl::unexpected(entry.error());
    if (entry->revision > revision) {  // First met at its newest: skip to what the revision saw.
      cursor->Seek(layout::KeyIndexKey(source.generation, found, revision));
      continue;
    }
    if (entry->type == Event::Type::kPut) {
      auto pair = EventPair(source, *entry);
      if (!pair) return tl::unexpected(pair.error());
      if (!visit(*std::move(pair))) return {};
    }
    // Behind all revisions of this key (revision 0 is never used, its inverse sorts last).
    cursor->Seek(layout::KeyIndexKey(source.generation, found, 0));
  }
  return cursor->Check();
}

bool Passes(const RangeRequest& request, const KeyValue& pair) {
  const auto within = [](Revision value, Revision low, Revision high) {
    return (low == 0 || value >= low) && (high == 0 || value <= high);
  };
  return within(pair.mod_revision, request.min_mod_revision, request.max_mod_revision) &&
         within(pair.create_revision, request.min_create_revision, request.max_create_revision);
}

void Sort(const RangeRequest& request, std::vector<KeyValue>& pairs) {
  const auto less = [&request](const KeyValue& a, const KeyValue& b) {
    switch (request.sort_target) {
      case SortTarget::kKey:
        return a.key < b.key;
      case SortTarget::kVersion:
        return a.version < b.version;
      case SortTarget::kCreateRevision:
        return a.create_revision < b.create_revision;
      case SortTarget::kModRevision:
        return a.mod_revision < b.mod_revision;
      case SortTarget::kValue:
        return a.value < b.value;
    }
    return false;
  };
  if (request.sort_order == SortOrder::kDescending) {
    std::stable_sort(pairs.begin(), pairs.end(),
                     [&less](const KeyValue& a, const KeyValue& b) { return less(b, a); });
  } else if (request.sort_target != SortTarget::kKey) {
    std::stable_sort(pairs.begin(), pairs.end(), less);
  }
}

}  // namespace

Result<std::optional<KeyValue>> Current(const Source& source, const std::string& key) {
  const std::string full_key = layout::KeyKey(source.generation, key);
  const auto bytes = source.view.Get(Column::kKeys, full_key);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return std::optional<KeyValue>();
  auto pair = layout::DecodePair(full_key, **bytes);
  if (!pair) return tl::unexpected(pair.error());
  return std::optional<KeyValue>(*std::move(pair));
}

Result<void> VisitCurrent(const Source& source, const std::string& key,
                          const std::string& range_end,
                          const std::function<bool(KeyValue)>& visit) {
  if (range_end.empty()) {
    auto pair = Current(source, key);
    if (!pair) return tl::unexpected(pair.error());
    if (*pair) visit(**std::move(pair));
    return {};
  }
  const layout::Bounds bounds = layout::KeyBounds(source.generation, key, range_end);
  const auto cursor = source.view.NewCursor(Column::kKeys);
  for (cursor->Seek(bounds.begin); cursor->Valid() && cursor->key() < bounds.end; cursor->Next()) {
    auto pair = layout::DecodePair(cursor->key(), cursor->value());
    if (!pair) return tl::unexpected(pair.error());
    if (!visit(*std::move(pair))) return {};
  }
  return cursor->Check();
}

Result<std::optional<layout::IndexEntry>> NewestIndexEntry(const Source& source,
                                                           const std::string& key,
                                                           Revision revision) {
  const std::string prefix = layout::KeyIndexPrefix(source.generation, key);
  const auto cursor = source.view.NewCursor(Column::kHistory);
  cursor->Seek(layout::KeyIndexKey(source.generation, key, revision));
  if (auto good = cursor->Check(); !good) return tl::unexpected(good.error());
  if (!cursor->Valid() || !cursor->key().starts_with(prefix)) {
    return std::optional<layout::IndexEntry>();
  }
  auto entry = layout::DecodeIndexEntry(cursor->key().substr(prefix.size()), cursor->value());
  if (!entry) return tl::unexpected(entry.error());
  return std::optional<layout::IndexEntry>(*entry);
}

Result<std::optional<KeyValue>> At(const Source& source, const std::string& key,
                                   Revision revision) {
  const auto entry = NewestIndexEntry(source, key, revision);
  if (!entry) return tl::unexpected(entry.error());
  if (!*entry || (*entry)->type == Event::Type::kDelete) return std::optional<KeyValue>();
  auto pair = EventPair(source, **entry);
  if (!pair) return tl::unexpected(pair.error());
  return std::optional<KeyValue>(*std::move(pair));
}

Result<RangeResult> Range(const Source& source, const RangeRequest& request) {
  const StateMark& mark = source.mark;
  const Revision revision = request.revision > 0 ? request.revision : mark.revision;
  if (revision > mark.revision) return Fail(ErrorCode::kInvalidArgument, kTextFuture);
  if (revision < mark.compact_revision) return Fail(ErrorCode::kCompacted, kTextCompacted);

  RangeResult result;
  result.revision = mark.revision;
  const bool sorted =
      request.sort_order == SortOrder::kDescending || request.sort_target != SortTarget::kKey;
  const size_t limit =
      request.limit > 0 ? static_cast<size_t>(request.limit) : std::numeric_limits<size_t>::max();
  const auto take = [&](KeyValue pair) {
    ++result.count;
    if (request.count_only || !Passes(request, pair)) return true;
    if (!sorted && result.kvs.size() == limit) {
      result.more = true;  // Go on for the count.
      return true;
    }
    if (request.keys_only && request.sort_target != SortTarget::kValue) pair.value.clear();
    result.kvs.push_back(std::move(pair));
    return true;
  };
  const Result<void> visited = revision == mark.revision
                                   ? VisitCurrent(source, request.key, request.range_end, take)
                                   : VisitAt(source, request, revision, take);
  if (!visited) return tl::unexpected(visited.error());
  if (sorted) {
    Sort(request, result.kvs);
    if (result.kvs.size() > limit) {
      result.kvs.resize(limit);
      result.more = true;
    }
  }
  if (request.keys_only) {
    for (KeyValue& pair : result.kvs) pair.value.clear();
  }
  return result;
}

Result<StateReader::History> EventsFrom(const Source& source, Revision first, size_t bytes_max) {
  if (first < source.mark.compact_revision) return Fail(ErrorCode::kCompacted, kTextCompacted);
  StateReader::History history;
  history.next = source.mark.revision + 1;
  const std::string end = layout::EventKey(source.generation, history.next, 0);
  const auto cursor = source.view.NewCursor(Column::kHistory);
  size_t bytes = 0;
  cursor->Seek(layout::EventKey(source.generation, first, 0));
  for (; cursor->Valid() && cursor->key() < end; cursor->Next()) {
    auto event = layout::DecodeEvent(cursor->value());
    if (!event) return tl::unexpected(event.error());
    const Revision revision = event->kv.mod_revision;
    if (!history.events.empty() && bytes >= bytes_max &&
        history.events.back().kv.mod_revision != revision) {
      history.next = revision;
      break;
    }
    bytes += cursor->key().size() + cursor->value().size();
    auto before = At(source, event->kv.key, revision - 1);
    if (!before) return tl::unexpected(before.error());
    if (*before) event->prev_kv = **std::move(before);
    history.events.push_back(*std::move(event));
  }
  if (auto good = cursor->Check(); !good) return tl::unexpected(good.error());
  return history;
}

}  // namespace pd::kv

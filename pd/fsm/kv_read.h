#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pd/fsm/layout.h"
#include "pd/fsm/meta_state.h"
#include "pd/storage/database.h"

// Reads of the key space off any view, for readers and for commands alike.
namespace pd::kv {

/// etcd's texts: clients compare them.
inline constexpr const char* kTextCompacted =
    "etcdserver: mvcc: required revision has been compacted";
inline constexpr const char* kTextFuture =
    "etcdserver: mvcc: required revision is a future revision";

/// One generation of the state, as some view has it.
struct Source {
  const ReadView& view;
  Generation generation;
  const StateMark& mark;
};

/// The current pair. Errors: kIo, kCorrupt, here and below.
Result<std::optional<KeyValue>> Current(const Source& source, const std::string& key);

/// Calls `visit` with the current pairs of a range in key order until it returns false.
Result<void> VisitCurrent(const Source& source, const std::string& key,
                          const std::string& range_end, const std::function<bool(KeyValue)>& visit);

/// The pair as it was at `revision`, nullopt when it did not exist or nothing is kept of it.
Result<std::optional<KeyValue>> At(const Source& source, const std::string& key, Revision revision);

/// Also kCompacted, kInvalidArgument (a future revision).
Result<RangeResult> Range(const Source& source, const RangeRequest& request);

/// See StateReader::EventsFrom.
Result<StateReader::History> EventsFrom(const Source& source, Revision first, size_t bytes_max);

/// The newest index entry of `key` with revision <= `revision`.
Result<std::optional<layout::IndexEntry>> NewestIndexEntry(const Source& source,
                                                           const std::string& key,
                                                           Revision revision);

}  // namespace pd::kv

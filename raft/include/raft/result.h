#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace raft {

/// Why the library, or a Storage under it, refused. Closed: the host translates each code.
enum class ErrorCode {
  kProposalDropped,         ///< No leader, a transfer runs, a size limit: try again later.
  kRequestSnapshotDropped,  ///< No leader, or it is not the time for a snapshot: try again later.
  kStepLocalMessage,        ///< Step was given a message type that never travels.
  kPeerNotFound,            ///< A response came from a node that is not in the group.
  kInvalidMessage,          ///< A message whose parts contradict each other; it was not applied.
  kLogLost,                 ///< A leader counts on entries that this log lacks. Not applied; the
                            ///< message is wrong, or the disk lost what was acknowledged.
  kCompacted,               ///< Storage: the entry is older than what the log still holds.
  kUnavailable,             ///< Storage: the entry is newer than what the log holds.
  kSnapshotOutOfDate,       ///< Storage: a newer snapshot is there already.
  kSnapshotUnavailable,     ///< Storage: no snapshot just now; the library asks again later.
  kStorage,                 ///< Storage: anything else; fatal for the group.
  kInvalidConfig,           ///< An option of Config; the context names it.
  kInvalidConfChange,       ///< A membership change that the current membership does not allow.
  kInvalidBootstrap,        ///< Bootstrap without peers, or over a storage that holds something.
  kDecode,                  ///< Bytes that are no membership change.
};

struct Error {
  ErrorCode code;
  std::string context;  ///< The whole text for people.
};

/// A value or an Error; must be looked at.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(tl::expected<T, Error> base) : tl::expected<T, Error>(std::move(base)) {}  // NOLINT
};

inline tl::unexpected<Error> Fail(ErrorCode code, std::string context) {
  return tl::unexpected<Error>(Error{code, std::move(context)});
}

/// The texts that callers and the scripts know, one for each code that has a fixed one.
inline constexpr const char* kTextProposalDropped = "raft proposal dropped";
inline constexpr const char* kTextRequestSnapshotDropped = "raft: request snapshot dropped";
inline constexpr const char* kTextCompacted = "requested index is unavailable due to compaction";
inline constexpr const char* kTextUnavailable = "requested entry at index is unavailable";
inline constexpr const char* kTextSnapshotOutOfDate =
    "requested index is older than the existing snapshot";
inline constexpr const char* kTextSnapshotUnavailable = "snapshot is temporarily unavailable";

}  // namespace raft

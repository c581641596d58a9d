#pragma once

#include <cstdint>
#include <optional>

#include "pd/codec/envelope_codec.h"
#include "pd/fsm/meta_state.h"
#include "pd/result.h"
#include "pd/storage/database.h"
#include "pd/storage/raft_log.h"

namespace pd {

/// A follower's side of snapshots: chunks are written under the generation after the live one, where nobody looks, and
/// become the state by one small batch. Whatever is staged and not made live is removed before the next transfer and at
/// the next start. Used on the raft thread only.
class SnapshotReceiver {
 public:
  explicit SnapshotReceiver(Database& database) : database_(database) {}

  /// Removes every generation but `live`: what an interrupted transfer left. Errors: kIo.
  Result<void> RemoveLeftovers(Generation live);

  /// Stages a chunk, if it is the next one of its transfer; a chunk 0 starts a transfer and drops any other. Answers
  /// what is wanted next. Errors: kIo, kCorrupt (the server must stop).
  Result<codec::SnapshotAck> Accept(raft::NodeId from, const codec::SnapshotChunk& chunk,
                                    Generation live);

  /// Everything up to this place is staged.
  [[nodiscard]] std::optional<StateMark> complete() const { return complete_; }

  /// Whatever comes of the transfer of the chunk at hand, it is over: the sender is told so if it asks again.
  void Finish(const codec::SnapshotChunk& chunk) { finished_id_ = chunk.transfer_id; }

  /// Makes the staged state live by `batch`, which has to be synced. Requires complete().
  void Install(Generation live, WriteBatch& batch);
  /// Drops what is staged. Errors: kIo.
  Result<void> Drop();

 private:
  struct Transfer {
    raft::NodeId from = 0;
    uint64_t id = 0;
    uint64_t next = 0;
    Generation generation = 0;
  };

  Result<void> Begin(raft::NodeId from, uint64_t id, Generation live);

  Database& database_;
  std::optional<Transfer> transfer_;
  std::optional<StateMark> complete_;
  uint64_t finished_id_ = 0;
};

}  // namespace pd

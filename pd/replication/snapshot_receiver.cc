#include "pd/replication/snapshot_receiver.h"

#include <string>
#include <utility>

#include "pd/fsm/layout.h"
#include "pd/log/log.h"
#include "scheduler/model/assert.h"

namespace pd {
namespace {

void DeleteGeneration(Generation generation, WriteBatch& batch) {
  for (auto slot = static_cast<size_t>(Column::kKeys); slot < kColumnCount; ++slot) {
    batch.DeleteRange(static_cast<Column>(slot), layout::Prefix(generation),
                      layout::PrefixEnd(generation));
  }
}

}  // namespace

Result<void> SnapshotReceiver::RemoveLeftovers(Generation live) {
  const std::string begin = layout::Prefix(live);
  const std::string end = layout::PrefixEnd(live);
  const std::string last(9, '\xFF');
  WriteBatch batch;
  for (auto slot = static_cast<size_t>(Column::kKeys); slot < kColumnCount; ++slot) {
    const auto column = static_cast<Column>(slot);
    const auto cursor = database_.NewCursor(column);
    cursor->Seek("");
    if (cursor->Valid() && cursor->key() < begin) batch.DeleteRange(column, "", begin);
    cursor->Seek(end);
    if (cursor->Valid()) batch.DeleteRange(column, end, last);
    if (auto good = cursor->Check(); !good) return good;
  }
  if (batch.empty()) return {};
  LogInfo("removing what an interrupted snapshot left");
  return database_.Write(batch, Durability::kBuffered);
}

Result<void> SnapshotReceiver::Begin(raft::NodeId from, uint64_t id, Generation live) {
  if (auto dropped = Drop(); !dropped) return dropped;
  transfer_ = Transfer{from, id, 0, live + 1};
  LogInfo("snapshot arrives", {{"from", from}, {"transfer", id}});
  return {};
}

Result<codec::SnapshotAck> SnapshotReceiver::Accept(raft::NodeId from,
                                                    const codec::SnapshotChunk& chunk,
                                                    Generation live) {
  codec::SnapshotAck ack;
  ack.transfer_id = chunk.transfer_id;
  const bool known = transfer_ && transfer_->from == from && transfer_->id == chunk.transfer_id;
  if (!known && chunk.transfer_id == finished_id_) {  // The answer got lost.
    ack.state = codec::SnapshotAck::State::kInstalled;
    return ack;
  }
  if (!known) {
    if (chunk.sequence != 0) {  // A restart lost what was before: the sender has to begin again.
      ack.state = codec::SnapshotAck::State::kUnknown;
      return ack;
    }
    if (auto begun = Begin(from, chunk.transfer_id, live); !begun) {
      return tl::unexpected(begun.error());
    }
  }
  if (chunk.sequence == transfer_->next) {
    WriteBatch batch;
    const std::string prefix = layout::Prefix(transfer_->generation);
    for (const codec::SnapshotItem& item : chunk.items) {
      batch.Put(item.column, prefix + item.key, item.value);
    }
    if (auto written = database_.Write(batch, Durability::kBuffered); !written) {
      return tl::unexpected(written.error());
    }
    ++transfer_->next;
    if (!chunk.message.empty()) complete_ = chunk.mark;
  }
  ack.next_sequence = transfer_->next;
  return ack;
}

void SnapshotReceiver::Install(Generation live, WriteBatch& batch) {
  PD_ASSERT(complete_ && transfer_ && transfer_->generation == live + 1);
  batch.Put(Column::kRaftState, std::string(layout::kMarkKey),
            layout::EncodeMark(transfer_->generation, *complete_));
  DeleteGeneration(live, batch);
  transfer_.reset();
  complete_.reset();
}

Result<void> SnapshotReceiver::Drop() {
  if (!transfer_) return {};
  WriteBatch batch;
  DeleteGeneration(transfer_->generation, batch);
  transfer_.reset();
  complete_.reset();
  return database_.Write(batch, Durability::kBuffered);
}

}  // namespace pd

#include "pd/replication/snapshot_sender.h"

#include <utility>

#include "pd/fsm/layout.h"
#include "pd/fsm/meta_state.h"
#include "pd/log/log.h"

namespace pd {

SnapshotSender::SnapshotSender(const SnapshotSenderOptions& options, const Database& database,
                               Transport& transport, const Clock& clock, uint64_t seed)
    : options_(options),
      database_(database),
      transport_(transport),
      clock_(clock),
      next_id_(seed) {}

raft::Result<raft::SnapshotPtr> SnapshotSender::Make(const StateMark& mark, Generation generation,
                                                     const raft::ConfState& membership) {
  if (transfers_.size() >= options_.transfers_max) {
    return raft::Fail(raft::ErrorCode::kSnapshotUnavailable, raft::kTextSnapshotUnavailable);
  }
  if (!made_ || made_->mark.applied_index != mark.applied_index) {
    auto source = std::make_shared<Source>();
    source->view = database_.TakeView();
    // The view's own mark: the state in memory may be ahead, by a batch that is not written yet.
    const auto reader = StateReader::On(*source->view);
    if (!reader) {
      return raft::Fail(raft::ErrorCode::kSnapshotUnavailable, raft::kTextSnapshotUnavailable);
    }
    source->mark = reader->mark();
    source->generation = generation;
    made_ = std::move(source);
  }
  auto snapshot = std::make_shared<raft::Snapshot>();
  snapshot->metadata = {membership, made_->mark.applied_index, made_->mark.applied_term};
  return raft::SnapshotPtr(std::move(snapshot));
}

void SnapshotSender::Start(raft::Message message) {
  const raft::NodeId to = message.to;
  if (!made_ || !message.snapshot ||
      message.snapshot->metadata.index != made_->mark.applied_index) {
    if (ended_) ended_(to, false);  // Its view is gone; the library asks again.
    return;
  }
  Transfer transfer;
  transfer.id = next_id_++;
  transfer.source = made_;
  transfer.message = std::move(message);
  transfer.Rewind();
  transfer.heard = clock_.Monotonic();
  LogInfo("snapshot transfer starts",
          {{"to", to}, {"index", made_->mark.applied_index}, {"transfer", transfer.id}});
  transfers_.insert_or_assign(to, std::move(transfer));
  Pump();
}

void SnapshotSender::Tick() {
  made_
      .reset();  // Snap messages are taken over in the Ready that brings them, before the next tick.
  Pump();
}

void SnapshotSender::Pump() {
  const Nanos now = clock_.Monotonic();
  std::vector<raft::NodeId> failed;
  for (auto& [to, transfer] : transfers_) {
    if (now - transfer.heard >= options_.stalled) {
      failed.push_back(to);
      continue;
    }
    if (now - transfer.heard >= options_.resend && transfer.next != transfer.acknowledged &&
        now - transfer.resent >= options_.resend) {
      transfer.next = transfer.acknowledged;
      transfer.resent = now;
    }
    Sending sending = Sending::kSent;
    while (sending == Sending::kSent && transfer.next < transfer.acknowledged + options_.window &&
           (!transfer.last || transfer.next <= *transfer.last)) {
      sending = SendNext(to, transfer);
    }
    if (sending == Sending::kBroken) failed.push_back(to);
  }
  for (const raft::NodeId to : failed) End(to, false);
}

SnapshotSender::Sending SnapshotSender::SendNext(raft::NodeId to, Transfer& transfer) {
  codec::SnapshotChunk chunk;
  chunk.transfer_id = transfer.id;
  chunk.sequence = transfer.next;
  const size_t slot = transfer.next - transfer.acknowledged;
  bool end = false;
  auto next = Fill(*transfer.source, transfer.places[slot], chunk, end);
  if (!next) {
    LogError("snapshot cannot be read", {{"to", to}, {"error", next.error()}});
    return Sending::kBroken;
  }
  if (end) {
    transfer.last = transfer.next;
    chunk.mark = transfer.source->mark;
    chunk.message.push_back(transfer.message);
  }
  std::string bytes = codec::EncodeEnvelope({options_.group_id, options_.id, to, std::move(chunk)});
  const size_t size = bytes.size();
  if (!transport_.SendSnapshotChunk(to, std::move(bytes))) return Sending::kRefused;
  bytes_sent_ += size;
  if (slot + 1 == transfer.places.size()) transfer.places.push_back(*std::move(next));
  ++transfer.next;
  return Sending::kSent;
}

/// Gathers a chunk's worth of keys from `from` on. Answers where the next chunk begins.
Result<SnapshotSender::Place> SnapshotSender::Fill(const Source& source, Place from,
                                                   codec::SnapshotChunk& chunk, bool& end) const {
  const std::string prefix = layout::Prefix(source.generation);
  size_t bytes = 0;
  for (auto slot = static_cast<size_t>(from.column); slot < kColumnCount; ++slot) {
    const auto column = static_cast<Column>(slot);
    const auto cursor = source.view->NewCursor(column);
    for (cursor->Seek(prefix + from.key); cursor->Valid() && cursor->key().starts_with(prefix);
         cursor->Next()) {
      const std::string_view key = cursor->key().substr(prefix.size());
      if (bytes >= options_.chunk_bytes) return Place{column, std::string(key)};
      chunk.items.push_back({column, std::string(key), std::string(cursor->value())});
      bytes += key.size() + cursor->value().size();
    }
    if (auto good = cursor->Check(); !good) return tl::unexpected(good.error());
    from.key.clear();
  }
  end = true;
  return Place{};
}

void SnapshotSender::Acknowledge(raft::NodeId from, const codec::SnapshotAck& ack) {
  const auto found = transfers_.find(from);
  if (found == transfers_.end() || found->second.id != ack.transfer_id) return;
  Transfer& transfer = found->second;
  if (ack.state == codec::SnapshotAck::State::kInstalled) return End(from, true);
  if (ack.state == codec::SnapshotAck::State::kUnknown) {
    // It restarted, unless a later chunk just overtook the first.
    if (transfer.acknowledged > 0) transfer.Rewind();
    return;
  }
  if (ack.next_sequence > transfer.next) return;           // Never sent.
  if (ack.next_sequence <= transfer.acknowledged) return;  // Nothing new.
  transfer.heard = clock_.Monotonic();
  for (; transfer.acknowledged < ack.next_sequence; ++transfer.acknowledged) {
    transfer.places.pop_front();
  }
  Pump();
}

void SnapshotSender::End(raft::NodeId to, bool installed) {
  LogInfo("snapshot transfer ends", {{"to", to}, {"installed", installed}});
  transfers_.erase(to);
  if (installed) ++completed_;
  if (ended_) ended_(to, installed);
}

void SnapshotSender::Clear() {
  transfers_.clear();
  made_.reset();
}

}  // namespace pd

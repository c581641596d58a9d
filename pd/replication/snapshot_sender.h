#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pd/codec/envelope_codec.h"
#include "pd/fsm/meta_state.h"
#include "pd/replication/transport.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/storage/database.h"
#include "raft/storage.h"

namespace pd {

struct SnapshotSenderOptions {
  raft::NodeId id = 0;
  uint64_t group_id = 0;
  size_t chunk_bytes = 256U << 10U;
  uint32_t window = 8;            // Chunks sent and not acknowledged, to one peer.
  Nanos resend{500'000'000};      // Silence after which the unacknowledged chunks are sent again.
  Nanos stalled{10'000'000'000};  // Silence after which the transfer is given up.
  size_t transfers_max = 4;       // More peers wait for their turn.
};

/// The leader's side of snapshots. A snapshot is a frozen view of the database at the applied index; its contents go to
/// the peer in numbered chunks, a window at a time, and its Raft message goes with the last. What was not acknowledged
/// is read from the view again, so a broken connection costs a window, not the transfer. Used on the raft thread only.
class SnapshotSender {
 public:
  /// How a transfer ended: to be told to the Raft library.
  using Ended = std::function<void(raft::NodeId to, bool installed)>;

  SnapshotSender(const SnapshotSenderOptions& options, const Database& database,
                 Transport& transport, const Clock& clock, uint64_t seed);

  void OnEnded(Ended ended) { ended_ = std::move(ended); }

  /// For RaftLog: freezes the state and describes it. Error kSnapshotUnavailable while too many transfers run.
  raft::Result<raft::SnapshotPtr> Make(const StateMark& mark, Generation generation,
                                       const raft::ConfState& membership);

  /// The library wants this Snap message sent; it came from Make. A transfer to the same peer starts afresh.
  void Start(raft::Message message);
  void Acknowledge(raft::NodeId from, const codec::SnapshotAck& ack);
  /// Sends what the windows allow; resends and gives up by the clock.
  void Tick();
  /// Drops all transfers without telling; the member does not lead any more.
  void Clear();

  [[nodiscard]] uint64_t completed() const { return completed_; }
  /// Of all chunks, those sent again included.
  [[nodiscard]] uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Source {
    std::unique_ptr<ReadView> view;
    StateMark mark;
    Generation generation = 0;
  };
  /// The first key of a chunk: column and key without the generation.
  struct Place {
    Column column = Column::kKeys;
    std::string key;
  };
  struct Transfer {
    /// Begins again with the first chunk.
    void Rewind() {
      acknowledged = 0;
      next = 0;
      places.assign(1, Place{});
      last.reset();
    }

    uint64_t id = 0;
    std::shared_ptr<const Source> source;
    raft::Message message;
    uint64_t acknowledged = 0;  // All chunks before have arrived.
    uint64_t next = 0;          // The next to send; acknowledged <= next <= acknowledged + window.
    std::deque<Place> places;   // places[i] is of chunk acknowledged + i; one more than sent.
    std::optional<uint64_t> last;  // Number of the last chunk, once it was met.
    Nanos heard{0};                // Last progress.
    Nanos resent{0};               // Last time the window was sent again.
  };
  enum class Sending : uint8_t { kSent, kRefused, kBroken };

  void Pump();
  Sending SendNext(raft::NodeId to, Transfer& transfer);
  Result<Place> Fill(const Source& source, Place from, codec::SnapshotChunk& chunk,
                     bool& end) const;
  void End(raft::NodeId to, bool installed);

  const SnapshotSenderOptions options_;
  const Database& database_;
  Transport& transport_;
  const Clock& clock_;
  Ended ended_;
  uint64_t next_id_;
  std::shared_ptr<const Source> made_;  // For the Snap messages of this moment.
  std::map<raft::NodeId, Transfer> transfers_;
  uint64_t completed_ = 0;
  uint64_t bytes_sent_ = 0;
};

}  // namespace pd

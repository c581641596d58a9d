#include "api/grpc/raft_transport.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "api/grpc/bytes.h"
#include "api/grpc/client_stream.h"
#include "pd/runtime/mutex.h"
#include "proto/raft_transport.pb.h"

namespace api {
namespace {

constexpr const char* kMessages = "/quartermaster.raft.Transport/Messages";
constexpr const char* kChunks = "/quartermaster.raft.Transport/SnapshotChunks";

// How a stream ends whose sender was removed from the group.
constexpr StatusCode kRemovedCode = StatusCode::kFailedPrecondition;
constexpr const char* kRemovedText = "the sender was removed from the group";

// One frame gathers what waits, within these bounds.
constexpr int kFrameMessagesMax = 256;
constexpr size_t kFrameBytesMax = 1u << 20;

struct LaneOptions {
  const char* method;
  size_t queue_max;
  size_t queue_bytes_max;
  GrpcRaftTransport::Options transport;
  std::atomic<bool>& removed;  // Set when a peer says that this member was removed.
};

ChannelTiming TimingOf(const GrpcRaftTransport::Options& options) {
  return {options.backoff_min, options.backoff_max, options.connect_timeout, options.ping};
}

/// One kind of messages to one peer.
///
///     opening --OnStarted--> open --stream ends--> backing off --timer--> opening;   Stop() from each: stopped
///
/// The stream under way and the timer hold the lane alive.
class Lane final : public std::enable_shared_from_this<Lane> {
 public:
  Lane(LaneOptions options, std::vector<std::string> urls, ClientLoop& loop)
      : options_(options),
        urls_(std::move(urls)),
        loop_(loop),
        channels_(urls_.size()),
        backoff_(options.transport.backoff_min) {}

  void Open() PD_EXCLUDES(mutex_);
  void Stop() PD_EXCLUDES(mutex_);
  bool Send(std::string bytes) PD_EXCLUDES(mutex_);

 private:
  /// Hands the events of one stream to its lane.
  class Events final : public ClientStream::Listener {
   public:
    explicit Events(std::shared_ptr<Lane> lane) : lane_(std::move(lane)) {}
    void OnStarted() override { lane_->OnStarted(); }
    void OnWritten(bool ok) override { lane_->OnWritten(ok); }
    void OnMessage(const grpc::ByteBuffer& /*bytes*/) override { lane_->ReadOn(); }
    void OnDone(const RpcStatus& status) override { lane_->OnDone(status); }

   private:
    const std::shared_ptr<Lane> lane_;
  };

  void OnStarted() PD_EXCLUDES(mutex_);
  void OnWritten(bool ok) PD_EXCLUDES(mutex_);
  void ReadOn() PD_EXCLUDES(mutex_);
  void OnDone(const RpcStatus& status) PD_EXCLUDES(mutex_);
  void Pump() PD_REQUIRES(mutex_);

  const LaneOptions options_;
  const std::vector<std::string> urls_;
  ClientLoop& loop_;

  pd::Mutex mutex_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_
      PD_GUARDED_BY(mutex_);  // One a URL, made when used.
  size_t next_url_ PD_GUARDED_BY(mutex_) = 0;
  std::chrono::milliseconds backoff_ PD_GUARDED_BY(mutex_);
  std::optional<ClientLoop::Timer> timer_ PD_GUARDED_BY(mutex_);
  std::shared_ptr<ClientStream> stream_ PD_GUARDED_BY(mutex_);  // Null while backing off.
  bool busy_ PD_GUARDED_BY(mutex_) = false;  // Opening, writing or broken: what comes is queued.
  bool stopped_ PD_GUARDED_BY(mutex_) = false;
  std::deque<std::string> queue_ PD_GUARDED_BY(mutex_);
  size_t queue_bytes_ PD_GUARDED_BY(mutex_) = 0;
};

void Lane::Open() {
  pd::MutexLock lock(mutex_);
  if (stopped_ || urls_.empty()) return;
  const size_t url = next_url_++ % urls_.size();
  if (!channels_[url]) {
    const GrpcRaftTransport::Options& transport = options_.transport;
    channels_[url] = OpenChannel(urls_[url], TimingOf(transport), transport.tls);
  }
  stream_ = std::make_shared<ClientStream>(loop_, channels_[url],
                                           std::make_shared<Events>(shared_from_this()));
  busy_ = true;
  stream_->Start(options_.method);
}

void Lane::Stop() {
  pd::MutexLock lock(mutex_);
  stopped_ = true;
  queue_.clear();
  queue_bytes_ = 0;
  if (stream_) stream_->Cancel();
  if (timer_) timer_->Cancel();
}

bool Lane::Send(std::string bytes) {
  pd::MutexLock lock(mutex_);
  if (stopped_ || !stream_) return false;
  if (queue_.size() >= options_.queue_max || queue_bytes_ >= options_.queue_bytes_max) return false;
  queue_bytes_ += bytes.size();
  queue_.push_back(std::move(bytes));
  if (!busy_) Pump();
  return true;
}

void Lane::Pump() {
  quartermaster::raft::TransportFrame frame;
  size_t size = 0;
  while (!queue_.empty() && frame.messages_size() < kFrameMessagesMax &&
         (size == 0 || size + queue_.front().size() <= kFrameBytesMax)) {
    size += queue_.front().size();
    queue_bytes_ -= queue_.front().size();
    frame.add_messages(std::move(queue_.front()));
    queue_.pop_front();
  }
  busy_ = true;
  stream_->Write(Encode(frame));
}

void Lane::OnStarted() {
  ReadOn();  // The peer never answers; the read notices the end.
  OnWritten(true);
}

void Lane::OnWritten(bool ok) {
  pd::MutexLock lock(mutex_);
  if (!ok || stopped_) return;                // Broken, and busy_ until OnDone.
  backoff_ = options_.transport.backoff_min;  // The peer takes bytes.
  busy_ = false;
  if (!queue_.empty()) Pump();
}

void Lane::ReadOn() {
  pd::MutexLock lock(mutex_);
  if (stream_) stream_->ReadNext();
}

void Lane::OnDone(const RpcStatus& status) {
  if (status == RpcStatus{kRemovedCode, kRemovedText}) options_.removed.store(true);
  pd::MutexLock lock(mutex_);
  stream_.reset();
  queue_.clear();
  queue_bytes_ = 0;
  if (stopped_) return;
  timer_.emplace().Start(loop_, backoff_, [self = shared_from_this()] { self->Open(); });
  backoff_ = std::min(backoff_ * 2, options_.transport.backoff_max);
}

class FrameSession final : public StreamSession<quartermaster::raft::TransportFrame> {
 public:
  FrameSession(const RaftReceiver& receive, StreamSink<quartermaster::raft::TransportFrame> sink)
      : receive_(receive), sink_(std::move(sink)) {}

  void OnMessage(const quartermaster::raft::TransportFrame& frame) override {
    for (const std::string& message : frame.messages()) {
      if (receive_(message) == RaftReceipt::kTaken) continue;
      return sink_.Finish({kRemovedCode, kRemovedText});
    }
  }
  void OnHalfClose() override { sink_.Finish({}); }

 private:
  const RaftReceiver& receive_;
  StreamSink<quartermaster::raft::TransportFrame> sink_;
};

}  // namespace

class GrpcRaftTransport::Impl {
 public:
  explicit Impl(Options options) : options_(options) {}

  ~Impl() { SetPeers({}); }  // Then the loop waits for the cancelled streams.

  bool Send(raft::NodeId to, std::string bytes) PD_EXCLUDES(mutex_) {
    const auto lane = Find(to, &Peering::messages);
    return lane && lane->Send(std::move(bytes));
  }

  bool SendChunk(raft::NodeId to, std::string bytes) PD_EXCLUDES(mutex_) {
    const auto lane = Find(to, &Peering::chunks);
    return lane && lane->Send(std::move(bytes));
  }

  [[nodiscard]] bool removed() const { return removed_.load(); }

  void SetPeers(std::vector<Peer> peers) PD_EXCLUDES(mutex_) {
    std::map<raft::NodeId, Peering> before;
    pd::MutexLock lock(mutex_);
    before.swap(peers_);
    for (Peer& peer : peers) {
      const auto known = before.find(peer.id);
      if (known != before.end() && known->second.peer == peer) {
        peers_.insert(before.extract(known));
      } else {
        const raft::NodeId id = peer.id;
        peers_.emplace(id, Join(std::move(peer)));
      }
    }
    for (const auto& [id, gone] : before) {
      gone.messages->Stop();
      gone.chunks->Stop();
    }
  }

 private:
  struct Peering {
    Peer peer;
    std::shared_ptr<Lane> messages;
    std::shared_ptr<Lane> chunks;
  };

  [[nodiscard]] Peering Join(Peer peer) {
    const LaneOptions messages{kMessages, options_.messages_max, options_.message_bytes_max,
                               options_, removed_};
    const LaneOptions chunks{kChunks, options_.chunks_max, options_.chunk_bytes_max, options_,
                             removed_};
    Peering peering{peer, std::make_shared<Lane>(messages, peer.urls, loop_),
                    std::make_shared<Lane>(chunks, peer.urls, loop_)};
    peering.messages->Open();
    peering.chunks->Open();
    return peering;
  }

  [[nodiscard]] std::shared_ptr<Lane> Find(raft::NodeId to, std::shared_ptr<Lane> Peering::*lane)
      PD_EXCLUDES(mutex_) {
    pd::MutexLock lock(mutex_);
    const auto found = peers_.find(to);
    return found == peers_.end() ? nullptr : found->second.*lane;
  }

  const Options options_;
  std::atomic<bool> removed_ = false;
  pd::Mutex mutex_;
  std::map<raft::NodeId, Peering> peers_ PD_GUARDED_BY(mutex_);
  ClientLoop loop_;  // Last: destroyed first.
};

GrpcRaftTransport::GrpcRaftTransport(Options options) : impl_(std::make_unique<Impl>(options)) {}

GrpcRaftTransport::~GrpcRaftTransport() = default;

bool GrpcRaftTransport::Send(raft::NodeId to, std::string bytes) {
  return impl_->Send(to, std::move(bytes));
}

bool GrpcRaftTransport::SendSnapshotChunk(raft::NodeId to, std::string bytes) {
  return impl_->SendChunk(to, std::move(bytes));
}

void GrpcRaftTransport::SetPeers(std::vector<Peer> peers) { impl_->SetPeers(std::move(peers)); }

bool GrpcRaftTransport::removed() const { return impl_->removed(); }

void RegisterRaftTransport(MethodRegistry& methods, RaftReceiver receive) {
  const auto shared = std::make_shared<const RaftReceiver>(std::move(receive));
  const auto open = [shared](const CallContext&,
                             StreamSink<quartermaster::raft::TransportFrame> sink) {
    return std::make_unique<FrameSession>(*shared, std::move(sink));
  };
  using quartermaster::raft::TransportFrame;
  const MethodOptions inline_only{.run_on = RunOn::kIo};
  methods.ClientStream<TransportFrame, TransportFrame>(kMessages, inline_only, open);
  methods.ClientStream<TransportFrame, TransportFrame>(kChunks, inline_only, open);
}

}  // namespace api

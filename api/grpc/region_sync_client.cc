#include "api/grpc/region_sync_client.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "api/grpc/bytes.h"
#include "api/grpc/region_sync_service.h"
#include "proto/pdpb.pb.h"

namespace api {
namespace {

constexpr std::chrono::milliseconds kLook{500};
constexpr std::chrono::milliseconds kPing{10'000};

}  // namespace

/// One stream to one leader, from its start to its end.
class RegionSyncClient::Connection final : public ClientStream::Listener {
 public:
  Connection(const Deps& deps, uint64_t start_index) : deps_(deps), next_index_(start_index) {}

  void Open(ClientLoop& loop, const std::string& url, std::shared_ptr<Connection> self) {
    channel_ = OpenChannel(url, {.ping = kPing}, deps_.tls);
    stream_ = std::make_shared<ClientStream>(loop, channel_, std::move(self));
    stream_->Start("/pdpb.PD/SyncRegions");
  }
  void Cancel() { stream_->Cancel(); }
  [[nodiscard]] bool done() const { return done_.load(); }
  [[nodiscard]] uint64_t next_index() const { return next_index_.load(); }

  void OnStarted() override {
    pdpb::SyncRegionRequest request;
    request.mutable_header()->set_cluster_id(deps_.cluster_id());
    request.mutable_member()->set_name(deps_.name);
    for (const std::string& url : deps_.client_urls) request.mutable_member()->add_client_urls(url);
    request.set_start_index(next_index_.load());
    stream_->Write(Encode(request));
    stream_->ReadNext();
  }
  void OnWritten(bool) override {}
  void OnMessage(const grpc::ByteBuffer& bytes) override {
    pdpb::SyncRegionResponse frame;
    if (!Decode(bytes, frame)) {
      stream_->Cancel();
      return;
    }
    // What came while this member became the leader is of the past.
    if (!deps_.serving()) Take(frame);
    stream_->ReadNext();
  }
  void OnDone(const RpcStatus&) override {
    deps_.cluster.set_synced(false);
    done_.store(true);
  }

 private:
  void Take(const pdpb::SyncRegionResponse& frame) {
    TakeFrame(frame, deps_.cluster.regions());
    const auto count = static_cast<uint64_t>(frame.regions_size());
    if (count == 0) {
      next_index_.store(frame.start_index());
      complete_ = true;
      deps_.cluster.set_synced(true);
    } else if (complete_) {
      next_index_.store(frame.start_index() + count);
    }
  }

  const Deps& deps_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<ClientStream> stream_;
  std::atomic<uint64_t> next_index_;
  bool complete_ = false;  // The index of a full copy's frames is no index of the feed.
  std::atomic<bool> done_ = false;
};

void RegionSyncClient::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RegionSyncClient::Stop() {
  {
    const pd::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void RegionSyncClient::Run() {
  while (true) {
    {
      const pd::MutexLock lock(mutex_);
      if (!stopping_) wake_.WaitFor(mutex_, kLook);
      if (stopping_) break;
    }
    Look();
  }
  if (connection_) connection_->Cancel();
}

/// Opens, keeps or ends the stream, by who leads now.
void RegionSyncClient::Look() {
  const std::vector<std::string> urls =
      deps_.serving() ? std::vector<std::string>{} : deps_.leader_urls();
  if (connection_ && connection_->done()) {
    next_index_ = connection_->next_index();
    connection_.reset();
  }
  if (connection_) {
    if (std::ranges::find(urls, url_) == urls.end()) connection_->Cancel();
    return;
  }
  if (urls.empty() || deps_.cluster_id() == 0) return;
  url_ = urls[tried_++ % urls.size()];
  connection_ = std::make_shared<Connection>(deps_, next_index_);
  connection_->Open(loop_, url_, connection_);
}

}  // namespace api

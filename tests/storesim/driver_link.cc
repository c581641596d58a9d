#include "tests/storesim/driver_link.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace storesim {
namespace {

using harness::Millis;

constexpr size_t kStoreHeartbeatsMax =
    10'000;  // Beyond it the oldest are dropped: the next say the same.
constexpr uint32_t kIdsPerCall = 10'000;

}  // namespace

DriverLink::DriverLink(std::vector<std::string> endpoints) : client_(std::move(endpoints)) {}

DriverLink::~DriverLink() { Stop(); }

std::vector<uint64_t> DriverLink::AllocIds(size_t count) {
  std::vector<uint64_t> ids;
  while (ids.size() < count) {
    pdpb::AllocIDRequest request;
    pdpb::AllocIDResponse response;
    request.set_count(static_cast<uint32_t>(std::min<size_t>(count - ids.size(), kIdsPerCall)));
    const std::string failure =
        client_.CallUntilOk("/pdpb.PD/AllocID", request, response, Millis(20'000));
    if (!failure.empty()) throw std::runtime_error(failure);
    // A driver that does not know `count` gives one id.
    const uint32_t given = std::max<uint32_t>(1, response.count());
    for (uint32_t i = 0; i < given; ++i) ids.push_back(response.id() - i);
  }
  return ids;
}

void DriverLink::Start() {
  last_leader_ = client_.leader();
  follower_ = std::thread([this] { Follow(); });
}

void DriverLink::Stop() {
  std::map<uint64_t, StoreStream> ending;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    ending.swap(streams_);
    wake_follower_.notify_all();
  }
  if (follower_.joinable()) follower_.join();
  for (auto& [id, entry] : ending) entry.stream->End();
}

void DriverLink::Follow() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    wake_follower_.wait_for(lock, Millis(100),
                            [&] { return stopped_ || leader_lost_ || !store_heartbeats_.empty(); });
    if (stopped_) return;
    if (leader_lost_ || client_.leader().empty()) {
      lock.unlock();
      client_.ForgetLeader();
      const bool found = client_.FindLeader(Millis(1000));
      lock.lock();
      if (!found) continue;
      leader_lost_ = false;
      if (client_.leader() != last_leader_) ++leader_changes_;
      last_leader_ = client_.leader();
    }
    if (store_heartbeats_.empty()) continue;
    pdpb::StoreHeartbeatRequest request = std::move(store_heartbeats_.front());
    store_heartbeats_.pop_front();
    lock.unlock();
    pdpb::StoreHeartbeatResponse response;
    const grpc::Status status =
        client_.Call("/pdpb.PD/StoreHeartbeat", request, response, Millis(1000));
    lock.lock();
    const bool not_leader = response.header().error().type() == pdpb::NOT_BOOTSTRAPPED;
    if (!status.ok() || not_leader) leader_lost_ = true;
  }
}

void DriverLink::LoseLeader() {
  const std::lock_guard lock(mutex_);
  leader_lost_ = true;
  wake_follower_.notify_all();
}

std::shared_ptr<harness::Stream> DriverLink::StreamOf(uint64_t store_id) {
  const std::string leader = client_.leader();
  std::shared_ptr<harness::Stream> old;  // Goes behind the lock, which its callbacks take.
  const std::lock_guard lock(mutex_);
  if (stopped_ || leader_lost_ || leader.empty()) return nullptr;
  StoreStream& entry = streams_[store_id];
  if (entry.stream != nullptr && !entry.stream->ended() && entry.leader == leader) {
    return entry.stream;
  }
  old = std::move(entry.stream);
  if (entry.leader != leader) {
    entry.channel = harness::OpenChannel(leader);
    entry.leader = leader;
  }
  entry.stream = std::make_shared<harness::Stream>(
      entry.channel, "/pdpb.PD/RegionHeartbeat",
      harness::Stream::Callbacks{
          [this, store_id](grpc::ByteBuffer bytes) { Receive(store_id, std::move(bytes)); },
          [this](const grpc::Status& status) {
            if (status.error_code() != grpc::StatusCode::CANCELLED) LoseLeader();
          }});
  return entry.stream;
}

void DriverLink::Receive(uint64_t store_id, grpc::ByteBuffer bytes) {
  Answer answer;
  answer.store_id = store_id;
  if (!harness::FromBuffer(bytes, answer.response)) return;
  const std::lock_guard lock(mutex_);
  answers_.push_back(std::move(answer));
  wake_reader_.notify_one();
}

void DriverLink::SendRegion(uint64_t store_id, const pdpb::RegionHeartbeatRequest& request) {
  const std::shared_ptr<harness::Stream> stream = StreamOf(store_id);
  // Without a leader the report is lost, as a real store's would be; the next one comes in time.
  if (stream != nullptr) stream->Write(harness::ToBuffer(request));
}

void DriverLink::CloseStream(uint64_t store_id) {
  decltype(streams_)::node_type closing;  // Goes behind the lock, which its callbacks take.
  const std::lock_guard lock(mutex_);
  closing = streams_.extract(store_id);
}

void DriverLink::SendStore(const pdpb::StoreHeartbeatRequest& request) {
  const std::lock_guard lock(mutex_);
  store_heartbeats_.push_back(request);
  if (store_heartbeats_.size() > kStoreHeartbeatsMax) store_heartbeats_.pop_front();
  wake_follower_.notify_all();
}

std::vector<DriverLink::Answer> DriverLink::TakeAnswers(Millis timeout) {
  std::unique_lock lock(mutex_);
  wake_reader_.wait_for(lock, timeout, [&] { return !answers_.empty() || stopped_; });
  return std::exchange(answers_, {});
}

int64_t DriverLink::leader_changes() const {
  const std::lock_guard lock(mutex_);
  return leader_changes_;
}

}  // namespace storesim

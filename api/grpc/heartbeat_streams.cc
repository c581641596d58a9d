#include "api/grpc/heartbeat_streams.h"

#include <chrono>
#include <iterator>
#include <utility>
#include <variant>
#include <vector>

#include "pd/codec/metapb_codec.h"

namespace api {
namespace {

constexpr std::chrono::seconds kKeepAlive{60};
constexpr std::chrono::seconds kFullMax{5};

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

void SetChange(const scheduler::PeerChange& change, pdpb::ChangePeer& out) {
  pd::SetPeer(change.peer, *out.mutable_peer());
  out.set_change_type(static_cast<eraftpb::ConfChangeType>(change.type));
}

pdpb::CheckPolicy PolicyOf(scheduler::SplitPolicy policy) {
  switch (policy) {
    case scheduler::SplitPolicy::kScan:
      return pdpb::SCAN;
    case scheduler::SplitPolicy::kApproximate:
      return pdpb::APPROXIMATE;
    case scheduler::SplitPolicy::kUseKey:
      return pdpb::USEKEY;
  }
  return pdpb::SCAN;
}

void SetCommand(const scheduler::StepCommand& command, pdpb::RegionHeartbeatResponse& out) {
  std::visit(Overloaded{
                 [&](const scheduler::TransferLeaderCommand& transfer) {
                   pd::SetPeer(transfer.peer, *out.mutable_transfer_leader()->mutable_peer());
                   pd::AddPeers(transfer.peers, *out.mutable_transfer_leader()->mutable_peers());
                 },
                 [&](const scheduler::ChangePeerCommand& change) {
                   SetChange(change.change, *out.mutable_change_peer());
                 },
                 [&](const scheduler::ChangePeerV2Command& changes) {
                   pdpb::ChangePeerV2& v2 = *out.mutable_change_peer_v2();
                   for (const auto& change : changes.changes) SetChange(change, *v2.add_changes());
                 },
                 [&](const scheduler::MergeCommand& merge) {
                   pd::SetRegion(merge.target, *out.mutable_merge()->mutable_target());
                 },
                 [&](const scheduler::SplitCommand& split) {
                   out.mutable_split_region()->set_policy(PolicyOf(split.policy));
                   for (const auto& key : split.keys) out.mutable_split_region()->add_keys(key);
                 },
                 [&](const scheduler::SwitchWitnessCommand& switches) {
                   for (const scheduler::WitnessSwitch& one : switches.switches) {
                     auto& message = *out.mutable_switch_witnesses()->add_switch_witnesses();
                     message.set_peer_id(one.peer.value);
                     message.set_is_witness(one.witness);
                   }
                 },
             },
             command);
}

}  // namespace

void HeartbeatStreams::Start() {
  keep_alive_ = std::thread([this] { KeepAliveLoop(); });
}

void HeartbeatStreams::Stop() {
  {
    const pd::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (keep_alive_.joinable()) keep_alive_.join();
}

void HeartbeatStreams::KeepAliveLoop() {
  while (true) {
    std::vector<Bound> streams;
    {
      const pd::MutexLock lock(mutex_);
      const auto until = std::chrono::steady_clock::now() + kKeepAlive;
      while (!stopping_ && std::chrono::steady_clock::now() < until) {
        wake_.WaitFor(mutex_, until - std::chrono::steady_clock::now());
      }
      if (stopping_) return;
      for (const auto& [store, bound] : bound_) streams.push_back(bound);
    }
    pdpb::RegionHeartbeatResponse response;
    response.mutable_header()->set_cluster_id(cluster_id_());
    for (const Bound& bound : streams) {
      const bool queued = bound.sink.Write(response) == SinkResult::kQueued;
      (queued ? bound.series->keepalives : bound.series->keepalives_failed)->Add();
    }
  }
}

uint64_t HeartbeatStreams::NewStream() {
  const pd::MutexLock lock(mutex_);
  return ++last_stream_;
}

void HeartbeatStreams::Bind(scheduler::StoreId store, uint64_t stream, const Sink& sink) {
  HeartbeatMetrics::Handle series = series_of_(store);
  const pd::MutexLock lock(mutex_);
  bound_.insert_or_assign(store, Bound{stream, sink, std::move(series), std::nullopt});
}

void HeartbeatStreams::Unbind(uint64_t stream) {
  const pd::MutexLock lock(mutex_);
  std::erase_if(bound_, [&](const auto& entry) { return entry.second.stream == stream; });
}

bool HeartbeatStreams::Push(scheduler::StoreId store,
                            const pdpb::RegionHeartbeatResponse& response) {
  std::optional<Bound> bound;
  {
    const pd::MutexLock lock(mutex_);
    const auto it = bound_.find(store);
    if (it != bound_.end()) bound = it->second;
  }
  if (!bound) {
    series_of_(store)->skipped->Add();
    return false;
  }
  const SinkResult written = bound->sink.Write(response);
  (written == SinkResult::kQueued ? bound->series->pushed : bound->series->failed)->Add();
  if (written == SinkResult::kQueued && !bound->full_since) return true;
  if (IsStuck(bound->stream, written)) {
    bound->sink.Abort({StatusCode::kDeadlineExceeded, "send heartbeat timeout"});
  }
  return written == SinkResult::kQueued;
}

/// Notes what became of a write. True when the stream has been full for too long; it is unbound then, as is a closed
/// one.
bool HeartbeatStreams::IsStuck(uint64_t stream, SinkResult written) {
  const pd::Nanos now = clock_.Monotonic();
  const pd::MutexLock lock(mutex_);
  bool stuck = false;
  for (auto it = bound_.begin(); it != bound_.end();) {
    Bound& bound = it->second;
    const bool same = bound.stream == stream;
    if (same && written == SinkResult::kQueued) bound.full_since.reset();
    if (same && written == SinkResult::kFull && !bound.full_since) bound.full_since = now;
    const bool late = same && bound.full_since && now - *bound.full_since > kFullMax;
    stuck |= late;
    it = late || (same && written == SinkResult::kClosed) ? bound_.erase(it) : std::next(it);
  }
  return stuck;
}

bool HeartbeatStreams::Send(const scheduler::Region& region,
                            const scheduler::StepCommand& command) {
  if (!serving_()) return false;
  pdpb::RegionHeartbeatResponse response;
  response.mutable_header()->set_cluster_id(cluster_id_());
  response.set_region_id(region.id.value);
  response.mutable_region_epoch()->set_conf_ver(region.epoch.conf_ver);
  response.mutable_region_epoch()->set_version(region.epoch.version);
  pd::SetPeer(region.leader, *response.mutable_target_peer());
  SetCommand(command, response);
  return Push(region.leader.store, response);
}

bool HeartbeatStreams::SendError(const metapb::Peer& leader, std::string text) {
  pdpb::RegionHeartbeatResponse response;
  response.mutable_header()->set_cluster_id(cluster_id_());
  response.mutable_header()->mutable_error()->set_type(pdpb::UNKNOWN);
  response.mutable_header()->mutable_error()->set_message(std::move(text));
  *response.mutable_target_peer() = leader;
  return Push(scheduler::StoreId{leader.store_id()}, response);
}

}  // namespace api

#include "api/http/dashboard_hot.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace api {
namespace {

using scheduler::Access;
using scheduler::HotPeer;
using scheduler::LoadDim;

DashboardRates Per(double seconds, uint64_t bytes, uint64_t keys, uint64_t queries) {
  return {static_cast<double>(bytes) / seconds, static_cast<double>(keys) / seconds,
          static_cast<double>(queries) / seconds};
}

bool IsHeard(const DashboardStore& entry) {
  return entry.store.state != scheduler::StoreState::kTombstone && entry.heartbeat_age_ms &&
         *entry.heartbeat_age_ms <= scheduler::kStoreDisconnected.count();
}

constexpr const char* kLeader = "leader";

std::string RoleOf(const pd::Cluster& cluster, const DashboardHotPeer& hot) {
  if (hot.role == kLeader) return hot.role;
  const auto region = cluster.regions().Find({hot.region_id});
  const scheduler::Peer* peer = region ? region->PeerOnStore({hot.store_id}) : nullptr;
  return peer != nullptr && scheduler::IsLearner(*peer) ? "learner" : "follower";
}

/// Of all peers, and of those that lead.
std::pair<DashboardHotPeers, DashboardHotPeers> HottestOf(const pd::Cluster& cluster,
                                                          std::span<const DashboardStore> stores,
                                                          Access access) {
  std::vector<DashboardHotPeer> all;
  std::vector<DashboardHotPeer> leaders;
  for (const DashboardStore& entry : stores) {
    for (const HotPeer& hot : cluster.HotPeersOn(access, entry.store.id)) {
      all.push_back(
          {hot.region.value,
           hot.store.value,
           hot.leads ? kLeader : "",
           hot.degree,
           {hot.load[LoadDim::kByte], hot.load[LoadDim::kKey], hot.load[LoadDim::kQuery]}});
      if (hot.leads) leaders.push_back(all.back());
    }
  }
  DashboardHotPeers peers = Hottest(std::move(all));
  // A look-up each, so only for those that are shown.
  for (DashboardHotPeer& peer : peers.hottest) peer.role = RoleOf(cluster, peer);
  return {std::move(peers), Hottest(std::move(leaders))};
}

}  // namespace

void FillHot(const pd::Cluster& cluster, DashboardSnapshot& snapshot) {
  DashboardHot& hot = snapshot.hot;
  hot.stores = StoreLoadsOf(snapshot.stores);
  std::tie(hot.peers.read_peers, hot.peers.read_leaders) =
      HottestOf(cluster, snapshot.stores, Access::kRead);
  std::tie(hot.peers.write_peers, hot.peers.write_leaders) =
      HottestOf(cluster, snapshot.stores, Access::kWrite);
}

std::vector<DashboardStoreLoad> StoreLoadsOf(std::span<const DashboardStore> stores) {
  std::vector<DashboardStoreLoad> loads;
  for (const DashboardStore& entry : stores) {
    const scheduler::StoreStats& stats = entry.store.stats;
    if (!IsHeard(entry) || stats.interval_end_s <= stats.interval_start_s) continue;
    const auto seconds = static_cast<double>(stats.interval_end_s - stats.interval_start_s);
    loads.push_back({entry.store.id.value,
                     Per(seconds, stats.bytes_read, stats.keys_read, stats.read_queries),
                     Per(seconds, stats.bytes_written, stats.keys_written, stats.write_queries)});
  }
  return loads;
}

DashboardHotPeers Hottest(std::vector<DashboardHotPeer> all) {
  using Name = std::pair<uint64_t, uint64_t>;
  const auto name_of = [](const DashboardHotPeer& peer) {
    return Name{peer.region_id, peer.store_id};
  };
  DashboardHotPeers peers;
  peers.total = all.size();
  const auto listed = static_cast<std::ptrdiff_t>(std::min(all.size(), DashboardHotPeers::kListed));
  std::set<Name> taken;
  for (const auto rate :
       {&DashboardRates::bytes, &DashboardRates::keys, &DashboardRates::queries}) {
    std::partial_sort(all.begin(), all.begin() + listed, all.end(),
                      [&](const DashboardHotPeer& a, const DashboardHotPeer& b) {
                        return std::tuple(b.rates.*rate, name_of(a)) <
                               std::tuple(a.rates.*rate, name_of(b));
                      });
    for (auto peer = all.begin(); peer != all.begin() + listed; ++peer) {
      if (taken.insert(name_of(*peer)).second) peers.hottest.push_back(*peer);
    }
  }
  return peers;
}

}  // namespace api

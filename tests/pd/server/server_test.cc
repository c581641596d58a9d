#include "pd/server.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>

namespace pd {
namespace {

/// Members in one process: messages go straight from queue to queue, unless a member is cut off.
class Network {
 public:
  class Port final : public Transport {
   public:
    Port(Network& network, raft::NodeId id) : network_(network), id_(id) {}
    bool Send(raft::NodeId to, std::string bytes) override {
      return network_.Deliver(id_, to, std::move(bytes));
    }
    bool SendSnapshotChunk(raft::NodeId to, std::string bytes) override {
      return network_.Deliver(id_, to, std::move(bytes));
    }
    void SetPeers(std::vector<Peer>) override {}

   private:
    Network& network_;
    const raft::NodeId id_;
  };

  void Attach(raft::NodeId id, PdServer* server) {
    const MutexLock lock(mutex_);
    servers_[id] = server;
  }

 private:
  bool Deliver(raft::NodeId, raft::NodeId to, std::string bytes) {
    const MutexLock lock(mutex_);
    const auto found = servers_.find(to);
    if (found == servers_.end() || found->second == nullptr) return false;
    return found->second->group().Receive(std::move(bytes)).has_value();
  }

  Mutex mutex_;
  std::map<raft::NodeId, PdServer*> servers_;
};

/// Publishes by a call into the leader's server.
class DirectPeers final : public PeerClient {
 public:
  Result<void> Publish(const std::vector<std::string>& urls, const MemberDetail& self,
                       Millis) override {
    const MutexLock lock(mutex_);
    const auto found = servers.find(urls.front());
    if (found == servers.end()) return Fail(ErrorCode::kUnavailable, "nobody there");
    return found->second->members().Publish(self);
  }
  bool Ping(const std::vector<std::string>& urls, Millis) override {
    const MutexLock lock(mutex_);
    return servers.contains(urls.front());
  }

  Mutex mutex_;
  std::map<std::string, PdServer*> servers;
};

/// A cluster of `size` members, each with a database of its own in a temporary directory.
class Bench {
 public:
  explicit Bench(int size) {
    folder_ = std::filesystem::temp_directory_path() / "qm-server-XXXXXX";
    REQUIRE(mkdtemp(folder_.data()) != nullptr);
    for (int i = 1; i <= size; ++i) {
      list_ += (list_.empty() ? "" : ",") + Name(i) + "=" + PeerUrl(i);
    }
    servers.resize(static_cast<size_t>(size) + 1);
    ports_.resize(static_cast<size_t>(size) + 1);
    for (int i = 1; i <= size; ++i) Start(i);
  }
  ~Bench() {
    for (size_t i = 1; i < servers.size(); ++i) Stop(static_cast<int>(i));
    std::filesystem::remove_all(folder_);
  }

  void Start(int i) {
    PdServer::Parts parts;
    parts.config.name = Name(i);
    parts.config.client_urls = ClientUrl(i);
    parts.config.peer_urls = PeerUrl(i);
    parts.config.initial_cluster = list_;
    parts.config.data_dir = folder_ + "/" + Name(i);
    REQUIRE(FillDefaults(parts.config, "vm"));
    const auto members = ParseInitialCluster(list_, "pd-cluster");
    parts.identity = {FirstMemberId(Name(i), {PeerUrl(i)}, "pd-cluster"),
                      GroupIdOf(*members, "pd-cluster"),
                      false,
                      {}};
    const auto at = static_cast<size_t>(i);
    ports_[at] = std::make_unique<Network::Port>(network_, parts.identity.id);
    parts.clock = &clock_;
    parts.transport = ports_[at].get();
    parts.peers = &peers;
    std::filesystem::create_directories(parts.config.data_dir);
    auto database = OpenRocksDatabase(parts.config.data_dir + "/meta");
    REQUIRE(database);
    parts.database = std::move(*database);
    const raft::NodeId id = parts.identity.id;
    auto server = PdServer::Open(std::move(parts));
    if (!server) FAIL(server.error().context);
    servers[at] = std::move(*server);
    network_.Attach(id, servers[at].get());
    {
      const MutexLock lock(peers.mutex_);
      peers.servers[ClientUrl(i)] = servers[at].get();
    }
    servers[at]->Start();
  }

  void Stop(int i) {
    auto& server = servers[static_cast<size_t>(i)];
    if (server == nullptr) return;
    server->Stop();
    {
      const MutexLock lock(peers.mutex_);
      peers.servers.erase(ClientUrl(i));
    }
    network_.Attach(server->members().self().id, nullptr);
    server.reset();
  }

  /// Waits, within reason, until `done`.
  static void Until(const std::function<bool()>& done) {
    for (int i = 0; i < 3000 && !done(); ++i) std::this_thread::sleep_for(Millis(10));
    REQUIRE(done());
  }

  PdServer& Leader() {
    PdServer* leader = nullptr;
    Until([&] {
      for (const auto& server : servers) {
        if (server != nullptr && server->Serving()) leader = server.get();
      }
      return leader != nullptr;
    });
    return *leader;
  }
  int NumberOf(const PdServer& server) const {
    for (size_t i = 1; i < servers.size(); ++i) {
      if (servers[i].get() == &server) return static_cast<int>(i);
    }
    return 0;
  }

  static std::string Name(int i) { return "pd" + std::to_string(i); }
  static std::string ClientUrl(int i) { return "http://127.0.0.1:" + std::to_string(1000 + i); }
  static std::string PeerUrl(int i) { return "http://127.0.0.1:" + std::to_string(2000 + i); }

  DirectPeers peers;
  std::vector<std::unique_ptr<PdServer>> servers;  // From 1.

 private:
  SystemClock clock_;
  Network network_;
  std::string folder_;
  std::string list_;
  std::vector<std::unique_ptr<Network::Port>> ports_;
};

TEST_CASE("one member serves ids, time and configuration, and goes on after a restart",
          "[server]") {
  Bench bench(1);
  const uint64_t cluster_id = bench.Leader().cluster_id();
  CHECK(cluster_id != 0);
  CHECK(*bench.Leader().ids().Allocate(1) == 1);
  CHECK(*bench.Leader().ids().Allocate(5000) == 5001);
  const Timestamp before = *bench.Leader().tso().Generate(10);
  REQUIRE(bench.Leader().config_store().SetItem("region-schedule-limit", "7"));
  CHECK(bench.Leader().TransferLeader(0).error().context == "no valid pd to transfer etcd leader");
  CHECK(bench.Leader().members().PdLeader()->name == "pd1");
  Bench::Until([&] { return bench.Leader().members().List()[0].client_urls.size() == 1; });

  bench.Stop(1);
  bench.Start(1);
  CHECK(bench.Leader().cluster_id() == cluster_id);
  CHECK(*bench.Leader().ids().Allocate(1) == 6001);
  CHECK(*bench.Leader().tso().Generate(1) > before);
  CHECK(bench.Leader().config_store().online()->schedule.region_schedule_limit == 7);
  CHECK(bench.Leader().metrics().Render().find("service_member_role{service=\"PD\"} 1") !=
        std::string::npos);
}

TEST_CASE("the base of ids can be set in both directions", "[server]") {
  Bench bench(1);
  PdServer& server = bench.Leader();
  CHECK(*server.ids().Allocate(1) == 1);
  REQUIRE(server.SetIdBase(20'000));
  CHECK(*server.ids().Allocate(1) == 20'001);
  REQUIRE(server.SetIdBase(10));
  CHECK(*server.ids().Allocate(1) == 11);
}

TEST_CASE("three members: planned and unplanned changes of leader keep ids and time apart",
          "[server]") {
  Bench bench(3);
  uint64_t last_id = *bench.Leader().ids().Allocate(1);
  Timestamp last = *bench.Leader().tso().Generate(1);
  const auto advance = [&] {
    Result<uint64_t> id = Fail(ErrorCode::kNotLeader, "");
    Result<Timestamp> now = Fail(ErrorCode::kNotLeader, "");
    Bench::Until([&] {
      PdServer& leader = bench.Leader();
      if (!id) id = leader.ids().Allocate(1);
      if (id && !now) now = leader.tso().Generate(1);
      return id.has_value() && now.has_value();
    });
    CHECK(*id > last_id);
    CHECK(*now > last);
    last_id = *id;
    last = *now;
  };
  REQUIRE(bench.Leader().config_store().SetItem("leader-schedule-limit", "9"));
  for (int round = 0; round < 3; ++round) {
    PdServer& old = bench.Leader();
    REQUIRE(old.TransferLeader(0));
    Bench::Until([&] { return &bench.Leader() != &old; });
    advance();
  }
  const int number = bench.NumberOf(bench.Leader());
  bench.Stop(number);
  advance();
  bench.Start(number);
  advance();
  CHECK(last_id >= 4001);
  for (size_t i = 1; i <= 3; ++i) {
    Bench::Until([&] {
      return bench.servers[i]->config_store().online()->schedule.leader_schedule_limit == 9;
    });
    Bench::Until([&] { return bench.servers[i]->members().PdLeader().has_value(); });
    Bench::Until([&] {
      const auto members = bench.servers[i]->members().List();
      return std::all_of(members.begin(), members.end(),
                         [](const Member& m) { return !m.client_urls.empty(); });
    });
  }
}

TEST_CASE("leadership goes to whom it is asked for, and a member can be taken out", "[server]") {
  Bench bench(3);
  for (int i = 1; i <= 3; ++i) {
    const raft::NodeId id = bench.servers[static_cast<size_t>(i)]->members().self().id;
    Bench::Until([&] { return bench.Leader().TransferLeader(id).has_value(); });
    Bench::Until([&] { return bench.NumberOf(bench.Leader()) == i; });
  }
  PdServer& leader = bench.Leader();
  CHECK(leader.TransferLeader(12'345).error().code == ErrorCode::kNotFound);
  CHECK(leader.members().Remove(12'345).error().code == ErrorCode::kNotFound);
  const raft::NodeId gone = bench.servers[1]->members().self().id;
  REQUIRE(leader.members().Remove(gone));
  CHECK(leader.members().List().size() == 2);
  CHECK(leader.tso().Generate(1).has_value());
  CHECK(leader.members().SetLeaderPriority(leader.members().self().id, 5));
  CHECK(leader.members().LeaderPriority(leader.members().self().id) == 5);
}

}  // namespace
}  // namespace pd

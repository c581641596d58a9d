#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>

#include "pd/server.h"

namespace pd {

/// Members in one process: messages go straight from queue to queue, unless a member is cut off.
class Network {
 public:
  class Port final : public Transport {
   public:
    explicit Port(Network& network) : network_(network) {}
    bool Send(raft::NodeId to, std::string bytes) override {
      const Result<void> sent = network_.Deliver(to, std::move(bytes));
      removed_ |= !sent && sent.error().code == ErrorCode::kNotFound;
      return sent.has_value();
    }
    bool SendSnapshotChunk(raft::NodeId to, std::string bytes) override {
      return network_.Deliver(to, std::move(bytes)).has_value();
    }
    void SetPeers(std::vector<Peer>) override {}
    [[nodiscard]] bool removed() const override { return removed_; }

   private:
    Network& network_;
    bool removed_ = false;  // On the raft thread.
  };

  void Attach(raft::NodeId id, PdServer* server) {
    const MutexLock lock(mutex_);
    servers_[id] = server;
  }

 private:
  Result<void> Deliver(raft::NodeId to, std::string bytes) {
    const MutexLock lock(mutex_);
    const auto found = servers_.find(to);
    if (found == servers_.end() || found->second == nullptr) {
      return Fail(ErrorCode::kUnavailable, "nobody there");
    }
    return found->second->group().Receive(std::move(bytes));
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
  explicit Bench(int size, LeaderService* service = nullptr) : service_(service) {
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

  enum class Force { kNo, kNewCluster };
  void Start(int i, Force force = Force::kNo) {
    PdServer::Parts parts;
    parts.config.force_new_cluster = force == Force::kNewCluster;
    parts.on_removed = [this] { ++removals; };
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
                      false,
                      {}};
    const auto at = static_cast<size_t>(i);
    ports_[at] = std::make_unique<Network::Port>(network_);
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
    if (service_ != nullptr) servers[at]->AddLeaderService(*service_);
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

  std::atomic<int> removals = 0;  // How often a member said that it was removed.
  DirectPeers peers;
  std::vector<std::unique_ptr<PdServer>> servers;  // From 1.

 private:
  LeaderService* const service_;
  SystemClock clock_;
  Network network_;
  std::string folder_;
  std::string list_;
  std::vector<std::unique_ptr<Network::Port>> ports_;
};

}  // namespace pd

#include "pd/replication/raft_group.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/storage/fake_database.h"
#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

using harness::Eventually;

using namespace std::chrono_literals;

constexpr Millis kLong{20'000};

/// Hands bytes from thread to thread, as sockets would.
class Wire {
 public:
  class End final : public Transport {
   public:
    End(Wire& wire, raft::NodeId id) : wire_(wire), id_(id) {}
    bool Send(raft::NodeId to, std::string bytes) override {
      return wire_.Pass(*this, id_, to, std::move(bytes));
    }
    bool SendSnapshotChunk(raft::NodeId to, std::string bytes) override {
      return wire_.Pass(*this, id_, to, std::move(bytes));
    }
    void SetPeers(std::vector<Peer>) override {}
    [[nodiscard]] bool removed() const override { return removed_; }
    void Refuse() { removed_ = true; }

   private:
    Wire& wire_;
    raft::NodeId id_;
    std::atomic<bool> removed_ = false;
  };

  void Plug(raft::NodeId id, RaftGroup* group) {
    const std::lock_guard lock(mutex_);
    groups_[id] = group;
  }
  void Cut(raft::NodeId id, bool cut) {
    const std::lock_guard lock(mutex_);
    if (cut) {
      cut_.insert(id);
    } else {
      cut_.erase(id);
    }
  }

 private:
  bool Pass(End& end, raft::NodeId from, raft::NodeId to, std::string bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = groups_.find(to);
    if (found == groups_.end() || found->second == nullptr) return false;
    if (cut_.count(from) != 0 || cut_.count(to) != 0) return false;
    const auto received = found->second->Receive(std::move(bytes));
    if (!received && received.error().code == ErrorCode::kNotFound) end.Refuse();
    return received.has_value();
  }

  std::mutex mutex_;
  std::map<raft::NodeId, RaftGroup*> groups_;
  std::set<raft::NodeId> cut_;
};

class Listener final : public GroupListener {
 public:
  void OnLeaderStart(raft::Term term) override { started = term; }
  void OnLeaderStop(raft::Term) override { started = 0; }
  void OnRemoved() override { removed = true; }
  std::atomic<raft::Term> started = 0;
  std::atomic<bool> removed = false;
};

/// Members on real threads, time and, if a folder is given, real disks.
class Threads {
 public:
  explicit Threads(size_t count, const std::string& folder = "") {
    std::vector<Member> list;
    for (raft::NodeId id = 1; id <= count; ++id) {
      list.push_back({id, "", {"wire://" + std::to_string(id)}, {}, false});
    }
    for (const Member& member : list) {
      Server& server = servers_[member.id];
      if (folder.empty()) {
        server.database = std::make_unique<test::FakeDatabase>();
      } else {
        auto opened = OpenRocksDatabase(folder + "/" + std::to_string(member.id));
        REQUIRE(opened.has_value());
        server.database = *std::move(opened);
      }
      REQUIRE(RaftGroup::Bootstrap(*server.database, list).has_value());
      server.end = std::make_unique<Wire::End>(wire_, member.id);
      Start(member.id);
    }
  }
  ~Threads() {
    for (auto& [id, server] : servers_) Stop(id);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  void Start(raft::NodeId id) {
    Server& server = servers_.at(id);
    GroupOptions options;
    options.id = id;
    auto group = RaftGroup::Open(options, *server.database, *server.end, clock_);
    REQUIRE(group.has_value());
    server.group = *std::move(group);
    server.listener.started = 0;
    server.listener.removed = false;
    server.group->AddListener(server.listener);
    wire_.Plug(id, server.group.get());
    server.group->Start();
  }
  void Stop(raft::NodeId id) {
    Server& server = servers_.at(id);
    wire_.Plug(id, nullptr);
    if (server.group) server.group->Stop();
    server.group.reset();
  }

  RaftGroup& group(raft::NodeId id) { return *servers_.at(id).group; }
  bool removed(raft::NodeId id) { return servers_.at(id).listener.removed; }
  Database& database(raft::NodeId id) { return *servers_.at(id).database; }
  Wire& wire() { return wire_; }

  raft::NodeId WaitForLeader() {
    raft::NodeId leader = 0;
    REQUIRE(Eventually([&] {
      for (auto& [id, server] : servers_) {
        if (server.group && server.group->LeaseValid() && server.listener.started != 0) leader = id;
      }
      return leader != 0;
    }));
    return leader;
  }

  /// Proposes wherever the lead is until it is done.
  CommandResult Must(const std::string& key, const std::string& value) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      KvTxn txn;
      txn.Put(key, value);
      auto result = group(WaitForLeader()).ProposeAndWait({std::move(txn), 0}, kLong);
      if (result) return *result;
    }
    FAIL("the group does not take a proposal");
    return {};
  }

 private:
  struct Server {
    std::unique_ptr<Database> database;
    std::unique_ptr<Wire::End> end;
    Listener listener;
    std::unique_ptr<RaftGroup> group;
  };

  SystemClock clock_;
  Wire wire_;
  std::map<raft::NodeId, Server> servers_;
};

std::string Value(const Database& database, const std::string& key) {
  const auto view = database.TakeView();
  RangeRequest request;
  request.key = key;
  const auto range = StateReader::On(*view)->Range(request);
  REQUIRE(range.has_value());
  return range->kvs.empty() ? "" : range->kvs.front().value;
}

TEST_CASE("three threads agree, over disks that are real") {
  const test::TemporaryFolder folder;
  Threads threads(3, folder.path());
  for (int n = 0; n < 50; ++n) threads.Must("k", std::to_string(n));
  for (raft::NodeId id = 1; id <= 3; ++id) {
    CHECK(Eventually([&] { return Value(threads.database(id), "k") == "49"; }));
    CHECK(threads.group(id).members().size() == 3);
  }
  const GroupStats stats = threads.group(threads.WaitForLeader()).stats();
  CHECK(stats.proposals >= 50);
  CHECK(stats.batches_synced > 0);
}

TEST_CASE("the lead moves on request, and by itself when the leader stops") {
  Threads threads(3);
  threads.Must("k", "1");
  const raft::NodeId first = threads.WaitForLeader();
  const raft::NodeId second = first % 3 + 1;
  REQUIRE(Eventually([&] {
    return threads.group(threads.WaitForLeader()).TransferLeadership(second, kLong).has_value();
  }));
  REQUIRE(Eventually([&] { return threads.group(second).LeaseValid(); }));
  threads.Must("k", "2");
  threads.Stop(second);
  CHECK(threads.WaitForLeader() != second);
  threads.Must("k", "3");
  threads.Start(second);
  CHECK(Eventually([&] { return Value(threads.database(second), "k") == "3"; }));
}

TEST_CASE("a leader that is cut off answers what waits") {
  Threads threads(3);
  const raft::NodeId leader = threads.WaitForLeader();
  threads.wire().Cut(leader, true);
  KvTxn txn;
  txn.Put("k", "lost");
  const auto result = threads.group(leader).ProposeAndWait({std::move(txn), 0}, kLong);
  REQUIRE_FALSE(result.has_value());
  const bool expected =
      result.error().code == ErrorCode::kTimeout || result.error().code == ErrorCode::kNotLeader;
  CHECK(expected);
  CHECK_FALSE(threads.group(leader).LeaseValid());
  threads.wire().Cut(leader, false);
  threads.Must("k", "found");
  CHECK(Eventually([&] { return Value(threads.database(leader), "k") == "found"; }));
}

TEST_CASE("a member that was away when it was removed learns it from its peers, and ends") {
  Threads threads(3);
  threads.Must("k", "1");
  const raft::NodeId gone = threads.WaitForLeader() % 3 + 1;
  threads.Stop(gone);
  REQUIRE(Eventually([&] {
    return threads.group(threads.WaitForLeader()).RemoveMember(gone, kLong).has_value();
  }));
  threads.Must("k", "2");
  threads.Start(gone);
  REQUIRE(Eventually([&] { return threads.removed(gone); }));
  CHECK(Value(threads.database(gone), "k") != "2");  // Nobody sent it a thing.
  for (raft::NodeId id = 1; id <= 3; ++id) CHECK(threads.removed(id) == (id == gone));
}

TEST_CASE("a member that has applied its own removal ends after a restart, too") {
  Threads threads(3);
  threads.Must("k", "1");
  const raft::NodeId gone = threads.WaitForLeader();
  REQUIRE(threads.group(gone).RemoveMember(gone, kLong));
  REQUIRE(Eventually([&] { return threads.removed(gone); }));
  threads.Stop(gone);
  threads.Start(gone);
  CHECK(Eventually([&] { return threads.removed(gone); }));
  threads.Must("k", "2");
}

TEST_CASE("what comes off the wire may be anything") {
  Threads threads(1);
  RaftGroup& group = threads.group(1);
  threads.WaitForLeader();
  CHECK(group.Receive("").error().code == ErrorCode::kCorrupt);
  CHECK(group.Receive(std::string(1000, '\xFF')).error().code == ErrorCode::kCorrupt);
  group.ReportUnreachable(77);
  threads.Must("k", "1");
}

TEST_CASE("oversized commands are refused at the door") {
  test::FakeDatabase database;
  Threads threads(1);
  KvTxn txn;
  txn.Put("k", std::string(33U << 20U, 'x'));
  const auto result =
      threads.group(threads.WaitForLeader()).ProposeAndWait({std::move(txn), 0}, kLong);
  CHECK(result.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a full queue pushes back") {
  // Two of three are missing, so what the leader takes is never done; then its queue fills.
  Threads threads(3);
  const raft::NodeId leader = threads.WaitForLeader();
  threads.wire().Cut(leader, true);
  std::atomic<size_t> answered = 0;
  std::atomic<size_t> full = 0;
  const size_t count = 2 * GroupOptions().proposals_max + 5000;
  for (size_t n = 0; n < count; ++n) {
    KvTxn txn;
    txn.Put("k", "v");
    threads.group(leader).Propose({std::move(txn), 1}, 0, [&](const Result<CommandResult>& result) {
      ++answered;
      if (result.error().code == ErrorCode::kQueueFull) ++full;
    });
  }
  CHECK(Eventually([&] { return answered == count; }));  // Each exactly once, whatever the answer.
  CHECK(full <= count);
}

}  // namespace
}  // namespace pd

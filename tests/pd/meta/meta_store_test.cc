#include "pd/meta/meta_store.h"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;

using namespace std::chrono_literals;

constexpr Millis kLong{20'000};

class NoTransport final : public Transport {
 public:
  bool Send(raft::NodeId, std::string) override { return false; }
  bool SendSnapshotChunk(raft::NodeId, std::string) override { return false; }
  void SetPeers(std::vector<Peer>) override {}
};

/// A server of one member, without anything above the key space.
class Server {
 public:
  explicit Server(test::FakeDatabase& database, size_t members = 1, const MetaOptions& meta = {})
      : database_(database) {
    if (!RaftGroup::HasState(database).value()) {
      std::vector<Member> list;
      for (raft::NodeId id = 1; id <= members; ++id) list.push_back({id, "", {"p"}, {}, false});
      REQUIRE(RaftGroup::Bootstrap(database, list).has_value());
    }
    GroupOptions options;
    options.id = 1;
    auto group = RaftGroup::Open(options, database, transport_, clock_);
    REQUIRE(group.has_value());
    group_ = *std::move(group);
    store_ = MetaStore::Create(*group_, database, clock_, meta);
    group_->Start();
    store_->Start();
    if (members == 1) REQUIRE(Eventually([this] { return group_->LeaseValid(); }));
  }
  ~Server() {
    store_->Stop();
    group_->Stop();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  MetaStore& store() { return *store_; }
  RaftGroup& group() { return *group_; }

 private:
  test::FakeDatabase& database_;
  SystemClock clock_;
  NoTransport transport_;
  std::unique_ptr<RaftGroup> group_;
  std::unique_ptr<MetaStore> store_;
};

/// Always leads, and notes what is proposed; nothing is done.
class FakeGroup final : public RaftGroup {
 public:
  struct Checkpoint {
    LeaseCheckpoint leases;
    raft::Term fence = 0;
  };

  void AddListener(GroupListener&) override {}
  void Start() override {}
  void Stop() override {}
  void Propose(Command command, raft::Term fence, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      if (auto* leases = std::get_if<LeaseCheckpoint>(&command.body)) {
        checkpoints_.push_back({std::move(*leases), fence});
      }
    }
    done(Fail(ErrorCode::kQueueFull, "too many proposals wait"));
  }
  [[nodiscard]] LeaderStatus status() const override { return {}; }
  [[nodiscard]] bool LeaseValid() const override { return true; }
  [[nodiscard]] GroupStats stats() const override { return {}; }
  [[nodiscard]] std::vector<Member> members() const override { return {}; }
  Result<void> TransferLeadership(raft::NodeId, Millis) override { return {}; }
  Result<void> CheckSuccessor(raft::NodeId, Millis) override { return {}; }
  Result<void> AddMember(const Member&, Millis) override { return {}; }
  Result<void> PromoteMember(raft::NodeId, Millis) override { return {}; }
  Result<void> RemoveMember(raft::NodeId, Millis) override { return {}; }
  Result<void> Receive(std::string) override { return {}; }
  void ReportUnreachable(raft::NodeId) override {}

  std::vector<Checkpoint> checkpoints() const {
    const std::lock_guard lock(mutex_);
    return checkpoints_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Checkpoint> checkpoints_;
};

class Sink final : public WatchSink {
 public:
  bool OnEvents(const std::vector<Event>& events, Revision) override {
    const std::lock_guard lock(mutex_);
    count_ += events.size();
    return true;
  }
  void OnCanceled(const Error& error, Revision) override {
    const std::lock_guard lock(mutex_);
    canceled_ = error.code;
  }
  size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::optional<ErrorCode> canceled() const {
    const std::lock_guard lock(mutex_);
    return canceled_;
  }

 private:
  mutable std::mutex mutex_;
  size_t count_ = 0;
  std::optional<ErrorCode> canceled_;
};

TEST_CASE("what is put can be read, listed, compared and deleted") {
  test::FakeDatabase database;
  Server server(database);
  MetaStore& store = server.store();
  const auto first = store.Put("/pd/1/a", "1", kLong);
  REQUIRE(first.has_value());
  REQUIRE(store.Put("/pd/1/b", "2", kLong).has_value());
  REQUIRE(store.Put("/pd/10", "3", kLong).has_value());
  CHECK(store.Get("/pd/1/a").value()->value == "1");
  CHECK_FALSE(store.Get("/pd/1/x").value().has_value());
  const auto listed = store.GetPrefix("/pd/1/").value();
  REQUIRE(listed.size() == 2);
  CHECK(listed[1].key == "/pd/1/b");

  KvTxn stale;
  stale.If(Compare::ModRevisionIs("/pd/1/a", *first + 1)).Put("/pd/1/a", "no");
  CHECK_FALSE(store.Txn(stale, kLong)->succeeded);
  KvTxn good;
  good.If(Compare::ValueIs("/pd/1/a", "1")).If(Compare::Absent("/new")).Put("/pd/1/a", "2");
  CHECK(store.Txn(good, kLong)->succeeded);
  CHECK(store.Get("/pd/1/a").value()->version == 2);
  RangeRequest old;
  old.key = "/pd/1/a";
  old.revision = *first;
  CHECK(store.Range(old)->kvs.front().value == "1");

  CHECK(store.Delete("/pd/1/", PrefixEnd("/pd/1/"), kLong)->deleted == 2);
  CHECK(store.GetPrefix("/pd/1/")->empty());
  const Revision now = store.Mark()->revision;
  REQUIRE(store.CompactTo(now, kLong).has_value());
  CHECK(store.Range(old).error().code == ErrorCode::kCompacted);
}

TEST_CASE("history may be kept by the number of revisions") {
  test::FakeDatabase database;
  MetaOptions options;
  options.compaction_period = 1ms;
  options.compaction_revisions = 5;
  Server server(database, 1, options);
  MetaStore& store = server.store();
  for (int i = 0; i < 20; ++i) REQUIRE(store.Put("/a", std::to_string(i), kLong).has_value());
  const Revision now = store.Mark()->revision;
  CHECK(Eventually([&] { return store.Mark()->compact_revision == now - 5; }));
  RangeRequest old;
  old.key = "/a";
  old.revision = now - 4;
  CHECK(store.Range(old)->kvs.front().value == "15");
  old.revision = now - 6;
  CHECK(store.Range(old).error().code == ErrorCode::kCompacted);
}

TEST_CASE("a request is no larger than it may be") {
  test::FakeDatabase database;
  MetaOptions options;
  options.request_bytes_max = 100;
  Server server(database, 1, options);
  MetaStore& store = server.store();
  CHECK(store.Put("/key", std::string(96, 'x'), kLong).has_value());
  const auto put = store.Put("/key", std::string(97, 'x'), kLong);
  REQUIRE_FALSE(put);
  CHECK(put.error().code == ErrorCode::kInvalidArgument);
  CHECK(put.error().context == "etcdserver: request is too large");
  CHECK_FALSE(store.Delete("/a", std::string(99, 'x'), kLong));
  KvTxn inner;
  inner.Put("/key", std::string(97, 'x'));
  KvTxn outer;
  outer.otherwise.emplace_back(std::vector<KvTxn>{inner});
  CHECK_FALSE(store.Txn(outer, kLong));
}

TEST_CASE("regions are kept in batches") {
  test::FakeDatabase database;
  Server server(database);
  RegionRecord region;
  region.id = 7;
  region.end_key = "m";
  REQUIRE(server.store().PutRegionBatch({{region}, {}}, kLong).has_value());
  CHECK(server.store().Region(7).value() == region);
  size_t seen = 0;
  REQUIRE(server.store().VisitRegions([&](const RegionRecord&) { return ++seen < 9; }).has_value());
  CHECK(seen == 1);
  REQUIRE(server.store().PutRegionBatch({{}, {7}}, kLong).has_value());
  CHECK_FALSE(server.store().Region(7).value().has_value());
}

TEST_CASE("without a quorum nothing is served but what is known to be local") {
  test::FakeDatabase database;
  Server server(database, 3);
  CHECK(server.store().Get("a").error().code == ErrorCode::kNotLeader);
  CHECK(server.store().Put("a", "1", kLong).error().code == ErrorCode::kNotLeader);
  CHECK(server.store().KeepLeaseAlive(1).error().code == ErrorCode::kNotLeader);
  CHECK(server.store().Leases().error().code == ErrorCode::kNotLeader);
  CHECK(server.store().Get("a", Consistency::kLocal).has_value());
}

TEST_CASE("the key of a lease goes with it, and everything lasts over a restart") {
  test::FakeDatabase database;
  LeaseId long_lease = 0;
  {
    Server server(database);
    MetaStore& store = server.store();
    const auto brief = store.GrantLease(0, 100, kLong);
    REQUIRE(brief.has_value());
    const auto lasting = store.GrantLease(77, 1'000'000, kLong);
    REQUIRE(lasting.has_value());
    long_lease = lasting->id;
    CHECK(store.GrantLease(77, 5, kLong).error().code == ErrorCode::kAlreadyExists);
    CHECK(store.GrantLease(0, 0, kLong).error().code == ErrorCode::kInvalidArgument);
    KvTxn txn;
    txn.Put("brief", "1", brief->id).Put("lasting", "1", long_lease);
    REQUIRE(store.Txn(txn, kLong).has_value());
    CHECK(store.GetLease(long_lease, true)->keys == std::vector<std::string>{"lasting"});
    CHECK(store.KeepLeaseAlive(long_lease) == 1'000'000);
    CHECK(store.KeepLeaseAlive(123).error().code == ErrorCode::kNotFound);
    REQUIRE(Eventually([&] { return !store.Get("brief").value().has_value(); }));
    CHECK(store.Leases().value() == std::vector<LeaseId>{long_lease});
    CHECK(store.GetLease(brief->id, false).error().code == ErrorCode::kNotFound);
  }
  database.Crash(0);
  Server server(database);
  CHECK(server.store().Get("lasting").value()->value == "1");
  // The group leads a moment before the store has read its leases.
  REQUIRE(Eventually([&] { return server.store().GetLease(long_lease, false).has_value(); }));
  CHECK(server.store().GetLease(long_lease, false)->granted_ttl_ms == 1'000'000);
  REQUIRE(server.store().RevokeLease(long_lease, kLong).has_value());
  CHECK_FALSE(server.store().Get("lasting").value().has_value());
  CHECK(server.store().RevokeLease(long_lease, kLong).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a lease kept alive is saved with the next try when the first one failed") {
  test::FakeDatabase database;
  REQUIRE(RaftGroup::Bootstrap(database, {{1, "", {"p"}, {}, false}}));
  FakeGroup group;
  const SystemClock clock;
  MetaOptions options;
  options.checkpoint_period = 1ms;
  const auto store = MetaStore::Create(group, database, clock, options);
  store->OnLeaderStart(5);
  AppliedChanges changes;
  changes.granted.push_back({7, 1'000'000});
  store->OnApplied(1, changes);
  store->Start();
  REQUIRE(Eventually([&] {
    const auto saved = group.checkpoints();
    return !saved.empty() && saved.back().leases.leases.front().remaining_ms < 1'000'000;
  }));
  store->Stop();
  const size_t before = group.checkpoints().size();
  for (size_t tries = 1; tries <= 2; ++tries) {
    REQUIRE(store->KeepLeaseAlive(7) == 1'000'000);
    REQUIRE(group.checkpoints().size() == before + tries);
    CHECK(group.checkpoints().back().fence == 5);
    CHECK(group.checkpoints().back().leases.leases.front().remaining_ms == 1'000'000);
  }
}

TEST_CASE("watches follow live writes and end with the server") {
  test::FakeDatabase database;
  const auto sink = std::make_shared<Sink>();
  std::unique_ptr<Watch> watch;
  {
    Server server(database);
    WatchRequest request;
    request.key = "a";
    request.range_end = "b";
    watch = server.store().StartWatch(request, sink).value();
    for (int n = 0; n < 100; ++n) REQUIRE(server.store().Put("a", "x", kLong).has_value());
    CHECK(Eventually([&] { return sink->count() == 100; }));
    server.store().Stop();
    CHECK(sink->canceled() == ErrorCode::kNotStarted);
    watch.reset();
  }
}

TEST_CASE("many threads write at once, and none of it is lost") {
  test::FakeDatabase database;
  Server server(database);
  constexpr int kThreads = 8;
  constexpr int kWrites = 100;
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int n = 0; n < kWrites; ++n) {
        const std::string key = "t" + std::to_string(thread) + "/" + std::to_string(n);
        if (!server.store().Put(key, "x", kLong)) ++failed;
        if (!server.store().Get(key).value_or(std::nullopt)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(server.store().GetPrefix("t")->size() == kThreads * kWrites);
  CHECK(server.store().Mark()->revision == 1 + kThreads * kWrites);
}

TEST_CASE("after the stop proposals are refused, and those that wait are answered") {
  test::FakeDatabase database;
  Server server(database, 3);  // No quorum, ever.
  server.group().Stop();
  CHECK(server.store().Put("a", "1", kLong).error().code == ErrorCode::kNotStarted);
  CHECK(server.group().TransferLeadership(2, kLong).error().code == ErrorCode::kNotStarted);
}

TEST_CASE("the end of a prefix") {
  CHECK(PrefixEnd("ab") == "ac");
  CHECK(PrefixEnd("a\xFF") == "b");
  CHECK(PrefixEnd("\xFF\xFF") == std::string(1, '\0'));
  CHECK(PrefixEnd("") == std::string(1, '\0'));
}

}  // namespace
}  // namespace pd

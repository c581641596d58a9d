#include "api/grpc/raft_transport.h"

#include <atomic>
#include <mutex>

#include <catch2/catch.hpp>

#include "api/grpc/server.h"
#include "tests/harness/certificates.h"
#include "tests/harness/wait.h"
#include "tests/pd/temporary_folder.h"

namespace api {
namespace {

using harness::Eventually;

using Millis = std::chrono::milliseconds;

/// A member's peer port that remembers what came.
struct Member {
  /// `tls`: null for a plain port.
  explicit Member(int port = 0, const GrpcCredentials* tls = nullptr)
      : scheme(tls != nullptr ? "https" : "http") {
    RegisterRaftTransport(methods, [this](std::string bytes) {
      const std::lock_guard lock(mutex);
      received.push_back(std::move(bytes));
      return refuses ? RaftReceipt::kSenderRemoved : RaftReceipt::kTaken;
    });
    GrpcServer::Options options{.listen = "127.0.0.1:" + std::to_string(port),
                                .security = tls != nullptr ? Security::kTls : Security::kPlain,
                                .ping_interval_min = Millis(500)};
    server.emplace(methods, pool, options, GrpcServer::Parts{.tls = tls});
    started = server->Start().has_value();
  }
  ~Member() {
    server->Stop(Millis(0));
    pool.Stop();
  }
  [[nodiscard]] std::string url() const {
    return scheme + "://127.0.0.1:" + std::to_string(server->port());
  }
  size_t count() {
    const std::lock_guard lock(mutex);
    return received.size();
  }

  const std::string scheme;
  std::mutex mutex;
  std::vector<std::string> received;
  std::atomic<bool> refuses = false;
  MethodRegistry methods;
  WorkerPool pool{{}};
  std::optional<GrpcServer> server;
  bool started = false;
};

TEST_CASE("messages to a peer arrive in order") {
  Member member;
  REQUIRE(member.started);
  GrpcRaftTransport transport({});
  transport.SetPeers({{7, {member.url()}}});
  for (int i = 0; i < 3000; ++i) REQUIRE(transport.Send(7, "m" + std::to_string(i)));
  REQUIRE(Eventually([&] { return member.count() == 3000; }));
  for (size_t i = 0; i < 3000; ++i) REQUIRE(member.received[i] == "m" + std::to_string(i));
  CHECK_FALSE(transport.Send(8, "nobody"));
}

TEST_CASE("messages and snapshot pieces of any size arrive") {
  Member member;
  GrpcRaftTransport transport({});
  transport.SetPeers({{7, {member.url()}}});
  const std::string big(20u << 20, 'b');
  REQUIRE(transport.Send(7, big));
  REQUIRE(transport.Send(7, ""));
  REQUIRE(transport.SendSnapshotChunk(7, std::string(256u << 10, 'c')));
  REQUIRE(Eventually([&] { return member.count() == 3; }));
  const std::lock_guard lock(member.mutex);
  std::sort(member.received.begin(), member.received.end());
  CHECK(member.received[0].empty());
  CHECK(member.received[1] == big);
  CHECK(member.received[2] == std::string(256u << 10, 'c'));
}

TEST_CASE("a peer that comes back is reached again, at any of its urls") {
  int port = 0;
  {
    Member member;
    port = member.server->port();
  }
  GrpcRaftTransport transport({});
  transport.SetPeers({{7, {"http://127.0.0.1:1", "http://127.0.0.1:" + std::to_string(port)}}});
  for (int round = 0; round < 2; ++round) {
    Member member(port);
    REQUIRE(member.started);
    REQUIRE(Eventually([&] {
      transport.Send(7, "again");
      return member.count() > 0;
    }));
  }
}

TEST_CASE("a peer that does not read fills a bounded queue") {
  std::mutex stuck;
  stuck.lock();
  MethodRegistry methods;
  WorkerPool pool{{}};
  RegisterRaftTransport(methods, [&](const std::string&) {
    const std::lock_guard wait(stuck);
    return RaftReceipt::kTaken;
  });
  GrpcServer server(methods, pool, {.listen = "127.0.0.1:0"}, {});
  REQUIRE(server.Start());
  GrpcRaftTransport transport({.messages_max = 16});
  transport.SetPeers({{7, {"http://127.0.0.1:" + std::to_string(server.port())}}});
  CHECK(Eventually([&] { return !transport.Send(7, std::string(1u << 20, 'x')); }));
  stuck.unlock();
  CHECK(Eventually([&] { return transport.Send(7, "x"); }));
  transport.SetPeers({});
  server.Stop(Millis(0));
  pool.Stop();
}

TEST_CASE("over TLS only members with a certificate and a name reach a peer") {
  const pd::test::TemporaryFolder folder;
  const harness::TestAuthority authority(folder.path(), "ca");
  const harness::TestAuthority stranger(folder.path(), "stranger");
  const auto files = [&](const harness::TestAuthority& by, const std::string& name) {
    const harness::Issued issued = by.Issue(name, name);
    return TlsFiles{authority.file(), issued.certificate, issued.key};
  };
  const GrpcCredentials own(files(authority, "pd-server"), {"pd-server"});
  const GrpcCredentials unnamed(files(authority, "other"), {});
  const GrpcCredentials forged(files(stranger, "forged"), {});
  Member member(0, &own);
  REQUIRE(member.started);
  const std::string plain_url = "http" + member.url().substr(member.scheme.size());

  GrpcRaftTransport with_other_name({.tls = &unnamed});
  with_other_name.SetPeers({{7, {member.url()}}});
  GrpcRaftTransport with_forged({.tls = &forged});
  with_forged.SetPeers({{7, {member.url()}}});
  GrpcRaftTransport without({});
  without.SetPeers({{7, {plain_url, member.url()}}});
  GrpcRaftTransport good({.tls = &own});
  good.SetPeers({{7, {member.url()}}});
  CHECK(Eventually([&] {
    with_other_name.Send(7, "other");
    with_forged.Send(7, "forged");
    without.Send(7, "without");
    good.Send(7, "good");
    return member.count() >= 200;
  }));
  const std::lock_guard lock(member.mutex);
  for (const std::string& message : member.received) CHECK(message == "good");
}

TEST_CASE("a server that shall listen with TLS needs a certificate") {
  MethodRegistry methods;
  WorkerPool pool{{}};
  GrpcServer server(methods, pool, {.listen = "127.0.0.1:0", .security = Security::kTls}, {});
  CHECK(server.Start().error().code == pd::ErrorCode::kInvalidArgument);
  pool.Stop();
}

TEST_CASE("a member that was removed is told so by a peer that it sends to") {
  Member member;
  GrpcRaftTransport transport({});
  transport.SetPeers({{7, {member.url()}}, {8, {"http://127.0.0.1:1"}}});
  transport.Send(8, "nobody there");
  REQUIRE(Eventually([&] { return transport.Send(7, "x") && member.count() > 0; }));
  CHECK_FALSE(transport.removed());
  member.refuses = true;
  CHECK(Eventually([&] {
    transport.Send(7, "x");
    return transport.removed();
  }));
}

TEST_CASE("peers change while messages flow") {
  Member first;
  Member second;
  GrpcRaftTransport transport({});
  for (int i = 0; i < 50; ++i) {
    transport.SetPeers({{7, {i % 2 == 0 ? first.url() : second.url()}}, {8, {second.url()}}});
    for (int j = 0; j < 20; ++j) {
      transport.Send(7, "x");
      transport.Send(8, "y");
    }
  }
  CHECK(Eventually([&] {
    transport.Send(7, "x");
    return second.count() > 0;
  }));
}

}  // namespace
}  // namespace api

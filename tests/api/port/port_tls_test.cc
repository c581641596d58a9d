#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <httplib.h>

#include "api/tls/http_client.h"
#include "tests/api/http/socket_client.h"
#include "tests/api/port/port_fixture.h"
#include "tests/harness/certificates.h"
#include "tests/harness/tls_credentials.h"
#include "tests/harness/wait.h"
#include "tests/pd/temporary_folder.h"

namespace api {
namespace {

using harness::Eventually;

using harness::ClientCredentials;
using harness::ClientHello;
using harness::Issued;
using Millis = std::chrono::milliseconds;

/// An authority, a server's certificate and clients of several kinds.
struct World {
  pd::test::TemporaryFolder folder;
  harness::TestAuthority authority{folder.path(), "ca"};
  harness::TestAuthority stranger{folder.path(), "stranger"};
  Issued server = authority.Issue("server", "pd-server");
  Issued client = authority.Issue("client", "pd-client");
  Issued forged = stranger.Issue("forged", "pd-client");

  [[nodiscard]] PortTls OneWay() const { return {{"", server.certificate, server.key}, {}}; }
  [[nodiscard]] PortTls Mutual(std::vector<std::string> allowed_names = {}) const {
    return {{authority.file(), server.certificate, server.key}, std::move(allowed_names)};
  }
};

std::unique_ptr<httplib::Client> HttpTo(const PortFixture& f, const std::string& ca,
                                        const Issued& client = {}) {
  return OpenHttpClient("https://127.0.0.1:" + std::to_string(f.number),
                        {ca, client.certificate, client.key});
}

/// The body of a request over HTTP; nothing when it failed.
std::string Hello(const PortFixture& f, const std::string& ca, const Issued& client = {}) {
  const httplib::Result answer = HttpTo(f, ca, client)->Get("/hello");
  return answer ? answer->body : "";
}

/// The same over gRPC.
std::string Allocate(const PortFixture& f, const std::string& ca, const Issued& client = {}) {
  pdpb::AllocIDRequest request;
  request.set_count(11);
  const auto answer = CallUnary<pdpb::AllocIDResponse>(
      ChannelTo(f.number, ClientCredentials(ca, client)), "/pdpb.PD/AllocID", request);
  return answer.first.ok() ? std::to_string(answer.second.id()) : "";
}

TEST_CASE("one port speaks gRPC and HTTP/1.1 over TLS") {
  const World world;
  const PortFixture f({}, world.OneWay());
  const std::string ca = world.authority.file();
  for (int i = 0; i < 10; ++i) {
    CHECK(Hello(f, ca) == "hello");
    CHECK(Allocate(f, ca) == "11");
  }
  // Who does not know the authority stays away; no certificate of a client is asked for.
  CHECK(Hello(f, world.stranger.file()).empty());
  CHECK(Allocate(f, world.stranger.file()).empty());
  CHECK(Hello(f, ca, world.client) == "hello");
}

TEST_CASE("connections over TLS are kept, and bodies may be large") {
  const World world;
  const PortFixture f({}, world.OneWay());
  const auto http = HttpTo(f, world.authority.file());
  http->set_keep_alive(true);
  for (const size_t size : {0u, 1u, 16384u, 3u << 20}) {
    const std::string body(size, 'b');
    const httplib::Result answer = http->Post("/echo", body, "text/plain");
    REQUIRE(answer);
    CHECK(answer->body == body);
  }
}

TEST_CASE("with an authority clients must show a certificate of it") {
  const World world;
  const PortFixture f({}, world.Mutual());
  const std::string ca = world.authority.file();
  CHECK(Hello(f, ca, world.client) == "hello");
  CHECK(Allocate(f, ca, world.client) == "11");
  CHECK(Hello(f, ca).empty());
  CHECK(Allocate(f, ca).empty());
  CHECK(Hello(f, ca, world.forged).empty());
  CHECK(Allocate(f, ca, world.forged).empty());
}

TEST_CASE("common names can be restricted") {
  const World world;
  const PortFixture f({}, world.Mutual({"pd-server", "tikv-server"}));
  const std::string ca = world.authority.file();
  const Issued store = world.authority.Issue("store", "tikv-server");
  CHECK(Hello(f, ca, store) == "hello");
  CHECK(Allocate(f, ca, store) == "11");
  CHECK(Hello(f, ca, world.server) == "hello");
  CHECK(Hello(f, ca, world.client).empty());
  CHECK(Allocate(f, ca, world.client).empty());
}

TEST_CASE("events are streamed over TLS until the client goes") {
  const World world;
  PortFixture f({}, world.OneWay());
  std::string seen;
  const auto until_first = [&](const char* data, size_t size) {
    seen.append(data, size);
    return seen.find("\n\n") == std::string::npos;
  };
  (void)HttpTo(f, world.authority.file())->Get("/events", until_first);
  CHECK(seen == "event: first\ndata: 1\n\n");
  CHECK(Eventually([&] { return !f.HasStream(); }));
}

TEST_CASE("a hello may come in segments") {
  const World world;
  const PortFixture f({}, world.OneWay());
  for (const std::vector<std::string>& offer :
       std::vector<std::vector<std::string>>{{}, {"http/1.1"}, {"h2"}, {"h2", "http/1.1"}}) {
    SocketClient client(f.number);
    const std::string hello = ClientHello(offer);
    for (size_t at = 0; at < hello.size(); at += 50) {
      REQUIRE(client.Send(std::string_view(hello).substr(at, 50)));
      std::this_thread::sleep_for(Millis(1));
    }
    // The server's own hello: a handshake record.
    CHECK(client.ReadUntil("\x16\x03\x03").ends_with("\x16\x03\x03"));
  }
}

TEST_CASE("what does not speak TLS is closed, in order") {
  const World world;
  const PortFixture f({}, world.OneWay());
  for (const std::string& bytes :
       {std::string("GET /hello HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("\x16\x02\x00\x00\x01\x01"), std::string(5000, 'x')}) {
    SocketClient client(f.number);
    REQUIRE(client.Send(bytes));
    CHECK(client.ReadAll().empty());
    CHECK(client.ended());
  }
  CHECK(Hello(f, world.authority.file()) == "hello");
}

TEST_CASE("who starts a handshake must end it in time") {
  const World world;
  const std::string hello = ClientHello({"http/1.1"});
  ClientPort::Options options;
  options.peek_deadline = Millis(50);
  const PortFixture impatient(options, world.OneWay());
  SocketClient silent(impatient.number);
  SocketClient half(impatient.number);
  REQUIRE(half.Send(hello.substr(0, hello.size() / 2)));
  CHECK(silent.ReadAll().empty());
  CHECK(silent.ended());
  CHECK(half.ReadAll().empty());

  HttpServer::Options http_options;
  http_options.handshake = Millis(50);
  GrpcServer::Options grpc_options;
  grpc_options.handshake = Millis(50);
  const PortFixture f({}, world.OneWay(), http_options, grpc_options);
  for (const char* protocol : {"http/1.1", "h2"}) {
    SocketClient stuck(f.number);
    REQUIRE(stuck.Send(ClientHello({protocol})));
    (void)stuck.ReadAll();  // The server's part of the handshake.
    CHECK(stuck.ended());
  }
}

TEST_CASE("changed files count for new connections, bad ones do not") {
  const World world;
  const PortFixture f({}, world.OneWay());
  const std::string old_ca = world.authority.file();
  const std::string new_ca = world.stranger.file();
  REQUIRE(Hello(f, old_ca) == "hello");
  std::filesystem::rename(world.server.key, world.server.key + ".gone");
  CHECK(Hello(f, old_ca) == "hello");
  (void)world.stranger.Issue("server", "pd-server");
  CHECK(Eventually([&] { return Hello(f, new_ca) == "hello"; }));
  CHECK(Eventually([&] { return Allocate(f, new_ca) == "11"; }));
  CHECK(Hello(f, old_ca).empty());
  CHECK(Allocate(f, old_ca).empty());
}

}  // namespace
}  // namespace api

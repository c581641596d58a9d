#include "api/port/port.h"

#include <thread>

#include <catch2/catch.hpp>

#include "tests/api/http/socket_client.h"
#include "tests/api/port/port_fixture.h"

namespace api {
namespace {

using Millis = std::chrono::milliseconds;

struct Fixture : PortFixture {
  using PortFixture::PortFixture;

  [[nodiscard]] std::string Hello() const {
    SocketClient client(number);
    client.Send("GET /hello HTTP/1.1\r\n\r\n");
    return client.ReadAnswer().second;
  }
};

TEST_CASE("one port speaks gRPC and HTTP/1.1") {
  const Fixture f;
  pdpb::AllocIDRequest request;
  request.set_count(11);
  for (int i = 0; i < 20; ++i) {
    CHECK(f.Hello() == "hello");
    const auto answer =
        CallUnary<pdpb::AllocIDResponse>(ChannelTo(f.number), "/pdpb.PD/AllocID", request);
    CHECK(answer.first.ok());
    CHECK(answer.second.id() == 11);
    CHECK(answer.second.header().error().message().rfind("ipv4:127.0.0.1:", 0) == 0);
  }
}

TEST_CASE("a preface may come in pieces") {
  const Fixture f;
  SocketClient client(f.number);
  for (const char c : std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) {
    REQUIRE(client.Send({&c, 1}));
    std::this_thread::sleep_for(Millis(1));
  }
  REQUIRE(client.Send(std::string("\0\0\0\4\0\0\0\0\0", 9)));  // An empty SETTINGS frame.
  // The server's own SETTINGS: three length bytes, then frame type 4.
  CHECK(client.ReadUntil(std::string("\4\0\0\0\0\0", 6)).size() >= 9);

  SocketClient late(f.number);
  REQUIRE(late.Send("PRI * HT"));
  std::this_thread::sleep_for(Millis(10));
  REQUIRE(late.Send("ML\r\n\r\n"));
  CHECK(late.ReadAll().rfind("HTTP/1.1 400", 0) == 0);
}

TEST_CASE("who says nothing, or half a preface, is closed in time") {
  ClientPort::Options options;
  options.peek_deadline = Millis(50);
  const Fixture f(options);
  SocketClient silent(f.number);
  SocketClient half(f.number);
  REQUIRE(half.Send("PRI *"));
  SocketClient tls(f.number);
  REQUIRE(tls.Send("\x16\x03\x01\x02"));
  CHECK(silent.ReadAll().empty());
  CHECK(half.ReadAll().empty());
  CHECK(tls.ReadAll().empty());
  CHECK(f.Hello() == "hello");
}

TEST_CASE("silent connections are bounded") {
  ClientPort::Options options;
  options.peeking_max = 3;
  const Fixture f(options);
  const SocketClient a(f.number);
  const SocketClient b(f.number);
  const SocketClient c(f.number);
  std::this_thread::sleep_for(Millis(20));
  SocketClient beyond(f.number);
  CHECK(beyond.ReadAll().empty());
}

TEST_CASE("connections come and go in numbers") {
  const Fixture f;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        SocketClient client(f.number);
        client.Send(j % 2 == 0 ? "GET /hello HTTP/1.1\r\n\r\n"
                               : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        if (j % 4 == 0) (void)client.ReadAnswer();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(f.Hello() == "hello");
}

TEST_CASE("addresses that cannot be used are errors") {
  const auto nothing = [](int socket, Security) { close(socket); };
  const auto start = [&](const std::string& address) {
    ClientPort port({.listen = {{address, Security::kPlain}}}, nothing, nothing);
    return port.Start();
  };
  CHECK(start("nonsense").error().code == pd::ErrorCode::kInvalidArgument);
  CHECK(start("127.0.0.1:notaport").error().code == pd::ErrorCode::kInvalidArgument);
  const Fixture f;
  CHECK(start("127.0.0.1:" + std::to_string(f.number)).error().code == pd::ErrorCode::kIo);
  CHECK(start("127.0.0.1:0"));
}

}  // namespace
}  // namespace api

#include "api/http/server.h"

#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/api/http/socket_client.h"
#include "tests/harness/wait.h"

namespace api {
namespace {

using harness::Eventually;

using Millis = std::chrono::milliseconds;

/// Listens on a free port and hands every connection to the server.
struct Fixture {
  explicit Fixture(HttpServer::Options options = {}) {
    server.emplace(options, pool,
                   [this](HttpRequest request) { return Answer(std::move(request)); });
    listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener, 64) == 0);
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    acceptor = std::thread([this] {
      while (true) {
        const int socket = accept(listener, nullptr, nullptr);
        if (socket < 0) return;
        server->TakeConnection(socket);
      }
    });
  }
  ~Fixture() {
    shutdown(listener, SHUT_RDWR);
    acceptor.join();
    close(listener);
    server->Stop();
    pool.Stop();
  }

  HttpResponse Answer(HttpRequest request) {
    ++requests;
    if (request.path == "/events") {
      HttpResponse response;
      response.on_events = [this](std::shared_ptr<EventSink> sink) {
        const std::lock_guard lock(mutex);
        sinks.push_back(std::move(sink));
      };
      return response;
    }
    if (request.path == "/slow") std::this_thread::sleep_for(Millis(20));
    if (request.path == "/evil") return {200, {{"X-A", "a\r\nX-B: b"}, {"X-C", "c"}}, "", {}};
    if (request.path == "/big") return PlainText(200, std::string(5u << 20, 'b'));
    if (request.path == "/client") return PlainText(200, request.client_ip);
    return PlainText(200, request.method + " " + request.target + " [" + request.body + "]");
  }

  std::string Ask(const std::string& bytes) const {
    SocketClient client(port);
    REQUIRE(client.Send(bytes));
    return client.ReadAnswer().second;
  }
  /// The first line of what the server says before it closes.
  std::string Refusal(const std::string& bytes) const {
    SocketClient client(port);
    client.Send(bytes);
    const std::string all = client.ReadAll();
    return all.substr(0, all.find("\r\n"));
  }

  std::atomic<int> requests = 0;
  std::mutex mutex;
  std::vector<std::shared_ptr<EventSink>> sinks;
  WorkerPool pool{{}};
  std::optional<HttpServer> server;
  int listener = -1;
  int port = 0;
  std::thread acceptor;
};

TEST_CASE("requests of many shapes are understood") {
  const Fixture f;
  struct Row {
    std::string request;
    std::string body;
  };
  const std::vector<Row> rows = {
      {"GET /a?b=%2F HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a?b=%2F []"},
      {"GET /a HTTP/1.0\r\n\r\n", "GET /a []"},
      {"POST /a HTTP/1.1\r\nHost: x\r\n\r\n", "POST /a []"},  // No length: empty at once.
      {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "POST /a []"},
      {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "POST /a [abc]"},
      {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "GET /a [abc]"},
      {"DELETE /a HTTP/1.1\r\nHost: x\r\ncontent-length: 1\r\n\r\nz", "DELETE /a [z]"},
      {"PATCH /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
       "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
       "PATCH /a [abcde]"},
      {"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: t\r\n\r\n",
       "PUT /a []"},
      {"GET http://other/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a?b []"},
      {"GET http://other HTTP/1.1\r\nHost: x\r\n\r\n", "GET / []"},
      {"MADEUP /a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n", "MADEUP /a%2Fb []"},
      {"GET /client HTTP/1.1\r\nHost: x\r\n\r\n", "127.0.0.1"},
      {"GET /client HTTP/1.1\r\nX-Real-Ip: 9.9.9.9\r\n\r\n", "9.9.9.9"},
      {"GET /client HTTP/1.1\r\nX-Forwarded-For: 8.8.8.8 , 7.7.7.7\r\nX-Real-Ip: 9\r\n\r\n",
       "8.8.8.8"},
  };
  for (const Row& row : rows) {
    INFO(row.request);
    CHECK(f.Ask(row.request) == row.body);
  }
}

TEST_CASE("a request arrives byte by byte") {
  const Fixture f;
  SocketClient client(f.port);
  for (const char c : std::string("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")) {
    REQUIRE(client.Send({&c, 1}));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  CHECK(client.ReadAnswer().second == "POST /a [hi]");
}

TEST_CASE("connections are kept and pipelined") {
  const Fixture f;
  SocketClient client(f.port);
  for (int i = 0; i < 300; ++i) {
    REQUIRE(client.Send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK(client.ReadAnswer().second == "GET /" + std::to_string(i) + " []");
  }
  std::string both;
  for (int i = 0; i < 50; ++i)
    both += "POST /p" + std::to_string(i) + " HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
  REQUIRE(client.Send(both));
  for (int i = 0; i < 50; ++i)
    CHECK(client.ReadAnswer().second == "POST /p" + std::to_string(i) + " [x]");

  REQUIRE(client.Send("GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const std::string last = client.ReadAll();
  CHECK(last.find("Connection: close") != std::string::npos);
  CHECK(last.find("GET /last []") != std::string::npos);
}

TEST_CASE("a body waits for 100 Continue") {
  const Fixture f;
  SocketClient client(f.port);
  REQUIRE(client.Send("POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(client.ReadUntil("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(client.Send("ok"));
  CHECK(client.ReadAnswer().second == "POST /a [ok]");
}

TEST_CASE("HEAD has a length and no body") {
  const Fixture f;
  SocketClient client(f.port);
  REQUIRE(client.Send("HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const std::string all = client.ReadAll();
  CHECK(all.find("Content-Length: 10\r\n") != std::string::npos);
  CHECK(all.find("HEAD /a []") == std::string::npos);
  CHECK(all.find("GET /b []") != std::string::npos);
}

TEST_CASE("what is no request is refused and disconnected") {
  HttpServer::Options options;
  options.body_bytes_max = 1000;
  options.header_bytes_max = 2000;
  const Fixture f(options);
  const std::string bad = "HTTP/1.1 400 Bad Request";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"\r\n\r\n", bad},
      {"GET\r\n\r\n", bad},
      {"GET /a\r\n\r\n", bad},
      {"GET /a b HTTP/1.1\r\n\r\n", bad},
      {"GET /a HTTP/3.0\r\n\r\n", bad},
      {"GET /a HTTP/1.1\r\nbroken header\r\n\r\n", bad},
      {"GET /a HTTP/1.1\r\nContent-Length: x\r\n\r\n", bad},
      {"GET /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n", bad},
      {"GET /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", bad},
      {"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", bad},
      {std::string("G\0T /a HTTP/1.1\r\n\r\n", 19), bad},
      {"POST /a HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 Payload Too Large"},
      {"GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n\r\n",
       "HTTP/1.1 431 Request Header Fields Too Large"},
  };
  for (const auto& [request, line] : rows) {
    INFO(request);
    CHECK(f.Refusal(request) == line);
  }
  CHECK(f.requests == 0);
}

TEST_CASE("random bytes never hang or harm the server") {
  HttpServer::Options options;
  options.transfer = Millis(2000);
  const Fixture f(options);
  std::mt19937 random(7);
  const std::string good =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (int i = 0; i < 400; ++i) {
    std::string bytes = good;
    const size_t changes = random() % 6 + 1;
    for (size_t j = 0; j < changes; ++j) {
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    }
    if (i % 3 == 0) bytes.resize(random() % bytes.size());
    SocketClient client(f.port);
    client.Send(bytes);
    client.ShutdownWrites();
    (void)client.ReadAll();  // Ends: an answer, a refusal or just a close.
  }
  CHECK(f.Ask("GET /ok HTTP/1.1\r\n\r\n") == "GET /ok []");
}

TEST_CASE("a header value cannot break out") {
  const Fixture f;
  SocketClient client(f.port);
  REQUIRE(client.Send("GET /evil HTTP/1.1\r\n\r\n"));
  const std::string head = client.ReadAnswer().first;
  CHECK(head.find("X-B") == std::string::npos);
  CHECK(head.find("X-C: c") != std::string::npos);
}

TEST_CASE("slow, idle and too many clients are let go") {
  HttpServer::Options options;
  options.idle = Millis(60);
  options.transfer = Millis(60);
  options.connections_max = 3;
  const Fixture f(options);
  SocketClient idle(f.port);
  CHECK(idle.ReadAll().empty());
  SocketClient slow(f.port);
  REQUIRE(slow.Send("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"));
  CHECK(slow.ReadAll().empty());
  CHECK(f.requests == 0);

  HttpServer::Options few;
  few.connections_max = 2;
  const Fixture g(few);
  const SocketClient first(g.port);
  const SocketClient second(g.port);
  SocketClient third(g.port);
  std::this_thread::sleep_for(Millis(20));
  CHECK(third.ReadAll().empty());
}

TEST_CASE("a client that does not read a big answer holds nobody") {
  const Fixture f;
  SocketClient stuck(f.port);
  REQUIRE(stuck.Send("GET /big HTTP/1.1\r\n\r\n"));
  for (int i = 0; i < 20; ++i) CHECK(f.Ask("GET /x HTTP/1.1\r\n\r\n") == "GET /x []");
  CHECK(stuck.ReadAnswer().second.size() == 5u << 20);
}

TEST_CASE("events are streamed, bounded and counted") {
  HttpServer::Options options;
  options.event_streams_max = 2;
  options.event_ping = Millis(30);
  options.event_queue_bytes = 1 << 16;
  Fixture f(options);
  const auto sink = [&](size_t index) {
    Eventually([&] {
      const std::lock_guard lock(f.mutex);
      return f.sinks.size() > index;
    });
    const std::lock_guard lock(f.mutex);
    return f.sinks.at(index);
  };
  SocketClient client(f.port);
  REQUIRE(client.Send("GET /events HTTP/1.1\r\n\r\n"));
  CHECK(client.ReadUntil("\r\n\r\n").find("text/event-stream") != std::string::npos);
  const auto first = sink(0);
  CHECK(first->Send("store", "{\"id\":1}"));
  CHECK(first->Send("", "two\nlines"));
  CHECK(client.ReadUntil("}\n\n") == "event: store\ndata: {\"id\":1}\n\n");
  CHECK(client.ReadUntil("lines\n\n") == "data: two\ndata: lines\n\n");
  CHECK(client.ReadUntil("\n\n") == ": ping\n\n");

  {
    SocketClient gone(f.port);
    REQUIRE(gone.Send("GET /events HTTP/1.1\r\n\r\n"));
    CHECK(f.Refusal("GET /none HTTP/1.1\r\nConnection: close\r\n\r\n") == "HTTP/1.1 200 OK");
    (void)sink(1);
    SocketClient beyond(f.port);
    REQUIRE(beyond.Send("GET /events HTTP/1.1\r\n\r\n"));
    CHECK(beyond.ReadAnswer().first.rfind("HTTP/1.1 503", 0) == 0);
  }
  CHECK(Eventually([&] { return sink(1)->closed(); }));
  CHECK_FALSE(sink(1)->Send("a", "b"));

  // A client that does not read: the queue fills, the stream is closed.
  SocketClient stuck(f.port);
  REQUIRE(stuck.Send("GET /events HTTP/1.1\r\n\r\n"));
  const auto third = sink(2);
  CHECK(Eventually([&] { return !third->Send("x", std::string(30000, 'y')); }));
  CHECK(third->closed());

  first->Close();
  CHECK(client.ReadAll().size() < 4096);
  CHECK_FALSE(first->Send("a", "b"));
}

TEST_CASE("the server stops with requests and streams under way") {
  for (int round = 0; round < 5; ++round) {
    Fixture f;
    std::vector<std::unique_ptr<SocketClient>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(std::make_unique<SocketClient>(f.port));
      clients.back()->Send(i % 3 == 0   ? "GET /events HTTP/1.1\r\n\r\n"
                           : i % 3 == 1 ? "GET /slow HTTP/1.1\r\n\r\n"
                                        : "GET /half");
    }
    std::this_thread::sleep_for(Millis(round * 3));
  }
}

}  // namespace
}  // namespace api

// How a store's configuration gets from its status address to what is planned and shown with it.
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <httplib.h>

#include "api/http/store_status_client.h"
#include "tests/api/http/cluster_fixture.h"
#include "tests/api/pdctl/fake_server.h"
#include "tests/harness/certificates.h"
#include "tests/pd/temporary_folder.h"

namespace api {
namespace {

using pd::Millis;

constexpr Millis kLong{10'000};

std::string Fetch(const std::string& address, const TlsFiles& files = {}, Millis timeout = kLong) {
  const auto answer = HttpStoreStatusClient(files).FetchConfig(address, timeout);
  if (answer) return "200 " + *answer;
  CHECK(answer.error().code == pd::ErrorCode::kUnavailable);
  return answer.error().context;
}

TEST_CASE("a status address is asked for its configuration", "[store status]") {
  FakeServer store;
  store.Answer("GET /config", {200, "{}"});
  CHECK(Fetch(store.Address()) == "200 {}");
  CHECK(store.TakeCalls() == std::vector<std::string>{"GET /config"});
}

TEST_CASE("what is no answer is an error", "[store status]") {
  FakeServer store;
  CHECK(Fetch(store.Address()) == "the answer is not 200");
  store.Answer("GET /config", {200, std::string(HttpStoreStatusClient::kAnswerBytesMax, ' ')});
  CHECK(Fetch(store.Address()).size() == HttpStoreStatusClient::kAnswerBytesMax + 4);
  store.Answer("GET /config", {200, std::string(HttpStoreStatusClient::kAnswerBytesMax + 1, ' ')});
  CHECK(Fetch(store.Address()) == "the answer is too large");
  CHECK(Fetch("127.0.0.1:1") == "no answer (Connection)");
}

TEST_CASE("what a store gives for its address may be anything", "[store status]") {
  const std::string host(255, 'a');
  for (const std::string& address :
       {std::string("no address"), std::string(), std::string(":20180"), std::string("a:"),
        std::string("a:0"), std::string("a:65536"), std::string("a:99999999999"),
        std::string("a:-1"), std::string("a:1x"), host + "a:1",
        std::string(1'000'000, 'a') + ":1"}) {
    CAPTURE(address.substr(0, 40));
    CHECK(Fetch(address) == "it is no address");
  }
  CHECK(Fetch(host + ":1", {}, Millis(2'000)) != "it is no address");
}

TEST_CASE("a store may be at an IPv6 address", "[store status]") {
  httplib::Server store;
  std::string host;
  store.Get("/config", [&](const httplib::Request& request, httplib::Response& response) {
    host = request.get_header_value("Host");
    response.set_content("{}", "application/json");
  });
  const int port = store.bind_to_any_port("::1");
  if (port <= 0) {
    WARN("this machine has no IPv6");
    return;
  }
  std::thread thread([&] { store.listen_after_bind(); });
  while (!store.is_running()) std::this_thread::yield();
  CHECK(Fetch(fmt::format("[::1]:{}", port)) == "200 {}");
  CHECK(host == fmt::format("[::1]:{}", port));
  store.stop();
  thread.join();
}

/// Says one line of a header now and then, and never comes to the end of it.
TEST_CASE("a store that trickles its headers is given up", "[store status]") {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  const int port = acceptor.local_endpoint().port();
  std::thread thread([&] {
    boost::asio::ip::tcp::socket socket = acceptor.accept();
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\n")), error);
    while (!error) {
      std::this_thread::sleep_for(Millis(20));
      boost::asio::write(socket, boost::asio::buffer(std::string("X: y\r\n")), error);
    }
  });
  CHECK(Fetch(fmt::format("127.0.0.1:{}", port), {}, Millis(300)) == "the answer takes too long");
  thread.join();
}

TEST_CASE("a store that stalls is given up", "[store status]") {
  httplib::Server stalled;
  stalled.Get("/config", [](const httplib::Request&, httplib::Response& response) {
    // A byte now and then: no single read would ever time out.
    response.set_chunked_content_provider("text/plain", [](size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(Millis(20));
      return sink.write(" ", 1);
    });
  });
  const int port = stalled.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { stalled.listen_after_bind(); });
  while (!stalled.is_running()) std::this_thread::yield();
  CHECK(Fetch(fmt::format("127.0.0.1:{}", port), {}, Millis(200)) == "the answer takes too long");
  stalled.stop();
  thread.join();
}

TEST_CASE("with certificates stores are asked over TLS", "[store status]") {
  const pd::test::TemporaryFolder folder;
  const harness::TestAuthority authority(folder.path(), "ca");
  const harness::TestAuthority stranger(folder.path(), "stranger");
  const harness::Issued own = authority.Issue("pd", "pd-server");
  const harness::Issued theirs = authority.Issue("tikv", "tikv-server");
  const std::string trusted = authority.file();
  httplib::SSLServer store(theirs.certificate.c_str(), theirs.key.c_str(), trusted.c_str());
  store.Get("/config", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("{}", "application/json");
  });
  const int port = store.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { store.listen_after_bind(); });
  while (!store.is_running()) std::this_thread::yield();
  const std::string address = fmt::format("127.0.0.1:{}", port);
  CHECK(Fetch(address, {trusted, own.certificate, own.key}) == "200 {}");
  CHECK(Fetch(address).find("200 ") == std::string::npos);
  CHECK(Fetch(address, {stranger.file(), own.certificate, own.key}).find("200 ") ==
        std::string::npos);
  store.stop();
  thread.join();
}

TEST_CASE("regions are oversized by what the stores say", "[store status]") {
  ClusterFixture f(AddRegionListRoutes);
  f.Bootstrap();
  pd::Cluster& cluster = f.member().cluster();
  scheduler::Region region = *cluster.regions().Find({101});
  region.size_mib = 150;
  region.keys = 1'500'000;
  REQUIRE(cluster.HandleRegionReport(region));
  const auto count = [&] {
    const std::string answer = f.Ask("GET", "/regions/check/oversized-region");
    return answer.substr(0, answer.find(','));
  };
  CHECK(count() == "200 {\"count\":1");

  FakeServer store;
  store.Answer("GET /config", {200, R"({"coprocessor":{"region-max-size":"384MiB",
      "region-split-size":"256MiB","region-max-keys":3840000,"region-split-keys":2560000}})"});
  scheduler::Store changed = *cluster.stores().Find({1});
  changed.address = "127.0.0.1:20160";
  changed.status_address = store.Address();
  REQUIRE(cluster.stores().Put(changed));
  REQUIRE(cluster.stores().OnHeartbeat({{1}, {}, ""}));
  HttpStoreStatusClient client({});
  pd::MetricsRegistry metrics;
  pd::StoreConfigWatch watch({cluster, client, metrics, f.member().moved});
  REQUIRE(watch.OnLeaderStart(f.member().term()));
  watch.Step();
  CHECK(store.TakeCalls() == std::vector<std::string>{"GET /config"});
  CHECK(count() == "200 {\"count\":0");
  region.size_mib = 384;
  REQUIRE(cluster.HandleRegionReport(region));
  CHECK(count() == "200 {\"count\":1");
}

}  // namespace
}  // namespace api

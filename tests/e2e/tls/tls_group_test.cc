#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "api/cmd/pdctl/program.h"
#include "api/tls/http_client.h"
#include "tests/api/grpc/test_client.h"
#include "tests/harness/certificates.h"
#include "tests/harness/pd_group.h"
#include "tests/harness/stream.h"
#include "tests/harness/tls_credentials.h"
#include "tests/harness/wait.h"

namespace harness {
namespace {

using harness::Eventually;

using Json = nlohmann::json;

/// Three servers that show a certificate of one authority, and want one.
struct World {
  TempDir folder;
  TestAuthority authority{folder.path(), "ca"};
  Issued server = authority.Issue("server", "pd-server");
  Issued client = authority.Issue("client", "pd-client");
  std::shared_ptr<grpc::ChannelCredentials> credentials =
      ClientCredentials(authority.file(), client);
  std::vector<std::string> flags = {"--cacert",         authority.file(), "--cert",
                                    server.certificate, "--key",          server.key};
  PdGroup group{{QM_PD_SERVER, 3, folder.path(), flags, "https", credentials}};
  PdClient pd{group.client_urls(), credentials};

  /// The body of an answer with status 200; empty when there is none.
  [[nodiscard]] std::string Get(const std::string& url, const std::string& path) const {
    const auto http = api::OpenHttpClient(url, {authority.file(), client.certificate, client.key});
    const httplib::Result answer = http->Get(path.c_str());
    return answer && answer->status == 200 ? answer->body : "";
  }

  /// How many members the one at `url` can reach.
  [[nodiscard]] size_t Healthy(const std::string& url) const {
    const Json list = Json::parse(Get(url, "/pd/api/v1/health"), nullptr, false);
    if (!list.is_array()) return 0;
    size_t healthy = 0;
    for (const Json& member : list) {
      if (member.value("health", false)) ++healthy;
    }
    return healthy;
  }

  /// One timestamp from the leader, over a stream of its own; 0 when there was none.
  [[nodiscard]] uint64_t Timestamp() {
    if (pd.leader().empty() && !pd.FindLeader(Millis(500))) return 0;
    auto answered = std::make_shared<std::promise<uint64_t>>();
    const auto once = std::make_shared<std::atomic<bool>>(false);
    const auto answer = [answered, once](uint64_t value) {
      if (!once->exchange(true)) answered->set_value(value);
    };
    Stream stream(OpenChannel(pd.leader(), credentials), "/pdpb.PD/Tso",
                  {[answer](grpc::ByteBuffer bytes) {
                     pdpb::TsoResponse response;
                     const bool good =
                         FromBuffer(bytes, response) && !response.header().has_error();
                     const pdpb::Timestamp& time = response.timestamp();
                     answer(good ? static_cast<uint64_t>(time.physical()) << 18 |
                                       static_cast<uint64_t>(time.logical())
                                 : 0);
                   },
                   [answer](const grpc::Status&) { answer(0); }});
    pdpb::TsoRequest request;
    request.mutable_header()->set_cluster_id(pd.cluster_id());
    request.set_count(1);
    stream.Write(ToBuffer(request));
    auto future = answered->get_future();
    const bool came = future.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
    stream.End();
    const uint64_t value = came ? future.get() : 0;
    if (value == 0) pd.ForgetLeader();
    return value;
  }

  /// What pdctl prints when it asks `url`, and how it ends.
  [[nodiscard]] std::pair<int, std::string> Control(std::vector<std::string> words,
                                                    const std::string& url,
                                                    const Issued& shown) const {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    words.insert(words.end(), {"-u", url});
    const int exit = api::pdctl::RunProgram(words, {.pd_address = "",
                                                    .ca_path = authority.file(),
                                                    .certificate_path = shown.certificate,
                                                    .key_path = shown.key,
                                                    .in = in,
                                                    .out = out,
                                                    .err = err});
    return {exit, out.str()};
  }
};

/// Makes a cluster of one store and one region.
metapb::Region Bootstrap(PdClient& pd) {
  pdpb::BootstrapRequest request;
  request.mutable_store()->set_id(1);
  request.mutable_store()->set_address("127.0.0.1:1");
  request.mutable_store()->set_version("8.5.0");
  request.mutable_region()->set_id(2);
  request.mutable_region()->mutable_region_epoch()->set_conf_ver(1);
  request.mutable_region()->mutable_region_epoch()->set_version(1);
  metapb::Peer& peer = *request.mutable_region()->add_peers();
  peer.set_id(3);
  peer.set_store_id(1);
  pdpb::BootstrapResponse response;
  REQUIRE(pd.CallUntilOk("/pdpb.PD/Bootstrap", request, response, Millis(30000)) == "");
  return request.region();
}

TEST_CASE("a group over TLS serves, keeps strangers out and survives its leader") {
  World world;
  PdGroup& group = world.group;
  group.Start();
  REQUIRE(world.pd.FindLeader(Millis(30000)));
  const size_t leader = group.IndexOf(world.pd.leader());
  REQUIRE(leader < 3);
  const std::string follower = group.client_url((leader + 1) % 3);

  uint64_t last = 0;
  REQUIRE(Eventually([&] { return (last = world.Timestamp()) != 0; }));
  const uint64_t next = world.Timestamp();
  CHECK(next > last);
  for (const std::string& url : group.client_urls())
    CHECK(Eventually([&] { return world.Healthy(url) == 3; }));

  {  // Followers pass requests on to the leader, and follow its regions.
    CHECK(Json::parse(world.Get(follower, "/pd/api/v1/leader"))["client_urls"][0] ==
          world.pd.leader());
    const auto channel = OpenChannel(follower, world.credentials);
    pdpb::AllocIDRequest allocate;
    allocate.mutable_header()->set_cluster_id(world.pd.cluster_id());
    allocate.set_count(1);
    const auto allocated = api::CallUnary<pdpb::AllocIDResponse>(
        channel, "/pdpb.PD/AllocID", allocate, {{"pd-forwarded-host", world.pd.leader()}});
    CHECK(allocated.first.message == "");
    CHECK(allocated.second.id() != 0);

    const metapb::Region region = Bootstrap(world.pd);
    // Followers hear of what a store has reported.
    Stream heartbeats(OpenChannel(world.pd.leader(), world.credentials), "/pdpb.PD/RegionHeartbeat",
                      {[](const grpc::ByteBuffer&) {}, [](const grpc::Status&) {}});
    pdpb::RegionHeartbeatRequest report;
    report.mutable_header()->set_cluster_id(world.pd.cluster_id());
    *report.mutable_region() = region;
    *report.mutable_leader() = region.peers(0);
    heartbeats.Write(ToBuffer(report));
    pdpb::GetRegionRequest get;
    get.mutable_header()->set_cluster_id(world.pd.cluster_id());
    CHECK(Eventually([&] {
      const auto got = api::CallUnary<pdpb::GetRegionResponse>(channel, "/pdpb.PD/GetRegion", get,
                                                               {{"pd-allow-follower-handle", ""}});
      return got.first.ok() && got.second.region().id() == 2;
    }));
  }

  {  // Who shows no certificate is refused.
    const std::string url = world.pd.leader();
    const auto members = [&](const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
      const auto answer = api::CallUnary<pdpb::GetMembersResponse>(
          OpenChannel(url, credentials), "/pdpb.PD/GetMembers", pdpb::GetMembersRequest());
      return answer.first.ok() && answer.second.members_size() == 3;
    };
    CHECK(members(world.credentials));
    CHECK_FALSE(members(ClientCredentials(world.authority.file())));
    CHECK_FALSE(members(nullptr));
    CHECK_FALSE(api::OpenHttpClient(url, {world.authority.file(), "", ""})->Get("/version"));
    CHECK(HttpRequest("http://" + HostPort(url), "GET", "/pd/api/v1/health") == 0);

    const auto [exit, out] = world.Control({"member"}, url, world.client);
    CHECK(exit == 0);
    CHECK(Json::parse(out)["members"].size() == 3);
    CHECK(world.Control({"gc-state", "all"}, url, world.client).first == 0);  // Asks over gRPC.
    CHECK(world.Control({"member"}, url, {}).first == 1);
  }

  {  // A member joins, and the leader is killed.
    const std::string url = "https://127.0.0.1:" + std::to_string(FreePort());
    const std::string base = world.folder.path() + "/pd4";
    std::vector<std::string> command = {
        QM_PD_SERVER, "--name",      "pd4",
        "--data-dir", base,          "--client-urls",
        url,          "--peer-urls", "https://127.0.0.1:" + std::to_string(FreePort()),
        "--join",     follower,      "--log-file",
        base + ".log"};
    command.insert(command.end(), world.flags.begin(), world.flags.end());
    Process joiner(command, base + ".out");
    joiner.Start();
    CHECK(Eventually([&] { return world.Healthy(url) == 4; }));

    group.process(leader).Kill();
    world.pd.ForgetLeader();
    uint64_t after = 0;
    REQUIRE(Eventually([&] { return (after = world.Timestamp()) != 0; }));
    CHECK(after > next);
    CHECK(Eventually([&] { return world.Healthy(follower) == 3; }));
    joiner.Terminate();
  }
  group.Stop();
}

}  // namespace
}  // namespace harness

// What every part shows by itself, once more with the program: that it was made, started and joined to the others.
#include <string>

#include <catch2/catch.hpp>

#include "tests/api/pdctl/fake_server.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/pd_group.h"
#include "tests/harness/process.h"
#include "tests/harness/wait.h"

namespace harness {
namespace {

constexpr Millis kPatience(20'000);

TEST_CASE("the leader learns from a store, and shows what it may send", "[wiring]") {
  FakeServer status;
  status.Answer("GET /config", {200, R"({"coprocessor":{"region-split-size":"256MiB"}})"});
  const TempDir folder;
  PdGroup group{{QM_PD_SERVER, 1, folder.path(), {}}};
  group.Start();
  PdClient pd(group.client_urls());
  REQUIRE(pd.FindLeader(kPatience));

  pdpb::BootstrapRequest begin;
  metapb::Store& store = *begin.mutable_store();
  store.set_id(1);
  store.set_address("127.0.0.1:20160");
  store.set_status_address(status.Address());
  store.set_version("8.5.0");
  metapb::Region& region = *begin.mutable_region();
  region.set_id(2);
  region.mutable_region_epoch()->set_conf_ver(1);
  region.mutable_region_epoch()->set_version(1);
  metapb::Peer& peer = *region.add_peers();
  peer.set_id(3);
  peer.set_store_id(1);
  pdpb::BootstrapResponse begun;
  REQUIRE(pd.CallUntilOk("/pdpb.PD/Bootstrap", begin, begun, kPatience).empty());
  pdpb::StoreHeartbeatRequest beat;
  beat.mutable_stats()->set_store_id(1);
  beat.mutable_stats()->set_capacity(uint64_t{1} << 40U);
  beat.mutable_stats()->set_available(uint64_t{1} << 40U);
  pdpb::StoreHeartbeatResponse heard;
  REQUIRE(pd.CallUntilOk("/pdpb.PD/StoreHeartbeat", beat, heard, kPatience).empty());

  const std::string& url = group.client_url(0);
  const std::string learned =
      R"(pd_cluster_store_sync{address=")" + status.Address() + R"(",state="succ"})";
  CHECK(Eventually([&] { return ReadMetric(url, learned).value_or(0) >= 1; }, kPatience));

  std::string page;
  REQUIRE(HttpRequest(url, "GET", "/metrics", &page) == 200);
  CHECK(page.find("windows_size") == std::string::npos);
  REQUIRE(HttpRequest(url, "POST", "/pd/api/v1/config", nullptr,
                      R"({"schedule.store-limit-version":"v2"})") == 200);
  REQUIRE(HttpRequest(url, "GET", "/metrics", &page) == 200);
  CHECK(page.find(R"(type="windows_size"} 100)") != std::string::npos);
  group.Stop();
}

}  // namespace
}  // namespace harness

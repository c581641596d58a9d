// What comes off the wire may be anything: decoders refuse or accept it, and never hang or crash. Random mutations of
// good messages and requests, from fixed seeds.
#include <random>
#include <string>

#include <catch2/catch.hpp>
#include <google/protobuf/stubs/logging.h>

#include "api/http/json.h"
#include "api/http/request.h"
#include "api/http/router.h"
#include "proto/pdpb.pb.h"
#include "proto/raft_transport.pb.h"

namespace api {
namespace {

constexpr int kCases = 20000;

/// Changes, cuts, doubles or moves a few bytes.
std::string Mutate(std::string bytes, std::mt19937& random) {
  const auto at = [&] { return bytes.empty() ? 0 : random() % bytes.size(); };
  for (size_t i = random() % 4 + 1; i > 0; --i) {
    switch (random() % 5) {
      case 0:
        if (!bytes.empty()) bytes[at()] = static_cast<char>(random() % 256);
        break;
      case 1:
        bytes.erase(at(), random() % 4);
        break;
      case 2:
        bytes.insert(at(), 1, static_cast<char>(random() % 256));
        break;
      case 3:
        bytes.insert(at(), bytes.substr(at(), random() % 16));
        break;
      default:
        bytes.resize(at());
    }
  }
  return bytes;
}

/// Decodes; what decodes must encode to something that decodes to the same.
template <class Message>
void CheckMessage(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) return;
  Message again;
  REQUIRE(again.ParseFromString(message.SerializeAsString()));
  REQUIRE(again.SerializeAsString() == message.SerializeAsString());
}

TEST_CASE("broken messages are refused or survive a round trip") {
  const google::protobuf::LogSilencer silencer;
  pdpb::RegionHeartbeatRequest heartbeat;
  heartbeat.mutable_header()->set_cluster_id(7);
  heartbeat.mutable_region()->set_id(2);
  heartbeat.mutable_region()->set_start_key("k01");
  for (uint64_t id : {3u, 4u, 5u}) {
    auto* peer = heartbeat.mutable_region()->add_peers();
    peer->set_id(id);
    peer->set_store_id(id);
  }
  heartbeat.add_down_peers()->set_down_seconds(9);
  quartermaster::raft::TransportFrame frame;
  frame.add_messages("one");
  frame.add_messages(std::string(300, 'x'));
  const std::string good_heartbeat = heartbeat.SerializeAsString();
  const std::string good_frame = frame.SerializeAsString();
  std::mt19937 random(1);
  for (int i = 0; i < kCases; ++i) {
    CheckMessage<pdpb::RegionHeartbeatRequest>(Mutate(good_heartbeat, random));
    CheckMessage<quartermaster::raft::TransportFrame>(Mutate(good_frame, random));
  }
}

TEST_CASE("broken JSON is refused with a place, or survives a round trip") {
  const std::string good =
      R"({"name":"balance","list":[1,-2.5e3,true,null,"a\u00e9\ud83d\ude00\n"],"o":{"k":"v","e":{}}})";
  std::mt19937 random(2);
  int accepted = 0;
  for (int i = 0; i < kCases; ++i) {
    const std::string text = Mutate(good, random);
    const auto value = ParseJson(text);
    if (value) {
      ++accepted;
      const std::string once = DumpJson(*value, -1);
      const auto again = ParseJson(once);
      REQUIRE(again);
      REQUIRE(DumpJson(*again, -1) == once);
    } else {
      REQUIRE(!value.error().text.empty());
      REQUIRE(value.error().offset >= 0);
      REQUIRE(value.error().offset <= static_cast<int64_t>(text.size()) + 1);
    }
    // The twin refuses broken UTF-8 and lone surrogates, which the reference's decoder replaces.
    if (nlohmann::json::accept(text)) REQUIRE(value.has_value());
  }
  CHECK(accepted > 0);
}

TEST_CASE("broken targets are routed somewhere or nowhere") {
  Router router;
  router.Add("GET", "/pd/api/v1/config/rule/{group}/{id}", "GetRule",
             [](const HttpRequest&) { return HttpResponse(); });
  router.Add("GET", "/dashboard/{path...}", "Files",
             [](const HttpRequest&) { return HttpResponse(); });
  std::mt19937 random(3);
  for (int i = 0; i < kCases; ++i) {
    const std::string target =
        Mutate(i % 2 == 0 ? "/pd/api/v1/config/rule/a%2Fb/c%20d" : "/dashboard/a/b%2Fc", random);
    const Router::Match match = router.Find("GET", target);
    if (match.handler != nullptr) REQUIRE(!match.params.empty());
    for (const auto& [key, value] : ParseQuery(target)) {
      REQUIRE(key.size() + value.size() <= target.size());
    }
  }
}

}  // namespace
}  // namespace api

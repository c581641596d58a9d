#include "pd/cluster/store_rules.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Store;
using scheduler::StoreId;

Store Make(uint64_t id, const std::string& address) {
  Store store;
  store.id = StoreId{id};
  store.address = address;
  store.version = "8.5.0";
  return store;
}

std::string Refusal(const Store& store, const std::vector<Store>& others,
                    const OnlineConfig& config) {
  auto checked = CheckStoreIdentity(store, others, config);
  if (checked) checked = CheckStoreLabels(store, config);
  return checked ? "" : checked.error().context;
}

TEST_CASE("stores are checked in the reference's order and words", "[store_rules]") {
  OnlineConfig config;
  config.cluster_version = "8.5.0";
  Store tiflash = Make(2, "b:1");
  tiflash.peer_address = "b:2";
  const std::vector<Store> others = {Make(1, "a:1"), tiflash};

  CHECK(Refusal(Make(3, "c:1"), others, config).empty());
  CHECK(Refusal(Make(1, "a:1"), others, config).empty());  // Itself.
  CHECK(Refusal(Make(0, "c:1"), others, config) ==
        "invalid put store address:\"c:1\" version:\"8.5.0\" ");
  CHECK(Refusal(Make(3, "a:1"), others, config) ==
        "duplicated store address: id:3 address:\"a:1\" version:\"8.5.0\" , already registered by "
        "id:1 address:\"a:1\" version:\"8.5.0\" ");
  CHECK(Refusal(Make(3, "b:2"), others, config).starts_with("duplicated store address: "));
  Store other_peer = Make(3, "c:1");
  other_peer.peer_address = "b:1";
  CHECK(Refusal(other_peer, others, config).starts_with("duplicated store peer address: "));
}

TEST_CASE("a removed or destroyed store owns its address no more", "[store_rules]") {
  OnlineConfig config;
  Store removed = Make(1, "a:1");
  removed.node_state = scheduler::NodeState::kRemoved;
  Store destroyed = Make(2, "b:1");
  destroyed.physically_destroyed = true;
  CHECK(Refusal(Make(3, "a:1"), {removed, destroyed}, config).empty());
  CHECK(Refusal(Make(3, "b:1"), {removed, destroyed}, config).empty());
  removed.node_state = scheduler::NodeState::kRemoving;
  CHECK_FALSE(Refusal(Make(3, "a:1"), {removed}, config).empty());
}

TEST_CASE("versions must fit the cluster's", "[store_rules]") {
  OnlineConfig config;
  config.cluster_version = "8.5.0";
  const auto refusal = [&](const std::string& version) {
    Store store = Make(3, "c:1");
    store.version = version;
    return Refusal(store, {}, config);
  };
  CHECK(refusal("v8.5.7").empty());
  CHECK(refusal("8.5.0-alpha").empty());
  CHECK(refusal("9.0.0").empty());
  CHECK(refusal("8.4.9") == "version should compatible with version  8.5.0, got 8.4.9");
  CHECK(refusal("") == "version should compatible with version  8.5.0, got 1.0.0");
  CHECK(refusal("nonsense").starts_with("invalid put store id:3 "));
}

TEST_CASE("strict labels want every location label and no other", "[store_rules]") {
  OnlineConfig config;
  config.replication.location_labels = {"zone", "host"};
  config.replication.strictly_match_label = true;
  Store store = Make(3, "c:1");
  store.labels = {{"zone", "z1"}};
  CHECK(Refusal(store, {}, config) ==
        "label configuration is incorrect, need to specify the key: host ");
  store.labels = {{"zone", "z1"}, {"host", "h1"}, {"engine", "tiflash"}};
  CHECK(Refusal(store, {}, config).empty());
  store.labels.push_back({"disk", "ssd"});
  CHECK(Refusal(store, {}, config) ==
        "key matching the label was not found in the PD, store label key: disk ");
}

}  // namespace
}  // namespace pd

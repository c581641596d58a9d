#include "pd/codec/metapb_codec.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

metapb::Region Full() {
  metapb::Region message;
  message.set_id(7);
  message.set_start_key("a");
  message.set_end_key("b");
  message.mutable_region_epoch()->set_conf_ver(3);
  message.mutable_region_epoch()->set_version(4);
  metapb::Peer& peer = *message.add_peers();
  peer.set_id(70);
  peer.set_store_id(1);
  peer.set_role(metapb::Learner);
  peer.set_is_witness(true);
  message.set_is_in_flashback(true);
  message.set_flashback_start_ts(9);
  message.mutable_encryption_meta()->set_key_id(5);
  message.mutable_encryption_meta()->set_iv("iv");
  return message;
}

TEST_CASE("a region goes through the model without a loss", "[codec]") {
  metapb::Region back;
  SetRegion(RegionOf(Full()), back);
  CHECK(back.SerializeAsString() == Full().SerializeAsString());
}

TEST_CASE("what a region lacks stays away", "[codec]") {
  metapb::Region plain = Full();
  plain.clear_encryption_meta();
  CHECK(RegionOf(plain).encryption_meta.empty());
  metapb::Region back;
  SetRegion(RegionOf(plain), back);
  CHECK_FALSE(back.has_encryption_meta());
  CHECK(back.SerializeAsString() == plain.SerializeAsString());
}

TEST_CASE("a role this server does not know is a voter's", "[codec]") {
  metapb::Peer peer;
  peer.set_role(static_cast<metapb::PeerRole>(77));
  CHECK(PeerOf(peer).role == scheduler::PeerRole::kVoter);
}

TEST_CASE("a store goes through the model without a loss", "[codec]") {
  metapb::Store full;
  full.set_id(3);
  full.set_address("127.0.0.1:20160");
  full.set_peer_address("127.0.0.1:20161");
  full.set_status_address("127.0.0.1:20180");
  full.set_version("8.5.0");
  full.set_git_hash("abc");
  full.set_deploy_path("/deploy");
  full.set_start_timestamp(11);
  full.set_last_heartbeat(12);
  full.set_physically_destroyed(true);
  full.set_state(metapb::Offline);
  full.set_node_state(metapb::Removing);
  metapb::StoreLabel& label = *full.add_labels();
  label.set_key("zone");
  label.set_value("z1");
  metapb::Store back;
  SetStore(StoreOf(full), back);
  CHECK(back.SerializeAsString() == full.SerializeAsString());
}

}  // namespace
}  // namespace pd

#include "api/convert/region_convert.h"

#include <catch2/catch.hpp>

namespace api {
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

TEST_CASE("a region goes through the model without a loss", "[convert]") {
  metapb::Region back;
  SetRegion(RegionOf(Full()), back);
  CHECK(back.SerializeAsString() == Full().SerializeAsString());
}

TEST_CASE("what a region lacks stays away", "[convert]") {
  metapb::Region plain = Full();
  plain.clear_encryption_meta();
  CHECK(RegionOf(plain).encryption_meta.empty());
  metapb::Region back;
  SetRegion(RegionOf(plain), back);
  CHECK_FALSE(back.has_encryption_meta());
  CHECK(back.SerializeAsString() == plain.SerializeAsString());
}

}  // namespace
}  // namespace api

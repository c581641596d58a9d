#include "pd/fsm/layout.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace pd::layout {
namespace {

std::string RandomBytes(std::mt19937& rng) {
  // Zeros, ones and 0xFF are where an escaping goes wrong.
  static const std::string kAlphabet(
      "\0\x01\xFF"
      "ab",
      5);
  std::string bytes;
  for (uint32_t n = static_cast<uint32_t>(rng() % 6); n > 0; --n) {
    bytes.push_back(kAlphabet[rng() % kAlphabet.size()]);
  }
  return bytes;
}

TEST_CASE("escaped keys sort as the keys do and come back") {
  std::mt19937 rng(7);
  for (int round = 0; round < 20'000; ++round) {
    const std::string a = RandomBytes(rng);
    const std::string b = RandomBytes(rng);
    const std::string tail = RandomBytes(rng);
    CHECK((a < b) == (Escape(a) + tail < Escape(b) + tail));
    std::string key;
    std::string_view rest;
    const std::string whole = Escape(a) + tail;
    REQUIRE(Unescape(whole, key, rest));
    CHECK(key == a);
    CHECK(rest == tail);
  }
}

TEST_CASE("no two keys share an index prefix") {
  std::mt19937 rng(8);
  for (int round = 0; round < 20'000; ++round) {
    const std::string a = RandomBytes(rng);
    const std::string b = RandomBytes(rng);
    if (a != b) CHECK_FALSE(KeyIndexPrefix(1, a).starts_with(KeyIndexPrefix(1, b)));
  }
}

TEST_CASE("newer revisions come first") {
  CHECK(KeyIndexKey(1, "k", 5) < KeyIndexKey(1, "k", 4));
  CHECK(KeyIndexKey(1, "k", 1) < KeyIndexKey(1, "k", 0));
  CHECK(EventKey(1, 4, 9) < EventKey(1, 5, 0));
}

TEST_CASE("records come back, and broken ones are refused") {
  RegionRecord region;
  region.id = 7;
  region.start_key = std::string("a\0b", 3);
  region.end_key = "z";
  region.conf_ver = 5;
  region.version = 1ULL << 40U;
  region.peers = {{1, 2, PeerRole::kVoter, false}, {3, 4, PeerRole::kLearner, true}};
  region.is_in_flashback = true;
  region.flashback_start_ts = 99;
  region.encryption_meta = "meta";
  const std::string bytes = EncodeRegion(region);
  CHECK(DecodeRegion(bytes).value() == region);
  Member member{9, "pd-9", {"http://a:1", "http://b:2"}, {"http://c:3"}, true};
  const std::string member_bytes = EncodeMember(member);
  CHECK(DecodeMember(member_bytes).value() == member);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK(DecodeRegion(bytes.substr(0, size)).error().code == ErrorCode::kCorrupt);
  }
  for (size_t size = 0; size < member_bytes.size(); ++size) {
    CHECK(DecodeMember(member_bytes.substr(0, size)).error().code == ErrorCode::kCorrupt);
  }
  CHECK_FALSE(DecodeRegion(bytes + "x").has_value());
  CHECK_FALSE(DecodeMark("").has_value());
  CHECK_FALSE(DecodePair("short", "").has_value());
  CHECK_FALSE(DecodeEvent(std::string(64, '\x02')).has_value());
  CHECK_FALSE(DecodeLease("x").has_value());
  CHECK_FALSE(DecodeIndexEntry("12345678", "\x05").has_value());
}

TEST_CASE("ranges follow etcd's convention") {
  const std::string all(1, '\0');
  CHECK(InRange("a", "a", ""));
  CHECK_FALSE(InRange("ab", "a", ""));
  CHECK(InRange("ab", "a", "b"));
  CHECK_FALSE(InRange("b", "a", "b"));
  CHECK(InRange("z", "a", all));
  CHECK_FALSE(InRange("0", "a", all));
}

}  // namespace
}  // namespace pd::layout

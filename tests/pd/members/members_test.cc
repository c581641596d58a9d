#include "pd/members/members.h"

#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "pd/codec/member_codec.h"

namespace pd {
namespace {

constexpr const char* kList = "pd1=http://a:1,pd2=http://b:1,pd1=http://c:1";

TEST_CASE("all members make the same ids of the same list, in whatever order", "[members]") {
  const auto one = ParseInitialCluster(kList, "token");
  const auto two = ParseInitialCluster("pd1=http://c:1,pd1=http://a:1,pd2=http://b:1", "token");
  REQUIRE(one);
  REQUIRE(two);
  REQUIRE(one->size() == 2);
  for (size_t i = 0; i < 2; ++i) CHECK((*one)[i].id == (*two)[i].id);
  CHECK(GroupIdOf(*one, "token") == GroupIdOf(*two, "token"));
  CHECK(GroupIdOf(*one, "token") != GroupIdOf(*one, "other"));
  CHECK((*ParseInitialCluster(kList, "other"))[0].id != (*one)[0].id);
}

TEST_CASE("a wrong list is named", "[members]") {
  const auto why = [](const char* list) { return ParseInitialCluster(list, "").error().context; };
  CHECK(why("pd1") ==
        "config item initial-cluster: \"pd1\" is not of the form name=http://host:port");
  CHECK(why("=http://a:1") ==
        "config item initial-cluster: \"=http://a:1\" is not of the form name=http://host:port");
  CHECK(why("pd1=a:1") ==
        "config item initial-cluster: \"a:1\" is no URL of the form http://host:port");
  CHECK(why("pd1=http://a:1,pd2=http://a:1") ==
        "config item initial-cluster: http://a:1 is named twice");
}

TEST_CASE("a member that joins again is another one", "[members]") {
  std::set<raft::NodeId> ids;
  for (int64_t nanos = 0; nanos < 1000; ++nanos)
    ids.insert(JoiningMemberId({"http://a:1"}, "t", nanos));
  CHECK(ids.size() == 1000);
  CHECK(JoiningMemberId({"http://a:1", "http://b:1"}, "t", 5) ==
        JoiningMemberId({"http://b:1", "http://a:1"}, "t", 5));
}

TEST_CASE("the leader key holds a member", "[members]") {
  Member member;
  member.id = 7;
  member.name = "pd1";
  member.peer_urls = {"http://a:2"};
  member.client_urls = {"http://a:1", "http://b:1"};
  CHECK(*DecodeLeader(EncodeLeader(member)) == member);
  CHECK(DecodeLeader("\xff\xff").error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace pd

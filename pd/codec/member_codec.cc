#include "pd/codec/member_codec.h"

#include "proto/pdpb.pb.h"

namespace pd {

std::string EncodeLeader(const Member& member) {
  pdpb::Member message;
  message.set_name(member.name);
  message.set_member_id(member.id);
  for (const std::string& url : member.peer_urls) message.add_peer_urls(url);
  for (const std::string& url : member.client_urls) message.add_client_urls(url);
  return message.SerializeAsString();
}

Result<Member> DecodeLeader(std::string_view bytes) {
  pdpb::Member message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kCorrupt, "the leader key holds no member");
  }
  Member member;
  member.name = message.name();
  member.id = message.member_id();
  member.peer_urls.assign(message.peer_urls().begin(), message.peer_urls().end());
  member.client_urls.assign(message.client_urls().begin(), message.client_urls().end());
  return member;
}

}  // namespace pd

#include "api/convert/member_convert.h"

namespace api {

void FillMember(const pd::Member& member, pdpb::Member& message) {
  message.set_name(member.name);
  message.set_member_id(member.id);
  for (const std::string& url : member.peer_urls) message.add_peer_urls(url);
  for (const std::string& url : member.client_urls) message.add_client_urls(url);
}

}  // namespace api

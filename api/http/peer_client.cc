#include "api/http/peer_client.h"

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "api/tls/http_client.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

std::unique_ptr<httplib::Client> Open(const std::string& url, const TlsFiles& files,
                                      pd::Millis timeout) {
  auto client = OpenHttpClient(url, files);
  client->set_connection_timeout(timeout);
  client->set_read_timeout(timeout);
  client->set_write_timeout(timeout);
  return client;
}

/// The text of an error answer: the JSON string in it, or the body as it stands.
std::string TextOf(const std::string& body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  return json.is_string() ? json.get<std::string>() : body;
}

pd::Result<Json> Post(const std::vector<std::string>& urls, const char* path, const Json& body,
                      pd::Millis timeout, const TlsFiles& files) {
  pd::Error last{pd::ErrorCode::kUnavailable, "no address to ask"};
  for (const std::string& url : urls) {
    const auto client = Open(url, files, timeout);
    const auto answer = client->Post(path, body.dump(), "application/json");
    if (!answer) {
      last.context = fmt::format("{}: {}", url, httplib::to_string(answer.error()));
      continue;
    }
    if (answer->status == 200)
      return Json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
    const auto code =
        answer->status / 100 == 4 ? pd::ErrorCode::kInvalidArgument : pd::ErrorCode::kUnavailable;
    last = {code, TextOf(answer->body)};
  }
  return tl::unexpected(last);
}

}  // namespace

pd::Result<void> HttpPeerClient::Publish(const std::vector<std::string>& leader_urls,
                                         const pd::MemberDetail& self, pd::Millis timeout) {
  const Json body = {{"member_id", self.member.id},        {"name", self.member.name},
                     {"peer_urls", self.member.peer_urls}, {"client_urls", self.member.client_urls},
                     {"deploy_path", self.deploy_path},    {"binary_version", self.binary_version},
                     {"git_hash", self.git_hash}};
  const auto answer = Post(leader_urls, "/pd/api/v1/members/publish", body, timeout, files_);
  if (!answer) return tl::unexpected(answer.error());
  return {};
}

bool HttpPeerClient::Ping(const std::vector<std::string>& client_urls, pd::Millis timeout) {
  for (const std::string& url : client_urls) {
    const auto answer = Open(url, files_, timeout)->Get("/pd/api/v1/ping");
    if (answer && answer->status == 200) return true;
  }
  return false;
}

pd::Result<pd::MemberIdentity> HttpPeerClient::Join(const std::vector<std::string>& client_urls,
                                                    const std::string& name,
                                                    const std::vector<std::string>& peer_urls,
                                                    pd::Millis timeout) {
  const auto answer = Post(client_urls, "/pd/api/v1/members/join",
                           Json{{"name", name}, {"peer_urls", peer_urls}}, timeout, files_);
  if (!answer) return tl::unexpected(answer.error());
  if (!answer->is_object())
    return pd::Fail(pd::ErrorCode::kUnavailable, "the cluster answered no member");
  const auto number = [](const Json& object, const char* key) {
    const bool there =
        object.is_object() && object.contains(key) && object[key].is_number_unsigned();
    return there ? object[key].get<uint64_t>() : 0;
  };
  pd::MemberIdentity identity{
      number(*answer, "member_id"), number(*answer, "group_id"), true, false, {}};
  const auto list = [](const Json& object, const char* key) {
    const bool there = object.is_object() && object.contains(key) && object[key].is_array();
    return there ? object[key] : Json::array();
  };
  for (const Json& member : list(*answer, "members")) {
    pd::Transport::Peer seed{number(member, "id"), {}};
    for (const Json& url : list(member, "urls")) {
      if (url.is_string()) seed.urls.push_back(url.get<std::string>());
    }
    identity.seeds.push_back(std::move(seed));
  }
  if (identity.id == 0 || identity.group_id == 0) {
    return pd::Fail(pd::ErrorCode::kUnavailable, "the cluster answered no member id");
  }
  return identity;
}

}  // namespace api

#include "tests/harness/pd_group.h"

#include <filesystem>
#include <stdexcept>

#include <httplib.h>

namespace harness {

PdGroup::PdGroup(Options options) : credentials_(options.credentials) {
  std::string initial;
  std::vector<std::string> peer_urls;
  for (int i = 0; i < options.members; ++i) {
    Member member;
    member.name = "pd" + std::to_string(i + 1);
    const std::string host = options.scheme + "://127.0.0.1:";
    member.client_url = host + std::to_string(FreePort());
    peer_urls.push_back(host + std::to_string(FreePort()));
    initial += (i == 0 ? "" : ",") + member.name + "=" + peer_urls.back();
    members_.push_back(std::move(member));
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    const std::string base = options.folder + "/" + member.name;
    std::vector<std::string> command = {
        options.server,  "--name",          member.name,   "--data-dir", base,
        "--client-urls", member.client_url, "--peer-urls", peer_urls[i], "--initial-cluster",
        initial,         "--log-file",      base + ".log"};
    command.insert(command.end(), options.extra_args.begin(), options.extra_args.end());
    member.process = std::make_unique<Process>(std::move(command), base + ".out");
  }
}

void PdGroup::Start(Millis timeout) {
  for (Member& member : members_) member.process->Start();
  PdClient client(client_urls(), credentials_);
  if (!client.FindLeader(timeout)) {
    throw std::runtime_error("no leader among the started servers");
  }
}

void PdGroup::Stop() {
  for (Member& member : members_) {
    member.process->Resume();
    member.process->Terminate();
  }
}

std::vector<std::string> PdGroup::client_urls() const {
  std::vector<std::string> urls;
  for (const Member& member : members_) urls.push_back(member.client_url);
  return urls;
}

size_t PdGroup::IndexOf(const std::string& client_url) const {
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].client_url == client_url) return i;
  }
  return members_.size();
}

int HttpRequest(const std::string& url, const std::string& method, const std::string& path,
                std::string* answer, const std::string& body) {
  httplib::Client client(url);
  client.set_connection_timeout(2);
  client.set_read_timeout(5);
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.set_header("Content-Length", std::to_string(body.size()));
  const httplib::Result result = client.send(request);
  if (!result) return 0;
  if (answer != nullptr) *answer = result->body;
  return result->status;
}

std::optional<double> ReadMetric(const std::string& url, const std::string& series) {
  std::string page;
  if (HttpRequest(url, "GET", "/metrics", &page) != 200) return std::nullopt;
  const std::string sought = "\n" + series + " ";
  const size_t at = page.find(sought);
  if (at == std::string::npos) return std::nullopt;
  return std::stod(page.substr(at + sought.size()));
}

}  // namespace harness

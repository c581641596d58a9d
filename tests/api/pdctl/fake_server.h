#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>

/// A tiny HTTP server on a free loopback port: answers from a table and remembers what it was asked.
class FakeServer {
 public:
  struct Reply {
    int status = 200;
    std::string body;
  };

  FakeServer() {
    server_.set_keep_alive_max_count(1);
    const httplib::Server::Handler handle = [this](const httplib::Request& request,
                                                   httplib::Response& response) {
      Handle(request, response);
    };
    server_.Get(".*", handle);
    server_.Post(".*", handle);
    server_.Put(".*", handle);
    server_.Patch(".*", handle);
    server_.Delete(".*", handle);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~FakeServer() {
    server_.stop();
    thread_.join();
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  /// `call` is "METHOD target"; everything else is answered with 404.
  void Answer(const std::string& call, Reply reply) {
    const std::lock_guard lock(mutex_);
    replies_[call] = std::move(reply);
  }

  /// "METHOD target" and, when there is one, a space and the body; in the order of arrival.
  std::vector<std::string> TakeCalls() {
    const std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }
  std::string LastHeader(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = headers_.find(name);
    return found == headers_.end() ? "" : found->second;
  }

  [[nodiscard]] std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void Handle(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    const std::string call = request.method + " " + request.target;
    calls_.push_back(request.body.empty() ? call : call + " " + request.body);
    headers_ = request.headers;
    const auto reply = replies_.find(call);
    response.status = reply == replies_.end() ? 404 : reply->second.status;
    const std::string body = reply == replies_.end() ? "404 page not found\n" : reply->second.body;
    response.set_content(body, "application/json; charset=UTF-8");
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::map<std::string, Reply> replies_;
  std::vector<std::string> calls_;
  httplib::Headers headers_;
};

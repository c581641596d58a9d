#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/harness/pd_client.h"
#include "tests/harness/process.h"

namespace harness {

/// A group of pd-servers on the loopback, each with its own directory below `folder`. Not thread-safe.
class PdGroup {
 public:
  struct Options {
    std::string server;  // The program.
    int members = 3;
    std::string folder;
    std::vector<std::string> extra_args;
    std::string scheme = "http";                                      // Of all URLs.
    std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;  // To reach them; null: plain.
  };

  explicit PdGroup(Options options);

  /// Starts all members. Throws std::runtime_error when no leader answers in time.
  void Start(Millis timeout = Millis(60000));
  /// Ends all members.
  void Stop();

  size_t size() const { return members_.size(); }
  Process& process(size_t index) { return *members_[index].process; }
  const std::string& name(size_t index) const { return members_[index].name; }
  const std::string& client_url(size_t index) const { return members_[index].client_url; }
  std::vector<std::string> client_urls() const;
  /// Index of the member with this client URL; size() if there is none.
  size_t IndexOf(const std::string& client_url) const;

 private:
  struct Member {
    std::string name;
    std::string client_url;
    std::unique_ptr<Process> process;
  };

  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::vector<Member> members_;
};

/// One HTTP request; the status, 0 if nobody answered. `answer` gets the body of the answer if it is not null.
int HttpRequest(const std::string& url, const std::string& method, const std::string& path,
                std::string* answer = nullptr, const std::string& body = "");

/// The value of a series on the member's /metrics page; `series` is its name with the labels as they stand there.
/// Nothing if the member does not answer or does not have it.
std::optional<double> ReadMetric(const std::string& url, const std::string& series);

}  // namespace harness

#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "proto/pdpb.pb.h"
#include "tests/harness/bytes.h"
#include "tests/harness/wait.h"

namespace harness {

/// A channel that reconnects within half a second and shares no connection with another one. `address` is host:port or
/// a client URL; null credentials: plain.
std::shared_ptr<grpc::Channel> OpenChannel(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials = nullptr);

/// The part of a URL behind its scheme.
std::string HostPort(const std::string& url);

/// Calls any method of a placement driver by name and follows its leader. Thread-safe.
class PdClient {
 public:
  /// `endpoints`: client URLs of one member or more; null credentials: plain.
  explicit PdClient(std::vector<std::string> endpoints,
                    std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr);

  /// Asks the members until one names a leader. False if none did within `timeout`.
  bool FindLeader(Millis timeout);

  /// Client URL of the leader found last; empty before the first.
  std::string leader() const;
  uint64_t cluster_id() const;

  /// Members of the last answer.
  std::vector<pdpb::Member> members() const;

  /// One call to the leader; "/pdpb.PD/GetStore". The header is filled in. The status carries a transport error only;
  /// the caller looks at response.header().error(). Forgets the leader when the call fails.
  template <class Request, class Response>
  grpc::Status Call(const std::string& method, Request& request, Response& response,
                    Millis timeout = Millis(3000)) {
    request.mutable_header()->set_cluster_id(cluster_id());
    return CallOn(leader_stub(), method, request, response, timeout);
  }

  /// Calls until it succeeds without a header error, following the leader, at most `timeout`. The text of the last
  /// failure, empty on success.
  template <class Request, class Response>
  std::string CallUntilOk(const std::string& method, Request& request, Response& response,
                          Millis timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::string failure = "no leader";
    while (std::chrono::steady_clock::now() < deadline) {
      if (leader().empty() && !FindLeader(Millis(500))) continue;
      response.Clear();
      const grpc::Status status = Call(method, request, response);
      if (status.ok() && !response.header().has_error()) return "";
      failure = status.ok() ? response.header().error().message() : status.error_message();
      ForgetLeader();
    }
    return method + ": " + failure;
  }

  /// Metadata of a call.
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  /// One call to whom `stub` belongs to; the header is the caller's.
  template <class Request, class Response>
  static grpc::Status CallOn(const std::shared_ptr<grpc::GenericStub>& stub,
                             const std::string& method, const Request& request, Response& response,
                             Millis timeout, const Metadata& metadata = {}) {
    if (stub == nullptr) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "no leader");
    grpc::ByteBuffer out;
    const grpc::Status status = CallBytes(*stub, method, ToBuffer(request), out, timeout, metadata);
    if (!status.ok()) return status;
    if (!FromBuffer(out, response)) return grpc::Status(grpc::StatusCode::INTERNAL, "bad answer");
    return status;
  }

  void ForgetLeader();

 private:
  std::shared_ptr<grpc::GenericStub> leader_stub() const;
  bool AskMember(const std::string& endpoint);
  static grpc::Status CallBytes(grpc::GenericStub& stub, const std::string& method,
                                const grpc::ByteBuffer& in, grpc::ByteBuffer& out, Millis timeout,
                                const Metadata& metadata);

  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  mutable std::mutex mutex_;
  std::vector<std::string> endpoints_;
  std::string leader_;
  std::shared_ptr<grpc::GenericStub> stub_;
  uint64_t cluster_id_ = 0;
  std::vector<pdpb::Member> members_;
};

}  // namespace harness

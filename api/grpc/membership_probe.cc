#include "api/grpc/membership_probe.h"

#include <algorithm>
#include <utility>

#include "api/grpc/bytes.h"
#include "api/grpc/client_stream.h"
#include "proto/raft_transport.pb.h"

namespace api {
namespace {

using quartermaster::raft::MembershipAnswer;
using quartermaster::raft::MembershipQuery;

constexpr const char* kMethod = "/quartermaster.raft.Transport/Membership";

bool Ask(const std::string& url, const GrpcCredentials* tls, const MembershipQuery& query,
         std::chrono::milliseconds timeout) {
  grpc::GenericStub stub(OpenChannel(url, {.connect_timeout = timeout}, tls));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, kMethod, Encode(query), &queue);
  call->StartCall();
  grpc::ByteBuffer bytes;
  grpc::Status status;
  call->Finish(&bytes, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);  // By the deadline.
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  MembershipAnswer answer;
  return status.ok() && Decode(bytes, answer) && answer.has_run();
}

}  // namespace

void RegisterMembershipProbe(MethodRegistry& methods, HasRun has_run) {
  methods.Unary<MembershipQuery, MembershipAnswer>(
      kMethod, {RunOn::kIo},
      [has_run = std::move(has_run)](const CallContext&,
                                     const MembershipQuery& query) -> RpcResult<MembershipAnswer> {
        MembershipAnswer answer;
        answer.set_has_run(has_run(query.group_id(), query.member_id()));
        return answer;
      });
}

bool AskWhetherRun(const std::vector<std::string>& peer_urls, const GrpcCredentials* tls,
                   uint64_t group_id, uint64_t member_id, std::chrono::milliseconds timeout) {
  MembershipQuery query;
  query.set_group_id(group_id);
  query.set_member_id(member_id);
  return std::ranges::any_of(peer_urls,
                             [&](const std::string& url) { return Ask(url, tls, query, timeout); });
}

}  // namespace api

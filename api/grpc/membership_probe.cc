#include "api/grpc/membership_probe.h"

#include <thread>
#include <utility>

#include "api/grpc/bytes.h"
#include "api/grpc/client_stream.h"
#include "proto/raft_transport.pb.h"

namespace api {
namespace {

using quartermaster::raft::MembershipAnswer;
using quartermaster::raft::MembershipQuery;

constexpr const char* kMethod = "/quartermaster.raft.Transport/Membership";

constexpr std::chrono::milliseconds kPause{100};

enum class Answer : uint8_t { kNo, kYes, kLater, kNone };

Answer Ask(const std::string& url, const GrpcCredentials* tls, const MembershipQuery& query,
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
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return Answer::kLater;
  MembershipAnswer answer;
  if (!status.ok() || !Decode(bytes, answer)) return Answer::kNone;
  if (answer.not_ready()) return Answer::kLater;
  return answer.has_run() ? Answer::kYes : Answer::kNo;
}

}  // namespace

void RegisterMembershipProbe(MethodRegistry& methods, HasRun has_run) {
  methods.Unary<MembershipQuery, MembershipAnswer>(
      kMethod, {RunOn::kIo},
      [has_run = std::move(has_run)](const CallContext&,
                                     const MembershipQuery& query) -> RpcResult<MembershipAnswer> {
        MembershipAnswer answer;
        const Ran ran = has_run(query.group_id(), query.member_id());
        answer.set_has_run(ran == Ran::kYes);
        answer.set_not_ready(ran == Ran::kNotKnownYet);
        return answer;
      });
}

MembershipVerdict AskWhetherRun(const MembershipQuestion& question,
                                std::chrono::milliseconds timeout,
                                std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  MembershipQuery query;
  query.set_group_id(question.group_id);
  query.set_member_id(question.member_id);
  MembershipVerdict verdict;
  std::vector<std::string> to_ask = question.peer_urls;
  while (true) {
    std::vector<std::string> later;
    for (const std::string& url : to_ask) {
      const Answer answer = Ask(url, question.tls, query, timeout);
      if (answer == Answer::kYes) return {true, {}};
      if (answer == Answer::kLater) later.push_back(url);
      if (answer == Answer::kNone) verdict.silent.push_back(url);
    }
    to_ask = std::move(later);
    if (to_ask.empty() || std::chrono::steady_clock::now() >= end) break;
    std::this_thread::sleep_for(kPause);
  }
  verdict.silent.insert(verdict.silent.end(), to_ask.begin(), to_ask.end());
  return verdict;
}

}  // namespace api

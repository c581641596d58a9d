#include "tests/harness/pd_client.h"

#include <condition_variable>
#include <thread>
#include <utility>

namespace harness {

std::string HostPort(const std::string& url) {
  const size_t scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(scheme + 3);
}

std::shared_ptr<grpc::Channel> OpenChannel(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);  // The time that connecting may take.
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(
      HostPort(address), credentials ? credentials : grpc::InsecureChannelCredentials(), args);
}

PdClient::PdClient(std::vector<std::string> endpoints,
                   std::shared_ptr<grpc::ChannelCredentials> credentials)
    : credentials_(std::move(credentials)), endpoints_(std::move(endpoints)) {}

std::string PdClient::leader() const {
  const std::lock_guard lock(mutex_);
  return leader_;
}

uint64_t PdClient::cluster_id() const {
  const std::lock_guard lock(mutex_);
  return cluster_id_;
}

std::vector<pdpb::Member> PdClient::members() const {
  const std::lock_guard lock(mutex_);
  return members_;
}

std::shared_ptr<grpc::GenericStub> PdClient::leader_stub() const {
  const std::lock_guard lock(mutex_);
  return stub_;
}

void PdClient::ForgetLeader() {
  const std::lock_guard lock(mutex_);
  leader_.clear();
  stub_.reset();
}

bool PdClient::FindLeader(Millis timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  do {
    std::vector<std::string> endpoints;
    {
      const std::lock_guard lock(mutex_);
      endpoints = endpoints_;
    }
    for (const std::string& endpoint : endpoints) {
      if (AskMember(endpoint)) return true;
    }
    std::this_thread::sleep_for(Millis(20));
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

bool PdClient::AskMember(const std::string& endpoint) {
  const auto stub = std::make_shared<grpc::GenericStub>(OpenChannel(endpoint, credentials_));
  pdpb::GetMembersResponse answer;
  const grpc::Status status =
      CallOn(stub, "/pdpb.PD/GetMembers", pdpb::GetMembersRequest(), answer, Millis(500));
  if (!status.ok() || answer.header().has_error()) return false;
  if (answer.leader().client_urls().empty()) return false;
  const std::string& leader = answer.leader().client_urls(0);
  // A stopped leader is still named for a while: take it only when it answers and agrees.
  auto leader_stub = std::make_shared<grpc::GenericStub>(OpenChannel(leader, credentials_));
  pdpb::GetMembersResponse own;
  if (!CallOn(leader_stub, "/pdpb.PD/GetMembers", pdpb::GetMembersRequest(), own, Millis(500))
           .ok()) {
    return false;
  }
  if (own.leader().member_id() != answer.leader().member_id()) return false;
  const std::lock_guard lock(mutex_);
  cluster_id_ = answer.header().cluster_id();
  leader_ = leader;
  stub_ = std::move(leader_stub);
  members_.assign(answer.members().begin(), answer.members().end());
  return true;
}

grpc::Status PdClient::CallBytes(grpc::GenericStub& stub, const std::string& method,
                                 const grpc::ByteBuffer& in, grpc::ByteBuffer& out, Millis timeout,
                                 const Metadata& metadata) {
  grpc::ClientContext context;
  for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  std::mutex mutex;
  std::condition_variable done;
  bool finished = false;
  grpc::Status result;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &in, &out, [&](grpc::Status status) {
    const std::lock_guard lock(mutex);
    result = std::move(status);
    finished = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return finished; });
  return result;
}

}  // namespace harness

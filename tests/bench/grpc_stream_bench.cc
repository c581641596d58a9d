// What one message of a TSO-like stream costs the server: N clients, each with a connection and a stream of its own,
// send a message, wait for its answer and go on. The clients run in a child process, so that the server's CPU time
// can be read alone. Prints microseconds of server CPU and messages a second for each N and number of io threads.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/grpc/bytes.h"
#include "api/grpc/server.h"
#include "proto/pdpb.pb.h"
#include "tests/harness/measure.h"

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<uint64_t> g_messages = 0;

class TsoSession final : public api::StreamSession<pdpb::TsoRequest> {
 public:
  explicit TsoSession(api::StreamSink<pdpb::TsoResponse> sink) : sink_(std::move(sink)) {}
  void OnMessage(const pdpb::TsoRequest& request) override {
    response_.mutable_header()->set_cluster_id(7'000'000'000'000'000'001);
    response_.set_count(request.count());
    response_.mutable_timestamp()->set_physical(1'795'450'052'571);
    response_.mutable_timestamp()->set_logical(++logical_ % 262'143);
    sink_.Write(response_);
    g_messages.fetch_add(1, std::memory_order_relaxed);
  }
  void OnHalfClose() override { sink_.Finish({}); }

 private:
  api::StreamSink<pdpb::TsoResponse> sink_;
  pdpb::TsoResponse response_;
  int64_t logical_ = 0;
};

/// One client: write, read, write, ... on a shared queue.
struct Client {
  explicit Client(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments));
  }
  void Next(const grpc::ByteBuffer& request) {
    writing = !writing;
    writing ? call->Write(request, this) : call->Read(&answer, this);
  }

  std::unique_ptr<grpc::GenericStub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
  grpc::ByteBuffer answer;
  bool writing = false;
};

[[noreturn]] void RunClients(int clients, int port) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pdpb::TsoRequest request;
  request.mutable_header()->set_cluster_id(7'000'000'000'000'000'001);
  request.set_count(100);
  const grpc::ByteBuffer bytes = api::Encode(request);
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Client>> all;
  for (int i = 0; i < clients; ++i) {
    all.push_back(std::make_unique<Client>(port));
    all.back()->call = all.back()->stub->PrepareCall(&all.back()->context, "/pdpb.PD/Tso", &queue);
    all.back()->call->StartCall(all.back().get());
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok) && ok) static_cast<Client*>(tag)->Next(bytes);
  _exit(1);
}

/// The child waits for the port, so that it is made before this process has any thread.
struct Child {
  explicit Child(int clients) {
    if (pipe(pipe_) != 0) std::abort();
    pid_ = fork();
    if (pid_ != 0) return;
    int port = 0;
    if (read(pipe_[0], &port, sizeof(port)) != sizeof(port)) _exit(1);
    RunClients(clients, port);
  }
  void Begin(int port) const {
    if (write(pipe_[1], &port, sizeof(port)) != sizeof(port)) std::abort();
  }
  void End() const {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int pipe_[2];
  pid_t pid_;
};

void Measure(const Child& child, int clients, size_t io_threads) {
  pd::MetricsRegistry metrics;
  api::MethodRegistry methods;
  api::WorkerPool pool{{}};
  methods.Stream<pdpb::TsoRequest, pdpb::TsoResponse>(
      "/pdpb.PD/Tso", api::kPdpbFast,
      [](const api::CallContext&, api::StreamSink<pdpb::TsoResponse> sink) {
        return std::make_unique<TsoSession>(std::move(sink));
      });
  api::CallMetrics call_metrics(metrics, methods);
  api::GrpcServer server(methods, pool, {.listen = "127.0.0.1:0", .io_threads = io_threads},
                         {nullptr, nullptr, &call_metrics});
  if (!server.Start()) std::abort();
  child.Begin(server.port());
  while (g_messages < 1000) usleep(1000);
  const uint64_t messages = g_messages;
  const double cpu = harness::CpuSeconds();
  const auto start = Clock::now();
  sleep(2);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto count = static_cast<double>(g_messages - messages);
  std::printf("clients=%d io_threads=%zu cpu_us=%.1f messages_per_s=%.0f\n", clients, io_threads,
              (harness::CpuSeconds() - cpu) * 1e6 / count, count / seconds);
  child.End();
  server.Stop(std::chrono::milliseconds(0));
  pool.Stop();
}

}  // namespace

int main() {
  for (const size_t io_threads : {size_t{1}, size_t{2}}) {
    for (const int clients : {1, 8, 64}) {
      std::fflush(stdout);
      // A process of its own for each case: gRPC does not survive a fork.
      const pid_t pid = fork();
      if (pid == 0) {
        const Child child(clients);
        Measure(child, clients, io_threads);
        std::fflush(stdout);
        _exit(0);
      }
      waitpid(pid, nullptr, 0);
    }
  }
}

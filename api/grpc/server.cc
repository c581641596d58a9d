#include "api/grpc/server.h"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/grpc/call.h"
#include "api/grpc/proxy.h"

namespace api {
namespace {

constexpr int kWaitingCalls =
    32;  // Calls asked for in advance: a burst of new ones finds them ready.

void SetLimits(grpc::ServerBuilder& builder, const GrpcServer::Options& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.receive_bytes_max));
  builder.SetMaxSendMessageSize(-1);
  // Go and TiKV clients ping every 10 s; gRPC's default of 5 min would cut them off.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(options.ping_interval_min.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 2 * 3600 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(options.handshake.count()));
  // Two servers on one port by mistake must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const MethodRegistry& methods, WorkerPool& pool, Options options, Parts parts)
      : methods_(methods),
        pool_(pool),
        options_(std::move(options)),
        parts_(parts),
        channels_(parts.tls) {}

  pd::Result<void> Start() {
    if (options_.security == Security::kTls && parts_.tls == nullptr) {
      return pd::Fail(pd::ErrorCode::kInvalidArgument,
                      fmt::format("cannot listen on {}: no certificate for TLS", options_.listen));
    }
    grpc::ServerBuilder builder;
    SetLimits(builder, options_);
    builder.RegisterAsyncGenericService(&service_);
    queue_ = builder.AddCompletionQueue();
    const auto plain = grpc::InsecureServerCredentials();
    plain_acceptor_ = AcceptorOf(builder, plain);
    if (parts_.tls != nullptr) tls_acceptor_ = AcceptorOf(builder, parts_.tls->server());
    if (!options_.listen.empty()) {
      builder.AddListeningPort(options_.listen,
                               options_.security == Security::kTls ? parts_.tls->server() : plain,
                               &port_);
    }
    server_ = builder.BuildAndStart();
    if (!server_ || (!options_.listen.empty() && port_ == 0)) {
      return pd::Fail(pd::ErrorCode::kIo, fmt::format("cannot listen on {}", options_.listen));
    }
    host_ = std::make_unique<CallHost>(CallHost{methods_, pool_, channels_, options_.streams,
                                                parts_.leaders, parts_.limiter, parts_.metrics,
                                                service_, *queue_, live_});
    for (int i = 0; i < kWaitingCalls; ++i) Call::Await(*host_);
    for (size_t i = 0; i < options_.io_threads; ++i) threads_.emplace_back([this] { Serve(); });
    return {};
  }

  void TakeConnection(int socket, Security security) {
    const auto& acceptor = security == Security::kTls ? tls_acceptor_ : plain_acceptor_;
    const int on = 1;
    const int flags = fcntl(socket, F_GETFL, 0);
    if (acceptor == nullptr || flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 ||
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
      close(socket);
      return;
    }
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = -1;
    parameters.fd = socket;
    acceptor->HandleNewConnection(&parameters);
  }

  void Stop(std::chrono::milliseconds grace) {
    if (!server_ || std::exchange(stopped_, true)) return;
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    // Every call has ended or is cancelled; what is left are done events on the queue and handlers in the pool.
    while (live_.load() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    queue_->Shutdown();
    for (std::thread& thread : threads_) thread.join();
  }

  [[nodiscard]] int port() const { return port_; }

 private:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  static std::unique_ptr<Acceptor> AcceptorOf(
      grpc::ServerBuilder& builder, const std::shared_ptr<grpc::ServerCredentials>& credentials) {
    return builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  }

  void Serve() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) Call::OnEvent(tag, ok);
  }

  const MethodRegistry& methods_;
  WorkerPool& pool_;
  const Options options_;
  const Parts parts_;
  ChannelCache channels_;
  std::atomic<int64_t> live_ = 0;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<Acceptor> plain_acceptor_;
  std::unique_ptr<Acceptor> tls_acceptor_;  // Null without credentials.
  std::unique_ptr<CallHost> host_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::thread> threads_;
  int port_ = 0;
  bool stopped_ = false;
};

GrpcServer::GrpcServer(const MethodRegistry& methods, WorkerPool& pool, Options options,
                       Parts parts)
    : impl_(std::make_unique<Impl>(methods, pool, std::move(options), parts)) {}

GrpcServer::~GrpcServer() { Stop(std::chrono::milliseconds(0)); }

pd::Result<void> GrpcServer::Start() { return impl_->Start(); }

int GrpcServer::port() const { return impl_->port(); }

void GrpcServer::TakeConnection(int socket, Security security) {
  impl_->TakeConnection(socket, security);
}

void GrpcServer::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

}  // namespace api

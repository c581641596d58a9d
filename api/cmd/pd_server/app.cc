#include "api/cmd/pd_server/app.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/cluster_service.h"
#include "api/cmd/pd_server/first_start.h"
#include "api/grpc/basic_handlers.h"
#include "api/grpc/global_config_handlers.h"
#include "api/grpc/membership_probe.h"
#include "api/grpc/meta_storage_handlers.h"
#include "api/grpc/raft_transport.h"
#include "api/grpc/server.h"
#include "api/grpc/tso_stream.h"
#include "api/http/admin_handlers.h"
#include "api/http/app.h"
#include "api/http/config_handlers.h"
#include "api/http/dashboard_cluster.h"
#include "api/http/dashboard_feed.h"
#include "api/http/dashboard_handlers.h"
#include "api/http/dashboard_hot.h"
#include "api/http/dashboard_operators.h"
#include "api/http/dashboard_schedulers.h"
#include "api/http/dashboard_source.h"
#include "api/http/member_handlers.h"
#include "api/http/middleware_service.h"
#include "api/http/peer_client.h"
#include "api/http/server.h"
#include "api/http/status_handlers.h"
#include "api/leader_directory.h"
#include "api/port/port.h"
#include "api/scheduling_service.h"
#include "api/tls/grpc_credentials.h"
#include "api/tls/server_context.h"
#include "api/worker_pool.h"
#include "pd/log/log.h"
#include "pd/members/identity.h"
#include "pd/server.h"

namespace api {
namespace {

constexpr pd::Millis kGrace{200};

/// Tells forwarding who leads, from what the server knows.
class ServerDirectory final : public LeaderDirectory {
 public:
  explicit ServerDirectory(pd::PdServer& server) : server_(server) {}

  [[nodiscard]] LeaderView Leader() const override {
    LeaderView view;
    if (const auto leader = server_.members().PdLeader())
      view.leader_client_urls = leader->client_urls;
    view.own_client_urls = server_.members().self().client_urls;
    view.own_name = server_.config().name;
    view.serving = server_.Serving();
    view.started = server_.started();
    return view;
  }

 private:
  pd::PdServer& server_;
};

TlsFiles FilesOf(const pd::SecurityConfig& security) {
  return {security.cacert_path, security.cert_path, security.key_path};
}

/// Certificates and plain URLs together are legal, and probably a mistake.
void WarnOfPlainUrls(const pd::Config& config) {
  for (const std::string* urls : {&config.client_urls, &config.peer_urls}) {
    if (urls->find("http://") == std::string::npos) continue;
    pd::LogWarn("certificates are given, but not used at an http:// url", {{"urls", *urls}});
  }
}

/// A request of the largest size with what the wire adds; gRPC counts in an int.
size_t ReceiveBytesMax(uint64_t request_bytes_max) {
  constexpr uint64_t kOverhead = 512U << 10U;
  constexpr uint64_t kMost = std::numeric_limits<int>::max();
  return std::min(request_bytes_max, kMost - kOverhead) + kOverhead;
}

}  // namespace

class ServerApp::Impl {
 public:
  Impl(pd::Config config, std::function<void()> on_removed)
      : config_(std::move(config)),
        on_removed_(std::move(on_removed)),
        files_(FilesOf(config_.security)),
        pool_({}),
        http_pool_({}),
        peers_(files_) {}
  ~Impl() { Stop(); }

  pd::Result<void> Start() {
    if (auto checked = CheckStart(config_); !checked) return checked;
    if (auto loaded = LoadTls(); !loaded) return loaded;
    if (auto opened = OpenServer(); !opened) return opened;
    RegisterHandlers();
    if (auto started = cluster_->Start(); !started) return started;
    scheduling_->Start();
    if (auto listening = StartPeerPort(); !listening) return listening;
    server_->Start();
    dashboard_->Start();
    dashboard_feed_->Start();
    if (auto listening = StartClientPort(); !listening) return listening;
    pd::LogInfo("server is up", {{"name", config_.name},
                                 {"member-id", server_->members().self().id},
                                 {"client-urls", config_.client_urls},
                                 {"peer-urls", config_.peer_urls}});
    return {};
  }

  void Stop() {
    if (server_ == nullptr) return;
    if (dashboard_feed_ != nullptr) dashboard_feed_->Stop();
    if (dashboard_ != nullptr) dashboard_->Stop();
    // Leadership first, while peers and clients can still be answered; then the outer parts before the inner ones.
    server_->Stop();
    if (port_ != nullptr) port_->Stop();
    if (http_ != nullptr) http_->Stop();
    if (grpc_ != nullptr) grpc_->Stop(kGrace);
    for (const auto& peer : peer_servers_) peer->Stop(kGrace);
    if (desk_ != nullptr) desk_->Stop();
    if (scheduling_ != nullptr) scheduling_->Stop();
    if (cluster_ != nullptr) cluster_->Stop();
    pool_.Stop();
    http_pool_.Stop();
    port_.reset();
    http_.reset();
    grpc_.reset();
    peer_servers_.clear();
    middleware_.reset();
    desk_.reset();
    dashboard_feed_.reset();
    dashboard_.reset();
    operators_reader_.reset();
    scheduling_.reset();
    cluster_.reset();
    server_.reset();
  }

 private:
  pd::Result<void> LoadTls() {
    if (files_.certificate.empty()) return {};
    const std::vector<std::string>& names = config_.security.cert_allowed_cn;
    // As in the reference, a single name is that of the members; clients are held to names where there are several.
    const auto client_names = names.size() > 1 ? names : std::vector<std::string>();
    auto context = TlsServerContext::Load(files_, client_names);
    if (!context) return tl::unexpected(context.error());
    http_tls_ = std::move(*context);
    client_tls_ = std::make_unique<GrpcCredentials>(files_, client_names);
    grpc_tls_ = std::make_unique<GrpcCredentials>(files_, names);
    WarnOfPlainUrls(config_);
    return {};
  }

  pd::Result<void> OpenServer() {
    std::error_code failed;
    std::filesystem::create_directories(config_.data_dir, failed);
    if (failed) {
      return pd::Fail(pd::ErrorCode::kIo, fmt::format("cannot make data directory {}: {}",
                                                      config_.data_dir, failed.message()));
    }
    auto database = pd::OpenRocksDatabase(config_.data_dir + "/meta");
    if (!database) return tl::unexpected(database.error());
    auto identity = FindIdentity(config_, peers_, grpc_tls_.get());
    if (!identity) return tl::unexpected(identity.error());
    if (auto good = CheckDatabase(config_, **database, *identity); !good) return good;
    pd::PdServer::Parts parts;
    parts.config = config_;
    parts.identity = *identity;
    parts.clock = &clock_;
    parts.transport = &transport_.emplace(GrpcRaftTransport::Options{.tls = grpc_tls_.get()});
    parts.peers = &peers_;
    parts.database = std::move(*database);
    parts.on_removed = on_removed_;
    auto server = pd::PdServer::Open(std::move(parts));
    if (!server) return tl::unexpected(server.error());
    server_ = std::move(*server);
    if (identity->has_database) return {};
    identity->has_database = true;
    return pd::SaveIdentity(config_.data_dir, *identity);
  }

  void RegisterHandlers() {
    directory_ = std::make_unique<ServerDirectory>(*server_);
    cluster_ = std::make_unique<ClusterService>(*server_, *directory_, grpc_tls_.get(), files_);
    cluster_->Register(methods_, router_);
    scheduling_ = std::make_unique<SchedulingService>(*server_, *cluster_);
    scheduling_->Register(methods_, router_);
    desk_ = std::make_unique<TsoDesk>(*server_);
    desk_->Register(methods_);
    RegisterBasicHandlers(methods_, *server_);
    RegisterMetaStorageHandlers(methods_, *server_);
    RegisterGlobalConfigHandlers(methods_, *server_);
    RegisterRaftTransport(peer_methods_, [this](std::string bytes) {
      // Hostile or stray bytes change nothing, and a full inbox is Raft's to repair.
      const auto taken = server_->group().Receive(std::move(bytes));
      const bool removed = !taken && taken.error().code == pd::ErrorCode::kNotFound;
      return removed ? RaftReceipt::kSenderRemoved : RaftReceipt::kTaken;
    });

    RegisterMembershipProbe(peer_methods_, [this](uint64_t group_id, uint64_t member_id) {
      if (group_id != server_->group_id()) return Ran::kNo;
      const auto member = server_->members().Find(member_id);
      if (member) return member->client_urls.empty() ? Ran::kNo : Ran::kYes;
      // A moment after the start the members are not loaded.
      return server_->members().List().empty() ? Ran::kNotKnownYet : Ran::kNo;
    });

    RegisterStatusHandlers(router_, *server_);
    RegisterMemberHandlers(router_, *server_);
    RegisterConfigHandlers(router_, *server_);
    RegisterAdminHandlers(router_, *server_);
    RegisterMetricsPage(router_, server_->metrics());
    middleware_ = std::make_unique<MiddlewareService>(*server_);
    server_->AddLeaderService(*middleware_);
    RegisterMiddlewareHandlers(router_, methods_, middleware_->middleware());
    operators_reader_ = std::make_unique<OperatorsReader>(scheduling_->coordinator());
    dashboard_ = std::make_unique<DashboardSource>(*server_, [this](DashboardSnapshot& snapshot) {
      FillCluster(cluster_->cluster(), *server_->config_store().online(), snapshot);
      snapshot.operators = operators_reader_->Read();
      snapshot.schedulers = ReadSchedulers(scheduling_->coordinator());
      FillHot(cluster_->cluster(), snapshot);
    });
    dashboard_feed_ = std::make_unique<DashboardFeed>([this] { return dashboard_->Take(); });
    RegisterDashboard(router_, *dashboard_feed_);
  }

  pd::Result<void> StartPeerPort() {
    const auto addresses = ListenAddresses(config_.peer_urls);
    if (!addresses) return tl::unexpected(addresses.error());
    for (const ClientPort::Address& address : *addresses) {
      GrpcServer::Options options;
      options.listen = address.host_port;
      options.security = address.security;
      options.ping_interval_min = std::chrono::milliseconds(100);
      peer_servers_.push_back(std::make_unique<GrpcServer>(
          peer_methods_, pool_, options, GrpcServer::Parts{.tls = grpc_tls_.get()}));
      if (auto started = peer_servers_.back()->Start(); !started) return started;
    }
    return {};
  }

  pd::Result<void> StartClientPort() {
    const auto addresses = ListenAddresses(config_.client_urls);
    if (!addresses) return tl::unexpected(addresses.error());
    call_metrics_ = std::make_unique<CallMetrics>(server_->metrics(), methods_);
    GrpcServer::Parts grpc_parts;
    grpc_parts.leaders = directory_.get();
    grpc_parts.limiter = &middleware_->grpc();
    grpc_parts.metrics = call_metrics_.get();
    grpc_parts.tls = client_tls_.get();
    GrpcServer::Options grpc_options;
    grpc_options.receive_bytes_max = ReceiveBytesMax(config_.max_request_bytes);
    grpc_ = std::make_unique<GrpcServer>(methods_, pool_, grpc_options, grpc_parts);
    if (auto started = grpc_->Start(); !started) return started;

    gate_ = std::make_unique<LeaderGate>(
        *directory_,
        [this](const std::string& url, const HttpRequest& request) {
          return SendHttp(url, request, files_);
        },
        [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); });
    http_app_ = std::make_unique<HttpApp>(
        router_, HttpApp::Parts{gate_.get(), &middleware_->http(), &server_->metrics()});
    HttpServer::Options http_options;
    http_options.tls = http_tls_.get();
    http_ = std::make_unique<HttpServer>(http_options, http_pool_, [this](HttpRequest request) {
      return http_app_->Serve(std::move(request));
    });
    ClientPort::Options options;
    options.listen = *addresses;
    port_ = std::make_unique<ClientPort>(
        options, [this](int socket, Security security) { grpc_->TakeConnection(socket, security); },
        [this](int socket, Security security) { http_->TakeConnection(socket, security); });
    return port_->Start();
  }

  const pd::Config config_;
  const std::function<void()> on_removed_;
  const TlsFiles files_;
  // Both null when no certificate is given.
  std::unique_ptr<TlsServerContext> http_tls_;
  std::unique_ptr<GrpcCredentials> grpc_tls_;    // Between members.
  std::unique_ptr<GrpcCredentials> client_tls_;  // Of the client port.
  pd::SystemClock clock_;
  WorkerPool pool_;
  WorkerPool
      http_pool_;  // Apart: requests forwarded to a leader that hangs must not hold up gRPC calls.
  HttpPeerClient peers_;
  MethodRegistry methods_;
  MethodRegistry peer_methods_;
  Router router_;
  std::optional<GrpcRaftTransport> transport_;
  std::unique_ptr<pd::PdServer> server_;
  std::unique_ptr<TsoDesk> desk_;
  std::unique_ptr<MiddlewareService> middleware_;
  std::unique_ptr<OperatorsReader> operators_reader_;
  std::unique_ptr<DashboardSource> dashboard_;
  std::unique_ptr<DashboardFeed> dashboard_feed_;
  std::unique_ptr<ServerDirectory> directory_;
  std::unique_ptr<ClusterService> cluster_;
  std::unique_ptr<SchedulingService> scheduling_;
  std::unique_ptr<CallMetrics> call_metrics_;
  std::unique_ptr<LeaderGate> gate_;
  std::unique_ptr<HttpApp> http_app_;
  std::vector<std::unique_ptr<GrpcServer>> peer_servers_;
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ClientPort> port_;
};

ServerApp::ServerApp(pd::Config config, std::function<void()> on_removed)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(on_removed))) {}

ServerApp::~ServerApp() = default;

pd::Result<void> ServerApp::Start() {
  auto started = impl_->Start();
  if (!started) impl_->Stop();
  return started;
}

void ServerApp::Stop() { impl_->Stop(); }

}  // namespace api

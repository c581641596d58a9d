#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "api/grpc/server.h"
#include "api/http/app.h"
#include "api/http/server.h"
#include "api/port/port.h"
#include "proto/pdpb.pb.h"
#include "tests/api/grpc/test_client.h"

namespace api {

struct PortTls {
  TlsFiles files;
  std::vector<std::string> allowed_names;
};

/// Both servers behind one port at the loopback; with files that hold a certificate, all over TLS.
struct PortFixture {
  explicit PortFixture(ClientPort::Options options = {}, const PortTls& tls = {},
                       HttpServer::Options http_options = {},
                       const GrpcServer::Options& grpc_options = {}) {
    methods.Unary<pdpb::AllocIDRequest, pdpb::AllocIDResponse>(
        "/pdpb.PD/AllocID", {},
        [](const CallContext& context,
           const pdpb::AllocIDRequest& request) -> RpcResult<pdpb::AllocIDResponse> {
          pdpb::AllocIDResponse response;
          response.set_id(request.count());
          response.mutable_header()->mutable_error()->set_message(context.peer());
          return response;
        });
    router.Add("GET", "/hello", "Hello",
               [](const HttpRequest&) { return PlainText(200, "hello"); });
    router.Add("POST", "/echo", "Echo",
               [](const HttpRequest& request) { return PlainText(200, request.body); });
    router.Add("GET", "/events", "Events", [this](const HttpRequest&) {
      HttpResponse response;
      response.on_events = [this](std::shared_ptr<EventSink> stream) {
        stream->Send("first", "1");
        const std::lock_guard lock(mutex);
        sink = std::move(stream);
      };
      return response;
    });
    ClientPort::Address address{"127.0.0.1:0"};
    GrpcServer::Parts parts;
    if (!tls.files.certificate.empty()) {
      address.security = Security::kTls;
      grpc_tls.emplace(tls.files, tls.allowed_names);
      auto context = TlsServerContext::Load(tls.files, tls.allowed_names);
      REQUIRE(context);
      http_tls = std::move(*context);
      parts.tls = &*grpc_tls;
      http_options.tls = http_tls.get();
    }
    grpc.emplace(methods, pool, grpc_options, parts);
    REQUIRE(grpc->Start());
    http.emplace(http_options, pool,
                 [this](HttpRequest request) { return app.Serve(std::move(request)); });
    options.listen = {address};
    port.emplace(
        options, [this](int socket, Security security) { grpc->TakeConnection(socket, security); },
        [this](int socket, Security security) { http->TakeConnection(socket, security); });
    REQUIRE(port->Start());
    number = port->ports().at(0);
  }
  ~PortFixture() {
    port->Stop();
    http->Stop();
    grpc->Stop(std::chrono::milliseconds(0));
    pool.Stop();
  }

  [[nodiscard]] bool HasStream() {
    const std::lock_guard lock(mutex);
    return sink != nullptr && !sink->closed();
  }

  MethodRegistry methods;
  Router router;
  HttpApp app{router, {}};
  WorkerPool pool{{}};
  std::optional<GrpcCredentials> grpc_tls;
  std::unique_ptr<TlsServerContext> http_tls;
  std::optional<GrpcServer> grpc;
  std::optional<HttpServer> http;
  std::optional<ClientPort> port;
  int number = 0;
  std::mutex mutex;
  std::shared_ptr<EventSink> sink;  // Of the event stream opened last.
};

}  // namespace api

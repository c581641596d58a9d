#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "api/http/request.h"
#include "api/http/response.h"
#include "api/tls/security.h"
#include "api/tls/server_context.h"
#include "api/worker_pool.h"

namespace api {

/// HTTP/1.1 over sockets that ClientPort hands on. One thread reads and writes; requests are answered on a worker
/// pool, so an idle or slow connection costs memory but no thread (api/decisions/0002-http-on-beast.md). A
/// server-sent event stream holds no thread either.
///
/// Requests with neither Content-Length nor chunks have an empty body at once. Keep-alive and pipelining work;
/// answers go out in order. TakeConnection is thread-safe between construction and Stop. Over TLS all is the same,
/// bounds included; handshakes that fail are logged, one a second at most.
class HttpServer {
 public:
  struct Options {
    size_t connections_max = 8192;                // One more is closed at once.
    size_t event_streams_max = 64;                // One more gets 503.
    size_t event_queue_bytes = 1 << 20;           // Unsent events of one stream; more closes it.
    size_t header_bytes_max = 64 << 10;           // Else 431.
    size_t body_bytes_max = 64 << 20;             // Else 413.
    std::chrono::milliseconds handshake{10'000};  // For a TLS handshake, from the socket on.
    std::chrono::milliseconds idle{120'000};      // Between requests of one connection.
    std::chrono::milliseconds transfer{60'000};   // To receive one request, or to send one answer.
    std::chrono::milliseconds event_ping{
        15'000};  // A comment on quiet event streams finds clients that are gone.
    TlsServerContext* tls = nullptr;  // Outlives the server. Without it TLS connections are closed.
  };

  using Handler = std::function<HttpResponse(HttpRequest request)>;

  /// `handler` runs on the pool and may block for a bounded time; a full pool answers 503.
  HttpServer(Options options, WorkerPool& pool, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Takes over a connected socket, unread.
  void TakeConnection(int socket, Security security = Security::kPlain);

  /// Closes all connections and joins the thread; answers still being made are dropped. Idempotent. The pool must
  /// still run and be stopped before this object goes.
  void Stop();

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace api

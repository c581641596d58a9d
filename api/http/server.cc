#include "api/http/server.h"

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>  // Before Asio: Boost 1.74 forgets it under C++20.

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "api/http/connection_stream.h"
#include "pd/log/log.h"
#include "pd/runtime/mutex.h"

namespace api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

using Answer = http::response<http::string_body>;

/// "Mon, 23 Nov 2026 16:00:00 GMT".
std::string HttpDate() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> text;
  const size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string ToString(beast::string_view text) { return {text.data(), text.size()}; }

/// The client as a proxy in front named it, else as the connection shows it.
void FillClient(HttpRequest& request, const tcp::endpoint& remote) {
  const auto forwarded = request.Header("X-Forwarded-For").value_or("");
  const auto real = request.Header("X-Real-Ip").value_or("");
  std::string_view first = forwarded.substr(0, forwarded.find(','));
  while (!first.empty() && first.front() == ' ') first.remove_prefix(1);
  while (!first.empty() && first.back() == ' ') first.remove_suffix(1);
  if (!first.empty()) {
    request.client_ip = first;
  } else if (!real.empty()) {
    request.client_ip = real;
  } else {
    request.client_ip = remote.address().to_string();
  }
  const auto port = request.Header("X-Forwarded-Port").value_or("");
  request.client_port = port.empty() ? std::to_string(remote.port()) : std::string(port);
}

HttpRequest ToRequest(http::request<http::string_body>&& message, const tcp::endpoint& remote) {
  HttpRequest request;
  request.method = ToString(message.method_string());
  request.target = ToString(message.target());
  // An absolute target ("GET http://host/path", as proxies get it) means its path.
  if (request.target.rfind("http://", 0) == 0) {
    const size_t slash = request.target.find('/', 7);
    request.target = slash == std::string::npos ? "/" : request.target.substr(slash);
  }
  const size_t question = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, question);
  request.query = ParseQuery(
      std::string_view(request.target).substr(std::min(question + 1, request.target.size())));
  for (const auto& field : message) {
    request.headers.emplace_back(ToString(field.name_string()), ToString(field.value()));
  }
  request.body = std::move(message.body());
  FillClient(request, remote);
  return request;
}

/// One event in the format of server-sent events; every line of the data gets its own field.
std::string FormatEvent(std::string_view event, std::string_view data) {
  std::string text;
  if (!event.empty()) text = "event: " + std::string(event) + "\n";
  while (true) {
    const size_t end = data.find('\n');
    text += "data: ";
    text += data.substr(0, end);
    text += '\n';
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  return text + "\n";
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Options options, WorkerPool& pool, Handler handler)
      : options_(options), pool_(pool), handler_(std::move(handler)) {}

  void Start() {
    work_.emplace(io_.get_executor());
    thread_ = std::thread([this] { io_.run(); });
  }

  void TakeConnection(int socket, Security security);
  void Stop();
  /// Drops what handlers posted after Stop.
  void Drain() {
    io_.restart();
    io_.poll();
  }

 private:
  class Connection;
  class Events;

  void Take(int socket, Security security);
  void LogHandshake(const tcp::endpoint& remote, error_code error);

  const Options options_;
  WorkerPool& pool_;
  const Handler handler_;
  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  // Touched on the io thread only.
  std::set<Connection*> connections_;
  size_t event_streams_ = 0;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point handshake_logged_;
  std::thread thread_;
};

/// The queue of an event stream, filled by any thread, emptied by its connection.
class HttpServer::Impl::Events final : public EventSink,
                                       public std::enable_shared_from_this<Events> {
 public:
  Events(size_t bytes_max, std::function<void()> wake)
      : bytes_max_(bytes_max), wake_(std::move(wake)) {}

  bool Send(std::string_view event, std::string_view data) override {
    return Push(FormatEvent(event, data));
  }
  bool Push(std::string text) PD_EXCLUDES(mutex_) {
    {
      pd::MutexLock lock(mutex_);
      if (closed_) return false;
      closed_ = bytes_.size() + text.size() > bytes_max_;
      if (!closed_) bytes_ += text;
    }
    wake_();
    return !closed();
  }
  void Close() override PD_EXCLUDES(mutex_) {
    {
      pd::MutexLock lock(mutex_);
      closed_ = true;
    }
    wake_();
  }
  [[nodiscard]] bool closed() const override PD_EXCLUDES(mutex_) {
    pd::MutexLock lock(mutex_);
    return closed_;
  }
  /// All that waits, in order.
  [[nodiscard]] std::string Take() PD_EXCLUDES(mutex_) {
    pd::MutexLock lock(mutex_);
    return std::exchange(bytes_, {});
  }

 private:
  const size_t bytes_max_;
  const std::function<void()> wake_;
  mutable pd::Mutex mutex_;
  std::string bytes_ PD_GUARDED_BY(mutex_);
  bool closed_ PD_GUARDED_BY(mutex_) = false;
};

/// One client connection: read a request, have it answered, write the answer, again. Everything runs on the io thread
/// except the handler. Pending operations and the handler's job hold it alive; it also keeps the server's state alive.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `tls`: null for a plain connection.
  Connection(std::shared_ptr<Impl> server, tcp::socket socket, tcp::endpoint remote,
             std::shared_ptr<asio::ssl::context> tls)
      : server_(std::move(server)),
        stream_(std::move(socket), std::move(tls)),
        remote_(std::move(remote)),
        ping_(server_->io_) {
    server_->connections_.insert(this);
  }
  ~Connection() {
    server_->connections_.erase(this);
    if (events_) --server_->event_streams_;
  }

  void Start() {
    stream_.tcp().expires_after(server_->options_.handshake);
    stream_.AsyncHandshake([self = shared_from_this()](error_code error) {
      if (!error) return self->ReadHeader();
      self->server_->LogHandshake(self->remote_, error);
      self->Close();
    });
  }

  void Close() {
    error_code ignored;
    stream_.tcp().socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.tcp().close();
    ping_.cancel();
    if (events_) events_->Close();
  }

 private:
  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_->options_.header_bytes_max));
    parser_->body_limit(server_->options_.body_bytes_max);
    // The first byte may take long to come; from then on the request has its own limit.
    if (buffer_.size() != 0) return ReadStarted();
    stream_.tcp().expires_after(server_->options_.idle);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this()](error_code error, size_t size) {
                              if (error) return self->Close();
                              self->buffer_.commit(size);
                              self->ReadStarted();
                            });
  }

  void ReadStarted() {
    stream_.tcp().expires_after(server_->options_.transfer);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) {
                              if (error) return self->Refuse(error);
                              self->ReadBody();
                            });
  }

  void ReadBody() {
    const auto expect = parser_->get()[http::field::expect];
    if (!beast::iequals(expect, "100-continue") || parser_->is_done()) return ReadRest();
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = shared_from_this()](error_code error, size_t) {
                        error ? self->Close() : self->ReadRest();
                      });
  }

  void ReadRest() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->Refuse(error);
                       self->Handle();
                     });
  }

  void Handle() {
    keep_alive_ = parser_->get().keep_alive();
    version_ = parser_->get().version();
    stream_.tcp().expires_never();
    HttpRequest request = ToRequest(parser_->release(), remote_);
    head_ = request.method == "HEAD";
    const bool taken = server_->pool_.Submit([self = shared_from_this(),
                                              request = std::move(request)]() mutable {
      // The io thread owns the connection: only the answer goes back, even the last reference does.
      HttpResponse response = self->server_->handler_(std::move(request));
      Impl& server = *self->server_;
      asio::post(server.io_, [self = std::move(self), response = std::move(response)]() mutable {
        self->Respond(std::move(response));
      });
    });
    if (!taken) Respond(PlainError(503, "too many requests waiting"));
  }

  /// Answers what is no acceptable request, when there is somebody to answer.
  void Refuse(error_code error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout ||
        error.category() == asio::error::get_system_category() ||
        error.category() == asio::error::get_misc_category() ||
        error.category() == asio::error::get_ssl_category() ||
        error.category() == asio::ssl::error::get_stream_category()) {
      return Close();
    }
    keep_alive_ = false;
    version_ = 11;
    head_ = false;
    if (error == http::error::header_limit) {
      Respond(PlainText(431, "431 Request Header Fields Too Large"));
    } else if (error == http::error::body_limit) {
      Respond(PlainText(413, "413 Request Entity Too Large"));
    } else {
      Respond(PlainText(400, "400 Bad Request"));
    }
  }

  void Respond(HttpResponse response) {
    if (server_->stopping_) return Close();
    if (response.on_events) return StartEvents(std::move(response));
    answer_.emplace(static_cast<http::status>(response.status), version_);
    for (const auto& [name, value] : response.headers) {
      // A line break in a value would let it write headers, or answers, of its own.
      if (value.find_first_of("\r\n") == std::string::npos) answer_->insert(name, value);
    }
    answer_->set(http::field::date, HttpDate());
    answer_->body() = std::move(response.body);
    answer_->keep_alive(keep_alive_);
    const bool no_body = response.status == 204 || response.status == 304;
    if (!no_body) answer_->content_length(answer_->body().size());
    if (head_ || no_body) answer_->body().clear();
    stream_.tcp().expires_after(server_->options_.transfer);
    http::async_write(stream_, *answer_, [self = shared_from_this()](error_code error, size_t) {
      self->answer_.reset();
      error || !self->keep_alive_ ? self->Finish() : self->ReadHeader();
    });
  }

  /// Ends a connection so that the client reads all of the answer: no reset while its bytes are still on the way.
  void Finish() {
    stream_.tcp().expires_after(std::chrono::seconds(1));
    stream_.AsyncGoodbye([self = shared_from_this()](error_code) {
      error_code ignored;
      self->stream_.tcp().socket().shutdown(tcp::socket::shutdown_send, ignored);
      self->ReadAway();
    });
  }

  void ReadAway() {
    buffer_.clear();
    stream_.tcp().async_read_some(buffer_.prepare(4096),
                                  [self = shared_from_this()](error_code error, size_t) {
                                    error ? self->Close() : self->ReadAway();
                                  });
  }

  void StartEvents(HttpResponse response) {
    if (server_->event_streams_ >= server_->options_.event_streams_max) {
      return Respond(PlainError(503, "too many event streams"));
    }
    ++server_->event_streams_;
    events_ = std::make_shared<Events>(
        server_->options_.event_queue_bytes,
        [server = server_->weak_from_this(), connection = weak_from_this()] {
          const auto alive = server.lock();
          if (!alive) return;
          asio::post(alive->io_, [connection] {
            if (const auto self = connection.lock()) self->WriteEvents();
          });
        });
    std::string head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        "Connection: close\r\n";
    for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
    outgoing_ = head + "Date: " + HttpDate() + "\r\n\r\n";
    stream_.tcp().expires_never();
    WatchClient();
    WriteOutgoing();
    SchedulePing();
    response.on_events(events_);
  }

  void WriteEvents() {
    if (!outgoing_.empty()) return;  // The write under way comes back here.
    outgoing_ = events_->Take();
    if (!outgoing_.empty()) return WriteOutgoing();
    if (events_->closed()) Close();
  }

  void WriteOutgoing() {
    stream_.tcp().expires_after(server_->options_.transfer);
    asio::async_write(stream_, asio::buffer(outgoing_),
                      [self = shared_from_this()](error_code error, size_t) {
                        self->outgoing_.clear();
                        if (error) return self->Close();
                        self->stream_.tcp().expires_never();
                        self->WriteEvents();
                      });
  }

  /// An event stream's client sends nothing more; reading tells when it has gone.
  void WatchClient() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(512),
                            [self = shared_from_this()](error_code error, size_t) {
                              error ? self->Close() : self->WatchClient();
                            });
  }

  void SchedulePing() {
    ping_.expires_after(server_->options_.event_ping);
    ping_.async_wait([weak = weak_from_this()](error_code cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self || !self->events_->Push(": ping\n\n")) return;
      self->SchedulePing();
    });
  }

  const std::shared_ptr<Impl> server_;
  ConnectionStream stream_;
  const tcp::endpoint remote_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<Answer> answer_;
  bool keep_alive_ = false;
  bool head_ = false;
  unsigned version_ = 11;
  // Event streams only.
  std::shared_ptr<Events> events_;
  std::string outgoing_;
  asio::steady_timer ping_;
};

void HttpServer::Impl::TakeConnection(int socket, Security security) {
  asio::post(io_, [this, socket, security] { Take(socket, security); });
}

void HttpServer::Impl::Take(int socket, Security security) {
  tcp::socket connected(io_);
  error_code error;
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  const bool known = getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  connected.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), socket, error);
  if (error) {
    ::close(socket);
    return;
  }
  const tcp::endpoint remote = connected.remote_endpoint(error);
  if (!error) connected.non_blocking(true, error);
  if (!known || error || stopping_ || connections_.size() >= options_.connections_max) return;
  std::shared_ptr<asio::ssl::context> tls;
  if (security == Security::kTls) {
    if (options_.tls == nullptr) return;
    tls = options_.tls->Current();
  }
  std::make_shared<Connection>(shared_from_this(), std::move(connected), remote, std::move(tls))
      ->Start();
}

void HttpServer::Impl::LogHandshake(const tcp::endpoint& remote, error_code error) {
  const auto now = std::chrono::steady_clock::now();
  if (stopping_ || now - handshake_logged_ < std::chrono::seconds(1)) return;
  handshake_logged_ = now;
  pd::LogWarn("TLS handshake failed",
              {{"remote", fmt::format("{}:{}", remote.address().to_string(), remote.port())},
               {"error", error.message()}});
}

void HttpServer::Impl::Stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    stopping_ = true;
    for (Connection* connection : connections_) connection->Close();
    work_.reset();
  });
  thread_.join();
}

HttpServer::HttpServer(Options options, WorkerPool& pool, Handler handler)
    : impl_(std::make_shared<Impl>(options, pool, std::move(handler))) {
  impl_->Start();
}

HttpServer::~HttpServer() {
  Stop();
  impl_->Drain();
}

void HttpServer::TakeConnection(int socket, Security security) {
  impl_->TakeConnection(socket, security);
}

void HttpServer::Stop() { impl_->Stop(); }

}  // namespace api

#include "api/port/port.h"

#include <array>
#include <set>
#include <thread>
#include <utility>  // Before Asio: Boost 1.74 forgets it under C++20.

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "api/port/sniff.h"
#include "pd/log/log.h"

namespace api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Splits "host:port" or "[host]:port".
pd::Result<tcp::endpoint> ParseEndpoint(const std::string& address) {
  const auto bad = [&] {
    return pd::Fail(pd::ErrorCode::kInvalidArgument, fmt::format("bad address {}", address));
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return bad();
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  asio::io_context resolving;
  error_code error;
  const auto found = tcp::resolver(resolving).resolve(
      host.empty() ? "::" : host, address.substr(colon + 1),
      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) return bad();
  return found.begin()->endpoint();
}

/// How many descriptors this process may have open.
size_t DescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return limit.rlim_cur;
}

}  // namespace

class ClientPort::Impl {
 public:
  Impl(Options options, Taker grpc, Taker http)
      : options_(std::move(options)), grpc_(std::move(grpc)), http_(std::move(http)) {}

  pd::Result<void> Start() {
    for (const Address& address : options_.listen) {
      if (auto listening = Listen(address); !listening) return listening;
    }
    for (auto& listener : listeners_) Accept(*listener);
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      error_code ignored;
      stopping_ = true;
      for (auto& listener : listeners_) {
        listener->acceptor.close(ignored);
        listener->pause.cancel(ignored);
      }
      for (Peeking* peeking : peeking_) peeking->Close();
    });
    thread_.join();
  }

  [[nodiscard]] std::vector<int> ports() const { return ports_; }

 private:
  struct Listener {
    Listener(asio::io_context& io, Security how) : security(how), acceptor(io), pause(io) {}
    const Security security;
    tcp::acceptor acceptor;
    asio::steady_timer pause;  // After a failed accept, usually for want of descriptors.
  };

  /// A connection whose protocol is not known yet.
  struct Peeking : std::enable_shared_from_this<Peeking> {
    Peeking(Impl& impl, tcp::socket connected, Security how)
        : owner(impl),
          security(how),
          socket(std::move(connected)),
          deadline(impl.io_),
          again(impl.io_) {
      owner.peeking_.insert(this);
    }
    ~Peeking() { owner.peeking_.erase(this); }

    void Close() {
      error_code ignored;
      socket.close(ignored);
      deadline.cancel(ignored);
      again.cancel(ignored);
    }

    Impl& owner;
    const Security security;
    tcp::socket socket;
    asio::steady_timer deadline;
    asio::steady_timer again;
  };

  pd::Result<void> Listen(const Address& address) {
    const auto endpoint = ParseEndpoint(address.host_port);
    if (!endpoint) return tl::unexpected(endpoint.error());
    auto listener = std::make_unique<Listener>(io_, address.security);
    error_code error;
    listener->acceptor.open(endpoint->protocol(), error);
    if (!error) listener->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) listener->acceptor.bind(*endpoint, error);
    if (!error) listener->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return pd::Fail(pd::ErrorCode::kIo,
                      fmt::format("listen tcp {}: {}", address.host_port, error.message()));
    }
    ports_.push_back(listener->acceptor.local_endpoint().port());
    listeners_.push_back(std::move(listener));
    return {};
  }

  void Accept(Listener& listener) {
    listener.acceptor.async_accept([this, &listener](error_code error, tcp::socket socket) {
      if (stopping_) return;
      if (error) return AcceptLater(listener, error);
      Take(std::move(socket), listener.security);
      Accept(listener);
    });
  }

  void AcceptLater(Listener& listener, error_code error) {
    pd::LogWarn("cannot accept a connection", {{"error", error.message()}});
    listener.pause.expires_after(std::chrono::milliseconds(100));
    listener.pause.async_wait([this, &listener](error_code cancelled) {
      if (!cancelled && !stopping_) Accept(listener);
    });
  }

  void Take(tcp::socket socket, Security security) {
    // Descriptors are handed out from the lowest free number, so a high number means few are left.
    const bool scarce =
        static_cast<size_t>(socket.native_handle()) + options_.descriptors_reserved >
        DescriptorLimit();
    if (scarce || peeking_.size() >= options_.peeking_max) {
      if (!std::exchange(refusing_, true)) pd::LogWarn("too many connections, refusing new ones");
      return;  // The destructor closes it.
    }
    refusing_ = false;
    error_code error;
    socket.non_blocking(true, error);
    if (error) return;
    const auto peeking = std::make_shared<Peeking>(*this, std::move(socket), security);
    peeking->deadline.expires_after(options_.peek_deadline);
    peeking->deadline.async_wait([peeking](error_code cancelled) {
      if (!cancelled) peeking->Close();
    });
    WaitReadable(peeking);
  }

  void WaitReadable(const std::shared_ptr<Peeking>& peeking) {
    peeking->socket.async_wait(tcp::socket::wait_read, [this, peeking](error_code error) {
      if (error || !peeking->socket.is_open()) return peeking->Close();
      Peek(peeking);
    });
  }

  void Peek(const std::shared_ptr<Peeking>& peeking) {
    const bool tls = peeking->security == Security::kTls;
    const auto look = asio::buffer(peeked_, tls ? kHelloBytesMax : kSniffBytes);
    error_code error;
    const size_t count = peeking->socket.receive(look, tcp::socket::message_peek, error);
    if (error == asio::error::would_block) return WaitReadable(peeking);
    if (error) return peeking->Close();  // Gone again, end of file included.
    const std::string_view seen(peeked_.data(), count);
    switch (tls ? SniffHello(seen) : Sniff(seen)) {
      case Protocol::kHttp2:
        return HandOn(peeking, grpc_);
      case Protocol::kHttp1:
        return HandOn(peeking, http_);
      case Protocol::kTls:
      case Protocol::kGarbage:
        // What was seen is read: a socket closed with unread bytes would be reset.
        peeking->socket.receive(asio::buffer(peeked_, count), 0, error);
        return peeking->Close();
      case Protocol::kUndecided:
        break;
    }
    // What was peeked stays readable, so waiting for readability would return at once: look again a little later.
    peeking->again.expires_after(std::chrono::milliseconds(5));
    peeking->again.async_wait([this, peeking](error_code cancelled) {
      if (!cancelled && peeking->socket.is_open()) Peek(peeking);
    });
  }

  void HandOn(const std::shared_ptr<Peeking>& peeking, const Taker& taker) {
    error_code error;
    peeking->deadline.cancel(error);
    peeking->socket.set_option(tcp::no_delay(true), error);
    peeking->socket.native_non_blocking(true, error);
    const int socket = peeking->socket.release(error);
    if (!error) taker(socket, peeking->security);
  }

  const Options options_;
  const Taker grpc_;
  const Taker http_;
  std::array<char, kHelloBytesMax> peeked_;  // Of the connection looked at just now.
  std::set<Peeking*> peeking_;               // Before io_, whose end may still close some.
  asio::io_context io_{1};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<int> ports_;
  bool stopping_ = false;
  bool refusing_ = false;
  std::thread thread_;
};

ClientPort::ClientPort(Options options, Taker grpc, Taker http)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(grpc), std::move(http))) {}

ClientPort::~ClientPort() { Stop(); }

pd::Result<void> ClientPort::Start() { return impl_->Start(); }

std::vector<int> ClientPort::ports() const { return impl_->ports(); }

void ClientPort::Stop() { impl_->Stop(); }

}  // namespace api

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/tls/security.h"
#include "pd/result.h"

namespace api {

/// The client port: accepts connections, looks at their first bytes and hands the sockets on, unread, to whoever speaks
/// their protocol. One thread; a connection costs it a few system calls in its life. On an address with TLS the
/// client's hello tells the protocol (SniffHello), and who takes the socket makes the handshake; what is no hello is
/// closed there, as hellos are elsewhere.
///
/// Bounds: a connection must show its protocol within `peek_deadline`; no more than `peeking_max` are waiting for
/// that; and a connection is closed at once when the process has fewer than `descriptors_reserved` descriptors left,
/// so that files and peers never starve.
///
/// Lifecycle: construct, Start once, Stop. The takers must be running between Start and Stop.
class ClientPort {
 public:
  struct Address {
    std::string host_port;  // "127.0.0.1:2379", "[::]:0".
    Security security = Security::kPlain;
  };
  struct Options {
    std::vector<Address> listen = {};  // One socket each.
    std::chrono::milliseconds peek_deadline{5000};
    size_t peeking_max = 4096;
    size_t descriptors_reserved = 256;
  };

  /// Takes a connected, non-blocking socket over and closes it in the end.
  using Taker = std::function<void(int socket, Security security)>;

  ClientPort(Options options, Taker grpc, Taker http);
  ~ClientPort();
  ClientPort(const ClientPort&) = delete;
  ClientPort& operator=(const ClientPort&) = delete;

  /// kInvalidArgument for an address that cannot be read, kIo when one cannot be bound.
  pd::Result<void> Start();

  /// The ports in the order of `listen`: what 0 became.
  [[nodiscard]] std::vector<int> ports() const;

  /// Closes the listeners and the connections still waiting to be judged, joins the thread. Idempotent.
  void Stop();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace api

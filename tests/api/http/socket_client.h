#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace api {

/// A plain client socket: sends exactly these bytes, sees exactly what comes.
class SocketClient {
 public:
  explicit SocketClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{20, 0};  // Ends a broken test only.
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  /// Takes one end of a socket pair over.
  struct Adopt {
    int socket;
  };
  explicit SocketClient(Adopt adopted) : socket_(adopted.socket), connected_(true) {}
  ~SocketClient() { close(socket_); }
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void ShutdownWrites() const { shutdown(socket_, SHUT_WR); }

  /// Everything until the other side closes.
  [[nodiscard]] std::string ReadAll() {
    while (Fill()) {
    }
    return std::exchange(buffer_, {});
  }
  /// The last read ended in order: no reset, no time-out.
  [[nodiscard]] bool ended() const { return ended_; }

  /// Up to and with `end`; what the peer closed with if it never came.
  [[nodiscard]] std::string ReadUntil(std::string_view end) {
    while (buffer_.find(end) == std::string::npos) {
      if (!Fill()) return std::exchange(buffer_, {});
    }
    return Cut(buffer_.find(end) + end.size());
  }

  /// One answer with a Content-Length: header block and body.
  [[nodiscard]] std::pair<std::string, std::string> ReadAnswer() {
    std::string head = ReadUntil("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return {head, {}};
    const size_t length = std::stoul(head.substr(at + 16));
    while (buffer_.size() < length && Fill()) {
    }
    return {head, Cut(std::min(length, buffer_.size()))};
  }

 private:
  bool Fill() {
    char bytes[65536];
    const ssize_t size = recv(socket_, bytes, sizeof(bytes), 0);
    ended_ = size == 0;
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(size));
    return true;
  }
  std::string Cut(size_t size) {
    std::string cut = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return cut;
  }

  const int socket_;
  bool connected_ = false;
  bool ended_ = false;
  std::string buffer_;
};

}  // namespace api

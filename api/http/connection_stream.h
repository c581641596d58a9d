#pragma once

#include <memory>
#include <optional>
#include <utility>  // Before Asio: Boost 1.74 forgets it under C++20.

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>

namespace api {

/// The bytes of one connection, plain or over TLS; Asio's AsyncReadStream and AsyncWriteStream. The deadlines of tcp()
/// hold for both. At most one read and one write are under way.
class ConnectionStream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  /// `tls`: null for a plain connection.
  ConnectionStream(boost::asio::ip::tcp::socket socket,
                   std::shared_ptr<boost::asio::ssl::context> tls)
      : tcp_(std::move(socket)), context_(std::move(tls)) {
    if (context_ != nullptr) tls_.emplace(tcp_, *context_);
  }

  [[nodiscard]] executor_type get_executor() { return tcp_.get_executor(); }
  [[nodiscard]] boost::beast::tcp_stream& tcp() { return tcp_; }

  /// `done(error_code)`: the connection is secure, or is plain.
  template <class Done>
  void AsyncHandshake(Done done) {
    if (!tls_) return done(boost::system::error_code());
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
  }

  /// Tells the client that no more will come; `done(error_code)` when it has agreed.
  template <class Done>
  void AsyncGoodbye(Done done) {
    if (!tls_) return done(boost::system::error_code());
    tls_->async_shutdown(std::move(done));
  }

  template <class Buffers, class Done>
  void async_read_some(const Buffers& buffers, Done&& done) {
    tls_ ? tls_->async_read_some(buffers, std::forward<Done>(done))
         : tcp_.async_read_some(buffers, std::forward<Done>(done));
  }
  template <class Buffers, class Done>
  void async_write_some(const Buffers& buffers, Done&& done) {
    tls_ ? tls_->async_write_some(buffers, std::forward<Done>(done))
         : tcp_.async_write_some(buffers, std::forward<Done>(done));
  }

 private:
  boost::beast::tcp_stream tcp_;
  const std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace api

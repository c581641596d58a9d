#include "api/http/store_status_client.h"

#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>

#include "api/tls/http_client.h"
#include "pd/runtime/mutex.h"

namespace api {
namespace {

constexpr size_t kHostBytesMax = 255;  // RFC 1035, 2.3.4.

struct Where {
  std::string host;
  uint16_t port = 0;
};

/// What a store says of itself, so anything may be in it.
std::optional<Where> ParseAddress(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  Where where{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), where.port);
  const bool whole = error == std::errc() && end == port.data() + port.size();
  if (!whole || where.port == 0 || host.empty() || host.size() > kHostBytesMax) return {};
  return where;
}

/// Hangs up when the time is over: what the library bounds is each single read. A store that trickles would else keep
/// its caller for ever.
class HangUp {
 public:
  HangUp(httplib::ClientImpl& client, pd::Millis timeout)
      : client_(client), until_(Now() + timeout), thread_([this] { Run(); }) {}
  ~HangUp() { (void)Done(); }
  HangUp(const HangUp&) = delete;
  HangUp& operator=(const HangUp&) = delete;

  /// The answer is there, or will not come. True when it was too late.
  bool Done() PD_EXCLUDES(mutex_) {
    {
      const pd::MutexLock lock(mutex_);
      done_ = true;
    }
    wake_.NotifyAll();
    if (thread_.joinable()) thread_.join();
    return late_;
  }

 private:
  static constexpr pd::Millis kAgain{50};

  static pd::Nanos Now() { return std::chrono::steady_clock::now().time_since_epoch(); }

  void Run() PD_EXCLUDES(mutex_) {
    while (true) {
      {
        const pd::MutexLock lock(mutex_);
        // When it is late again and again, since there may be no connection yet.
        if (!done_) wake_.WaitFor(mutex_, late_ ? pd::Nanos(kAgain) : until_ - Now());
        if (done_) return;
        if (Now() < until_) continue;
        late_ = true;
      }
      client_.stop();
    }
  }

  httplib::ClientImpl& client_;
  const pd::Nanos until_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  bool done_ PD_GUARDED_BY(mutex_) = false;
  bool late_ = false;  // The thread's own until it has ended.
  std::thread thread_;
};

}  // namespace

pd::Result<std::string> HttpStoreStatusClient::FetchConfig(const std::string& status_address,
                                                           pd::Millis timeout) {
  const auto fail = [](std::string_view what) {
    return pd::Fail(pd::ErrorCode::kUnavailable, std::string(what));
  };
  const std::optional<Where> where = ParseAddress(status_address);
  if (!where) return fail("it is no address");
  const auto client = OpenHttpClient(files_.certificate.empty() ? Tls::kOff : Tls::kOn, where->host,
                                     where->port, files_);
  client->set_connection_timeout(timeout);
  client->set_read_timeout(timeout);
  client->set_write_timeout(timeout);
  std::string body;
  bool too_large = false;
  HangUp hang_up(*client, timeout);
  const auto answer = client->Get(
      "/config", [](const httplib::Response& response) { return response.status == 200; },
      [&](const char* data, size_t size) {
        too_large = body.size() + size > kAnswerBytesMax;
        if (!too_large) body.append(data, size);
        return !too_large;
      });
  if (hang_up.Done()) return fail("the answer takes too long");
  if (too_large) return fail("the answer is too large");
  if (!answer) {
    return fail(answer.error() == httplib::Error::Canceled
                    ? "the answer is not 200"
                    : fmt::format("no answer ({})", httplib::to_string(answer.error())));
  }
  return body;
}

}  // namespace api

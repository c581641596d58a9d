#include "api/http/store_status_client.h"

#include <chrono>

#include <fmt/format.h>
#include <httplib.h>

#include "api/tls/http_client.h"

namespace api {

pd::Result<std::string> HttpStoreStatusClient::FetchConfig(const std::string& status_address,
                                                           pd::Millis timeout) {
  const bool tls = !files_.certificate.empty();
  const auto client =
      OpenHttpClient(fmt::format("{}://{}", tls ? "https" : "http", status_address), files_);
  client->set_connection_timeout(timeout);
  client->set_read_timeout(timeout);
  client->set_write_timeout(timeout);
  const auto fail = [](std::string_view what) {
    return pd::Fail(pd::ErrorCode::kUnavailable, std::string(what));
  };
  // Each read has its time-out; the sum has this.
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string body;
  const char* too_much = nullptr;
  const auto answer = client->Get(
      "/config", [](const httplib::Response& response) { return response.status == 200; },
      [&](const char* data, size_t size) {
        if (body.size() + size > kAnswerBytesMax) too_much = "the answer is too large";
        if (std::chrono::steady_clock::now() > deadline) too_much = "the answer takes too long";
        if (too_much != nullptr) return false;
        body.append(data, size);
        return true;
      });
  if (too_much != nullptr) return fail(too_much);
  if (!answer) {
    return fail(answer.error() == httplib::Error::Canceled
                    ? "the answer is not 200"
                    : fmt::format("no answer ({})", httplib::to_string(answer.error())));
  }
  return body;
}

}  // namespace api

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/http/json.h"
#include "api/http/request.h"
#include "pd/result.h"
#include "scheduler/model/result.h"

namespace api {

/// The outgoing half of a server-sent event stream. Thread-safe; never blocks; may be kept after
/// the client has gone.
class EventSink {
 public:
  virtual ~EventSink() = default;

  /// Queues one event; `event` may be empty, `data` may have several lines. False when the client
  /// is gone or reads too slowly (the stream is then closed).
  virtual bool Send(std::string_view event, std::string_view data) = 0;

  virtual void Close() = 0;
  [[nodiscard]] virtual bool closed() const = 0;
};

/// The answer to one request.
struct HttpResponse {
  int status = 200;
  HttpFields headers;  // Content-Length, Connection, Date and the CORS headers are the server's.
  std::string body;

  /// Set: the answer is a server-sent event stream. The server sends the header block, then calls
  /// this once with the sink; status, headers and body are ignored. The number of open streams is
  /// bounded; one more client gets 503.
  std::function<void(std::shared_ptr<EventSink>)> on_events;

  /// Sets a header, replacing what it was.
  HttpResponse& Set(std::string_view name, std::string_view value);
};

/// The reference's styles of bodies. `Json` is nlohmann::json (keys sorted: maps) or
/// nlohmann::ordered_json.

/// v1, ordinary JSON: two spaces of indent, a newline, application/json; charset=UTF-8. Messages
/// are JSON strings: `return JsonV1(200, "The config is updated.");`
template <class Json>
[[nodiscard]] HttpResponse JsonV1(int status, const Json& value);

/// v1, region bodies: compact JSON as it stands, no newline, application/octet-stream.
[[nodiscard]] HttpResponse RegionsV1(int status, std::string body);

/// v2, success: four spaces of indent, no newline.
template <class Json>
[[nodiscard]] HttpResponse JsonV2(int status, const Json& value);

/// v2, errors, null and short strings: compact, no newline.
template <class Json>
[[nodiscard]] HttpResponse CompactV2(int status, const Json& value);

/// Text as it stands, with `text/plain; charset=UTF-8`.
[[nodiscard]] HttpResponse PlainText(int status, std::string text);

/// What is raised before a handler runs: text and one newline, `text/plain; charset=utf-8`,
/// nosniff.
[[nodiscard]] HttpResponse PlainError(int status, std::string_view text);

/// `404 page not found`.
[[nodiscard]] HttpResponse PageNotFound();

/// An error as v1 gives it: the status of its code (or `status`) and its text as a JSON string.
[[nodiscard]] HttpResponse ErrorResponse(const pd::Error& error);
[[nodiscard]] HttpResponse ErrorResponse(const scheduler::Error& error);
[[nodiscard]] HttpResponse ErrorResponse(int status, std::string_view text);

/// 500 `[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first`
/// (as in the reference).
[[nodiscard]] HttpResponse NotBootstrappedResponse();

/// 400 and the object `{"code":"input","msg":...,"data":...}` with the header TiDB-Error-Code
/// (as in the reference). `data` is `{}` for id parsing and rule checks.
[[nodiscard]] HttpResponse InputError(
    std::string_view text, const nlohmann::ordered_json& data = nlohmann::ordered_json::object());

template <class Json>
HttpResponse JsonV1(int status, const Json& value) {
  return {
      status, {{"Content-Type", "application/json; charset=UTF-8"}}, DumpJson(value, 2) + "\n", {}};
}

template <class Json>
HttpResponse JsonV2(int status, const Json& value) {
  return {status, {{"Content-Type", "application/json; charset=utf-8"}}, DumpJson(value, 4), {}};
}

template <class Json>
HttpResponse CompactV2(int status, const Json& value) {
  return {status, {{"Content-Type", "application/json; charset=utf-8"}}, DumpJson(value, -1), {}};
}

}  // namespace api

#include "api/http/response.h"

#include "api/error_map.h"

namespace api {
namespace {

std::string_view TextOf(std::string_view context, std::string_view fallback) {
  return context.empty() ? fallback : context;
}

}  // namespace

HttpResponse& HttpResponse::Set(std::string_view name, std::string_view value) {
  for (auto& [key, old] : headers) {
    if (EqualsIgnoreCase(key, name)) {
      old = value;
      return *this;
    }
  }
  headers.emplace_back(name, value);
  return *this;
}

HttpResponse RegionsV1(int status, std::string body) {
  return {status, {{"Content-Type", "application/octet-stream"}}, std::move(body), {}};
}

HttpResponse PlainText(int status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=UTF-8"}}, std::move(text), {}};
}

HttpResponse PlainError(int status, std::string_view text) {
  return {status,
          {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}},
          std::string(text) + "\n",
          {}};
}

HttpResponse PageNotFound() { return PlainError(404, "404 page not found"); }

HttpResponse ErrorResponse(const pd::Error& error) {
  if (error.code == pd::ErrorCode::kNotBootstrapped) return NotBootstrappedResponse();
  return ErrorResponse(ToHttpStatus(error.code), TextOf(error.context, ToRpcStatus(error).message));
}

HttpResponse ErrorResponse(const scheduler::Error& error) {
  return ErrorResponse(ToHttpStatus(error.code), TextOf(error.context, ToRpcStatus(error).message));
}

HttpResponse ErrorResponse(int status, std::string_view text) {
  return JsonV1(status, nlohmann::json(std::string(text)));
}

HttpResponse NotBootstrappedResponse() {
  return ErrorResponse(500,
                       "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start "
                       "TiKV first");
}

HttpResponse InputError(std::string_view text, const nlohmann::ordered_json& data) {
  nlohmann::ordered_json body;
  body["code"] = "input";
  body["msg"] = std::string(text);
  body["data"] = data;
  HttpResponse response = JsonV1(400, body);
  response.Set("TiDB-Error-Code", "input");
  return response;
}

}  // namespace api

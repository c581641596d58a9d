#pragma once

#include <algorithm>
#include <string>

#include "api/http/app.h"

namespace api {

/// A request without headers.
inline HttpRequest MakeRequest(const std::string& method, const std::string& target,
                               const std::string& body = "") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  const size_t query = std::min(target.find('?'), target.size());
  request.path = target.substr(0, query);
  if (query < target.size()) request.query = ParseQuery(target.substr(query + 1));
  request.body = body;
  return request;
}

/// Status and body, without line ends and pairs of spaces, so that indented JSON fits on a line.
inline std::string TextOf(const HttpResponse& response) {
  std::string text = std::to_string(response.status) + " " + response.body;
  std::erase_if(text, [](char c) { return c == '\n'; });
  for (size_t at = 0; (at = text.find("  ")) != std::string::npos;) text.erase(at, 2);
  return text;
}

}  // namespace api

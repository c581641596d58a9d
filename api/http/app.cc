#include "api/http/app.h"

#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace api {
namespace {

void AddCors(HttpResponse& response) {
  response.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE");
  response.Set("Access-Control-Allow-Origin", "*");
  response.Set("Access-Control-Allow-Headers", "accept, content-type, authorization");
}

/// Encodes what may not stand in a path; '/' stays.
std::string EncodePath(std::string_view path) {
  static constexpr std::string_view kPlain = "-_.~$&+,/:;=@!*'()";
  std::string encoded;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

/// The 301 to a cleaned path, or nothing when the path is clean.
std::optional<HttpResponse> CleaningRedirect(const HttpRequest& request,
                                             const std::string& decoded) {
  const std::string cleaned = CleanPath(decoded);
  if (cleaned == decoded) return std::nullopt;
  std::string location = EncodePath(cleaned);
  location += request.target.substr(request.path.size());
  HttpResponse response{301, {{"Location", location}}, {}, {}};
  if (request.method == "GET" || request.method == "HEAD") {
    response.Set("Content-Type", "text/html; charset=utf-8");
    response.body = fmt::format("<a href=\"{}\">Moved Permanently</a>.\n\n", location);
  }
  return response;
}

/// What a request says of who calls (as in the reference).
std::string CallerOf(const HttpRequest& request) {
  for (const std::string_view name : {"X-Caller-ID", "component"}) {
    const auto value = request.Header(name).value_or("");
    if (!value.empty()) return std::string(value.substr(0, 64));  // A label value: keep it short.
  }
  return "anonymous";
}

}  // namespace

std::string CallerLabels::LabelOf(const std::string& caller) {
  const pd::MutexLock lock(mutex_);
  if (known_.contains(caller)) return caller;
  if (known_.size() >= kCallersMax) return "other";
  known_.insert(caller);
  return caller;
}

HttpApp::HttpApp(const Router& router, Parts parts) : router_(router), parts_(parts) {
  if (parts_.metrics == nullptr) return;
  requests_ =
      &parts_.metrics->Counters("pd_service_audit_requests_total", "Total number of HTTP requests.",
                                {"service", "method", "caller_component"});
  seconds_ = &parts_.metrics->Histograms(
      "pd_service_audit_handling_seconds", "Time an HTTP request takes to be handled.",
      pd::ExponentialBounds(0.001, 2, 20), {"service", "method"});
}

HttpResponse HttpApp::Serve(HttpRequest request) const {
  HttpResponse response = request.method == "OPTIONS" ? HttpResponse() : Route(request);
  AddCors(response);
  return response;
}

HttpResponse HttpApp::Route(HttpRequest& request) const {
  const auto decoded = PercentDecode(request.path, PlusSign::kLiteral);
  if (!decoded || request.path.empty() || request.path[0] != '/') {
    return PlainText(400, "400 Bad Request");
  }
  if (auto redirect = CleaningRedirect(request, *decoded)) return std::move(*redirect);
  try {
    if (parts_.gate != nullptr) {
      if (auto answer = parts_.gate->Pass(request)) return std::move(*answer);
    }
    Router::Match match = router_.Find(request.method, request.path);
    if (match.handler == nullptr) {
      return match.known_path ? HttpResponse{405, {}, {}, {}} : PageNotFound();
    }
    request.params = std::move(match.params);
    return Call(match, request);
  } catch (const std::exception& error) {
    return PlainText(500, fmt::format("PANIC: {}\n", error.what()));
  }
}

HttpResponse HttpApp::Call(const Router::Match& match, const HttpRequest& request) const {
  const std::string name(match.name);
  const auto start = std::chrono::steady_clock::now();
  if (parts_.limiter != nullptr && !parts_.limiter->Enter(name)) {
    return PlainError(429, "Too Many Requests");
  }
  /// Gives the slot back, and counts, however the handler ends.
  struct Leave {
    ~Leave() {
      if (limiter != nullptr) limiter->Leave(name);
    }
    RateLimiter* limiter;
    const std::string& name;
  };
  const Leave leave{parts_.limiter, name};
  HttpResponse response = (*match.handler)(request);
  if (requests_ != nullptr) {
    requests_->With({name, request.method, callers_.LabelOf(CallerOf(request))}).Add();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    seconds_->With({name, request.method}).Observe(seconds.count());
  }
  return response;
}

std::string CleanPath(std::string_view decoded_path) {
  std::vector<std::string_view> kept;
  std::string_view rest = decoded_path;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string cleaned;
  for (const std::string_view segment : kept) {
    cleaned += '/';
    cleaned += segment;
  }
  if (cleaned.empty() || (!decoded_path.empty() && decoded_path.back() == '/')) cleaned += '/';
  return cleaned;
}

void RegisterMetricsPage(Router& router, pd::MetricsRegistry& metrics) {
  router.Add("GET", "/metrics", "Metrics", [&metrics](const HttpRequest&) {
    return HttpResponse{
        200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics.Render(), {}};
  });
}

}  // namespace api

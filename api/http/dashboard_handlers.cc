#include "api/http/dashboard_handlers.h"

#include <algorithm>
#include <utility>

#include "api/http/web_assets.h"

namespace api {
namespace {

const WebAsset* FindAsset(std::string_view path) {
  const auto assets = WebAssets();
  const auto found = std::find_if(assets.begin(), assets.end(),
                                  [path](const WebAsset& asset) { return asset.path == path; });
  return found == assets.end() ? nullptr : &*found;
}

// The feed may come from another member, hence connect-src *; style attributes carry the heights of bars.
constexpr const char* kContentPolicy =
    "default-src 'self'; connect-src *; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'";

bool TakesGzip(const HttpRequest& request) {
  const auto accepted = request.Header("Accept-Encoding");
  return accepted && accepted->find("gzip") != std::string_view::npos;
}

}  // namespace

HttpResponse ServeWebAsset(const HttpRequest& request, const std::string& path) {
  const WebAsset* asset = FindAsset(path.empty() ? "index.html" : path);
  if (asset == nullptr) return PageNotFound();
  HttpResponse response;
  response.Set("Content-Type", asset->content_type);
  response.Set("ETag", asset->etag);
  response.Set("Cache-Control",
               asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.Set("Vary", "Accept-Encoding");
  response.Set("X-Content-Type-Options", "nosniff");
  response.Set("Content-Security-Policy", kContentPolicy);
  if (request.Header("If-None-Match") == asset->etag) {
    response.status = 304;
    return response;
  }
  if (!asset->gzip.empty() && TakesGzip(request)) {
    response.Set("Content-Encoding", "gzip");
    response.body = asset->gzip;
  } else {
    response.body = asset->bytes;
  }
  return response;
}

void RegisterDashboard(Router& router, DashboardFeed& feed) {
  router.Add("GET", "/dashboard", "Dashboard", [](const HttpRequest& request) {
    HttpResponse response;
    response.status = 301;
    response.Set("Location", "/dashboard/" + request.target.substr(request.path.size()));
    return response;
  });
  router.Add("GET", "/dashboard/{path...}", "Dashboard", [](const HttpRequest& request) {
    return ServeWebAsset(request, std::string(request.Param("path")));
  });
  router.Add("GET", "/qm/api/v1/events", "GetDashboardEvents", [&feed](const HttpRequest&) {
    HttpResponse response;
    response.on_events = [&feed](std::shared_ptr<EventSink> sink) {
      feed.Subscribe(std::move(sink));
    };
    return response;
  });
}

}  // namespace api

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "api/http/app.h"

namespace api {
namespace {

namespace fs = std::filesystem;

std::string_view ContentType(const fs::path& file) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff", "font/woff"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
      {".md", "text/plain; charset=utf-8"},
      {".webmanifest", "application/manifest+json"},
  }};
  const std::string extension = file.extension().string();
  for (const auto& [suffix, type] : kTypes) {
    if (suffix == extension) return type;
  }
  return "application/octet-stream";
}

/// False for what leaves the directory or hides in it: "..", ".git", an absolute path, a NUL.
bool IsPlainPath(std::string_view path) {
  if (path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) {
    return false;
  }
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end == 0 || path[0] == '.') return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

HttpResponse SendFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return PageNotFound();
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  HttpResponse response{
      200, {{"Content-Type", std::string(ContentType(file))}}, std::move(bytes), {}};
  // Vite names what it builds by content, under assets/.
  const bool hashed = file.parent_path().filename() == "assets";
  response.Set("Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
  response.Set("X-Content-Type-Options", "nosniff");
  return response;
}

HttpResponse ServePath(const fs::path& directory, std::string_view path) {
  std::error_code error;
  const fs::path file = directory / fs::path(path);
  if (!path.empty() && !IsPlainPath(path)) return PageNotFound();
  if (!path.empty() && fs::is_regular_file(file, error)) return SendFile(file);
  // A missing file with an extension is a mistake; without one it is a page of the application.
  if (fs::path(path).has_extension()) return PageNotFound();
  return SendFile(directory / "index.html");
}

}  // namespace

void RegisterStaticFiles(Router& router, const std::string& prefix, const std::string& directory) {
  router.Add("GET", prefix, "Dashboard", [prefix](const HttpRequest& request) {
    const std::string query = request.target.substr(request.path.size());
    return HttpResponse{301, {{"Location", prefix + "/" + query}}, {}, {}};
  });
  router.Add("GET", prefix + "/{path...}", "Dashboard",
             [root = fs::path(directory)](const HttpRequest& request) {
               return ServePath(root, request.Param("path"));
             });
}

}  // namespace api

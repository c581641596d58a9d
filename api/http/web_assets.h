#pragma once

#include <span>
#include <string_view>

namespace api {

/// One file of the dashboard, part of the binary.
struct WebAsset {
  std::string_view path;  // Relative to the mount point: "index.html", "assets/index-1a2b.js".
  std::string_view content_type;
  std::string_view etag;  // With its quotes.
  bool immutable;         // The name holds a hash of the contents.
  std::string_view bytes;
  std::string_view gzip;  // Empty when compressing does not pay.
};

/// All files, by ascending path. Defined by the build of web/.
std::span<const WebAsset> WebAssets();

}  // namespace api

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "api/http/response.h"
#include "pd/cluster/region_table.h"
#include "scheduler/model/region.h"

namespace api {

// Regions as JSON, written straight into the body: a cluster has millions of them, and a tree of
// values takes many times what the text does.

/// One region, the reference's RegionInfo, compact, at the end of `out`.
void AppendRegion(const scheduler::Region& region, std::string& out);
/// The answer that shows one region.
[[nodiscard]] HttpResponse RegionResponse(const scheduler::Region& region);

/// The answer that shows many, RegionsInfo, put together region by region. Works on one thread.
class RegionsBody {
 public:
  RegionsBody();

  void Add(const scheduler::Region& region);
  /// Adds at most `limit_max` regions that overlap `range`, in key order. Walks in chunks: what
  /// changes meanwhile is shown as it was or as it is.
  void AddRange(const pd::RegionTable& regions, const scheduler::KeyRange& range, size_t limit_max);

  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] HttpResponse Respond() &&;

 private:
  size_t count_ = 0;
  std::string body_;  // Begins with room for what is known last, the count.
};

/// Hex of either case; the error is Go's text: `encoding/hex: invalid byte: U+0058 'X'`.
[[nodiscard]] tl::expected<std::string, std::string> ParseHexKey(std::string_view hex);

}  // namespace api

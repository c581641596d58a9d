#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// What a load is measured in. As rates: bytes, keys and queries a second, CPU time in percent of one core.
enum class LoadDim : uint8_t { kByte, kKey, kQuery, kCpu };
inline constexpr size_t kLoadDimCount = 4;
inline constexpr std::array<LoadDim, kLoadDimCount> kLoadDims{LoadDim::kByte, LoadDim::kKey,
                                                              LoadDim::kQuery, LoadDim::kCpu};
/// "byte", "key", "query", "cpu": as in settings and on the metrics page.
constexpr const char* LoadDimText(LoadDim dim) {
  constexpr std::array<const char*, kLoadDimCount> kNames{"byte", "key", "query", "cpu"};
  return kNames[static_cast<size_t>(dim)];
}

/// Reads and writes are measured apart. Only reads have a CPU part.
enum class Access : uint8_t { kWrite, kRead };
inline constexpr size_t kAccessCount = 2;
constexpr const char* AccessText(Access access) {
  return access == Access::kRead ? "read" : "write";
}

/// One number for each dimension: a rate, or an amount.
struct Load {
  std::array<double, kLoadDimCount> of{};  // By LoadDim.

  double operator[](LoadDim dim) const { return of[static_cast<size_t>(dim)]; }
  double& operator[](LoadDim dim) { return of[static_cast<size_t>(dim)]; }
  Load& operator+=(const Load& other) {
    for (size_t i = 0; i < kLoadDimCount; ++i) of[i] += other.of[i];
    return *this;
  }
  Load& operator-=(const Load& other) {
    for (size_t i = 0; i < kLoadDimCount; ++i) of[i] -= other.of[i];
    return *this;
  }
  Load& operator*=(double factor) {
    for (double& value : of) value *= factor;
    return *this;
  }
  friend Load operator+(Load a, const Load& b) { return a += b; }
  friend Load operator-(Load a, const Load& b) { return a -= b; }
  friend Load operator*(Load a, double factor) { return a *= factor; }
  friend bool operator==(const Load&, const Load&) = default;

  /// In some dimension not below `bounds`.
  [[nodiscard]] bool ReachesAny(const Load& bounds) const {
    for (size_t i = 0; i < kLoadDimCount; ++i) {
      if (of[i] >= bounds.of[i]) return true;
    }
    return false;
  }
};

/// The reads or writes of a region, as far as they meet one of its peers, where they are many.
struct HotPeer {
  RegionId region;
  StoreId store;
  bool leads = false;
  std::vector<StoreId> stores;  // Of all peers of the region when it was last reported.
  Load load;                    // Rates, smoothed, whole numbers.
  int degree = 0;      // In how many report intervals it was hot, less those in which it was not.
  int anti_count = 0;  // After how many intervals without heat it is forgotten.
  std::optional<Instant> leader_moved;  // When it was last seen that the region has another leader.

  friend bool operator==(const HotPeer&, const HotPeer&) = default;
};

/// The rates of a store, smoothed.
struct StoreLoads {
  Load read;
  Load write;
  Load
      regions_write;  // By the reports of its regions: for stores that do not count what they write.

  [[nodiscard]] const Load& Of(Access access) const {
    return access == Access::kRead ? read : write;
  }
  friend bool operator==(const StoreLoads&, const StoreLoads&) = default;
};

/// A part of a region that is hot, with its rates.
struct HotBucket {
  RegionId region;  // That reported it.
  std::string start_key;
  std::string end_key;
  int degree = 0;  // In how many reports it was hot, less those in which it was not; at most 20.
  Load read;       // Without CPU time.
  Load write;

  friend bool operator==(const HotBucket&, const HotBucket&) = default;
};

}  // namespace scheduler

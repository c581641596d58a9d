#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pd/result.h"
#include "scheduler/model/region.h"

namespace pd {

/// The part of its stores' configuration that the cluster plans with: at what size TiKV splits a region and into what
/// parts, whether it reports buckets, and its engine. Where nothing was learned: TiKV's defaults as the reference has
/// them.
struct StoreConfig {
  scheduler::RegionBounds bounds;
  std::string engine;           // "raft-kv2", or else the older one.
  bool region_buckets = false;  // Regions report loads of their parts.

  friend bool operator==(const StoreConfig&, const StoreConfig&) = default;
};

/// From the answer to GET /config at a store's status address: JSON, of which only the sections "coprocessor" and
/// "storage" are looked at. Sizes are texts such as "144MiB", rounded down to MiB, or numbers of bytes. What is missing
/// has its default; a missing maximum is half as much again as the size of the parts, which is TiKV's rule.
/// kInvalidArgument names what is wrong: no JSON, no such section, a value of the wrong kind, parts of less than 1 MiB
/// or one key, of more than a PiB or 10^15 keys, or a maximum below the parts. Pure.
[[nodiscard]] Result<StoreConfig> ParseStoreConfig(std::string_view json);

/// Where a store's status is asked for, "host:port". A store on another machine may say that its status address is on
/// the loopback or on any of its interfaces, which leads nowhere from here: the host of `address`, unless that is local
/// as well, takes its place (as in the reference). Empty when there is no `status_address`. Pure.
[[nodiscard]] std::string ReachableStatusAddress(std::string_view status_address,
                                                 std::string_view address);

}  // namespace pd

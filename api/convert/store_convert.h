#pragma once

#include "proto/pdpb.pb.h"
#include "scheduler/model/store.h"

namespace api {

/// What a store says of itself.
[[nodiscard]] scheduler::StoreStats StatsOf(const pdpb::StoreStats& message);

}  // namespace api

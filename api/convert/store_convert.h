#pragma once

#include "proto/metapb.pb.h"
#include "proto/pdpb.pb.h"
#include "scheduler/model/store.h"

namespace api {

// Stores between the wire and the model; as lenient as the conversion of regions.

[[nodiscard]] scheduler::Store StoreOf(const metapb::Store& message);
void SetStore(const scheduler::Store& store, metapb::Store& out);

[[nodiscard]] scheduler::StoreStats StatsOf(const pdpb::StoreStats& message);

}  // namespace api

#pragma once

#include <optional>

#include <grpcpp/support/status.h>

#include "proto/pdpb.pb.h"
#include "tests/storesim/balance.h"
#include "tests/storesim/world.h"

namespace storesim {

/// Words of a store, as TiKV says them. `now_unix_s` and `since_unix_s` bound the interval of the report.
pdpb::RegionHeartbeatRequest RegionReport(const World& world, const Region& region, int64_t now_ms,
                                          uint64_t now_unix_s);
pdpb::StoreHeartbeatRequest StoreReport(const Store& store, Load load, int64_t interval_ms,
                                        uint64_t now_unix_s);
/// What the store reads of a region that it leads.
void AddReads(const Region& region, int64_t interval_ms, pdpb::StoreStats& stats);
metapb::Store StoreMeta(const Store& store, uint64_t now_unix_s);
metapb::Region RegionMeta(const Region& region);

/// What the driver asks for, a split still without ids; nothing for what the simulation does not carry out (merges,
/// witnesses, splits without keys).
std::optional<StepRequest> ReadStep(const pdpb::RegionHeartbeatResponse& response);

/// The ids that a driver gives for a split.
std::vector<SplitIds> ReadSplitIds(const pdpb::AskBatchSplitResponse& response);

/// What an answer to GetOperator says. Of a region that the driver has no operator for, nor a record of one, it says
/// REGION_NOT_FOUND; every other failure says nothing.
DriverSays ReadOperator(const grpc::Status& status, const pdpb::GetOperatorResponse& response);

}  // namespace storesim

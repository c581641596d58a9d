#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "api/grpc/cluster_calls.h"
#include "pd/codec/metapb_codec.h"

// Stores (as in the reference).

namespace api {
namespace {

constexpr std::array<std::string_view, 4> kEngines = {"", "tikv", "tiflash", "tiflash_compute"};

RpcResult<pdpb::PutStoreResponse> PutStore(const ClusterCalls& calls,
                                           const pdpb::PutStoreRequest& request) {
  using Response = pdpb::PutStoreResponse;
  if (!request.has_store()) {
    return BadAnswer<Response>(calls, pdpb::UNKNOWN, "invalid put store <nil>");
  }
  const scheduler::Store store = pd::StoreOf(request.store());
  if (calls.cluster.stores().NodeStateOf(store.id) == scheduler::NodeState::kRemoved) {
    return BadAnswer<Response>(calls, pdpb::STORE_TOMBSTONE, "store is tombstone");
  }
  const std::string_view engine = store.Label(scheduler::kEngineLabel);
  if (std::ranges::find(kEngines, engine) == kEngines.end()) {
    return BadAnswer<Response>(
        calls, pdpb::INVALID_VALUE,
        fmt::format("invalid store engine label value: \"{}\", valid values are \"tikv\", "
                    "\"tiflash\", \"tiflash_compute\" or empty",
                    engine));
  }
  if (store.IsTiFlash() && !calls.cluster.config().online()->replication.enable_placement_rules) {
    return BadAnswer<Response>(calls, pdpb::UNKNOWN, "placement rules is disabled");
  }
  if (auto put = calls.cluster.stores().Put(store); !put) {
    if (put.error().code == pd::ErrorCode::kConflict) {
      return BadAnswer<Response>(calls, pdpb::STORE_TOMBSTONE, put.error().context);
    }
    return UnknownAnswer<Response>(calls, put.error());
  }
  auto response = GoodAnswer<Response>(calls);
  response.mutable_replication_status();
  return response;
}

RpcResult<pdpb::GetStoreResponse> GetStore(const ClusterCalls& calls,
                                           const pdpb::GetStoreRequest& request) {
  const scheduler::StoreId id{request.store_id()};
  const auto store = calls.cluster.stores().Find(id);
  if (!store) {
    return BadAnswer<pdpb::GetStoreResponse>(
        calls, pdpb::UNKNOWN, fmt::format("invalid store ID {}, not found", id.value));
  }
  auto response = GoodAnswer<pdpb::GetStoreResponse>(calls);
  pd::SetStore(*store, *response.mutable_store());
  response.mutable_stats()->ParseFromString(calls.cluster.stores().RawStats(id));
  return response;
}

RpcResult<pdpb::GetAllStoresResponse> GetAllStores(const ClusterCalls& calls,
                                                   const pdpb::GetAllStoresRequest& request) {
  auto response = GoodAnswer<pdpb::GetAllStoresResponse>(calls);
  for (const scheduler::Store& store : calls.cluster.stores().All()) {
    if (request.exclude_tombstone_stores() && store.IsRemoved()) continue;
    pd::SetStore(store, *response.add_stores());
  }
  return response;
}

}  // namespace

void AddStoreHandlers(MethodRegistry& registry, const ClusterCalls& calls) {
  AddRunningCall<pdpb::GetStoreRequest, pdpb::GetStoreResponse>(
      registry, calls, "/pdpb.PD/GetStore", kPdpbFast,
      [calls](const pdpb::GetStoreRequest& request) { return GetStore(calls, request); });
  AddRunningCall<pdpb::GetAllStoresRequest, pdpb::GetAllStoresResponse>(
      registry, calls, "/pdpb.PD/GetAllStores", kPdpbFast,
      [calls](const pdpb::GetAllStoresRequest& request) { return GetAllStores(calls, request); });
  AddRunningCall<pdpb::PutStoreRequest, pdpb::PutStoreResponse>(
      registry, calls, "/pdpb.PD/PutStore", kPdpbBlocking,
      [calls](const pdpb::PutStoreRequest& request) { return PutStore(calls, request); });
}

}  // namespace api

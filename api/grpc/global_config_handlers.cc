#include "api/grpc/global_config_handlers.h"

#include <utility>

#include <fmt/format.h>

#include "api/error_map.h"
#include "api/grpc/request_checks.h"
#include "api/grpc/watch_session.h"

namespace api {
namespace {

constexpr pd::Millis kTimeout{3000};
constexpr MethodOptions kBlocking{RunOn::kPool, Forwarding::kNone, RateLimited::kYes};
// The reference's members all write, and read what was written: here the leader does it for them.
constexpr MethodOptions kByLeader{RunOn::kPool, Forwarding::kToLeader, RateLimited::kYes};
constexpr std::string_view kRoot = "/global/config/";
constexpr std::string_view kController = "resource_group/controller";

/// The folder to work in, or nothing when it lies elsewhere.
std::optional<std::string> FolderOf(const std::string& path) {
  if (path.empty() || path == "/global/config") return std::string(kRoot);
  if (path.starts_with(kRoot)) return path;
  return std::nullopt;
}

RpcStatus NotAllowed(const std::string& path) {
  return {StatusCode::kInvalidArgument,
          fmt::format("global config path \"{}\" is not allowed", path)};
}

std::string KeyIn(const std::string& folder, const std::string& name) {
  if (name.empty()) return folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder;
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

RpcResult<pdpb::StoreGlobalConfigResponse> Store(pd::PdServer& server,
                                                 const pdpb::StoreGlobalConfigRequest& request) {
  if (auto refused = CheckStarted(server)) return FailRpc(*refused);
  const auto folder = FolderOf(request.config_path());
  if (!folder) return FailRpc(NotAllowed(request.config_path()));
  pd::KvTxn txn;
  for (const pdpb::GlobalConfigItem& item : request.changes()) {
    if (item.kind() == pdpb::DELETE) {
      pd::DeleteRequest gone;
      gone.key = KeyIn(*folder, item.name());
      txn.then.emplace_back(std::move(gone));
    } else {
      pd::PutRequest put;
      put.key = KeyIn(*folder, item.name());
      put.value = item.value().empty() ? item.payload() : item.value();
      txn.then.emplace_back(std::move(put));
    }
  }
  if (txn.then.empty()) return pdpb::StoreGlobalConfigResponse();
  const auto written = server.meta().Txn(std::move(txn), kTimeout);
  if (!written) return FailRpc(ToRpcStatus(written.error()));
  return pdpb::StoreGlobalConfigResponse();
}

RpcResult<pdpb::LoadGlobalConfigResponse> LoadNames(pd::PdServer& server, const std::string& folder,
                                                    const pdpb::LoadGlobalConfigRequest& request) {
  pdpb::LoadGlobalConfigResponse response;
  for (const std::string& name : request.names()) {
    pdpb::GlobalConfigItem& item = *response.add_items();
    item.set_name(name);
    const auto found = server.meta().Get(KeyIn(folder, name), pd::Consistency::kLocal);
    if (found && *found) {
      item.set_payload((*found)->value);
      continue;
    }
    item.mutable_error()->set_type(found ? pdpb::GLOBAL_CONFIG_NOT_FOUND : pdpb::UNKNOWN);
    item.mutable_error()->set_message(found ? fmt::format("key {} not found", name)
                                            : found.error().context);
  }
  return response;
}

RpcResult<pdpb::LoadGlobalConfigResponse> Load(pd::PdServer& server,
                                               const pdpb::LoadGlobalConfigRequest& request) {
  if (auto refused = CheckStarted(server)) return FailRpc(*refused);
  auto folder = FolderOf(request.config_path());
  if (!folder && request.config_path() == kController && request.names().empty()) {
    folder = request.config_path();
  }
  if (!folder) return FailRpc(NotAllowed(request.config_path()));
  if (!request.names().empty()) return LoadNames(server, *folder, request);
  pd::RangeRequest range;
  range.key = *folder;
  range.range_end = pd::PrefixEnd(*folder);
  const auto found = server.meta().Range(range, pd::Consistency::kLocal);
  if (!found) return FailRpc(ToRpcStatus(found.error()));
  pdpb::LoadGlobalConfigResponse response;
  response.set_revision(found->revision);
  for (const pd::KeyValue& pair : found->kvs) {
    pdpb::GlobalConfigItem& item = *response.add_items();
    item.set_name(pair.key);
    item.set_payload(pair.value);
  }
  return response;
}

bool EncodeChanges(const std::vector<pd::Event>& events, pd::Revision revision,
                   pdpb::WatchGlobalConfigResponse& out) {
  for (const pd::Event& event : events) {
    const bool put = event.type == pd::Event::Type::kPut;
    if (!put && event.prev_kv.version == 0) continue;  // What was deleted is compacted away.
    pdpb::GlobalConfigItem& item = *out.add_changes();
    item.set_name(event.kv.key);
    item.set_kind(put ? pdpb::PUT : pdpb::DELETE);
    item.set_payload(put ? event.kv.value : event.prev_kv.value);
  }
  out.set_revision(revision);
  return out.changes_size() != 0;
}

std::unique_ptr<ServerStreamSession> OpenWatch(pd::PdServer& server,
                                               const pdpb::WatchGlobalConfigRequest& request,
                                               StreamSink<pdpb::WatchGlobalConfigResponse> sink) {
  auto refused = CheckStarted(server);
  const auto folder = FolderOf(request.config_path());
  if (!refused && !folder) refused = NotAllowed(request.config_path());
  if (refused) {
    sink.Finish(*refused);
    return nullptr;
  }
  pd::WatchRequest watch;
  watch.key = *folder;
  watch.range_end = pd::PrefixEnd(*folder);
  watch.start_revision = request.revision();
  watch.prev_kv = true;
  const pd::Revision start = watch.start_revision;
  return WatchSession<pdpb::WatchGlobalConfigResponse>::Open(
      server.meta(), std::move(watch), std::move(sink), EncodeChanges,
      [&server, start](const pd::Error& error, pd::Revision compacted) {
        pdpb::WatchGlobalConfigResponse response;
        const bool is_compacted = error.code == pd::ErrorCode::kCompacted;
        SetHeaderError(*response.mutable_header(), server.cluster_id(),
                       is_compacted ? pdpb::DATA_COMPACTED : pdpb::UNKNOWN,
                       is_compacted
                           ? fmt::format("required watch revision: {} is smaller than current "
                                         "compact/min revision {}.",
                                         start, compacted)
                           : fmt::format("watch channel meet other error {}.", error.context));
        return response;
      });
}

}  // namespace

void RegisterGlobalConfigHandlers(MethodRegistry& methods, pd::PdServer& server) {
  methods.Unary<pdpb::StoreGlobalConfigRequest, pdpb::StoreGlobalConfigResponse>(
      "/pdpb.PD/StoreGlobalConfig", kByLeader,
      [&server](const CallContext&, const pdpb::StoreGlobalConfigRequest& request) {
        return Store(server, request);
      });
  methods.Unary<pdpb::LoadGlobalConfigRequest, pdpb::LoadGlobalConfigResponse>(
      "/pdpb.PD/LoadGlobalConfig", kByLeader,
      [&server](const CallContext&, const pdpb::LoadGlobalConfigRequest& request) {
        return Load(server, request);
      });
  methods.ServerStream<pdpb::WatchGlobalConfigRequest, pdpb::WatchGlobalConfigResponse>(
      "/pdpb.PD/WatchGlobalConfig", kBlocking,
      [&server](const CallContext&, const pdpb::WatchGlobalConfigRequest& request,
                StreamSink<pdpb::WatchGlobalConfigResponse> sink) {
        return OpenWatch(server, request, std::move(sink));
      });
}

}  // namespace api

#include "api/grpc/meta_storage_handlers.h"

#include <utility>

#include <fmt/format.h>

#include "api/grpc/request_checks.h"
#include "api/grpc/watch_session.h"
#include "proto/meta_storagepb.pb.h"

namespace api {
namespace {

namespace ms = ::meta_storagepb;

constexpr pd::Millis kTimeout{3000};
constexpr MethodOptions kBlocking{RunOn::kPool, Forwarding::kNone, RateLimited::kNo};

void FillHeader(const pd::PdServer& server, pd::Revision revision, ms::ResponseHeader& header) {
  header.set_cluster_id(server.cluster_id());
  header.set_revision(revision);
}

/// Status OK with the error in the header, as the reference answers storage trouble.
template <class Response>
RpcResult<Response> Trouble(const pd::PdServer& server, const pd::Error& error) {
  if (error.code == pd::ErrorCode::kNotLeader)
    return FailRpc(StatusCode::kUnavailable, "not leader");
  Response response;
  response.mutable_header()->set_cluster_id(server.cluster_id());
  response.mutable_header()->mutable_error()->set_type(ms::UNKNOWN);
  response.mutable_header()->mutable_error()->set_message(error.context);
  return response;
}

/// Unary answers carry key and value only (as in the reference).
void FillPair(const pd::KeyValue& pair, ms::KeyValue& message) {
  message.set_key(pair.key);
  message.set_value(pair.value);
}

void FillWhole(const pd::KeyValue& pair, ms::KeyValue& message) {
  FillPair(pair, message);
  message.set_create_revision(pair.create_revision);
  message.set_mod_revision(pair.mod_revision);
  message.set_version(pair.version);
  message.set_lease(pair.lease);
}

RpcResult<ms::GetResponse> Get(pd::PdServer& server, const ms::GetRequest& request) {
  if (auto refused = CheckServing(server)) return FailRpc(*refused);
  pd::RangeRequest range;
  range.key = request.key();
  range.range_end = request.range_end();
  range.limit = request.limit();
  range.revision = request.revision();
  const auto found = server.meta().Range(range);
  if (!found) return Trouble<ms::GetResponse>(server, found.error());
  ms::GetResponse response;
  FillHeader(server, found->revision, *response.mutable_header());
  for (const pd::KeyValue& pair : found->kvs) FillPair(pair, *response.add_kvs());
  response.set_more(found->more);
  response.set_count(found->count);
  return response;
}

RpcResult<ms::PutResponse> Put(pd::PdServer& server, const ms::PutRequest& request) {
  if (auto refused = CheckServing(server)) return FailRpc(*refused);
  pd::PutRequest put;
  put.key = request.key();
  put.value = request.value();
  put.lease = request.lease();
  put.prev_kv = request.prev_kv();
  pd::KvTxn txn;
  txn.then.emplace_back(std::move(put));
  const auto written = server.meta().Txn(std::move(txn), kTimeout);
  if (!written) return Trouble<ms::PutResponse>(server, written.error());
  ms::PutResponse response;
  FillHeader(server, written->revision, *response.mutable_header());
  const auto* result = std::get_if<pd::PutResult>(&written->responses.front());
  if (result != nullptr && result->prev_kv.version != 0) {
    FillPair(result->prev_kv, *response.mutable_prev_kv());
  }
  return response;
}

RpcResult<ms::DeleteResponse> Delete(pd::PdServer& server, const ms::DeleteRequest& request) {
  if (auto refused = CheckServing(server)) return FailRpc(*refused);
  pd::DeleteRequest gone;
  gone.key = request.key();  // One key only: the reference ignores range_end.
  gone.prev_kv = request.prev_kv();
  pd::KvTxn txn;
  txn.then.emplace_back(std::move(gone));
  const auto written = server.meta().Txn(std::move(txn), kTimeout);
  if (!written) return Trouble<ms::DeleteResponse>(server, written.error());
  ms::DeleteResponse response;
  FillHeader(server, written->revision, *response.mutable_header());
  const auto* result = std::get_if<pd::DeleteResult>(&written->responses.front());
  if (result == nullptr) return response;
  for (const pd::KeyValue& pair : result->prev_kvs) FillPair(pair, *response.add_prev_kvs());
  return response;
}

bool EncodeEvents(const pd::PdServer& server, const std::vector<pd::Event>& events,
                  pd::Revision revision, ms::WatchResponse& out) {
  if (events.empty()) return false;
  FillHeader(server, revision, *out.mutable_header());
  for (const pd::Event& event : events) {
    ms::Event& message = *out.add_events();
    message.set_type(event.type == pd::Event::Type::kPut ? ms::Event::PUT : ms::Event::DELETE);
    FillWhole(event.kv, *message.mutable_kv());
    if (event.prev_kv.version != 0) FillPair(event.prev_kv, *message.mutable_prev_kv());
  }
  return true;
}

std::unique_ptr<ServerStreamSession> OpenWatch(pd::PdServer& server,
                                               const ms::WatchRequest& request,
                                               StreamSink<ms::WatchResponse> sink) {
  if (auto refused = CheckServing(server)) {
    sink.Finish(*refused);
    return nullptr;
  }
  pd::WatchRequest watch;
  watch.key = request.key();
  watch.range_end = request.range_end();
  watch.start_revision = request.start_revision();
  watch.prev_kv = request.prev_kv();
  const pd::Revision start = watch.start_revision;
  return WatchSession<ms::WatchResponse>::Open(
      server.meta(), std::move(watch), std::move(sink),
      [&server](const std::vector<pd::Event>& events, pd::Revision revision,
                ms::WatchResponse& out) { return EncodeEvents(server, events, revision, out); },
      [&server, start](const pd::Error& error, pd::Revision compacted) {
        ms::WatchResponse response;
        response.mutable_header()->set_cluster_id(server.cluster_id());
        ms::Error& header = *response.mutable_header()->mutable_error();
        if (error.code == pd::ErrorCode::kCompacted) {
          header.set_type(ms::DATA_COMPACTED);
          header.set_message(fmt::format(
              "required watch revision: {} is smaller than current compact/min revision {}.", start,
              compacted));
          response.set_compact_revision(compacted);
        } else {
          header.set_type(ms::UNKNOWN);
          header.set_message(error.context);
        }
        return response;
      });
}

}  // namespace

void RegisterMetaStorageHandlers(MethodRegistry& methods, pd::PdServer& server) {
  methods.Unary<ms::GetRequest, ms::GetResponse>(
      "/meta_storagepb.MetaStorage/Get", kBlocking,
      [&server](const CallContext&, const ms::GetRequest& request) {
        return Get(server, request);
      });
  methods.Unary<ms::PutRequest, ms::PutResponse>(
      "/meta_storagepb.MetaStorage/Put", kBlocking,
      [&server](const CallContext&, const ms::PutRequest& request) {
        return Put(server, request);
      });
  methods.Unary<ms::DeleteRequest, ms::DeleteResponse>(
      "/meta_storagepb.MetaStorage/Delete", kBlocking,
      [&server](const CallContext&, const ms::DeleteRequest& request) {
        return Delete(server, request);
      });
  methods.ServerStream<ms::WatchRequest, ms::WatchResponse>(
      "/meta_storagepb.MetaStorage/Watch", kBlocking,
      [&server](const CallContext&, const ms::WatchRequest& request,
                StreamSink<ms::WatchResponse> sink) {
        return OpenWatch(server, request, std::move(sink));
      });
}

}  // namespace api

#include "api/error_map.h"

#include <cstdlib>

namespace api {
namespace {

/// The code, and the reference's words for an error that brings none of its own.
struct StatusFace {
  StatusCode code;
  const char* text;
};

StatusFace FaceOf(pd::ErrorCode code) {
  switch (code) {
    case pd::ErrorCode::kNotStarted:
      return {StatusCode::kUnavailable, "server not started"};
    case pd::ErrorCode::kNotLeader:
      return {StatusCode::kUnavailable, "not leader"};
    case pd::ErrorCode::kNotBootstrapped:
      return {StatusCode::kUnknown, "cluster is not bootstrapped"};
    case pd::ErrorCode::kTimeout:
      return {StatusCode::kDeadlineExceeded, "timeout"};
    case pd::ErrorCode::kQueueFull:
      return {StatusCode::kResourceExhausted, "too many requests waiting"};
    case pd::ErrorCode::kConflict:
      return {StatusCode::kUnknown,
              "[PD:etcd:ErrEtcdTxnConflict]etcd transaction failed, conflicted and rolled back"};
    case pd::ErrorCode::kNotFound:
      return {StatusCode::kUnknown, "not found"};
    case pd::ErrorCode::kAlreadyExists:
      return {StatusCode::kUnknown, "already exists"};
    case pd::ErrorCode::kInvalidArgument:
      return {StatusCode::kUnknown, "invalid argument"};
    case pd::ErrorCode::kStaleEpoch:
      return {StatusCode::kUnknown, "region is stale"};
    case pd::ErrorCode::kRangeOverlap:
      return {StatusCode::kUnknown, "region is stale"};
    case pd::ErrorCode::kExhausted:
      return {StatusCode::kUnknown, "[PD:idalloc:ErrIDExhausted]id exhausted"};
    case pd::ErrorCode::kCompacted:
      return {StatusCode::kUnknown, "required revision has been compacted"};
    case pd::ErrorCode::kUnavailable:
      return {StatusCode::kUnavailable, "unavailable"};
    case pd::ErrorCode::kCorrupt:
      return {StatusCode::kUnknown, "corrupt data"};
    case pd::ErrorCode::kIo:
      return {StatusCode::kUnknown, "input/output error"};
  }
  std::abort();  // A value outside the enum: memory is broken.
}

StatusFace FaceOf(scheduler::ErrorCode code) {
  switch (code) {
    case scheduler::ErrorCode::kInvalidArgument:
      return {StatusCode::kUnknown, "invalid argument"};
    case scheduler::ErrorCode::kRegionNotFound:
      return {StatusCode::kUnknown, "region not found"};
    case scheduler::ErrorCode::kStoreNotFound:
      return {StatusCode::kUnknown, "store not found"};
    case scheduler::ErrorCode::kStaleEpoch:
      return {StatusCode::kUnknown, "region is stale"};
    case scheduler::ErrorCode::kRangeOverlap:
      return {StatusCode::kUnknown, "region is stale"};
    case scheduler::ErrorCode::kConflict:
      return {StatusCode::kUnknown, "conflict"};
    case scheduler::ErrorCode::kLimited:
      return {StatusCode::kUnknown, "limited"};
  }
  std::abort();
}

RpcStatus WithText(StatusFace face, const std::string& context) {
  return {face.code, context.empty() ? std::string(face.text) : context};
}

}  // namespace

RpcStatus ToRpcStatus(const pd::Error& error) {
  return WithText(FaceOf(error.code), error.context);
}

RpcStatus ToRpcStatus(const scheduler::Error& error) {
  return WithText(FaceOf(error.code), error.context);
}

pdpb::ErrorType ToHeaderErrorType(pd::ErrorCode code) {
  switch (code) {
    case pd::ErrorCode::kNotBootstrapped:
      return pdpb::NOT_BOOTSTRAPPED;
    case pd::ErrorCode::kCompacted:
      return pdpb::DATA_COMPACTED;
    case pd::ErrorCode::kNotStarted:
    case pd::ErrorCode::kNotLeader:
    case pd::ErrorCode::kTimeout:
    case pd::ErrorCode::kQueueFull:
    case pd::ErrorCode::kConflict:
    case pd::ErrorCode::kNotFound:
    case pd::ErrorCode::kAlreadyExists:
    case pd::ErrorCode::kInvalidArgument:
    case pd::ErrorCode::kStaleEpoch:
    case pd::ErrorCode::kRangeOverlap:
    case pd::ErrorCode::kExhausted:
    case pd::ErrorCode::kUnavailable:
    case pd::ErrorCode::kCorrupt:
    case pd::ErrorCode::kIo:
      return pdpb::UNKNOWN;
  }
  std::abort();
}

pdpb::ErrorType ToHeaderErrorType(scheduler::ErrorCode code) {
  switch (code) {
    case scheduler::ErrorCode::kRegionNotFound:
      return pdpb::REGION_NOT_FOUND;
    case scheduler::ErrorCode::kInvalidArgument:
    case scheduler::ErrorCode::kStoreNotFound:
    case scheduler::ErrorCode::kStaleEpoch:
    case scheduler::ErrorCode::kRangeOverlap:
    case scheduler::ErrorCode::kConflict:
    case scheduler::ErrorCode::kLimited:
      return pdpb::UNKNOWN;
  }
  std::abort();
}

int ToHttpStatus(pd::ErrorCode code) {
  switch (code) {
    case pd::ErrorCode::kInvalidArgument:
      return 400;
    case pd::ErrorCode::kNotFound:
      return 404;
    case pd::ErrorCode::kQueueFull:
      return 429;
    case pd::ErrorCode::kNotLeader:
    case pd::ErrorCode::kUnavailable:
      return 503;
    case pd::ErrorCode::kNotStarted:
    case pd::ErrorCode::kNotBootstrapped:
    case pd::ErrorCode::kTimeout:
    case pd::ErrorCode::kConflict:
    case pd::ErrorCode::kAlreadyExists:
    case pd::ErrorCode::kStaleEpoch:
    case pd::ErrorCode::kRangeOverlap:
    case pd::ErrorCode::kExhausted:
    case pd::ErrorCode::kCompacted:
    case pd::ErrorCode::kCorrupt:
    case pd::ErrorCode::kIo:
      return 500;
  }
  std::abort();
}

int ToHttpStatus(scheduler::ErrorCode code) {
  switch (code) {
    case scheduler::ErrorCode::kInvalidArgument:
      return 400;
    case scheduler::ErrorCode::kRegionNotFound:
    case scheduler::ErrorCode::kStoreNotFound:
      return 404;
    case scheduler::ErrorCode::kStaleEpoch:
    case scheduler::ErrorCode::kRangeOverlap:
    case scheduler::ErrorCode::kConflict:
    case scheduler::ErrorCode::kLimited:
      return 500;
  }
  std::abort();
}

bool EndsCall(pd::ErrorCode code) {
  return code == pd::ErrorCode::kNotStarted || code == pd::ErrorCode::kNotLeader;
}

void SetHeaderError(pdpb::ResponseHeader& header, uint64_t cluster_id, pdpb::ErrorType type,
                    std::string text) {
  header.set_cluster_id(cluster_id);
  header.mutable_error()->set_type(type);
  header.mutable_error()->set_message(std::move(text));
}

}  // namespace api

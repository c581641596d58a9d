#include "api/error_map.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

TEST_CASE("an error has three faces") {
  struct Row {
    pd::ErrorCode code;
    StatusCode status;
    pdpb::ErrorType type;
    int http;
    bool ends_call;
  };
  const std::vector<Row> rows = {
      {pd::ErrorCode::kNotLeader, StatusCode::kUnavailable, pdpb::UNKNOWN, 503, true},
      {pd::ErrorCode::kNotStarted, StatusCode::kUnavailable, pdpb::UNKNOWN, 500, true},
      {pd::ErrorCode::kNotBootstrapped, StatusCode::kUnknown, pdpb::NOT_BOOTSTRAPPED, 500, false},
      {pd::ErrorCode::kTimeout, StatusCode::kDeadlineExceeded, pdpb::UNKNOWN, 500, false},
      {pd::ErrorCode::kQueueFull, StatusCode::kResourceExhausted, pdpb::UNKNOWN, 429, false},
      {pd::ErrorCode::kNotFound, StatusCode::kUnknown, pdpb::UNKNOWN, 404, false},
      {pd::ErrorCode::kInvalidArgument, StatusCode::kUnknown, pdpb::UNKNOWN, 400, false},
      {pd::ErrorCode::kCompacted, StatusCode::kUnknown, pdpb::DATA_COMPACTED, 500, false},
  };
  for (const Row& row : rows) {
    INFO(static_cast<int>(row.code));
    CHECK(ToRpcStatus(pd::Error{row.code, "x"}) == RpcStatus{row.status, "x"});
    CHECK_FALSE(ToRpcStatus(pd::Error{row.code, ""}).message.empty());
    CHECK(ToHeaderErrorType(row.code) == row.type);
    CHECK(ToHttpStatus(row.code) == row.http);
    CHECK(EndsCall(row.code) == row.ends_call);
  }
  CHECK(ToRpcStatus(pd::Error{pd::ErrorCode::kNotLeader, ""}).message == "not leader");
  CHECK(ToRpcStatus(pd::Error{pd::ErrorCode::kNotStarted, ""}).message == "server not started");
}

TEST_CASE("the planner's errors have them too") {
  const auto codes = {scheduler::ErrorCode::kInvalidArgument, scheduler::ErrorCode::kRegionNotFound,
                      scheduler::ErrorCode::kStoreNotFound,   scheduler::ErrorCode::kStaleEpoch,
                      scheduler::ErrorCode::kRangeOverlap,    scheduler::ErrorCode::kConflict,
                      scheduler::ErrorCode::kLimited};
  for (const scheduler::ErrorCode code : codes) {
    CHECK(ToRpcStatus(scheduler::Error{code, "x"}) == RpcStatus{StatusCode::kUnknown, "x"});
    CHECK(ToHttpStatus(code) >= 400);
  }
  CHECK(ToHeaderErrorType(scheduler::ErrorCode::kRegionNotFound) == pdpb::REGION_NOT_FOUND);
  CHECK(ToHttpStatus(scheduler::ErrorCode::kRegionNotFound) == 404);
}

TEST_CASE("a failed call ends, or answers with its header") {
  const auto ended = AnswerError<pdpb::AllocIDResponse>(7, {pd::ErrorCode::kNotLeader, ""});
  REQUIRE_FALSE(ended);
  CHECK(ended.error() == RpcStatus{StatusCode::kUnavailable, "not leader"});
  const auto answered = AnswerError<pdpb::AllocIDResponse>(7, {pd::ErrorCode::kIo, "disk"});
  REQUIRE(answered);
  CHECK(answered->header().cluster_id() == 7);
  CHECK(answered->header().error().type() == pdpb::UNKNOWN);
  CHECK(answered->header().error().message() == "disk");
}

}  // namespace
}  // namespace api

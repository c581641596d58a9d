#include "api/grpc/call_hooks.h"

#include <string>
#include <vector>

namespace api {
namespace {

/// Bounds in seconds, as the usual gRPC instrumentation has them.
const std::vector<double> kHandlingBounds = {.0005, .001, .0025, .005, .01, .025, .05,
                                             .1,    .25,  .5,    1,    2.5, 5,    10};

const std::vector<std::string> kMethodLabels = {"grpc_type", "grpc_service", "grpc_method"};

std::vector<std::string> LabelsOf(const MethodRegistry::Method& method) {
  return {method.grpc_type, method.service, method.name};
}

std::vector<std::string> LabelsOf(const MethodRegistry::Method& method, StatusCode code) {
  std::vector<std::string> labels = LabelsOf(method);
  labels.emplace_back(StatusCodeName(code));
  return labels;
}

}  // namespace

CallMetrics::CallMetrics(pd::MetricsRegistry& metrics, const MethodRegistry& methods)
    : handled_(
          metrics.Counters("grpc_server_handled_total",
                           "Total number of RPCs completed on the server, regardless of success "
                           "or failure.",
                           {"grpc_type", "grpc_service", "grpc_method", "grpc_code"})) {
  auto& started = metrics.Counters("grpc_server_started_total",
                                   "Total number of RPCs started on the server.", kMethodLabels);
  auto& received = metrics.Counters("grpc_server_msg_received_total",
                                    "Total number of RPC stream messages received on the server.",
                                    kMethodLabels);
  auto& sent =
      metrics.Counters("grpc_server_msg_sent_total",
                       "Total number of gRPC stream messages sent by the server.", kMethodLabels);
  auto& seconds = metrics.Histograms(
      "grpc_server_handling_seconds",
      "Histogram of response latency (seconds) of gRPC that had been application-level handled by "
      "the server.",
      kHandlingBounds, kMethodLabels);
  for (const auto& [name, method] : methods.methods()) {
    const auto labels = LabelsOf(method);
    series_.emplace(
        &method, Series{&started.With(labels), &received.With(labels), &sent.With(labels),
                        &handled_.With(LabelsOf(method, StatusCode::kOk)), &seconds.With(labels)});
  }
}

void CallMetrics::OnStarted(const MethodRegistry::Method& method) {
  series_.at(&method).started->Add();
}

void CallMetrics::OnReceived(const MethodRegistry::Method& method) {
  series_.at(&method).received->Add();
}

void CallMetrics::OnSent(const MethodRegistry::Method& method) { series_.at(&method).sent->Add(); }

void CallMetrics::OnHandled(const MethodRegistry::Method& method, StatusCode code,
                            std::chrono::nanoseconds duration) {
  const Series& series = series_.at(&method);
  if (code == StatusCode::kOk) {
    series.handled_ok->Add();
  } else {
    handled_.With(LabelsOf(method, code)).Add();
  }
  series.seconds->Observe(std::chrono::duration<double>(duration).count());
}

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "OK";
    case StatusCode::kCancelled:
      return "Canceled";
    case StatusCode::kUnknown:
      return "Unknown";
    case StatusCode::kInvalidArgument:
      return "InvalidArgument";
    case StatusCode::kDeadlineExceeded:
      return "DeadlineExceeded";
    case StatusCode::kNotFound:
      return "NotFound";
    case StatusCode::kAlreadyExists:
      return "AlreadyExists";
    case StatusCode::kPermissionDenied:
      return "PermissionDenied";
    case StatusCode::kResourceExhausted:
      return "ResourceExhausted";
    case StatusCode::kFailedPrecondition:
      return "FailedPrecondition";
    case StatusCode::kAborted:
      return "Aborted";
    case StatusCode::kOutOfRange:
      return "OutOfRange";
    case StatusCode::kUnimplemented:
      return "Unimplemented";
    case StatusCode::kInternal:
      return "Internal";
    case StatusCode::kUnavailable:
      return "Unavailable";
    case StatusCode::kDataLoss:
      return "DataLoss";
    case StatusCode::kUnauthenticated:
      return "Unauthenticated";
  }
  return "Unknown";  // A number off the wire of another member.
}

}  // namespace api

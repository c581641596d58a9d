#include "api/grpc/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include "pd/log/log.h"

namespace api {

void RouteLibraryLogs() {
  google::protobuf::SetLogHandler(nullptr);
  gpr_set_log_function([](gpr_log_func_args* args) {
    if (args->severity == GPR_LOG_SEVERITY_ERROR) {
      pd::LogWarn("gRPC library", {{"text", args->message}, {"source", args->file}});
    } else {
      pd::LogDebug("gRPC library", {{"text", args->message}, {"source", args->file}});
    }
  });
}

}  // namespace api

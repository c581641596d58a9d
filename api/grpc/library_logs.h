#pragma once

namespace api {

/// Sends what gRPC writes to standard error to the server's log, and drops what protobuf writes there: clients cause it
/// at will, and every message that fails to decode is answered anyway. Once a process, at its start.
void RouteLibraryLogs();

}  // namespace api

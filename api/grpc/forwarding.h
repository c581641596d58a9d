#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/grpc/call_context.h"
#include "api/grpc/rpc_status.h"
#include "api/leader_directory.h"

namespace api {

/// Checks `pd-forwarded-host` (as in the reference): nothing when absent, empty or good, else the status to
/// answer: Unavailable `not leader`, or InvalidArgument `forwarded host "..." is not a client URL
/// of the PD leader: ...`.
[[nodiscard]] std::optional<RpcStatus> CheckForwardedHost(const CallContext& context,
                                                          const LeaderView& view);

/// Where to send a call that passed the check: the leader's URL with its own scheme, or nothing when this member is
/// meant itself.
[[nodiscard]] std::optional<std::string> ForwardTarget(const CallContext& context,
                                                       const LeaderView& view);

/// Where a member that does not lead sends a call that only a leader can answer, unasked: the leader's URL, or nothing
/// when this member leads, knows no leader, or got the call from another member already.
[[nodiscard]] std::optional<std::string> LeaderTarget(const CallContext& context,
                                                      const LeaderView& view);

/// Marks a call that a member has sent on, so that two members never send it round in a circle.
inline constexpr std::string_view kSentOnKey = "qm-sent-on";

/// True when both name the same host and port; schemes may differ, a URL without http:// or
/// https:// matches nothing.
[[nodiscard]] bool SameClientUrl(std::string_view left, std::string_view right);

/// Text as Go's %q prints it.
[[nodiscard]] std::string GoQuoted(std::string_view text);

}  // namespace api

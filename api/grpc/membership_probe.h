#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/grpc/registry.h"
#include "api/tls/grpc_credentials.h"

namespace api {

/// Whether a member of `member_id` has ever run in the group, as this member has applied. Must not block.
using HasRun = std::function<bool(uint64_t group_id, uint64_t member_id)>;

/// Answers other members on the peer port.
void RegisterMembershipProbe(MethodRegistry& methods, HasRun has_run);

/// Asks the members at these peer URLs, one after the other, at most `timeout` each, until one says that `member_id`
/// has run in the group. Who does not answer knows nothing. A member that lost its data must not come back under its
/// old id: it would vote again, without what it had acknowledged. `tls` as for OpenChannel.
[[nodiscard]] bool AskWhetherRun(const std::vector<std::string>& peer_urls,
                                 const GrpcCredentials* tls, uint64_t group_id, uint64_t member_id,
                                 std::chrono::milliseconds timeout);

}  // namespace api

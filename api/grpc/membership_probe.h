#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/grpc/registry.h"
#include "api/tls/grpc_credentials.h"

namespace api {

enum class Ran : uint8_t { kNo, kYes, kNotKnownYet };

/// Whether a member of `member_id` has ever run in the group, as this member has applied. Must not block.
using HasRun = std::function<Ran(uint64_t group_id, uint64_t member_id)>;

/// Answers other members on the peer port.
void RegisterMembershipProbe(MethodRegistry& methods, HasRun has_run);

struct MembershipQuestion {
  std::vector<std::string> peer_urls;  // Of the members to ask.
  const GrpcCredentials* tls;          // As for OpenChannel.
  uint64_t group_id;
  uint64_t member_id;
};

struct MembershipVerdict {
  bool has_run = false;             // One said so.
  std::vector<std::string> silent;  // URLs of those who did not answer, or did not know in time.
};

/// Asks the members, one after the other, at most `timeout` each, until one says that the member in question has run in
/// the group. Who answers late, or does not know yet, is asked again until `patience` is over; who cannot be reached is
/// not. A member that lost its data must not come back under its old id: it would vote again, without what it had
/// acknowledged.
[[nodiscard]] MembershipVerdict AskWhetherRun(const MembershipQuestion& question,
                                              std::chrono::milliseconds timeout,
                                              std::chrono::milliseconds patience);

}  // namespace api

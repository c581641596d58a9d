#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pd/replication/transport.h"
#include "pd/result.h"
#include "raft/types.h"

namespace pd {

/// Who a member is in its group; kept in the data directory from its first start on.
struct MemberIdentity {
  raft::NodeId id = 0;
  uint64_t group_id = 0;
  bool joined = false;        // Came by --join: Raft learns everything from the leader.
  bool has_database = false;  // It has had one since: an empty one has lost what it promised.
  std::vector<Transport::Peer> seeds;  // Of a join: the members at that time.

  bool operator==(const MemberIdentity&) const = default;
};

/// Nothing when the directory has none yet. Errors: kIo, kCorrupt.
Result<std::optional<MemberIdentity>> LoadIdentity(const std::string& data_dir);

/// Makes the directory where needed; on disk when it returns. Errors: kIo.
Result<void> SaveIdentity(const std::string& data_dir, const MemberIdentity& identity);

}  // namespace pd

#pragma once

#include <string>
#include <vector>

#include "api/http/peer_client.h"
#include "api/port/port.h"
#include "api/tls/grpc_credentials.h"
#include "pd/config/config.h"
#include "pd/members/identity.h"
#include "pd/result.h"
#include "pd/storage/database.h"

namespace api {

/// "http://host:port,https://..." to addresses. kInvalidArgument for any other scheme.
[[nodiscard]] pd::Result<std::vector<ClientPort::Address>> ListenAddresses(const std::string& urls);

/// What can be said of a start without starting: addresses to listen on and, for a first start, the list of first
/// members. Reads the data directory, changes nothing. Errors: kInvalidArgument names the item; kIo, kCorrupt.
[[nodiscard]] pd::Result<void> CheckStart(const pd::Config& config);

/// This member's identity: as stored, else by a join or from the list of first members, and stored then. A first member
/// whose directory is empty asks the others, over `tls` and for some seconds, whether it has run before: a group must
/// not get a voter back that forgot what it had acknowledged. Who is down then cannot tell; it is named in the log.
/// Errors: kIo, kCorrupt, kInvalidArgument; kAlreadyExists for a member that lost its data; those of a join.
[[nodiscard]] pd::Result<pd::MemberIdentity> FindIdentity(const pd::Config& config,
                                                          HttpPeerClient& peers,
                                                          const GrpcCredentials* tls);

/// Whether the database is the one that goes with the identity. kCorrupt when there was one and now is none: its member
/// must not vote again, without what it had acknowledged. Others of RaftGroup::StoredId.
[[nodiscard]] pd::Result<void> CheckDatabase(const pd::Config& config, const pd::Database& database,
                                             const pd::MemberIdentity& identity);

}  // namespace api

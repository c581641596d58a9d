#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pd/fsm/command.h"
#include "pd/meta/meta_store.h"
#include "pd/replication/raft_group.h"
#include "pd/result.h"

namespace pd {

/// A member as GET /pd/api/v1/members shows it: what Raft knows of it, and what it told under /pd/{cid}/member/{id}/.
struct MemberDetail {
  Member member;
  int32_t leader_priority = 0;
  std::string deploy_path;
  std::string binary_version;
  std::string git_hash;
};

/// The id of a first member: the same on every machine that starts from the same --initial-cluster and token.
raft::NodeId FirstMemberId(const std::string& name, std::vector<std::string> peer_urls,
                           std::string_view token);

/// The id of a member that joins at `unix_nanos`: never that of an earlier member at the same addresses, whose voice
/// could still be on its way.
raft::NodeId JoiningMemberId(std::vector<std::string> peer_urls, std::string_view token,
                             int64_t unix_nanos);

/// The id of the group that the members of `initial` form.
uint64_t GroupIdOf(const std::vector<Member>& initial, std::string_view token);

/// "pd1=http://a:1,pd2=http://b:1,pd1=http://c:1" to members with their ids, in the order of their ids.
/// kInvalidArgument names the item that is wrong, or the name or address that two members claim.
Result<std::vector<Member>> ParseInitialCluster(std::string_view text, std::string_view token);

/// The members of the group and who leads. Reads are of what this member has applied and work everywhere; writes are
/// for the leader only. Thread-safe.
class Members {
 public:
  /// `prefix`: gives "/pd/{cluster id}", empty while the cluster id is unknown.
  Members(RaftGroup& group, MetaStore& meta, Member self, std::function<std::string()> prefix);

  /// This member, with the addresses that it announces.
  [[nodiscard]] const Member& self() const { return self_; }

  [[nodiscard]] std::vector<Member> List() const;
  [[nodiscard]] std::optional<Member> Find(raft::NodeId id) const;
  [[nodiscard]] std::optional<Member> FindByName(std::string_view name) const;
  /// With priority, path and version of each. Errors: kIo.
  [[nodiscard]] Result<std::vector<MemberDetail>> Details() const;

  /// The leader of Raft, if known (the reference's etcd leader).
  [[nodiscard]] std::optional<Member> RaftLeader() const;
  /// The PD leader: the leader of Raft once it has written itself under /pd/{cid}/leader.
  [[nodiscard]] std::optional<Member> PdLeader() const;

  /// Adds a member that starts without data; it begins as a learner and gets its vote with Publish. Asking again for
  /// the same addresses before it has published itself answers the same member. Errors: kAlreadyExists ("missing data
  /// or join a duplicated pd"), kNotLeader, kTimeout, kUnavailable.
  Result<Member> Join(const std::string& name, const std::vector<std::string>& peer_urls,
                      std::string_view token, int64_t unix_nanos);

  /// Whether the group knows a member exactly like this, with its vote, as far as this member has applied.
  [[nodiscard]] bool IsPublished(const MemberDetail& detail) const;

  /// Writes down the name and addresses of a member that runs, and gives it its vote. No write when nothing changed.
  /// Errors: kNotFound, kNotLeader, kTimeout, kUnavailable.
  Result<void> Publish(const MemberDetail& detail);

  /// Takes a member out of the group and forgets what it told. Errors: kNotFound with the reference's text, kNotLeader,
  /// kTimeout, kUnavailable.
  Result<void> Remove(raft::NodeId id);

  /// Errors: kNotLeader, kTimeout.
  Result<void> SetLeaderPriority(raft::NodeId id, int32_t priority);
  [[nodiscard]] int32_t LeaderPriority(raft::NodeId id) const;

 private:
  [[nodiscard]] std::string DetailKey(raft::NodeId id, std::string_view what) const;
  [[nodiscard]] std::string DetailValue(raft::NodeId id, std::string_view what) const;

  RaftGroup& group_;
  MetaStore& meta_;
  const Member self_;
  const std::function<std::string()> prefix_;
};

}  // namespace pd

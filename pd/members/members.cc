#include "pd/members/members.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pd/codec/member_codec.h"
#include "pd/config/config.h"

namespace pd {
namespace {

constexpr Millis kWriteTimeout{3000};

/// FNV-1a, then a finalizer so that close inputs give far ids. Never 0.
uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  hash ^= hash >> 33U;
  hash *= 0xff51afd7ed558ccdU;
  hash ^= hash >> 33U;
  hash *= 0xc4ceb9fe1a85ec53U;
  hash ^= hash >> 33U;
  return hash == 0 ? 1 : hash;
}

std::string Joined(std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  return fmt::format("{}", fmt::join(parts, "\n"));
}

bool SameUrls(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

tl::unexpected<Error> BadCluster(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, "config item initial-cluster: " + std::move(text));
}

constexpr std::string_view kDetails[] = {"leader_priority", "deploy_path", "binary_version",
                                         "git_hash"};

}  // namespace

raft::NodeId FirstMemberId(const std::string& name, std::vector<std::string> peer_urls,
                           std::string_view token) {
  return HashText(fmt::format("{}\n{}\n{}", token, name, Joined(std::move(peer_urls))));
}

raft::NodeId JoiningMemberId(std::vector<std::string> peer_urls, std::string_view token,
                             int64_t unix_nanos) {
  return HashText(fmt::format("{}\n{}\n@{}", token, Joined(std::move(peer_urls)), unix_nanos));
}

uint64_t GroupIdOf(const std::vector<Member>& initial, std::string_view token) {
  std::vector<std::string> ids;
  ids.reserve(initial.size());
  for (const Member& member : initial) ids.push_back(std::to_string(member.id));
  return HashText(fmt::format("group {}\n{}", token, Joined(std::move(ids))));
}

Result<std::vector<Member>> ParseInitialCluster(std::string_view text, std::string_view token) {
  std::map<std::string, std::vector<std::string>> urls_by_name;
  std::set<std::string> seen;
  size_t from = 0;
  while (from <= text.size()) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const std::string item(text.substr(from, comma - from));
    from = comma + 1;
    const size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0) {
      return BadCluster(fmt::format("\"{}\" is not of the form name=http://host:port", item));
    }
    const auto urls = ParseUrls(item.substr(equals + 1));
    if (!urls) return BadCluster(urls.error().context);
    if (!seen.insert(urls->front()).second) {
      return BadCluster(fmt::format("{} is named twice", urls->front()));
    }
    urls_by_name[item.substr(0, equals)].push_back(urls->front());
  }
  std::vector<Member> members;
  for (const auto& [name, urls] : urls_by_name) {
    Member member;
    member.id = FirstMemberId(name, urls, token);
    member.name = name;
    member.peer_urls = urls;
    members.push_back(std::move(member));
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  return members;
}

Members::Members(RaftGroup& group, MetaStore& meta, Member self,
                 std::function<std::string()> prefix)
    : group_(group), meta_(meta), self_(std::move(self)), prefix_(std::move(prefix)) {}

std::vector<Member> Members::List() const { return group_.members(); }

std::optional<Member> Members::Find(raft::NodeId id) const {
  for (Member& member : group_.members()) {
    if (member.id == id) return std::move(member);
  }
  return std::nullopt;
}

std::optional<Member> Members::FindByName(std::string_view name) const {
  for (Member& member : group_.members()) {
    if (member.name == name) return std::move(member);
  }
  return std::nullopt;
}

std::string Members::DetailKey(raft::NodeId id, std::string_view what) const {
  return fmt::format("{}/member/{}/{}", prefix_(), id, what);
}

std::string Members::DetailValue(raft::NodeId id, std::string_view what) const {
  const auto found = meta_.Get(DetailKey(id, what), Consistency::kLocal);
  return found && *found ? (*found)->value : std::string();
}

int32_t Members::LeaderPriority(raft::NodeId id) const {
  const std::string text = DetailValue(id, "leader_priority");
  int32_t priority = 0;
  std::from_chars(text.data(), text.data() + text.size(), priority);
  return priority;
}

Result<std::vector<MemberDetail>> Members::Details() const {
  std::vector<MemberDetail> details;
  for (Member& member : group_.members()) {
    MemberDetail detail;
    detail.leader_priority = LeaderPriority(member.id);
    detail.deploy_path = DetailValue(member.id, "deploy_path");
    detail.binary_version = DetailValue(member.id, "binary_version");
    detail.git_hash = DetailValue(member.id, "git_hash");
    detail.member = std::move(member);
    details.push_back(std::move(detail));
  }
  return details;
}

std::optional<Member> Members::RaftLeader() const {
  const raft::NodeId leader = group_.status().leader_id;
  return leader == 0 ? std::nullopt : Find(leader);
}

std::optional<Member> Members::PdLeader() const {
  auto leader = RaftLeader();
  if (!leader) return std::nullopt;
  const auto written = meta_.Get(prefix_() + "/leader", Consistency::kLocal);
  if (!written || !*written) return std::nullopt;
  const auto decoded = DecodeLeader((*written)->value);
  if (!decoded || decoded->id != leader->id) return std::nullopt;
  return leader;
}

Result<Member> Members::Join(const std::string& name, const std::vector<std::string>& peer_urls,
                             std::string_view token, int64_t unix_nanos) {
  for (Member& member : group_.members()) {
    if (SameUrls(member.peer_urls, peer_urls) && member.name.empty()) return std::move(member);
    if (member.name == name || SameUrls(member.peer_urls, peer_urls)) {
      return Fail(ErrorCode::kAlreadyExists, "missing data or join a duplicated pd");
    }
  }
  Member member;
  member.id = JoiningMemberId(peer_urls, token, unix_nanos);
  member.peer_urls = peer_urls;
  member.is_learner = true;
  if (auto added = group_.AddMember(member, kWriteTimeout); !added)
    return tl::unexpected(added.error());
  return member;
}

bool Members::IsPublished(const MemberDetail& detail) const {
  const auto known = Find(detail.member.id);
  return known && *known == detail.member && !known->is_learner &&
         DetailValue(known->id, "deploy_path") == detail.deploy_path &&
         DetailValue(known->id, "binary_version") == detail.binary_version &&
         DetailValue(known->id, "git_hash") == detail.git_hash;
}

Result<void> Members::Publish(const MemberDetail& detail) {
  const auto known = Find(detail.member.id);
  if (!known) return Fail(ErrorCode::kNotFound, "etcdserver: member not found");
  Member wanted = detail.member;
  wanted.is_learner = known->is_learner;
  if (!(wanted == *known)) {
    auto updated = group_.ProposeAndWait(Command{UpdateMember{wanted}, 0}, kWriteTimeout);
    if (!updated) return tl::unexpected(updated.error());
  }
  const std::string values[] = {"", detail.deploy_path, detail.binary_version, detail.git_hash};
  KvTxn txn;
  for (size_t i = 1; i < std::size(kDetails); ++i) {
    if (DetailValue(wanted.id, kDetails[i]) == values[i]) continue;
    PutRequest put;
    put.key = DetailKey(wanted.id, kDetails[i]);
    put.value = values[i];
    txn.then.emplace_back(std::move(put));
  }
  if (!txn.then.empty()) {
    if (auto written = meta_.Txn(std::move(txn), kWriteTimeout); !written) {
      return tl::unexpected(written.error());
    }
  }
  if (!known->is_learner) return {};
  return group_.PromoteMember(wanted.id, kWriteTimeout);
}

Result<void> Members::Remove(raft::NodeId id) {
  if (!Find(id)) {
    return Fail(
        ErrorCode::kNotFound,
        "[PD:etcd:ErrEtcdMemberRemove]etcdserver: member not found: etcdserver: member not found");
  }
  if (auto removed = group_.RemoveMember(id, kWriteTimeout); !removed) return removed;
  const std::string prefix = fmt::format("{}/member/{}/", prefix_(), id);
  // The member is out already; should this fail, its few keys only stay behind.
  static_cast<void>(meta_.Delete(prefix, PrefixEnd(prefix), kWriteTimeout));
  return {};
}

Result<void> Members::SetLeaderPriority(raft::NodeId id, int32_t priority) {
  auto written =
      meta_.Put(DetailKey(id, "leader_priority"), std::to_string(priority), kWriteTimeout);
  if (!written) return tl::unexpected(written.error());
  return {};
}

}  // namespace pd

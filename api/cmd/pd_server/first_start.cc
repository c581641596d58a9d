#include "api/cmd/pd_server/first_start.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/grpc/membership_probe.h"
#include "pd/log/log.h"
#include "pd/members/members.h"
#include "pd/replication/raft_group.h"

namespace api {
namespace {

constexpr pd::Millis kJoinTimeout{5000};
constexpr pd::Millis kProbeTimeout{1000};
constexpr pd::Millis kProbePatience{5000};

pd::Result<pd::MemberIdentity> JoinCluster(const pd::Config& config, HttpPeerClient& peers) {
  const auto targets = pd::ParseUrls(config.join);
  const auto own = pd::ParseUrls(config.advertise_peer_urls);
  if (!targets)
    return pd::Fail(targets.error().code, "config item join: " + targets.error().context);
  if (!own) return tl::unexpected(own.error());
  return peers.Join(*targets, config.name, *own, kJoinTimeout);
}

/// The first members with this one among them.
struct FirstMembers {
  std::vector<pd::Member> all;
  pd::MemberIdentity self;
};

pd::Result<FirstMembers> ReadFirstMembers(const pd::Config& config) {
  if (config.initial_cluster_state == "existing") {
    return pd::Fail(pd::ErrorCode::kInvalidArgument,
                    fmt::format("config item initial-cluster-state: \"existing\", but {} holds no "
                                "data; a new member of a running cluster starts with join",
                                config.data_dir));
  }
  auto members = pd::ParseInitialCluster(config.initial_cluster, config.initial_cluster_token);
  if (!members) return tl::unexpected(members.error());
  const auto self = std::ranges::find(*members, config.name, &pd::Member::name);
  if (self == members->end()) {
    return pd::Fail(pd::ErrorCode::kInvalidArgument,
                    fmt::format("config item initial-cluster: member {} is not in {}", config.name,
                                config.initial_cluster));
  }
  const pd::MemberIdentity identity{
      self->id, pd::GroupIdOf(*members, config.initial_cluster_token), false, false, {}};
  return FirstMembers{*std::move(members), identity};
}

pd::Result<pd::MemberIdentity> BeFirstMember(const pd::Config& config, const GrpcCredentials* tls) {
  const auto first = ReadFirstMembers(config);
  if (!first) return tl::unexpected(first.error());
  MembershipQuestion question{{}, tls, first->self.group_id, first->self.id};
  for (const pd::Member& member : first->all) {
    if (member.id == first->self.id) continue;
    question.peer_urls.insert(question.peer_urls.end(), member.peer_urls.begin(),
                              member.peer_urls.end());
  }
  const MembershipVerdict verdict = AskWhetherRun(question, kProbeTimeout, kProbePatience);
  if (!verdict.silent.empty()) {
    pd::LogWarn("members could not be asked whether this one has run before",
                {{"urls", fmt::format("{}", fmt::join(verdict.silent, ","))}});
  }
  if (verdict.has_run) {
    return pd::Fail(pd::ErrorCode::kAlreadyExists,
                    fmt::format("member {} has already been bootstrapped, but {} holds no data: "
                                "delete it from the cluster, then start it with join",
                                config.name, config.data_dir));
  }
  return first->self;
}

}  // namespace

pd::Result<std::vector<ClientPort::Address>> ListenAddresses(const std::string& urls) {
  const auto parsed = pd::ParseUrls(urls);
  if (!parsed) return tl::unexpected(parsed.error());
  std::vector<ClientPort::Address> addresses;
  for (const std::string& url : *parsed) {
    const bool tls = url.starts_with("https://");
    if (!tls && !url.starts_with("http://")) {
      return pd::Fail(pd::ErrorCode::kInvalidArgument,
                      fmt::format("cannot listen on {}: http:// or https:// is wanted", url));
    }
    addresses.push_back({url.substr(url.find("://") + 3), tls ? Security::kTls : Security::kPlain});
  }
  return addresses;
}

pd::Result<void> CheckStart(const pd::Config& config) {
  for (const std::string* urls : {&config.client_urls, &config.peer_urls}) {
    if (const auto addresses = ListenAddresses(*urls); !addresses)
      return tl::unexpected(addresses.error());
  }
  const auto stored = pd::LoadIdentity(config.data_dir);
  if (!stored) return tl::unexpected(stored.error());
  if (*stored || !config.join.empty()) return {};
  if (const auto first = ReadFirstMembers(config); !first) return tl::unexpected(first.error());
  return {};
}

pd::Result<pd::MemberIdentity> FindIdentity(const pd::Config& config, HttpPeerClient& peers,
                                            const GrpcCredentials* tls) {
  const auto stored = pd::LoadIdentity(config.data_dir);
  if (!stored) return tl::unexpected(stored.error());
  if (*stored) return **stored;
  auto fresh = config.join.empty() ? BeFirstMember(config, tls) : JoinCluster(config, peers);
  if (!fresh) return fresh;
  if (auto saved = pd::SaveIdentity(config.data_dir, *fresh); !saved)
    return tl::unexpected(saved.error());
  return fresh;
}

pd::Result<void> CheckDatabase(const pd::Config& config, const pd::Database& database,
                               const pd::MemberIdentity& identity) {
  const auto owner = pd::RaftGroup::StoredId(database);
  if (!owner) return tl::unexpected(owner.error());
  if (*owner || !identity.has_database) return {};
  return pd::Fail(pd::ErrorCode::kCorrupt,
                  fmt::format("the database of member {} is gone from {}: delete the member from "
                              "the cluster, empty the directory, then start it with join",
                              config.name, config.data_dir));
}

}  // namespace api

#include "api/http/dashboard_source.h"

#include <utility>

namespace api {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr pd::Millis kHealthPeriod{3000};
constexpr pd::Millis kPingTimeout{1000};

}  // namespace

DashboardSource::DashboardSource(pd::PdServer& server, Fill fill)
    : server_(server), fill_(std::move(fill)) {}

DashboardSource::~DashboardSource() { Stop(); }

DashboardSnapshot DashboardSource::Take() {
  DashboardSnapshot snapshot;
  snapshot.time_ms = server_.clock().UnixNanos() / kNsPerMs;
  snapshot.cluster_id = server_.cluster_id();
  snapshot.name = server_.members().self().name;
  snapshot.leads = server_.Serving();
  FillMembers(snapshot);
  if (snapshot.leads && fill_) fill_(snapshot);
  return snapshot;
}

void DashboardSource::FillMembers(DashboardSnapshot& snapshot) {
  snapshot.leader = server_.members().PdLeader();
  auto details = server_.members().Details();
  if (!details) return;
  const pd::MutexLock lock(mutex_);
  for (pd::MemberDetail& detail : *details) {
    const raft::NodeId id = detail.member.id;
    DashboardMember member{.detail = std::move(detail),
                           .leader = snapshot.leader && snapshot.leader->id == id,
                           .healthy = std::nullopt};
    if (const auto known = healthy_.find(id); known != healthy_.end()) {
      member.healthy = known->second;
    }
    snapshot.members.push_back(std::move(member));
  }
}

void DashboardSource::Start() {
  thread_ = std::thread([this] { RunHealth(); });
}

void DashboardSource::Stop() {
  {
    const pd::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void DashboardSource::RunHealth() {
  while (true) {
    AskMembers();
    const pd::MutexLock lock(mutex_);
    if (!stopping_) wake_.WaitFor(mutex_, kHealthPeriod);
    if (stopping_) return;
  }
}

void DashboardSource::AskMembers() {
  std::map<raft::NodeId, bool> healthy;
  for (const pd::Member& member : server_.members().List()) {
    const bool self = member.id == server_.members().self().id;
    healthy[member.id] = self || server_.peers().Ping(member.client_urls, kPingTimeout);
  }
  const pd::MutexLock lock(mutex_);
  healthy_ = std::move(healthy);
}

}  // namespace api

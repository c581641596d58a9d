#pragma once

#include <functional>
#include <map>
#include <thread>

#include "api/http/dashboard_snapshot.h"
#include "pd/runtime/mutex.h"
#include "pd/server.h"

namespace api {

/// Takes the dashboard's pictures from a running server: Take() for DashboardFeed. Asks the other
/// members now and then whether they answer, on a thread of its own.
class DashboardSource {
 public:
  /// Adds what only a leader knows: stores, regions, operators.
  using Fill = std::function<void(DashboardSnapshot&)>;

  DashboardSource(pd::PdServer& server, Fill fill);
  ~DashboardSource();
  DashboardSource(const DashboardSource&) = delete;
  DashboardSource& operator=(const DashboardSource&) = delete;

  [[nodiscard]] DashboardSnapshot Take() PD_EXCLUDES(mutex_);

  /// The health thread; between the server's Start() and Stop().
  void Start();
  void Stop() PD_EXCLUDES(mutex_);

 private:
  void FillMembers(DashboardSnapshot& snapshot) PD_EXCLUDES(mutex_);
  void RunHealth() PD_EXCLUDES(mutex_);
  void AskMembers() PD_EXCLUDES(mutex_);

  pd::PdServer& server_;
  const Fill fill_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  std::map<raft::NodeId, bool> healthy_ PD_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace api

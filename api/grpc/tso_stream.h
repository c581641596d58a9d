#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "api/grpc/registry.h"
#include "pd/runtime/mutex.h"
#include "pd/server.h"

namespace api {

class TsoStreamState;

/// Answers the streams of pdpb.PD/Tso. A request is answered on the thread that read it; one that has to wait (a new
/// window, a leader that is just starting) is parked with its stream, in order, and one thread here tries again until
/// ten update intervals have passed. Owned beside the server; Stop() before it goes.
class TsoDesk {
 public:
  explicit TsoDesk(pd::PdServer& server);
  ~TsoDesk();

  void Register(MethodRegistry& methods);
  /// Joins the thread. Idempotent. Streams still open answer nothing that would have to wait.
  void Stop() PD_EXCLUDES(mutex_);

 private:
  friend class TsoStreamState;

  void Park(std::shared_ptr<TsoStreamState> stream) PD_EXCLUDES(mutex_);
  void Run() PD_EXCLUDES(mutex_);

  pd::PdServer& server_;
  pd::Histogram& batch_sizes_;
  pd::Histogram& seconds_;
  pd::Mutex mutex_;
  pd::CondVar woken_;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<TsoStreamState>> parked_ PD_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace api

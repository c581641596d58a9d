#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/region_load.h"

namespace snapshottest {

/// Reports all regions round and round, `rate` reports a second, each with a new configuration of its peers, on a
/// thread of its own; it alone uses `load` between Start and Stop.
class Heartbeats {
 public:
  Heartbeats(harness::RegionLoad& load, int64_t rate);
  ~Heartbeats() { Stop(); }
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  void Start();
  /// Reports all regions once more, as they were reported last: what went with a lost stream comes again. Returns when
  /// all is on its way.
  void Stop();

  /// Reports so far. Any thread.
  int64_t sent() const { return sent_; }
  /// Whether no leader was found any more; no report follows. Any thread.
  bool failed() const { return failed_; }

  /// What was reported of a region last. Not while it runs.
  uint64_t conf_ver(int64_t number) const { return conf_vers_[static_cast<size_t>(number)]; }

 private:
  void Run();
  bool SendNext();
  void SendAllAgain();

  harness::RegionLoad& load_;
  const int64_t rate_;
  std::vector<uint64_t> conf_vers_;
  int64_t next_ = 0;
  std::atomic<int64_t> sent_ = 0;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace snapshottest

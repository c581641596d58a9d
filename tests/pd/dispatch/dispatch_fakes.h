#pragma once

#include <map>
#include <optional>
#include <vector>

#include "pd/cluster/command_sink.h"
#include "pd/runtime/clock.h"

namespace pd::test {

/// A clock that stands until it is moved.
class HandClock final : public Clock {
 public:
  [[nodiscard]] Nanos Monotonic() const override { return monotonic; }
  [[nodiscard]] int64_t UnixNanos() const override {
    return 1'700'000'000'000'000'000 + monotonic.count();
  }

  Nanos monotonic = std::chrono::seconds(100);
};

/// Remembers what was sent.
class HeardCommands final : public CommandSink {
 public:
  bool Send(const scheduler::Region& region, const scheduler::StepCommand& command) override {
    heard.emplace_back(region.id.value, CommandText(command));
    return true;
  }

  std::vector<std::pair<uint64_t, std::string>> heard;
};

/// Region `id` with voters on these stores, led by the first.
inline scheduler::Region MakeRegion(uint64_t id, const std::vector<uint64_t>& stores) {
  scheduler::Region region;
  region.id = {id};
  region.start_key = std::to_string(id);
  region.end_key = std::to_string(id + 1);
  region.epoch = {5, 2};
  region.size_mib = 96;
  region.source = scheduler::RegionSource::kHeartbeat;
  for (const uint64_t store : stores) {
    region.peers.push_back({{id * 100 + store}, {store}, scheduler::PeerRole::kVoter, false});
  }
  region.leader = region.peers.front();
  return region;
}

}  // namespace pd::test

#include "raft/config.h"

#include <fmt/format.h>

namespace raft {
namespace {

constexpr uint32_t kElectionTickMax = uint32_t{1} << 30;  // Twice as much still fits.

Result<void> ValidateElectionRange(const Config& config) {
  const auto [min, max] = ElectionRange(config);
  if (min < config.election_tick) {
    return Fail(ErrorCode::kInvalidConfig,
                fmt::format("min election tick {} must not be less than election_tick {}", min,
                            config.election_tick));
  }
  if (min >= max) {
    return Fail(
        ErrorCode::kInvalidConfig,
        fmt::format("min election tick {} should be less than max election tick {}", min, max));
  }
  return {};
}

}  // namespace

std::pair<uint32_t, uint32_t> ElectionRange(const Config& config) {
  const auto or_else = [](uint32_t ticks, uint32_t otherwise) {
    return ticks != 0 ? ticks : otherwise;
  };
  return {or_else(config.min_election_tick, config.election_tick),
          or_else(config.max_election_tick, 2 * config.election_tick)};
}

Result<void> Validate(const Config& config) {
  const auto refuse = [](const char* text) { return Fail(ErrorCode::kInvalidConfig, text); };
  if (config.id == kNoNode) return refuse("cannot use none as id");
  if (config.id == kAppendThread || config.id == kApplyThread) {
    return refuse("cannot use local target as id");
  }
  if (config.heartbeat_tick == 0) return refuse("heartbeat tick must be greater than 0");
  if (config.election_tick <= config.heartbeat_tick) {
    return refuse("election tick must be greater than heartbeat tick");
  }
  if (config.election_tick > kElectionTickMax) {
    return refuse("election tick must be at most 1073741824");
  }
  if (Result<void> range = ValidateElectionRange(config); !range) return range;
  if (config.storage == nullptr) return refuse("storage cannot be nil");
  if (config.max_inflight_msgs == 0) return refuse("max inflight messages must be greater than 0");
  if (config.max_inflight_bytes != 0 && config.max_inflight_bytes < config.max_size_per_msg) {
    return refuse("max inflight bytes must be >= max message size");
  }
  if (config.read_only_option == ReadOnlyOption::kLeaseBased && !config.check_quorum) {
    return refuse("CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased");
  }
  if (config.read_only_option == ReadOnlyOption::kLeaseBased &&
      (config.lease_margin == 0 || config.lease_margin >= config.election_tick)) {
    return refuse("lease margin must be greater than 0 and less than election tick");
  }
  if (config.light_ready && config.async_storage_writes) {
    return refuse("light ready and async storage writes exclude each other");
  }
  if (!config.random) return refuse("random source cannot be nil");
  return {};
}

}  // namespace raft

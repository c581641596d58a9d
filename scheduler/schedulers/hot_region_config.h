#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/model/time.h"

namespace scheduler {

/// Settings of balance-hot-region (as in the reference). Rates are per second.
struct HotRegionConfig {
  double min_hot_byte_rate = 100;
  double min_hot_key_rate = 10;
  double min_hot_query_rate = 10;
  double min_hot_cpu_rate = 10;
  double max_zombie_rounds = 3;
  double pending_weight = 1;
  int64_t max_peer_number = 1000;
  double byte_rate_rank_step_ratio = 0.05;
  double key_rate_rank_step_ratio = 0.05;
  double query_rate_rank_step_ratio = 0.05;
  double cpu_rate_rank_step_ratio = 0.05;
  double count_rank_step_ratio = 0.01;
  double great_dec_ratio = 0.95;
  double minor_dec_ratio = 0.99;
  double src_tolerance_ratio = 1.05;
  double dst_tolerance_ratio = 1.05;
  std::vector<std::string> read_priorities{"cpu", "byte"};
  std::vector<std::string> write_leader_priorities{"query", "byte"};
  std::vector<std::string> write_peer_priorities{"byte", "key"};
  bool strict_picking_store = true;
  bool enable_for_tiflash = true;
  std::string rank_formula_version = "v2";
  std::string forbid_rw_type = "none";
  double split_thresholds = 0.2;
  Millis history_sample_duration = std::chrono::minutes{5};
  Millis history_sample_interval = Seconds{30};

  friend bool operator==(const HotRegionConfig&, const HotRegionConfig&) = default;
};

/// What stores measure of regions.
struct MeasuredLoads {
  bool queries = true;
  bool read_cpu = true;
};

/// What the priorities come to where they name what stores do not measure (as in the reference): reads by queries and
/// bytes without CPU time; without queries by bytes and keys, and written leaders by keys and bytes.
inline HotRegionConfig WithMeasuredPriorities(HotRegionConfig config, MeasuredLoads measured) {
  const auto names = [](const std::vector<std::string>& priorities, const char* name) {
    return std::ranges::find(priorities, name) != priorities.end();
  };
  if (!measured.read_cpu && names(config.read_priorities, "cpu")) {
    config.read_priorities = {"query", "byte"};
  }
  if (measured.queries) return config;
  if (names(config.read_priorities, "query") || names(config.read_priorities, "cpu")) {
    config.read_priorities = {"byte", "key"};
  }
  if (names(config.write_leader_priorities, "query")) {
    config.write_leader_priorities = {"key", "byte"};
  }
  return config;
}

}  // namespace scheduler

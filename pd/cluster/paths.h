#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace pd {

/// Where the cluster's data lives in the key space: the reference's paths (reference keys /pd/{cluster id}/...).
class ClusterPaths {
 public:
  explicit ClusterPaths(uint64_t cluster_id) : root_(fmt::format("/pd/{}/", cluster_id)) {}

  [[nodiscard]] std::string Cluster() const { return root_ + "raft"; }
  [[nodiscard]] std::string BootstrapTime() const {
    return root_ + "raft/status/raft_bootstrap_time";
  }
  [[nodiscard]] std::string Stores() const { return root_ + "raft/s/"; }
  [[nodiscard]] std::string Store(uint64_t id) const {
    return fmt::format("{}raft/s/{:020}", root_, id);
  }
  [[nodiscard]] std::string Regions() const { return root_ + "raft/r/"; }
  [[nodiscard]] std::string Region(uint64_t id) const {
    return fmt::format("{}raft/r/{:020}", root_, id);
  }
  [[nodiscard]] std::string LeaderWeight(uint64_t id) const {
    return fmt::format("{}schedule/store_weight/{:020}/leader", root_, id);
  }
  [[nodiscard]] std::string RegionWeight(uint64_t id) const {
    return fmt::format("{}schedule/store_weight/{:020}/region", root_, id);
  }
  [[nodiscard]] std::string MinResolvedTs() const { return root_ + "raft/min_resolved_ts"; }
  [[nodiscard]] std::string ExternalTimestamp() const { return root_ + "raft/external_timestamp"; }
  [[nodiscard]] std::string RegionLabels() const { return root_ + "region_label/"; }
  /// Ids may hold slashes.
  [[nodiscard]] std::string RegionLabel(const std::string& id) const { return RegionLabels() + id; }
  [[nodiscard]] std::string AffinityGroups() const { return root_ + "affinity_groups/"; }
  [[nodiscard]] std::string AffinityGroup(const std::string& id) const {
    return AffinityGroups() + id;
  }
  [[nodiscard]] std::string PlacementRules() const { return root_ + "rules/"; }
  /// Both parts in hexadecimal digits: they may hold anything.
  [[nodiscard]] std::string PlacementRule(const std::string& group, const std::string& id) const;
  [[nodiscard]] std::string RuleGroups() const { return root_ + "rule_group/"; }
  [[nodiscard]] std::string RuleGroup(const std::string& id) const { return RuleGroups() + id; }
  [[nodiscard]] std::string GcSafePoint() const { return root_ + "gc/safe_point"; }
  [[nodiscard]] std::string GcBarriers() const { return root_ + "gc/safe_point/service/"; }
  [[nodiscard]] std::string GlobalGcBarriers() const { return root_ + "gc/global_gc_barriers/"; }
  [[nodiscard]] std::string GcRevision() const { return root_ + "gc/gc_state_revision"; }

 private:
  std::string root_;
};

/// Without the cluster id: SQL servers read and write these two themselves.
inline constexpr const char* kTxnSafePointPath = "/tidb/store/gcworker/saved_safe_point";
inline constexpr const char* kMinStartTsPrefix = "/tidb/server/minstartts/";

/// Eight bytes, big endian: how numbers are kept under most paths.
std::string EncodeBigEndian(uint64_t value);
/// False unless `text` is eight bytes long.
bool DecodeBigEndian(const std::string& text, uint64_t& value);

}  // namespace pd

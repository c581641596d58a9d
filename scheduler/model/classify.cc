#include "scheduler/model/classify.h"

#include <algorithm>

namespace scheduler {
namespace {

uint64_t Round(uint64_t value, uint64_t divisor) {
  if (divisor <= 1) return value;
  return (value + divisor / 2) / divisor * divisor;
}

bool SamePlace(const Peer& a, const Peer& b) { return a.id == b.id && a.store == b.store; }

bool SameDown(const Region& a, const Region& b) {
  return std::ranges::equal(a.down_peers, b.down_peers, SamePlace, &DownPeer::peer,
                            &DownPeer::peer);
}

bool SamePending(const Region& a, const Region& b) {
  return std::ranges::equal(a.pending_peers, b.pending_peers, SamePlace);
}

bool FlowChanged(const Region& origin, const Region& report, const ClassifyOptions& options) {
  if (options.flow_divisor < options.flow_divisor_before) return true;
  const auto differ = [&](uint64_t before, uint64_t after) {
    return Round(before, options.flow_divisor_before) != Round(after, options.flow_divisor);
  };
  return differ(origin.flow.bytes_written, report.flow.bytes_written) ||
         differ(origin.flow.bytes_read, report.flow.bytes_read);
}

bool BucketsChanged(const Region& origin, const Region& report) {
  return report.buckets.version > origin.buckets.version ||
         (report.buckets.version == 0 && origin.buckets.version != 0);
}

/// Whether checkers may come to something else.
bool WorthALook(const Region& origin, const Region& report) {
  return report.leader.id != origin.leader.id || !SameDown(origin, report) ||
         !SamePending(origin, report) || report.source != origin.source ||
         report.on_leaving_store != origin.on_leaving_store;
}

RegionChange Compare(const Region& origin, const Region& report, const ClassifyOptions& options) {
  RegionChange change;
  if (report.epoch.version > origin.epoch.version ||
      report.epoch.conf_ver > origin.epoch.conf_ver) {
    change = {.index = true, .save = true, .notify = true, .fresh = true};
  }
  if (report.encryption_meta != origin.encryption_meta) {
    change.index = change.save = change.notify = true;
  }
  if (report.leader.id != origin.leader.id) change.index = change.notify = true;
  if (report.peers.size() != origin.peers.size()) {
    return {.index = true, .save = true, .notify = true, .fresh = change.fresh};
  }
  if (BucketsChanged(origin, report)) {
    return {.index = true, .save = true, .notify = true, .fresh = change.fresh};
  }
  if (FlowChanged(origin, report, options) || !SameDown(origin, report) ||
      !SamePending(origin, report)) {
    change.index = change.notify = true;
    return change;
  }
  const bool replication_changed = report.replication.state != ReplicationState::kUnknown &&
                                   report.replication != origin.replication;
  if (report.size_mib != origin.size_mib || report.keys != origin.keys || replication_changed ||
      report.in_flashback != origin.in_flashback ||
      report.flashback_start_ts != origin.flashback_start_ts || report.source != origin.source ||
      report.on_leaving_store != origin.on_leaving_store) {
    change.index = true;
  }
  return change;
}

}  // namespace

RegionChange ClassifyRegion(const Region* origin, const Region& report,
                            const ClassifyOptions& options) {
  if (origin == nullptr) return {.index = true, .save = true, .notify = true, .fresh = true};
  RegionChange change = Compare(*origin, report, options);
  change.look = WorthALook(*origin, report);
  return change;
}

void NormalizeReport(const Region* origin, Region& report) {
  RegionFlow& flow = report.flow;
  if (flow.bytes_written >= kFlowInsane || flow.keys_written >= kFlowInsane) {
    flow.bytes_written = flow.keys_written = 0;
  }
  if (flow.bytes_read >= kFlowInsane || flow.keys_read >= kFlowInsane) {
    flow.bytes_read = flow.keys_read = 0;
  }
  // Beyond the reference.
  if (flow.write_queries >= kFlowInsane) flow.write_queries = 0;
  if (flow.read_queries >= kFlowInsane) flow.read_queries = 0;
  if (flow.cpu_usage >= kFlowInsane) flow.cpu_usage = 0;
  std::ranges::sort(report.down_peers, {}, [](const DownPeer& down) { return down.peer.id; });
  std::ranges::sort(report.pending_peers, {}, &Peer::id);
  if (report.size_mib == 0) {
    const bool known = origin != nullptr && origin->size_mib != 0;
    report.size_mib = known ? origin->size_mib : kEmptyRegionSizeMib;
    if (known) report.keys = origin->keys;
  }
  if (origin != nullptr && report.buckets.version == 0) report.buckets = origin->buckets;
}

uint64_t SizeMib(uint64_t bytes) {
  constexpr uint64_t kMib = uint64_t{1} << 20;
  return bytes > 0 && bytes < kMib ? 1 : bytes / kMib;
}

}  // namespace scheduler

#include "api/convert/store_convert.h"

#include "scheduler/model/classify.h"

namespace api {
namespace {

using Pairs = google::protobuf::RepeatedPtrField<pdpb::RecordPair>;

std::vector<scheduler::NamedValue> ValuesOf(const Pairs& pairs) {
  std::vector<scheduler::NamedValue> values;
  for (const pdpb::RecordPair& pair : pairs) values.push_back({pair.key(), pair.value()});
  return values;
}

uint64_t ReadQueriesOf(const pdpb::QueryStats& queries) {
  return queries.get() + queries.scan() + queries.coprocessor();
}

}  // namespace

std::vector<pd::PeerReads> PeerReadsOf(const pdpb::StoreStats& message) {
  std::vector<pd::PeerReads> reads;
  reads.reserve(static_cast<size_t>(message.peer_stats_size()));
  // As with regions: no flow is so large.
  const auto sane = [](uint64_t amount) { return amount < scheduler::kFlowInsane ? amount : 0; };
  for (const pdpb::PeerStat& peer : message.peer_stats()) {
    reads.push_back({{peer.region_id()},
                     sane(peer.read_bytes()),
                     sane(peer.read_keys()),
                     sane(ReadQueriesOf(peer.query_stats())),
                     sane(peer.cpu_stats().unifiedread())});
  }
  return reads;
}

scheduler::StoreStats StatsOf(const pdpb::StoreStats& message) {
  const pdpb::QueryStats& queries = message.query_stats();
  scheduler::StoreStats stats;
  stats.capacity_bytes = message.capacity();
  stats.available_bytes = message.available();
  stats.used_bytes = message.used_size();
  stats.region_count = message.region_count();
  stats.sending_snapshots = message.sending_snap_count();
  stats.receiving_snapshots = message.receiving_snap_count();
  stats.applying_snapshots = message.applying_snap_count();
  stats.start_time_s = message.start_time();
  stats.busy = message.is_busy();
  stats.apply_busy = message.is_apply_busy();
  stats.grpc_paused = message.is_grpc_paused();
  stats.stopping = message.is_stopping();
  stats.bytes_written = message.bytes_written();
  stats.keys_written = message.keys_written();
  stats.bytes_read = message.bytes_read();
  stats.keys_read = message.keys_read();
  stats.write_queries = queries.put() + queries.delete_() + queries.deleterange() +
                        queries.prewrite() + queries.acquirepessimisticlock() + queries.commit() +
                        queries.rollback();
  stats.read_queries = ReadQueriesOf(queries);
  stats.interval_start_s = message.interval().start_timestamp();
  stats.interval_end_s = message.interval().end_timestamp();
  stats.cpu_usages = ValuesOf(message.cpu_usages());
  stats.read_io_rates = ValuesOf(message.read_io_rates());
  stats.write_io_rates = ValuesOf(message.write_io_rates());
  stats.slow_score = message.slow_score();
  stats.has_slow_trend = message.has_slow_trend();
  stats.slow_trend_cause_value = message.slow_trend().cause_value();
  stats.slow_trend_cause_rate = message.slow_trend().cause_rate();
  stats.slow_trend_result_value = message.slow_trend().result_value();
  stats.slow_trend_result_rate = message.slow_trend().result_rate();
  for (const auto& [id, score] : message.network_slow_scores()) {
    stats.network_slow_scores[id] = score;
  }
  return stats;
}

}  // namespace api

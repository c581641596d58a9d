#include "pd/server_metrics.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

#include "pd/server.h"
#include "pd/version.h"

namespace pd {
namespace {

/// Brings a counter up to a sum that is kept elsewhere; one that is still 0 is not shown.
void CatchUp(Counter& counter, uint64_t sum) {
  if (sum != 0) counter.Add(static_cast<double>(sum) - counter.value());
}

/// What the kernel tells about the process; see proc(5).
void CollectProcess(MetricsRegistry& metrics) {
  std::ifstream stat("/proc/self/stat");
  std::string text;
  std::getline(stat, text);
  const size_t behind_name = text.rfind(')');
  if (behind_name == std::string::npos) return;
  std::vector<std::string> fields;  // fields[0] is the third of proc(5), the state.
  size_t from = behind_name + 2;
  while (from < text.size()) {
    const size_t space = std::min(text.find(' ', from), text.size());
    fields.push_back(text.substr(from, space - from));
    from = space + 1;
  }
  if (fields.size() < 22) return;
  const auto ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double cpu_s = (std::stod(fields[11]) + std::stod(fields[12])) / ticks_per_s;
  const double pages = std::stod(fields[21]);
  metrics.Gauges("process_resident_memory_bytes", "Resident memory in bytes.")
      .Only()
      .Set(pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  metrics.Gauges("go_threads", "Number of OS threads.").Only().Set(std::stod(fields[17]));
  Counter& cpu =
      metrics.Counters("process_cpu_seconds_total", "User and system CPU time in seconds.").Only();
  cpu.Add(cpu_s - cpu.value());
}

void CollectTso(PdServer& server) {
  MetricsRegistry& metrics = server.metrics();
  TsoOracle& tso = server.tso();
  metrics.Gauges("pd_tso_role", "1 while this process serves TSO for the group.", {"group"})
      .With({"0"})
      .Set(tso.running() ? 1 : 0);
  if (tso.running()) {
    auto& time = metrics.Gauges("pd_cluster_tso", "Physical clock in ms.", {"type", "group"});
    const auto physical = static_cast<double>(tso.last().physical_ms);
    time.With({"tso", "0"}).Set(physical);
    time.With({"save", "0"}).Set(static_cast<double>(tso.saved_end_ms()));
    metrics
        .Gauges("pd_cluster_tso_gap_millionseconds", "Wall clock minus TSO physical time in ms.",
                {"group"})
        .With({"0"})
        .Set(static_cast<double>(server.clock().UnixNanos() / 1'000'000) - physical);
  }
  auto& events = metrics.Counters("pd_tso_events", "Events of the TSO oracle.", {"type", "group"});
  const auto catch_up = [&events](const char* type, const std::atomic<uint64_t>& count) {
    CatchUp(events.With({type, "0"}), count.load(std::memory_order_relaxed));
  };
  catch_up("save", tso.events().saves);
  catch_up("err_save_update_ts", tso.events().save_failures);
  catch_up("logical_overflow", tso.events().overflows);
  catch_up("system_time_slow", tso.events().clock_behind);
}

void CollectRaft(PdServer& server) {
  MetricsRegistry& metrics = server.metrics();
  const LeaderStatus status = server.group().status();
  auto& state = metrics.Gauges("pd_server_etcd_state",
                               "Raft term, applied index and committed index.", {"type"});
  state.With({"term"}).Set(static_cast<double>(status.term));
  state.With({"appliedIndex"}).Set(static_cast<double>(status.applied));
  state.With({"committedIndex"}).Set(static_cast<double>(status.committed));
  metrics.Gauges("etcd_server_is_leader", "1 on the leader of Raft.")
      .Only()
      .Set(status.is_leader ? 1 : 0);
  metrics.Gauges("etcd_mvcc_db_total_size_in_bytes", "Size of the database.")
      .Only()
      .Set(static_cast<double>(server.database().SizeBytes()));
  const GroupStats stats = server.group().stats();
  metrics.Gauges("pd_raft_log_entries", "Entries of the Raft log on disk.")
      .Only()
      .Set(static_cast<double>(stats.log_entries));
  metrics.Gauges("pd_raft_log_bytes", "Bytes of the Raft log on disk.")
      .Only()
      .Set(static_cast<double>(stats.log_bytes));
  auto& snapshots =
      metrics.Counters("pd_raft_snapshots_total", "Snapshots of the state.", {"type"});
  CatchUp(snapshots.With({"sent"}), stats.snapshots_sent);
  CatchUp(snapshots.With({"installed"}), stats.snapshots_installed);
  CatchUp(metrics.Counters("pd_raft_snapshot_sent_bytes_total", "Bytes sent in snapshots.").Only(),
          stats.snapshot_bytes_sent);
}

void CollectRole(PdServer& server) {
  MetricsRegistry& metrics = server.metrics();
  metrics.Gauges("service_member_role", "1 on the leader of a service.", {"service"})
      .With({"PD"})
      .Set(server.Serving() ? 1 : 0);
  if (server.cluster_id() != 0) {
    metrics.Gauges("pd_cluster_metadata", "The cluster id in a label.", {"type"})
        .With({"cluster" + std::to_string(server.cluster_id())})
        .Set(0);
  }
  if (const uint64_t end = server.ids().window_end(); end != 0) {
    metrics.Gauges("pd_cluster_id", "High-water mark of the ids handed out.", {"type"})
        .With({"idalloc"})
        .Set(static_cast<double>(end));
  }
}

}  // namespace

void ShowMemberHealth(PdServer& server, Millis timeout) {
  GaugeFamily::SeriesByValues health;
  if (server.Serving()) {
    for (const Member& member : server.members().List()) {
      const bool self = member.id == server.members().self().id;
      // A member that has not told its addresses yet cannot be asked.
      const bool healthy =
          self || (!member.client_urls.empty() && server.peers().Ping(member.client_urls, timeout));
      auto gauge = std::make_unique<Gauge>();
      gauge->Set(healthy ? 1 : 0);
      health[{member.name}] = std::move(gauge);
    }
  }
  server.metrics()
      .Gauges("pd_cluster_health_status", "Status of the cluster health.", {"name"})
      .Replace(std::move(health));
}

std::string DeployPath() {
  std::error_code failed;
  const auto binary = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : binary.parent_path().string();
}

void AddServerMetrics(PdServer& server) {
  MetricsRegistry& metrics = server.metrics();
  metrics.Gauges("pd_server_info", "Build of the server.", {"version", "hash"})
      .With({kReleaseVersion, kGitHash})
      .Set(1);
  metrics.Gauges("pd_service_maxprocs", "Number of usable CPUs.")
      .Only()
      .Set(std::thread::hardware_concurrency());
  metrics.Gauges("process_start_time_seconds", "Start time of the process.")
      .Only()
      .Set(static_cast<double>(server.clock().UnixNanos()) / 1e9);
  metrics.AddCollector([&server] {
    CollectProcess(server.metrics());
    CollectRole(server);
    CollectTso(server);
    CollectRaft(server);
  });
}

}  // namespace pd

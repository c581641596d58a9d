// pd-bench: what a region heartbeat, a timestamp and a region cost a running pd-server, seen from outside: messages
// through gRPC, CPU and memory from /proc. It starts the server itself, one member, with all its indexes on.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "proto/pdpb.pb.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/pd_group.h"
#include "tests/harness/process.h"
#include "tests/harness/stream.h"

namespace bench {
namespace {

using harness::Millis;

constexpr int kStores = 10;
constexpr size_t kBacklogMax = 2000;  // Heartbeats that wait in one stream.
constexpr uint64_t kMib = 1024 * 1024;

struct Options {
  std::string server;
  int64_t regions = 1'000'000;
  int64_t heartbeats = 1'000'000;
  int64_t timestamps = 200'000;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

uint64_t UnixSeconds() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

std::string Key(int64_t number) {
  char key[40];
  std::snprintf(key, sizeof(key), "t_bench_%018lld", static_cast<long long>(number));
  return key;
}

// CPU seconds between its making and `used`, also with what the idle server needs taken off.
class CpuWatch {
 public:
  CpuWatch(pid_t pid, double idle_share)
      : pid_(pid), idle_share_(idle_share), cpu_s_(harness::ReadUsage(pid).cpu_s), began_(Now()) {}
  double used() const { return harness::ReadUsage(pid_).cpu_s - cpu_s_; }
  double used_above_idle() const { return used() - idle_share_ * (Now() - began_); }

 private:
  pid_t pid_;
  double idle_share_;
  double cpu_s_;
  double began_;
};

// One client with `in_flight` requests under way on one TSO stream of its own connection.
class TsoClient {
 public:
  TsoClient(const std::string& url, uint64_t cluster_id, std::atomic<int64_t>& budget,
            std::atomic<int64_t>& answered)
      : budget_(budget), answered_(answered) {
    request_.mutable_header()->set_cluster_id(cluster_id);
    request_.set_count(1);
    stream_ = std::make_unique<harness::Stream>(
        harness::OpenChannel(url), "/pdpb.PD/Tso",
        harness::Stream::Callbacks{[this](grpc::ByteBuffer) {
                                     ++answered_;
                                     Send();
                                   },
                                   [this](const grpc::Status& status) {
                                     failure_ = status.error_message();
                                     ended_ = true;
                                   }});
  }
  ~TsoClient() { stream_->End(); }
  TsoClient(const TsoClient&) = delete;
  TsoClient& operator=(const TsoClient&) = delete;

  void Send() {
    if (--budget_ >= 0) stream_->Write(harness::ToBuffer(request_));
  }
  bool failed() const { return ended_; }
  /// Why it failed.
  const std::string& failure() const { return failure_; }

 private:
  std::atomic<int64_t>& budget_;
  std::atomic<int64_t>& answered_;
  std::string failure_;  // Written before ended_.
  std::atomic<bool> ended_ = false;
  pdpb::TsoRequest request_;
  std::unique_ptr<harness::Stream> stream_;
};

class Bench {
 public:
  explicit Bench(Options options)
      : options_(std::move(options)),
        group_({options_.server, 1, folder_.path(), {}}),
        client_(group_.client_urls()) {}

  void Run() {
    group_.Start();
    if (!client_.FindLeader(Millis(10'000))) throw std::runtime_error("no leader");
    for (const auto& [in_flight, clients] :
         {std::pair(1, 1000), std::pair(8, 100), std::pair(64, 10)}) {
      Timestamps(in_flight, clients);
    }
    SetUpCluster();
    StopPlanning();
    LoadRegions();
    Heartbeats();
    Restart();
    group_.Stop();
  }

 private:
  pid_t pid() { return group_.process(0).pid(); }

  // Share of one CPU that the server takes with nothing to do.
  double IdleShare(double seconds) {
    const CpuWatch watch(pid(), 0);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    return watch.used() / seconds;
  }

  // Until the server has worked everything off: its CPU is low for a while.
  void WaitUntilQuiet() {
    for (int quiet = 0; quiet < 3;) quiet = IdleShare(0.5) < 0.10 ? quiet + 1 : 0;
  }

  void Timestamps(int in_flight, int clients) {
    const double idle = IdleShare(1);
    std::atomic<int64_t> budget = options_.timestamps;
    std::atomic<int64_t> answered = 0;
    std::vector<std::unique_ptr<TsoClient>> all;
    for (int i = 0; i < clients; ++i) {
      all.push_back(std::make_unique<TsoClient>(group_.client_url(0), client_.cluster_id(), budget,
                                                answered));
    }
    // Connections are made by the first request of each; they are not part of the measure.
    for (const auto& client : all) client->Send();
    while (answered < clients) Breathe(all);
    answered = 0;
    const double began = Now();
    const CpuWatch watch(pid(), idle);
    const int64_t expected = budget;
    for (const auto& client : all) {
      for (int i = 0; i < in_flight; ++i) client->Send();
    }
    while (answered < expected) Breathe(all);
    const double seconds = Now() - began;
    std::printf("timestamps %2d in flight x %4d clients: %6.2f us CPU each, %.0f/s\n", in_flight,
                clients, watch.used_above_idle() / static_cast<double>(expected) * 1e6,
                static_cast<double>(expected) / seconds);
    budget = 0;
  }

  static void Breathe(const std::vector<std::unique_ptr<TsoClient>>& clients) {
    std::this_thread::sleep_for(Millis(1));
    for (const auto& client : clients) {
      if (client->failed()) throw std::runtime_error("a TSO stream broke: " + client->failure());
    }
  }

  void SetUpCluster() {
    for (uint64_t id = 1; id <= kStores; ++id) {
      metapb::Store store;
      store.set_id(id);
      store.set_address("127.2.0." + std::to_string(id) + ":20160");
      store.set_version("8.5.0");
      if (id == 1) {
        pdpb::BootstrapRequest request;
        pdpb::BootstrapResponse response;
        *request.mutable_store() = store;
        metapb::Region* region = request.mutable_region();
        region->set_id(RegionId(0));
        region->mutable_region_epoch()->set_conf_ver(1);
        region->mutable_region_epoch()->set_version(1);
        region->add_peers()->set_id(RegionId(0) + 1);
        region->mutable_peers(0)->set_store_id(1);
        Must(client_.CallUntilOk("/pdpb.PD/Bootstrap", request, response, Millis(5000)));
      }
      pdpb::PutStoreRequest request;
      pdpb::PutStoreResponse response;
      *request.mutable_store() = store;
      Must(client_.CallUntilOk("/pdpb.PD/PutStore", request, response, Millis(5000)));
      pdpb::StoreHeartbeatRequest heartbeat;
      pdpb::StoreHeartbeatResponse answer;
      heartbeat.mutable_stats()->set_store_id(id);
      heartbeat.mutable_stats()->set_capacity(1ULL << 50);
      heartbeat.mutable_stats()->set_available(1ULL << 49);
      Must(client_.CallUntilOk("/pdpb.PD/StoreHeartbeat", heartbeat, answer, Millis(5000)));
    }
  }

  // Nothing is to move while regions come in: the figures are those of heartbeats.
  void StopPlanning() {
    for (const char* limit : {"leader", "region", "replica", "merge", "hot-region"}) {
      const std::string body = std::string("{\"") + limit + "-schedule-limit\":0}";
      if (harness::HttpRequest(group_.client_url(0), "POST", "/pd/api/v1/config", nullptr, body) !=
          200) {
        throw std::runtime_error("the schedule limits could not be set");
      }
    }
  }

  static void Must(const std::string& failure) {
    if (!failure.empty()) throw std::runtime_error(failure);
  }

  static uint64_t RegionId(int64_t number) { return 1000 + static_cast<uint64_t>(number) * 4; }

  // Region `number` of all, led by store number % kStores + 1.
  pdpb::RegionHeartbeatRequest Report(int64_t number, uint64_t written) const {
    pdpb::RegionHeartbeatRequest report;
    report.mutable_header()->set_cluster_id(client_.cluster_id());
    metapb::Region* region = report.mutable_region();
    region->set_id(RegionId(number));
    if (number > 0) region->set_start_key(Key(number));
    if (number + 1 < options_.regions) region->set_end_key(Key(number + 1));
    region->mutable_region_epoch()->set_conf_ver(5);
    region->mutable_region_epoch()->set_version(static_cast<uint64_t>(options_.regions));
    for (uint64_t i = 0; i < 3; ++i) {
      metapb::Peer* peer = region->add_peers();
      peer->set_id(RegionId(number) + 1 + i);
      peer->set_store_id((static_cast<uint64_t>(number) + i) % kStores + 1);
    }
    *report.mutable_leader() = region->peers(0);
    report.set_term(6);
    report.set_approximate_size(96 * kMib);
    report.set_approximate_keys(960'000);
    report.set_bytes_written(written);
    report.set_keys_written(written / 100);
    report.set_bytes_read(written / 2);
    report.set_keys_read(written / 200);
    report.mutable_interval()->set_end_timestamp(UnixSeconds());
    report.mutable_interval()->set_start_timestamp(UnixSeconds() - 60);
    return report;
  }

  void OpenStreams() {
    streams_.clear();
    for (int i = 0; i < kStores; ++i) {
      streams_.push_back(std::make_unique<harness::Stream>(
          harness::OpenChannel(group_.client_url(0)), "/pdpb.PD/RegionHeartbeat",
          harness::Stream::Callbacks{[](grpc::ByteBuffer) {},
                                     [](const grpc::Status& status) {
                                       if (status.error_code() == grpc::StatusCode::CANCELLED)
                                         return;
                                       std::fprintf(stderr, "a heartbeat stream ended: %s\n",
                                                    status.error_message().c_str());
                                     }}));
    }
  }

  void SendReport(int64_t number, uint64_t written) {
    const auto index = static_cast<size_t>(number % kStores);
    while (streams_[index]->backlog() > kBacklogMax) std::this_thread::sleep_for(Millis(1));
    if (streams_[index]->Write(harness::ToBuffer(Report(number, written)))) return;
    // A server that gave up the lead under the load is found again, as a store would do it.
    ++breaks_;
    std::this_thread::sleep_for(Millis(100));
    client_.ForgetLeader();
    if (!client_.FindLeader(Millis(20'000))) throw std::runtime_error("the leader is gone");
    OpenStreams();
  }

  void Drain() {
    for (const auto& stream : streams_) {
      while (stream->backlog() > 0) std::this_thread::sleep_for(Millis(1));
    }
  }

  void LoadRegions() {
    OpenStreams();
    WaitUntilQuiet();
    const harness::Usage before = harness::ReadUsage(pid());
    const double began = Now();
    LoadAll();
    const double seconds = Now() - began;
    WaitUntilQuiet();
    const harness::Usage after = harness::ReadUsage(pid());
    const auto regions = static_cast<double>(options_.regions);
    std::printf("first heartbeats of %lld regions: %.2f us CPU each (saved through Raft), %.0f/s\n",
                static_cast<long long>(options_.regions),
                (after.cpu_s - before.cpu_s) / regions * 1e6, regions / seconds);
    std::printf("memory: %.0f bytes a region (%.0f MiB resident, %.0f MiB before)\n",
                static_cast<double>(after.rss_bytes - before.rss_bytes) / regions,
                static_cast<double>(after.rss_bytes) / static_cast<double>(kMib),
                static_cast<double>(before.rss_bytes) / static_cast<double>(kMib));
  }

  void LoadAll() {
    do {
      const int64_t breaks = breaks_;
      for (int64_t number = 0; number < options_.regions; ++number) SendReport(number, 0);
      Drain();
      if (breaks == breaks_) break;
      std::printf("streams broke %lld times; all regions are sent again\n",
                  static_cast<long long>(breaks_ - breaks));
    } while (true);
    while (!Knows(options_.regions - 1)) std::this_thread::sleep_for(Millis(20));
  }

  bool Knows(int64_t number) {
    pdpb::GetRegionByIDRequest request;
    pdpb::GetRegionResponse response;
    request.set_region_id(RegionId(number));
    const grpc::Status status = client_.Call("/pdpb.PD/GetRegionByID", request, response);
    return status.ok() && response.region().id() == RegionId(number);
  }

  void Heartbeats() {
    WaitUntilQuiet();
    const double idle = IdleShare(3);
    std::mt19937_64 rng(1);
    const CpuWatch watch(pid(), idle);
    const double began = Now();
    for (int64_t i = 0; i < options_.heartbeats; ++i) {
      SendReport(static_cast<int64_t>(rng() % static_cast<uint64_t>(options_.regions)),
                 rng() % (10 * kMib));
    }
    Drain();
    const double seconds = Now() - began;
    WaitUntilQuiet();
    const auto count = static_cast<double>(options_.heartbeats);
    std::printf(
        "heartbeats of known regions: %.2f us CPU each, %.2f with what an idle server takes; "
        "%.0f/s\n",
        watch.used_above_idle() / count * 1e6, watch.used() / count * 1e6, count / seconds);
  }

  void Restart() {
    streams_.clear();
    group_.process(0).Terminate();
    const double began = Now();
    group_.process(0).Start();
    harness::PdClient client(group_.client_urls());
    if (!client.FindLeader(Millis(120'000)))
      throw std::runtime_error("no leader after the restart");
    const double leads = Now() - began;
    client_.ForgetLeader();
    while (Now() - began < 120 &&
           (!client_.FindLeader(Millis(1000)) || !Knows(options_.regions / 2))) {
      std::this_thread::sleep_for(Millis(5));
    }
    const double knows = Now() - began;
    std::printf(
        "restart with %lld regions: leads after %.2f s, regions after %.2f s, %.0f MiB resident\n",
        static_cast<long long>(options_.regions), leads, knows,
        static_cast<double>(harness::ReadUsage(pid()).rss_bytes) / static_cast<double>(kMib));
  }

  Options options_;
  harness::TempDir folder_;
  harness::PdGroup group_;
  harness::PdClient client_;
  std::vector<std::unique_ptr<harness::Stream>> streams_;
  int64_t breaks_ = 0;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const auto number = std::strtoll(argv[i + 1], nullptr, 10);
    if (flag == "--server") options.server = argv[i + 1];
    if (flag == "--regions") options.regions = number;
    if (flag == "--heartbeats") options.heartbeats = number;
    if (flag == "--timestamps") options.timestamps = number;
  }
  if (options.server.empty()) {
    std::fputs("usage: pd-bench --server PROGRAM [--regions N] [--heartbeats N] [--timestamps N]\n",
               stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    bench::Bench(options).Run();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pd-bench: %s\n", failure.what());
    return 1;
  }
}

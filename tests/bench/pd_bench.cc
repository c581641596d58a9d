// pd-bench: what a region heartbeat, a timestamp and a region cost a running pd-server, seen from outside: messages
// through gRPC, CPU and memory from /proc. It starts the server itself, one member, with all its indexes on.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "proto/pdpb.pb.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/pd_group.h"
#include "tests/harness/process.h"
#include "tests/harness/region_load.h"
#include "tests/harness/stream.h"
#include "tests/harness/wait.h"

namespace bench {
namespace {

using harness::Millis;

constexpr uint64_t kMib = 1024 * 1024;
constexpr Millis kStuck(60'000);  // Without an answer for so long the server is taken for dead.
constexpr Millis kBusy(600'000);  // Work in the background goes on for no longer.

struct Options {
  std::string server;
  int64_t regions = 1'000'000;
  int64_t heartbeats = 1'000'000;
  int64_t timestamps = 200'000;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
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
        client_(group_.client_urls()),
        load_(client_, {.regions = options_.regions}) {}

  void Run() {
    group_.Start();
    if (!client_.FindLeader(Millis(10'000))) throw std::runtime_error("no leader");
    for (const auto& [in_flight, clients] :
         {std::pair(1, 1000), std::pair(8, 100), std::pair(64, 10)}) {
      Timestamps(in_flight, clients);
    }
    load_.Bootstrap();
    load_.StopPlanning();  // The figures are those of heartbeats.
    LoadRegions();
    Heartbeats();
    Restart();
    group_.Stop();
  }

 private:
  // Throws if the server is gone: the rest would measure nothing.
  pid_t pid() {
    if (group_.process(0).Ended()) throw std::runtime_error("the server has ended");
    return group_.process(0).pid();
  }

  // Share of one CPU that the server takes with nothing to do.
  double IdleShare(double seconds) {
    const CpuWatch watch(pid(), 0);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    return watch.used() / seconds;
  }

  // Until the server has worked everything off: its CPU is low for a while. Planning alone takes a tenth of a core.
  void WaitUntilQuiet() {
    int quiet = 0;
    harness::WaitUntil("a quiet server", kBusy, [&] {
      quiet = IdleShare(0.5) < 0.25 ? quiet + 1 : 0;
      return quiet == 3;
    });
  }

  void Timestamps(int in_flight, int clients) {
    const double idle = IdleShare(1);
    std::atomic<int64_t> budget = clients;
    std::atomic<int64_t> answered = 0;
    std::vector<std::unique_ptr<TsoClient>> all;
    for (int i = 0; i < clients; ++i) {
      all.push_back(std::make_unique<TsoClient>(group_.client_url(0), client_.cluster_id(), budget,
                                                answered));
    }
    // Connections are made by the first request of each; they are not part of the measure.
    for (const auto& client : all) client->Send();
    WaitForAnswers(all, answered, clients);
    answered = 0;
    budget = options_.timestamps;
    const double began = Now();
    const CpuWatch watch(pid(), idle);
    for (const auto& client : all) {
      for (int i = 0; i < in_flight; ++i) client->Send();
    }
    WaitForAnswers(all, answered, options_.timestamps);
    const double seconds = Now() - began;
    const auto count = static_cast<double>(options_.timestamps);
    std::printf("timestamps %2d in flight x %4d clients: %6.2f us CPU each, %.0f/s\n", in_flight,
                clients, watch.used_above_idle() / count * 1e6, count / seconds);
  }

  // Until `answered` is `count`. Throws when a stream breaks, or no answer comes for a while.
  static void WaitForAnswers(const std::vector<std::unique_ptr<TsoClient>>& clients,
                             const std::atomic<int64_t>& answered, int64_t count) {
    while (answered < count) {
      const int64_t before = answered;
      harness::WaitUntil("timestamps", kStuck, [&] {
        for (const auto& client : clients) {
          if (client->failed()) {
            throw std::runtime_error("a TSO stream broke: " + client->failure());
          }
        }
        return answered != before || answered >= count;
      });
    }
  }

  // A server that gave up the lead under the load is found again, as a store would do it.
  void FindAgain() {
    pid();
    std::this_thread::sleep_for(Millis(100));
    client_.ForgetLeader();
    if (!client_.FindLeader(Millis(20'000))) throw std::runtime_error("the leader is gone");
    load_.OpenStreams();
  }

  void LoadRegions() {
    load_.OpenStreams();
    WaitUntilQuiet();
    const harness::Usage before = harness::ReadUsage(pid());
    const double began = Now();
    while (!load_.SendAll()) {
      std::printf("streams broke; all regions are sent again\n");
      FindAgain();
    }
    const double seconds = Now() - began;
    WaitUntilQuiet();
    const harness::Usage after = harness::ReadUsage(pid());
    const auto regions = static_cast<double>(options_.regions);
    std::printf("first heartbeats of %lld regions: %.2f us CPU each (saved through Raft), %.0f/s\n",
                static_cast<long long>(options_.regions),
                (after.cpu_s - before.cpu_s) / regions * 1e6, regions / seconds);
    std::printf(
        "memory: %.0f bytes a region (%.0f MiB resident, %.0f MiB before)\n",
        (static_cast<double>(after.rss_bytes) - static_cast<double>(before.rss_bytes)) / regions,
        static_cast<double>(after.rss_bytes) / static_cast<double>(kMib),
        static_cast<double>(before.rss_bytes) / static_cast<double>(kMib));
  }

  bool Knows(int64_t number) { return load_.Find(number).has_value(); }

  void Heartbeats() {
    WaitUntilQuiet();
    const double idle = IdleShare(3);
    std::mt19937_64 rng(1);
    const CpuWatch watch(pid(), idle);
    const double began = Now();
    for (int64_t i = 0; i < options_.heartbeats; ++i) {
      const auto number = static_cast<int64_t>(rng() % static_cast<uint64_t>(options_.regions));
      if (!load_.Send(number, {.bytes_written = rng() % (10 * kMib)})) FindAgain();
    }
    load_.Drain();
    const double seconds = Now() - began;
    WaitUntilQuiet();
    const auto count = static_cast<double>(options_.heartbeats);
    std::printf(
        "heartbeats of known regions: %.2f us CPU each, %.2f with what an idle server takes; "
        "%.0f/s\n",
        watch.used_above_idle() / count * 1e6, watch.used() / count * 1e6, count / seconds);
  }

  void Restart() {
    load_.CloseStreams();
    client_.ForgetLeader();
    group_.process(0).Terminate();
    const double began = Now();
    group_.process(0).Start();
    if (!client_.FindLeader(kBusy)) throw std::runtime_error("no leader after the restart");
    const double leads = Now() - began;
    harness::WaitUntil("the regions after the restart", kBusy, [&] {
      return client_.FindLeader(Millis(1000)) && Knows(options_.regions / 2);
    });
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
  harness::RegionLoad load_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  bool good = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const auto number = std::strtoll(argv[i + 1], nullptr, 10);
    if (flag == "--server") {
      options.server = argv[i + 1];
    } else if (flag == "--regions") {
      options.regions = number;
    } else if (flag == "--heartbeats") {
      options.heartbeats = number;
    } else if (flag == "--timestamps") {
      options.timestamps = number;
    } else {
      good = false;
    }
  }
  if (options.regions < 1 || options.heartbeats < 1 || options.timestamps < 1) good = false;
  if (!good || options.server.empty()) {
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

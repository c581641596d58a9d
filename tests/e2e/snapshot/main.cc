// pd-snapshottest: a follower of a group of three is away until the leader's log no longer reaches back to it. It comes
// back, takes a snapshot with all regions while their heartbeats go on, answers for them, and then leads, knowing all.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "tests/e2e/snapshot/heartbeats.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/pd_group.h"
#include "tests/harness/process.h"
#include "tests/harness/region_load.h"
#include "tests/harness/wait.h"

namespace snapshottest {
namespace {

using harness::Millis;

constexpr Millis kPatience(600'000);
constexpr int64_t kSamples = 1000;
constexpr int64_t kHeartbeatsPerSecondMin = 5000;
constexpr int64_t kRoundSeconds = 60;  // A store reports each of its regions once a minute.
// A log of region reports alone is to pass the 32 MiB up to which it is kept for a member that is away.
constexpr int64_t kLogBytes = 48 << 20;
constexpr double kMib = 1 << 20;
constexpr int32_t kScanMax = 10'000;
constexpr double kIdleEntries = 3;

constexpr char kMayFollow[] = "pd-allow-follower-handle";
constexpr char kTerm[] = "pd_server_etcd_state{type=\"term\"}";
constexpr char kApplied[] = "pd_server_etcd_state{type=\"appliedIndex\"}";
constexpr char kCommitted[] = "pd_server_etcd_state{type=\"committedIndex\"}";
constexpr char kLogEntries[] = "pd_raft_log_entries";
constexpr char kInstalled[] = "pd_raft_snapshots_total{type=\"installed\"}";
constexpr char kSentBytes[] = "pd_raft_snapshot_sent_bytes_total";

struct Options {
  std::string server;
  int64_t regions = 50'000;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Must(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

class Trial {
 public:
  explicit Trial(const Options& options)
      : group_({options.server, 3, folder_.path(), {}}),
        client_(group_.client_urls()),
        load_(client_, {.regions = options.regions,
                        .key_bytes = static_cast<size_t>(kLogBytes / 2 / options.regions)}),
        heartbeats_(load_, std::max(kHeartbeatsPerSecondMin, options.regions / kRoundSeconds)) {}

  void Run() {
    try {
      Steps();
    } catch (...) {
      folder_.Keep();
      std::fprintf(stderr, "data and logs are kept in %s\n", folder_.path().c_str());
      throw;
    }
  }

 private:
  void Steps() {
    group_.Start();
    Must(client_.FindLeader(Millis(20'000)), "no leader");
    load_.Bootstrap();
    load_.StopPlanning();
    leader_ = group_.IndexOf(client_.leader());
    follower_ = (leader_ + 1) % group_.size();

    group_.process(follower_).Kill();
    ReportAll();
    OutrunFollower();
    heartbeats_.Start();
    TakeSnapshot();
    heartbeats_.Stop();
    CheckLeader();
    CheckFollower();
    HandOver();
    group_.Stop();
  }

  // 0 while the member does not answer, and of what has not happened yet.
  double Metric(size_t member, const char* series) {
    return harness::ReadMetric(group_.client_url(member), series).value_or(0);
  }

  // Of what is never 0 on a leader.
  double OfLeader(const char* series) {
    const double value = Metric(leader_, series);
    Must(value > 0, std::string("the leader does not tell ") + series);
    return value;
  }

  // A write that is applied when this returns.
  void WriteSomething() {
    pdpb::UpdateServiceGCSafePointRequest request;
    pdpb::UpdateServiceGCSafePointResponse response;
    request.set_service_id("snapshottest");
    request.set_ttl(3600);
    request.set_safe_point(++safe_point_);
    const std::string failure =
        client_.CallUntilOk("/pdpb.PD/UpdateServiceGCSafePoint", request, response, Millis(20'000));
    Must(failure.empty(), failure);
  }

  void ReportAll() {
    const double began = Now();
    WriteSomething();
    leader_ = group_.IndexOf(client_.leader());
    // All that the follower can have: it was written before, and is committed by now.
    follower_last_ = OfLeader(kCommitted);
    // At full speed: a leader that cannot keep its lease in the flood is found again, as a store would do it.
    load_.OpenStreams();
    while (!load_.SendAll()) {
      load_.FindLeaderAgain();
    }
    leader_ = group_.IndexOf(client_.leader());
    term_ = OfLeader(kTerm);
    ended_before_ = load_.streams_ended();
    std::printf("%lld regions reported in %.1f s\n", static_cast<long long>(load_.regions()),
                Now() - began);
  }

  // Until the leader's log begins behind the follower's end.
  void OutrunFollower() {
    const double began = Now();
    harness::WaitUntil("the log to be cut", kPatience, [&] {
      for (int i = 0; i < 50; ++i) WriteSomething();
      // In this order: entries that come in between make the bound lower.
      const double applied = OfLeader(kApplied);
      return applied - OfLeader(kLogEntries) > follower_last_;
    });
    std::printf("the log left the follower behind after %.1f s more\n", Now() - began);
  }

  void TakeSnapshot() {
    const int64_t sent_before = heartbeats_.sent();
    Must(Metric(leader_, kSentBytes) == 0, "a snapshot was sent before the follower came back");
    const double began = Now();
    group_.process(follower_).Start();
    harness::WaitUntil("a snapshot", kPatience, [&] {
      Must(!heartbeats_.failed(), "heartbeats ended while the snapshot went");
      return Metric(follower_, kInstalled) >= 1;
    });
    const double installed = Now() - began;
    const double target = OfLeader(kApplied);
    harness::WaitUntil("the follower to catch up", kPatience, [&] {
      Must(!heartbeats_.failed(), "heartbeats ended while the follower caught up");
      return Metric(follower_, kApplied) >= target;
    });
    const double caught_up = Now() - began;
    const int64_t sent = heartbeats_.sent() - sent_before;
    Must(sent > 0, "no heartbeats while the snapshot went");
    std::printf(
        "snapshot: %.1f MiB sent, installed %.1f s after the start of the follower, caught up "
        "after %.1f s; %lld heartbeats meanwhile, %.0f/s, %lld streams lost\n",
        Metric(leader_, kSentBytes) / kMib, installed, caught_up, static_cast<long long>(sent),
        static_cast<double>(sent) / caught_up,
        static_cast<long long>(load_.streams_ended() - ended_before_));
  }

  // The old leader still leads, has all heartbeats, and has saved what they changed.
  void CheckLeader() {
    Must(!heartbeats_.failed(), "heartbeats ended");
    Must(OfLeader(kTerm) == term_, "the lead changed hands");
    Must(load_.streams_ended() == ended_before_, "heartbeat streams ended");
    harness::WaitUntil("the last heartbeats", kPatience,
                       [&] { return Difference(leader_).empty(); });
    // While regions are saved the log grows by dozens of entries in this time; alone it grows by one now and then.
    double committed = 0;
    harness::WaitUntil("the last write", kPatience, [&] {
      const double before = std::exchange(committed, OfLeader(kCommitted));
      if (committed - before <= kIdleEntries && Metric(follower_, kApplied) >= before) return true;
      std::this_thread::sleep_for(Millis(300));
      return false;
    });
    load_.CloseStreams();
  }

  // The copy that the leader sent it while regions changed has all that changed.
  void CheckFollower() {
    const double began = Now();
    std::string difference;
    try {
      harness::WaitUntil("the follower's regions", kPatience, [&] {
        difference = Difference(follower_);
        return difference.empty();
      });
    } catch (const std::exception&) {
      throw std::runtime_error("the follower: " + difference);
    }
    std::printf("the follower answers for all regions %.1f s later\n", Now() - began);
  }

  void HandOver() {
    const double began = Now();
    const std::string path = "/pd/api/v1/leader/transfer/" + group_.name(follower_);
    const int status = harness::HttpRequest(client_.leader(), "POST", path);
    Must(status == 200, "leader/transfer: HTTP " + std::to_string(status));
    harness::WaitUntil("the follower's lead", kPatience, [&] {
      return client_.FindLeader(Millis(1000)) && client_.leader() == group_.client_url(follower_);
    });
    // A new leader may say "not bootstrapped" for a moment; it must not be wrong.
    harness::WaitUntil("the follower's service", kPatience,
                       [&] { return load_.Find(0).has_value(); });
    const double leads = Now() - began;
    std::string count;
    Must(harness::HttpRequest(client_.leader(), "GET", "/pd/api/v1/regions/count", &count) == 200,
         "regions/count failed");
    const std::string expected = "\"count\": " + std::to_string(load_.regions());
    Must(count.find(expected) != std::string::npos, "regions/count: " + count);
    const std::string difference = Difference(follower_);
    Must(difference.empty(), "the new leader: " + difference);
    CheckSamples();
    std::printf("the follower leads after %.2f s and knows all regions\n", leads);
  }

  metapb::Region Expected(int64_t number) const {
    return load_.Region(number, heartbeats_.conf_ver(number));
  }

  void CheckSamples() {
    std::mt19937_64 rng(1);
    for (int64_t i = 0; i < kSamples; ++i) {
      const auto number = static_cast<int64_t>(rng() % static_cast<uint64_t>(load_.regions()));
      const auto found = load_.Find(number);
      Must(found.has_value(), "region number " + std::to_string(number) + " is unknown");
      Must(found->SerializeAsString() == Expected(number).SerializeAsString(),
           "not as reported: " + found->ShortDebugString());
    }
  }

  // How a member's regions differ from what was reported; empty if they do not.
  std::string Difference(size_t member) {
    const auto stub =
        std::make_shared<grpc::GenericStub>(harness::OpenChannel(group_.client_url(member)));
    int64_t number = 0;
    std::string key;
    while (number < load_.regions()) {
      pdpb::ScanRegionsRequest request;
      pdpb::ScanRegionsResponse response;
      request.set_start_key(key);
      request.set_limit(kScanMax);
      request.mutable_header()->set_cluster_id(client_.cluster_id());
      const grpc::Status status = harness::PdClient::CallOn(
          stub, "/pdpb.PD/ScanRegions", request, response, Millis(30'000), {{kMayFollow, "true"}});
      if (!status.ok()) return "ScanRegions: " + status.error_message();
      if (response.region_metas().empty()) {
        return "only " + std::to_string(number) + " regions";
      }
      for (const metapb::Region& region : response.region_metas()) {
        const metapb::Region expected = Expected(number);
        if (region.SerializeAsString() != expected.SerializeAsString()) {
          return region.ShortDebugString() + " instead of " + expected.ShortDebugString();
        }
        ++number;
        key = region.end_key();
      }
    }
    return "";
  }

  harness::TempDir folder_;
  harness::PdGroup group_;
  harness::PdClient client_;
  harness::RegionLoad load_;
  Heartbeats heartbeats_;
  size_t leader_ = 0;
  size_t follower_ = 0;
  double term_ = 0;           // Of the leader, once all regions are reported.
  int64_t ended_before_ = 0;  // Heartbeat streams lost until then.
  double follower_last_ = 0;  // Index of the last entry that it can have.
  uint64_t safe_point_ = 0;
};

}  // namespace
}  // namespace snapshottest

int main(int argc, char** argv) {
  snapshottest::Options options;
  if (const char* regions = std::getenv("QM_SNAPSHOT_REGIONS")) {
    options.regions = std::strtoll(regions, nullptr, 10);
  }
  bool good = argc % 2 == 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--server") {
      options.server = argv[i + 1];
    } else if (flag == "--regions") {
      options.regions = std::strtoll(argv[i + 1], nullptr, 10);
    } else {
      good = false;
    }
  }
  if (!good || options.server.empty() || options.regions < 1) {
    std::fputs("usage: pd-snapshottest --server PROGRAM [--regions N]\n", stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    snapshottest::Trial(options).Run();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pd-snapshottest: %s\n", failure.what());
    return 1;
  }
}

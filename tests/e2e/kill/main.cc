// pd-killtest: kills and stops members of a group of three under load, and moves the lead by request. Checks that no
// timestamp and no id was given twice or went backwards over the whole run, and prints how long nobody was served.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/e2e/kill/clients.h"
#include "tests/e2e/kill/history.h"
#include "tests/harness/pd_group.h"
#include "tests/harness/wait.h"

namespace killtest {
namespace {

using harness::Millis;

struct Options {
  std::string server;
  int kills = 6;
  int handovers = 10;
  uint64_t seed = 1;
};

struct Fault {
  int64_t at_ns = 0;
  bool leader = false;
  bool kill = false;  // Else it was stopped for a while.
};

constexpr int64_t kGapWatchNs = 5'000'000'000;
constexpr Millis kRecoverMax(30'000);

class Trial {
 public:
  explicit Trial(Options options)
      : options_(std::move(options)),
        rng_(options_.seed),
        group_({options_.server, 3, folder_.path(), {}}) {}

  int Run() {
    group_.Start();
    LeaderWatch watch(group_.client_urls());
    WaitForLeader(watch);
    std::vector<std::string> violations;
    RunKills(watch, violations);
    RunHandovers(watch, violations);
    for (const std::string& line : violations) std::printf("VIOLATION: %s\n", line.c_str());
    if (!violations.empty()) {
      folder_.Keep();
      std::printf("data and logs are kept in %s\n", folder_.path().c_str());
    }
    group_.Stop();
    return violations.empty() ? 0 : 1;
  }

 private:
  void RunKills(const LeaderWatch& watch, std::vector<std::string>& violations) {
    Load load(watch, group_.client_urls(), 4, 2);
    std::vector<Fault> faults;
    for (int i = 0; i < options_.kills; ++i) {
      std::this_thread::sleep_for(Millis(100 + rng_() % 400));
      faults.push_back(OneFault(watch, load));
    }
    std::this_thread::sleep_for(Millis(200));
    load.Stop();
    PrintGaps(load, faults);
    std::vector<Grant> timestamps = load.timestamps();
    timestamps.insert(timestamps.end(), load.late_timestamps().begin(),
                      load.late_timestamps().end());
    for (auto& found :
         {FindViolations(std::move(timestamps), "timestamp"), FindViolations(load.ids(), "id")}) {
      violations.insert(violations.end(), found.begin(), found.end());
    }
    if (load.timestamps().empty() || load.ids().empty()) violations.push_back("nobody was served");
  }

  Fault OneFault(const LeaderWatch& watch, const Load& load) {
    const size_t leader = WaitForLeader(watch);
    Fault fault;
    fault.leader = rng_() % 3 != 0;
    fault.kill = rng_() % 2 == 0;
    const size_t target = fault.leader ? leader : (leader + 1 + rng_() % 2) % 3;
    harness::Process& process = group_.process(target);
    fault.at_ns = NowNs();
    if (fault.kill) {
      process.Kill();
    } else {
      process.Pause();
    }
    harness::WaitUntil("service", kRecoverMax,
                       [&] { return load.last_success_ns() > fault.at_ns + 50'000'000; });
    std::this_thread::sleep_for(Millis(rng_() % 500));
    if (fault.kill) {
      process.Start();
    } else {
      process.Resume();
    }
    harness::WaitUntil("the member's return", kRecoverMax, [&] { return watch.Answers(target); });
    WaitForLeader(watch);
    return fault;
  }

  void PrintGaps(const Load& load, const std::vector<Fault>& faults) {
    std::vector<int64_t> received;
    for (const Grant& grant : load.timestamps()) received.push_back(grant.received_ns);
    std::sort(received.begin(), received.end());
    std::vector<int64_t> gaps;
    for (size_t i = 0; i < faults.size(); ++i) {
      int64_t until = faults[i].at_ns + kGapWatchNs;
      if (i + 1 < faults.size()) until = std::min(until, faults[i + 1].at_ns);
      if (!received.empty()) until = std::min(until, received.back());
      gaps.push_back(LongestGap(received, faults[i].at_ns, until) / 1'000'000);
      std::printf("fault %zu: %s %s, gap %lld ms\n", i + 1, faults[i].kill ? "kill -9" : "SIGSTOP",
                  faults[i].leader ? "leader" : "follower", static_cast<long long>(gaps.back()));
    }
    const auto below =
        std::count_if(gaps.begin(), gaps.end(), [](int64_t ms) { return ms < 1000; });
    std::printf("%zu timestamps in %zu answers, %zu late answers, %zu answers with ids\n",
                Sum(load.timestamps()), load.timestamps().size(), load.late_timestamps().size(),
                load.ids().size());
    std::printf(
        "gaps of %zu faults: median %lld ms, 95%% %lld ms, longest %lld ms, %lld under 1 s\n",
        gaps.size(), static_cast<long long>(Percentile(gaps, 50)),
        static_cast<long long>(Percentile(gaps, 95)), static_cast<long long>(Percentile(gaps, 100)),
        static_cast<long long>(below));
  }

  static size_t Sum(const std::vector<Grant>& grants) {
    size_t sum = 0;
    for (const Grant& grant : grants) sum += grant.count;
    return sum;
  }

  // One client without other load, with streams to all three, that goes on to the next member when one refuses.
  void RunHandovers(const LeaderWatch& watch, std::vector<std::string>& violations) {
    std::vector<std::unique_ptr<TsoLine>> lines;
    for (const std::string& url : group_.client_urls()) {
      lines.push_back(std::make_unique<TsoLine>(url));
    }
    std::vector<Grant> grants;
    std::vector<int64_t> gaps;
    size_t at = WaitForLeader(watch);
    for (int i = 0; i < options_.handovers; ++i) {
      const size_t leader = WaitForLeader(watch);
      const size_t target = (leader + 1 + static_cast<size_t>(i) % 2) % 3;
      const int64_t begin_ns = NowNs();
      int64_t asked_ns = 0;
      std::thread request;
      int status = 0;
      for (int64_t now = begin_ns; now < begin_ns + 600'000'000; now = NowNs()) {
        if (!request.joinable() && now > begin_ns + 100'000'000) {
          asked_ns = now;
          request = std::thread([&, this] {
            status = harness::HttpRequest(group_.client_url(leader), "POST",
                                          "/pd/api/v1/leader/transfer/" + group_.name(target));
          });
        }
        const std::optional<Grant> grant = lines[at]->Ask(watch.cluster_id(), 1, Millis(50));
        if (grant) {
          grants.push_back(*grant);
        } else {
          at = (at + 1) % lines.size();
        }
      }
      request.join();
      if (status != 200) violations.push_back("leader/transfer: HTTP " + std::to_string(status));
      std::vector<int64_t> received;
      for (const Grant& grant : grants) received.push_back(grant.received_ns);
      gaps.push_back(LongestGap(received, asked_ns, NowNs()) / 1000);
    }
    for (const auto& line : lines) {
      const std::vector<Grant> late = line->TakeLate();
      grants.insert(grants.end(), late.begin(), late.end());
    }
    std::vector<std::string> found = FindViolations(grants, "timestamp in hand-overs");
    violations.insert(violations.end(), found.begin(), found.end());
    std::printf("gaps of %zu hand-overs: median %.1f ms, 95%% %.1f ms, longest %.1f ms\n",
                gaps.size(), static_cast<double>(Percentile(gaps, 50)) / 1000,
                static_cast<double>(Percentile(gaps, 95)) / 1000,
                static_cast<double>(Percentile(gaps, 100)) / 1000);
  }

  size_t WaitForLeader(const LeaderWatch& watch) {
    harness::WaitUntil("a leader", kRecoverMax, [&] { return watch.leader().has_value(); });
    return watch.leader().value_or(0);
  }

  Options options_;
  harness::TempDir folder_;
  std::mt19937_64 rng_;
  harness::PdGroup group_;
};

}  // namespace
}  // namespace killtest

int main(int argc, char** argv) {
  killtest::Options options;
  if (const char* kills = std::getenv("QM_KILLS")) {
    options.kills = std::atoi(kills);
    options.handovers = options.kills;
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--server") options.server = argv[i + 1];
    if (flag == "--kills") options.kills = std::atoi(argv[i + 1]);
    if (flag == "--handovers") options.handovers = std::atoi(argv[i + 1]);
    if (flag == "--seed") options.seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  if (options.server.empty()) {
    std::fputs("usage: pd-killtest --server PROGRAM [--kills N] [--handovers N] [--seed N]\n",
               stderr);
    return 2;
  }
  try {
    return killtest::Trial(options).Run();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pd-killtest: %s\n", failure.what());
    return 2;
  }
}

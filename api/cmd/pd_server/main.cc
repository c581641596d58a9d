#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "api/cmd/pd_server/app.h"
#include "api/cmd/pd_server/first_start.h"
#include "api/cmd/pd_server/flags.h"
#include "api/grpc/library_logs.h"
#include "pd/config/effects.h"
#include "pd/log/log.h"
#include "pd/version.h"

namespace {

constexpr std::chrono::seconds kLastAnswers{1};

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string Hostname() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

int Complain(const pd::Error& error) {
  fmt::print(stderr, "pd-server: {}\n", error.context);
  return 1;
}

/// Unknown keys do not keep a server from starting, but a check is asked for to find them.
int ReportCheck(const pd::Config& config) {
  for (const std::string& warning : config.warnings) fmt::print("{}\n", warning);
  if (!config.warnings.empty()) return 1;
  if (auto good = api::CheckStart(config); !good) return Complain(good.error());
  fmt::print("config check successful\n");
  return 0;
}

/// The signals that end the server; blocked in all threads, so that one thread can wait for them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int Run(const pd::Config& config) {
  const auto log = pd::MakeLogOptions(config);
  if (!log) return Complain(log.error());
  if (auto configured = pd::ConfigureLog(*log); !configured) return Complain(configured.error());
  pd::LogInfo("Welcome to Placement Driver (PD)");
  pd::LogInfo("PD", {{"release-version", pd::kReleaseVersion},
                     {"edition", pd::kEdition},
                     {"git-hash", pd::kGitHash},
                     {"git-branch", pd::kGitBranch},
                     {"utc-build-time", pd::kBuildTime}});
  pd::LogInfo("PD config", {{"config", pd::ConfigToJson(config)}});
  for (const std::string& warning : config.warnings) pd::LogWarn(warning);
  for (const pd::NoEffect& key : pd::KeysWithoutEffect(config)) {
    pd::LogWarn("config item has no effect here", {{"item", key.key}, {"why", key.why}});
  }

  api::RouteLibraryLogs();
  const sigset_t signals = BlockEndSignals();
  std::atomic<bool> removed = false;
  api::ServerApp app(config, [&removed] {
    removed = true;
    kill(getpid(), SIGTERM);
  });
  if (auto started = app.Start(); !started) {
    pd::LogError("cannot start the server", {{"error", started.error()}});
    return Complain(started.error());
  }
  int number = 0;
  sigwait(&signals, &number);
  if (removed) {
    // Who asked for the removal may be waiting for this very member's answer.
    std::this_thread::sleep_for(kLastAnswers);
  } else {
    pd::LogInfo("got signal to exit", {{"signal", strsignal(number)}});
  }
  app.Stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto flags =
      api::ParseServerFlags(std::vector<std::string>(argv + 1, argv + argc), FromEnvironment);
  if (!flags) return Complain(flags.error());
  if (flags->help) {
    fmt::print("{}", api::ServerUsage());
    return 0;
  }
  if (flags->version) {
    fmt::print("{}", api::VersionText());
    return 0;
  }
  const auto config = api::LoadServerConfig(*flags, Hostname());
  if (!config) return Complain(config.error());
  return flags->config_check ? ReportCheck(*config) : Run(*config);
}

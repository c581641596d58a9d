// pd-storesim: simulated stores that speak only pdpb over gRPC, so that any placement driver can be tried with them.

#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/storesim/simulator.h"

namespace {

volatile std::sig_atomic_t stop_requested = 0;

void RequestStop(int) { stop_requested = 1; }

std::vector<std::string> SplitCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

int Usage() {
  std::fputs(
      "usage: pd-storesim --pd URL[,URL...] --scenario FILE [--hold] [--quiet]\n"
      "  --hold   goes on after the end until SIGINT or SIGTERM\n"
      "  --quiet  no progress on standard error\n"
      "Exit status: 0 balanced, 1 not balanced in time, 2 the cluster could not be set up.\n",
      stderr);
  return 2;
}

int RunScenario(const std::string& file, storesim::Simulator::Options options) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file);
  std::stringstream text;
  text << in.rdbuf();
  storesim::Simulator simulator(storesim::ParseScenario(text.str()), std::move(options));
  bool balanced = false;
  const std::string line = simulator.Run(balanced);
  std::printf("%s\n", line.c_str());
  return balanced ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  storesim::Simulator::Options options;
  options.stop = [] { return stop_requested != 0; };
  options.progress = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  std::string scenario;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--pd" && i + 1 < argc) {
      options.endpoints = SplitCommas(argv[++i]);
    } else if (flag == "--scenario" && i + 1 < argc) {
      scenario = argv[++i];
    } else if (flag == "--hold") {
      options.hold = true;
    } else if (flag == "--quiet") {
      options.progress = [](const std::string&) {};
    } else {
      return Usage();
    }
  }
  if (options.endpoints.empty() || scenario.empty()) return Usage();
  std::signal(SIGINT, RequestStop);
  std::signal(SIGTERM, RequestStop);
  try {
    return RunScenario(scenario, std::move(options));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "pd-storesim: %s\n", failure.what());
    return 2;
  }
}

#include "tests/e2e/snapshot/heartbeats.h"

#include <chrono>
#include <cstdio>
#include <exception>

namespace snapshottest {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kBurstsPerSecond = 100;
constexpr std::chrono::seconds kLagMax(1);  // What is late by more is left out.

}  // namespace

Heartbeats::Heartbeats(harness::RegionLoad& load, int64_t rate)
    : load_(load),
      rate_(rate),
      conf_vers_(static_cast<size_t>(load.regions()), harness::RegionLoad::kFirstConfVer) {}

void Heartbeats::Start() {
  thread_ = std::thread([this] {
    try {
      Run();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "heartbeats: %s\n", failure.what());
      failed_ = true;
    }
  });
}

void Heartbeats::Stop() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void Heartbeats::Run() {
  Clock::time_point due = Clock::now();
  while (!stopped_) {
    for (int64_t i = 0; i < rate_ / kBurstsPerSecond; ++i) {
      if (!SendNext()) load_.FindLeaderAgain();
    }
    due += std::chrono::microseconds(1'000'000 / kBurstsPerSecond);
    if (due + kLagMax < Clock::now()) due = Clock::now();
    std::this_thread::sleep_until(due);
  }
  SendAllAgain();
}

void Heartbeats::SendAllAgain() {
  int64_t ended_before = 0;
  do {
    ended_before = load_.streams_ended();
    for (int64_t number = 0; number < load_.regions(); ++number) {
      if (!load_.Send(number, {.conf_ver = conf_ver(number)})) load_.FindLeaderAgain();
    }
    load_.Drain();
  } while (load_.streams_ended() != ended_before);
}

bool Heartbeats::SendNext() {
  uint64_t& conf_ver = conf_vers_[static_cast<size_t>(next_)];
  if (!load_.Send(next_, {.conf_ver = conf_ver + 1})) return false;
  ++conf_ver;
  ++sent_;
  next_ = (next_ + 1) % load_.regions();
  return true;
}

}  // namespace snapshottest

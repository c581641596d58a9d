#pragma once

#include <cstdint>
#include <cstdlib>

#include <sys/resource.h>

namespace harness {

/// Of the whole process, in user and in kernel mode.
inline double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// How large a measurement is to be, unless QM_BENCH_REGIONS says otherwise.
inline uint64_t RegionCount(uint64_t usual) {
  const char* text = std::getenv("QM_BENCH_REGIONS");
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

}  // namespace harness

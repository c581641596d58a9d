// Cost of the region index: memory and CPU per region. Sizes come from QM_BENCH_REGIONS (default 1,000,000).
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <malloc.h>

#include "scheduler/model/classify.h"
#include "scheduler/model/region_index.h"

namespace scheduler {
namespace {

constexpr uint64_t kStores = 1000;

uint64_t RegionCount() {
  const char* text = std::getenv("QM_BENCH_REGIONS");
  return text == nullptr ? 1'000'000 : std::strtoull(text, nullptr, 10);
}

/// 27 bytes, shaped like a row key: a table prefix, then the number.
std::string KeyOf(uint64_t i) { return fmt::format("t{:08d}_r{:017d}", i / 100000, i * 977); }

Region MakeRegion(uint64_t i, uint64_t count) {
  Region region;
  region.id = RegionId{i + 1};
  region.start_key = i == 0 ? "" : KeyOf(i);
  region.end_key = i + 1 == count ? "" : KeyOf(i + 1);
  region.epoch = {5, 10};
  for (uint64_t p = 0; p < 3; ++p) {
    region.peers.push_back(
        {PeerId{1'000'000'000 + i * 3 + p}, StoreId{1 + (i * 7 + p * 331) % kStores}});
  }
  region.leader = region.peers[i % 3];
  region.term = 6;
  region.size_mib = 96;
  region.keys = 960000;
  region.flow = {.bytes_written = 1000, .interval_start_s = 1, .interval_end_s = 61};
  region.source = RegionSource::kHeartbeat;
  return region;
}

/// In a random order, as stores report.
uint64_t Shuffled(uint64_t i, uint64_t count) {
  constexpr uint64_t kPrime = 2'147'483'647;
  return i * kPrime % count;
}

struct Fixture {
  RegionIndex index;
  uint64_t count = RegionCount();

  Fixture() {
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (uint64_t i = 0; i < count; ++i) index.Put(MakeRegion(Shuffled(i, count), count));
    const size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    fmt::print("regions {}, heap bytes a region {:.1f}\n", index.size(),
               static_cast<double>(after - before) / static_cast<double>(count));
  }
};

Fixture& Shared() {
  static auto fixture = std::make_unique<Fixture>();
  return *fixture;
}

void FindById(benchmark::State& state) {
  Fixture& f = Shared();
  Rng rng(1);
  for (auto _ : state) benchmark::DoNotOptimize(f.index.Find(RegionId{1 + rng.Below(f.count)}));
}
BENCHMARK(FindById);

void FindByKey(benchmark::State& state) {
  Fixture& f = Shared();
  Rng rng(2);
  for (auto _ : state) benchmark::DoNotOptimize(f.index.FindByKey(KeyOf(rng.Below(f.count))));
}
BENCHMARK(FindByKey);

void RandomLeaderInRange(benchmark::State& state) {
  Fixture& f = Shared();
  Rng rng(3);
  const KeyRange range{KeyOf(f.count / 4), KeyOf(f.count / 2)};
  for (auto _ : state) {
    const StoreId store{1 + rng.Below(kStores)};
    benchmark::DoNotOptimize(f.index.Random(store, HeldAs::kLeader, std::span(&range, 1), rng));
  }
}
BENCHMARK(RandomLeaderInRange);

/// One heartbeat that only brings new numbers: find, check, classify, put.
void HeartbeatNumbers(benchmark::State& state) {
  Fixture& f = Shared();
  Rng rng(4);
  for (auto _ : state) {
    const uint64_t i = rng.Below(f.count);
    Region report = MakeRegion(i, f.count);
    report.flow.bytes_written = rng.Below(1'000'000);
    const auto origin = f.index.Find(report.id);
    benchmark::DoNotOptimize(f.index.Check(report, nullptr));
    NormalizeReport(&*origin, report);
    if (ClassifyRegion(&*origin, report, {}).index) f.index.Put(report);
  }
}
BENCHMARK(HeartbeatNumbers);

void HeartbeatNewLeader(benchmark::State& state) {
  Fixture& f = Shared();
  Rng rng(5);
  for (auto _ : state) {
    Region report = MakeRegion(rng.Below(f.count), f.count);
    report.leader = report.peers[rng.Below(3)];
    f.index.Put(report);
  }
}
BENCHMARK(HeartbeatNewLeader);

void ScanThousand(benchmark::State& state) {
  Fixture& f = Shared();
  Rng rng(6);
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.index.Scan({KeyOf(rng.Below(f.count)), ""}, 1000));
  }
}
BENCHMARK(ScanThousand)->Unit(benchmark::kMicrosecond);

/// What the loss of the lead costs: a look at every region.
void ForgetReports(benchmark::State& state) {
  Fixture& f = Shared();
  Region report = MakeRegion(0, f.count);
  report.source = RegionSource::kHeartbeat;
  for (auto _ : state) {
    f.index.Put(report);  // Else nothing is to be forgotten.
    f.index.ForgetReports();
  }
}
BENCHMARK(ForgetReports)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace scheduler

BENCHMARK_MAIN();

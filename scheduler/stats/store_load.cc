#include "scheduler/stats/store_load.h"

#include "scheduler/stats/sane_amount.h"

namespace scheduler {
namespace {

double ReadCpuOf(const StoreStats& stats) {
  double sum = 0;
  for (const NamedValue& thread : stats.cpu_usages) {
    if (thread.name.starts_with("unified-read")) sum += SaneAmount(thread.value);
  }
  return sum;
}

Load AmountOf(uint64_t bytes, uint64_t keys, uint64_t queries, double cpu) {
  return {{SaneAmount(bytes), SaneAmount(keys), SaneAmount(queries), cpu}};
}

}  // namespace

void RollingStoreLoad::Report(const StoreStats& stats) {
  if (stats.interval_end_s <= stats.interval_start_s) return;
  const uint64_t interval_s = stats.interval_end_s - stats.interval_start_s;
  if (!IsCountedInterval(interval_s)) return;
  // Usages are rates already.
  const double cpu = ReadCpuOf(stats) * static_cast<double>(interval_s);
  read_.Add(AmountOf(stats.bytes_read, stats.keys_read, stats.read_queries, cpu), interval_s);
  write_.Add(AmountOf(stats.bytes_written, stats.keys_written, stats.write_queries, 0), interval_s);
}

}  // namespace scheduler

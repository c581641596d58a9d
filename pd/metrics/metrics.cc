#include "pd/metrics/metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "scheduler/model/assert.h"

namespace pd {
namespace {

std::string FormatNumber(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  return fmt::format("{}", value);
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

/// `{a="1",b="2"}`, with `extra` (already rendered) last; nothing when there is no label.
std::string RenderLabels(const std::vector<std::string>& names,
                         const std::vector<std::string>& values, std::string_view extra = {}) {
  if (names.empty() && extra.empty()) return "";
  std::string out = "{";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += ',';
    out += names[i];
    out += "=\"";
    AppendEscaped(out, values[i]);
    out += '"';
  }
  if (!extra.empty()) {
    if (!names.empty()) out += ',';
    out += extra;
  }
  out += '}';
  return out;
}

std::string_view TypeName(const Counter*) { return "counter"; }
std::string_view TypeName(const Gauge*) { return "gauge"; }
std::string_view TypeName(const Histogram*) { return "histogram"; }

struct SeriesName {
  const std::string& name;
  const std::vector<std::string>& labels;
  const std::vector<std::string>& values;
};

template <class Simple>
void RenderSeries(std::string& out, const SeriesName& id, const Simple& series) {
  fmt::format_to(std::back_inserter(out), "{}{} {}\n", id.name, RenderLabels(id.labels, id.values),
                 FormatNumber(series.value()));
}

void RenderSeries(std::string& out, const SeriesName& id, const Histogram& series) {
  uint64_t below = 0;
  for (size_t i = 0; i <= series.bounds().size(); ++i) {
    below += series.bucket(i);
    const double bound = i < series.bounds().size() ? series.bounds()[i] : INFINITY;
    const std::string le = fmt::format("le=\"{}\"", FormatNumber(bound));
    fmt::format_to(std::back_inserter(out), "{}_bucket{} {}\n", id.name,
                   RenderLabels(id.labels, id.values, le), below);
  }
  const std::string labels = RenderLabels(id.labels, id.values);
  fmt::format_to(std::back_inserter(out), "{}_sum{} {}\n{}_count{} {}\n", id.name, labels,
                 FormatNumber(series.sum()), id.name, labels, below);
}

std::unique_ptr<Counter> NewSeries(const Counter*, const std::vector<double>&) {
  return std::make_unique<Counter>();
}
std::unique_ptr<Gauge> NewSeries(const Gauge*, const std::vector<double>&) {
  return std::make_unique<Gauge>();
}
std::unique_ptr<Histogram> NewSeries(const Histogram*, const std::vector<double>& bounds) {
  return std::make_unique<Histogram>(bounds);
}

template <class Families>
void RenderAll(const Families& families, std::map<std::string, std::string>& pages) {
  for (const auto& [name, family] : families) {
    std::string page;
    family->Render(page);
    if (!page.empty()) pages.emplace(name, std::move(page));
  }
}

}  // namespace

Histogram::Histogram(const std::vector<double>& bounds)
    : bounds_(bounds), buckets_(bounds.size() + 1) {}

void Histogram::Observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  buckets_[static_cast<size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

uint64_t Histogram::bucket(size_t index) const {
  return buckets_[index].load(std::memory_order_relaxed);
}

std::vector<double> ExponentialBounds(double start, double factor, size_t count) {
  std::vector<double> bounds(count);
  for (double& bound : bounds) {
    bound = start;
    start *= factor;
  }
  return bounds;
}

template <class Series>
Family<Series>::Family(std::string name, std::string help, std::vector<std::string> labels,
                       std::vector<double> bounds)
    : name_(std::move(name)),
      help_(std::move(help)),
      labels_(std::move(labels)),
      bounds_(std::move(bounds)) {}

template <class Series>
Series& Family<Series>::With(const std::vector<std::string>& values) {
  PD_ASSERT(values.size() == labels_.size());
  const MutexLock lock(mutex_);
  auto& slot = series_[values];
  if (slot == nullptr) slot = NewSeries(static_cast<const Series*>(nullptr), bounds_);
  return *slot;
}

template <class Series>
void Family<Series>::Replace(SeriesByValues series) {
  for (const auto& [values, one] : series) PD_ASSERT(values.size() == labels_.size());
  const MutexLock lock(mutex_);
  series_.swap(series);
}

template <class Series>
void Family<Series>::Remove(const std::vector<std::string>& values) {
  const MutexLock lock(mutex_);
  series_.erase(values);
}

template <class Series>
void Family<Series>::Render(std::string& out) const {
  const MutexLock lock(mutex_);
  bool headed = false;
  for (const auto& [values, series] : series_) {
    if (!series->moved()) continue;
    if (!headed) {
      fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name_, help_, name_,
                     TypeName(series.get()));
      headed = true;
    }
    RenderSeries(out, SeriesName{name_, labels_, values}, *series);
  }
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

CounterFamily& MetricsRegistry::Counters(const std::string& name, const std::string& help,
                                         std::vector<std::string> labels) {
  const MutexLock lock(mutex_);
  auto& family = counters_[name];
  if (family == nullptr) family = std::make_unique<CounterFamily>(name, help, std::move(labels));
  return *family;
}

GaugeFamily& MetricsRegistry::Gauges(const std::string& name, const std::string& help,
                                     std::vector<std::string> labels) {
  const MutexLock lock(mutex_);
  auto& family = gauges_[name];
  if (family == nullptr) family = std::make_unique<GaugeFamily>(name, help, std::move(labels));
  return *family;
}

HistogramFamily& MetricsRegistry::Histograms(const std::string& name, const std::string& help,
                                             std::vector<double> bounds,
                                             std::vector<std::string> labels) {
  const MutexLock lock(mutex_);
  auto& family = histograms_[name];
  if (family == nullptr) {
    family = std::make_unique<HistogramFamily>(name, help, std::move(labels), std::move(bounds));
  }
  return *family;
}

uint64_t MetricsRegistry::AddCollector(std::function<void()> collect) {
  const MutexLock lock(mutex_);
  collectors_.emplace(next_collector_, std::move(collect));
  return next_collector_++;
}

void MetricsRegistry::RemoveCollector(uint64_t number) {
  const MutexLock collecting(collect_mutex_);
  const MutexLock lock(mutex_);
  collectors_.erase(number);
}

std::string MetricsRegistry::Render() {
  RunCollectors();
  std::map<std::string, std::string> pages;
  const MutexLock lock(mutex_);
  RenderAll(counters_, pages);
  RenderAll(gauges_, pages);
  RenderAll(histograms_, pages);
  std::string out;
  for (const auto& [name, page] : pages) out += page;
  return out;
}

void MetricsRegistry::RunCollectors() {
  const MutexLock collecting(collect_mutex_);
  std::vector<std::function<void()>> collectors;
  {
    const MutexLock lock(mutex_);
    for (const auto& [number, collect] : collectors_) collectors.push_back(collect);
  }
  for (const auto& collect : collectors) collect();
}

}  // namespace pd

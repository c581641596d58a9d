#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pd/runtime/mutex.h"

// Counters, gauges and histograms, rendered as Prometheus text. A series is shown only once
// something has moved it, so that a name on the page means that the thing behind it happened.
// Names, types and labels are the reference's.
//
// Moving a series is one or two relaxed atomic operations; looking one up by its labels takes a
// lock, so hot paths keep the reference that With() returns (it lives as long as its registry).

namespace pd {

class Counter {
 public:
  void Add(double amount = 1) {
    value_.fetch_add(amount, std::memory_order_relaxed);
    moved_.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool moved() const { return moved_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
  std::atomic<bool> moved_{false};
};

class Gauge {
 public:
  void Set(double value) {
    value_.store(value, std::memory_order_relaxed);
    moved_.store(true, std::memory_order_relaxed);
  }
  void Add(double amount) {
    value_.fetch_add(amount, std::memory_order_relaxed);
    moved_.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool moved() const { return moved_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
  std::atomic<bool> moved_{false};
};

class Histogram {
 public:
  /// `bounds`: upper bounds in ascending order; the last bucket, +Inf, is implied.
  explicit Histogram(const std::vector<double>& bounds);

  void Observe(double value);
  [[nodiscard]] bool moved() const { return count() != 0; }
  [[nodiscard]] uint64_t count() const;
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  /// How many observations fell into bucket `index` alone; index == bounds().size() is +Inf.
  [[nodiscard]] uint64_t bucket(size_t index) const;

 private:
  const std::vector<double>& bounds_;
  std::vector<std::atomic<uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

/// `count` bounds, the first `start`, each `factor` times the one before it.
std::vector<double> ExponentialBounds(double start, double factor, size_t count);

/// All series of one name. Thread-safe.
template <class Series>
class Family {
 public:
  Family(std::string name, std::string help, std::vector<std::string> labels,
         std::vector<double> bounds = {});

  /// The series with these label values, in the order of the label names; made when it is new.
  /// Asserts that there are as many values as names.
  Series& With(const std::vector<std::string>& values) PD_EXCLUDES(mutex_);
  /// The one series of a family without labels.
  Series& Only() { return With({}); }
  /// All series anew, at one blow: no look at the page sees a part of them. No reference from With() may be used
  /// afterwards, so this is for families of one collector alone.
  using SeriesByValues = std::map<std::vector<std::string>, std::unique_ptr<Series>>;
  void Replace(SeriesByValues series) PD_EXCLUDES(mutex_);
  /// Forgets a series (of a store that is gone, say). No reference to it may be used afterwards.
  void Remove(const std::vector<std::string>& values) PD_EXCLUDES(mutex_);

  void Render(std::string& out) const PD_EXCLUDES(mutex_);
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const std::string name_;
  const std::string help_;
  const std::vector<std::string> labels_;
  const std::vector<double> bounds_;
  mutable Mutex mutex_;
  SeriesByValues series_ PD_GUARDED_BY(mutex_);
};

using CounterFamily = Family<Counter>;
using GaugeFamily = Family<Gauge>;
using HistogramFamily = Family<Histogram>;

/// The metrics of a server. Asking twice for a name gives the same family. Thread-safe; PdServer
/// owns one.
class MetricsRegistry {
 public:
  CounterFamily& Counters(const std::string& name, const std::string& help,
                          std::vector<std::string> labels = {}) PD_EXCLUDES(mutex_);
  GaugeFamily& Gauges(const std::string& name, const std::string& help,
                      std::vector<std::string> labels = {}) PD_EXCLUDES(mutex_);
  HistogramFamily& Histograms(const std::string& name, const std::string& help,
                              std::vector<double> bounds, std::vector<std::string> labels = {})
      PD_EXCLUDES(mutex_);

  /// `collect` is called before each rendering, to set gauges that are read rather than pushed. It
  /// must be quick and must not outlive what it looks at: remove it by the returned number first.
  uint64_t AddCollector(std::function<void()> collect) PD_EXCLUDES(mutex_);
  void RemoveCollector(uint64_t number) PD_EXCLUDES(mutex_);

  /// The page in Prometheus' text format 0.0.4, families in the order of their names.
  std::string Render() PD_EXCLUDES(mutex_);

 private:
  void RunCollectors() PD_EXCLUDES(mutex_);

  Mutex collect_mutex_;  // Held while collectors run, so that a removed one never runs again. Taken
                         // before mutex_.
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<CounterFamily>> counters_ PD_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<GaugeFamily>> gauges_ PD_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<HistogramFamily>> histograms_ PD_GUARDED_BY(mutex_);
  std::map<uint64_t, std::function<void()>> collectors_ PD_GUARDED_BY(mutex_);
  uint64_t next_collector_ PD_GUARDED_BY(mutex_) = 1;
};

}  // namespace pd

#include "pd/metrics/metrics.h"

#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

TEST_CASE("a series shows once something has moved it", "[metrics]") {
  MetricsRegistry metrics;
  auto& events = metrics.Counters("pd_tso_events", "Events.", {"type", "group"});
  Counter& saves = events.With({"save", "0"});
  events.With({"never", "0"});
  metrics.Gauges("pd_idle", "Idle.").Only();
  CHECK(metrics.Render().empty());
  saves.Add();
  saves.Add(2);
  metrics.Gauges("pd_zero", "Zero is a value.").Only().Set(0);
  CHECK(metrics.Render() ==
        "# HELP pd_tso_events Events.\n# TYPE pd_tso_events "
        "counter\npd_tso_events{type=\"save\",group=\"0\"} 3\n"
        "# HELP pd_zero Zero is a value.\n# TYPE pd_zero gauge\npd_zero 0\n");
}

TEST_CASE("histograms count what is at or below each bound", "[metrics]") {
  MetricsRegistry metrics;
  Histogram& sizes = metrics.Histograms("h", "H.", {1, 2}, {"k"}).With({"v"});
  for (const double value : {0.5, 1.0, 1.5, 9.0}) sizes.Observe(value);
  CHECK(metrics.Render() ==
        "# HELP h H.\n# TYPE h histogram\nh_bucket{k=\"v\",le=\"1\"} 2\nh_bucket{k=\"v\",le=\"2\"} "
        "3\n"
        "h_bucket{k=\"v\",le=\"+Inf\"} 4\nh_sum{k=\"v\"} 12\nh_count{k=\"v\"} 4\n");
}

TEST_CASE("label values are escaped, removed series are gone", "[metrics]") {
  MetricsRegistry metrics;
  auto& gauges = metrics.Gauges("g", "G.", {"a"});
  gauges.With({"x\"\\\n"}).Set(1);
  CHECK(metrics.Render().find(R"(g{a="x\"\\\n"} 1)") != std::string::npos);
  gauges.Remove({"x\"\\\n"});
  CHECK(metrics.Render().empty());
}

TEST_CASE("a family's series are replaced all at once", "[metrics]") {
  MetricsRegistry metrics;
  auto& gauges = metrics.Gauges("g", "G.", {"a"});
  gauges.With({"old"}).Set(1);
  GaugeFamily::SeriesByValues next;
  next[{"new"}] = std::make_unique<Gauge>();
  next[{"new"}]->Set(2);
  gauges.Replace(std::move(next));
  CHECK(metrics.Render() == "# HELP g G.\n# TYPE g gauge\ng{a=\"new\"} 2\n");
  gauges.Replace({});
  CHECK(metrics.Render().empty());
}

TEST_CASE("collectors run before each look until they are removed", "[metrics]") {
  MetricsRegistry metrics;
  int runs = 0;
  const uint64_t number = metrics.AddCollector([&] {
    ++runs;
    metrics.Gauges("runs", "Runs.").Only().Set(runs);
  });
  CHECK(metrics.Render().find("runs 1") != std::string::npos);
  metrics.RemoveCollector(number);
  CHECK(metrics.Render().find("runs 1") != std::string::npos);
  CHECK(runs == 1);
}

}  // namespace
}  // namespace pd

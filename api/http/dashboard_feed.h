#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/http/dashboard_snapshot.h"
#include "api/http/response.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"

namespace api {

/// Sends every open dashboard one picture of the cluster a second, and remembers the last minutes for
/// those that open later. A picture is taken and written once, however many look. Thread-safe.
class DashboardFeed {
 public:
  /// Called on the feed's thread: once a period, and for new pages.
  using Take = std::function<DashboardSnapshot()>;

  struct Options {
    pd::Millis period{1000};
    size_t samples_max = 300;
    /// Store figures in one history event: beyond it only every n-th sample is sent, so that the event
    /// fits a stream's queue.
    size_t history_figures_max = 6000;
  };

  explicit DashboardFeed(Take take) : DashboardFeed(std::move(take), Options{}) {}
  DashboardFeed(Take take, Options options);
  ~DashboardFeed();
  DashboardFeed(const DashboardFeed&) = delete;
  DashboardFeed& operator=(const DashboardFeed&) = delete;

  /// One more page: it gets the history and a picture soon, then one a period until it is gone. Never
  /// blocks.
  void Subscribe(std::shared_ptr<EventSink> sink) PD_EXCLUDES(mutex_);

  void Start() PD_EXCLUDES(mutex_);
  /// Closes all pages and joins the thread. Idempotent.
  void Stop() PD_EXCLUDES(mutex_);

 private:
  void Run() PD_EXCLUDES(mutex_);
  void Tick() PD_EXCLUDES(mutex_);
  void Greet() PD_EXCLUDES(mutex_);
  [[nodiscard]] std::string HistoryJson() const;

  const Take take_;
  const Options options_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<EventSink>> fresh_ PD_GUARDED_BY(mutex_);  // Not greeted yet.

  // Of the thread alone, after Start().
  std::vector<std::shared_ptr<EventSink>> sinks_;
  std::deque<DashboardSample> samples_;  // Oldest first; empty unless leading.
  std::thread thread_;
};

}  // namespace api

#include "api/http/dashboard_feed.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/http/dashboard_json.h"

namespace api {

DashboardFeed::DashboardFeed(Take take, Options options)
    : take_(std::move(take)), options_(options) {}

DashboardFeed::~DashboardFeed() { Stop(); }

void DashboardFeed::Subscribe(std::shared_ptr<EventSink> sink) {
  {
    const pd::MutexLock lock(mutex_);
    if (!stopping_) {
      fresh_.push_back(std::move(sink));
      sink = nullptr;
    }
  }
  if (sink != nullptr) sink->Close();
  wake_.NotifyAll();
}

void DashboardFeed::Start() {
  thread_ = std::thread([this] { Run(); });
}

void DashboardFeed::Stop() {
  {
    const pd::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  const pd::MutexLock lock(mutex_);
  sinks_.insert(sinks_.end(), fresh_.begin(), fresh_.end());
  for (const std::shared_ptr<EventSink>& sink : sinks_) sink->Close();
  fresh_.clear();
  sinks_.clear();
}

void DashboardFeed::Run() {
  while (true) {
    bool greet = false;
    {
      const pd::MutexLock lock(mutex_);
      if (!stopping_ && fresh_.empty()) wake_.WaitFor(mutex_, options_.period);
      if (stopping_) return;
      greet = !fresh_.empty();
    }
    if (greet) {
      Greet();
    } else {
      Tick();
    }
  }
}

void DashboardFeed::Tick() {
  const DashboardSnapshot snapshot = take_();
  if (snapshot.leads) {
    samples_.push_back(SampleOf(snapshot));
    if (samples_.size() > options_.samples_max) samples_.pop_front();
  } else {
    samples_.clear();
  }
  if (sinks_.empty()) return;
  const std::string json = DashboardSnapshotJson(snapshot);
  std::erase_if(sinks_, [&json](const auto& sink) { return !sink->Send("snapshot", json); });
}

void DashboardFeed::Greet() {
  std::vector<std::shared_ptr<EventSink>> fresh;
  {
    const pd::MutexLock lock(mutex_);
    fresh.swap(fresh_);
  }
  const std::string json = DashboardSnapshotJson(take_());
  for (std::shared_ptr<EventSink>& sink : fresh) {
    if (!samples_.empty()) sink->Send("history", HistoryJson());
    if (sink->Send("snapshot", json)) sinks_.push_back(std::move(sink));
  }
}

std::string DashboardFeed::HistoryJson() const {
  const size_t stores = std::max<size_t>(1, samples_.back().stores.size());
  const size_t step = 1 + samples_.size() * stores / options_.history_figures_max;
  std::vector<DashboardSample> sent;
  // Counted from the newest sample, which is always among them.
  for (size_t back = 0; back < samples_.size(); back += step) {
    sent.push_back(samples_[samples_.size() - 1 - back]);
  }
  std::reverse(sent.begin(), sent.end());
  return DashboardHistoryJson(sent);
}

}  // namespace api

#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pd/cluster/cluster.h"
#include "pd/metrics/metrics.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "pd/server.h"

namespace pd {

/// How the status address of a store is reached. Implemented by api.
class StoreStatusClient {
 public:
  virtual ~StoreStatusClient() = default;

  /// The body of GET /config at "host:port"; takes at most `timeout`, but for the look-up of the name. Errors:
  /// kUnavailable, with what went wrong.
  [[nodiscard]] virtual Result<std::string> FetchConfig(const std::string& status_address,
                                                        Millis timeout) = 0;
};

/// Learns from the stores how large they let regions grow (Cluster::store_config()), since planning must not merge what
/// a store would split again. One store speaks for all, as in the reference; the first one that gives a good answer, of
/// the TiKV stores that are up. A member asks as soon as it leads and stores have been heard, within ten seconds of a
/// change of them, and every minute. What was learned stays until there is better, whatever stores answer meanwhile.
///
/// A thread of its own, since it waits for stores: no other one waits for it, and it holds no lock while it does.
/// Thread-safe. A leader service after Cluster, which it must not outlive. Stop() joins the thread, which may finish
/// asking one store first.
class StoreConfigWatch final : public LeaderService {
 public:
  struct Deps {
    Cluster& cluster;
    StoreStatusClient& client;
    MetricsRegistry& metrics;
    const Clock& clock;
  };

  /// How often the stores are looked at, which costs nothing, until a leader has heard one that can be asked, ...
  static constexpr Millis kLookSoon = std::chrono::seconds(1);
  /// ... then, ...
  static constexpr Millis kLookEvery = std::chrono::seconds(10);
  /// ... and one of them asked though nothing has changed.
  static constexpr Millis kAskEvery = std::chrono::minutes(1);
  /// So many are asked in one look at most; the next one goes on after them.
  static constexpr size_t kAskedMax = 4;
  static constexpr Millis kTimeout = std::chrono::seconds(3);

  explicit StoreConfigWatch(Deps deps);
  ~StoreConfigWatch() override;

  void Start();
  void Stop() PD_EXCLUDES(mutex_);
  /// One look at once, for a caller who drives time instead of Start(). May ask stores. Returns when the next one is
  /// due.
  Millis Step() PD_EXCLUDES(mutex_);

  // LeaderService.
  Result<void> OnLeaderStart(uint64_t term) override PD_EXCLUDES(mutex_);
  void OnLeaderStop() override PD_EXCLUDES(mutex_);

 private:
  /// A store that can be asked, and where.
  using Source = std::pair<scheduler::StoreId, std::string>;

  void Run() PD_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Source> FindSources() const;
  void ForgetSeries(const std::vector<Source>& sources);
  /// Until one gives a good answer.
  bool AskSome(std::vector<Source> sources, uint64_t lead) PD_EXCLUDES(mutex_);
  /// True when the store gave a good answer, and this member still leads.
  bool Ask(const Source& source, uint64_t lead) PD_EXCLUDES(mutex_);
  void Take(const Source& source, StoreConfig config);
  [[nodiscard]] bool StillLeads(uint64_t lead) PD_EXCLUDES(mutex_);

  const Deps deps_;
  CounterFamily& attempts_;

  // Of whoever calls Step().
  uint64_t learned_in_ = 0;  // The lead in which a store was last heard.
  Nanos learned_at_{0};
  std::vector<Source> learned_from_;  // All that could be asked then.
  scheduler::StoreId first_;          // Whom to ask first.
  std::set<std::string> shown_;       // Addresses with series in the metrics.
  std::string complaint_;             // What was logged last, until a store answers.

  Mutex mutex_;
  CondVar wake_;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  bool leading_ PD_GUARDED_BY(mutex_) = false;
  uint64_t leads_ PD_GUARDED_BY(mutex_) = 0;  // Counts the starts of leadership.
  std::thread thread_;
};

}  // namespace pd

#pragma once

#include <array>
#include <map>
#include <optional>

#include "pd/config/config_store.h"
#include "pd/runtime/mutex.h"
#include "scheduler/filters/reason.h"
#include "scheduler/model/store.h"
#include "scheduler/model/time.h"
#include "scheduler/stats/influence.h"

namespace pd {

/// How fast peers may come to and go from each store: token buckets, version 1 of the reference's store limits
/// (scheduling.md D.3). A configured rate of r a minute fills r / 60 * 1000 tokens a second, up to 1000 tokens or one
/// second's worth; 0 and rates of 1e8 and more are unlimited. Thread-safe. Leader's memory only.
class StoreLimits {
 public:
  explicit StoreLimits(const ConfigStore& config) : config_(config) {}

  /// What is left for this store now.
  [[nodiscard]] scheduler::StoreLimitRoom Room(scheduler::StoreId store, scheduler::Instant now);

  /// Takes the costs of an operator off all its stores, or nothing and says which store has too little left.
  std::optional<scheduler::Refusal> Take(const scheduler::Influence& influence,
                                         scheduler::Instant now);
  /// Takes whatever there is: for operators that do not wait.
  void TakeAnyway(const scheduler::Influence& influence, scheduler::Instant now);

  void Clear();

 private:
  struct Bucket {
    double tokens = 0;
    scheduler::Instant filled_at;
  };
  using Key = std::pair<scheduler::StoreId, scheduler::LimitType>;

  [[nodiscard]] static double RateOf(const OnlineConfig& config, const Key& key);
  /// Tokens now; none: unlimited.
  std::optional<double> Tokens(const OnlineConfig& config, const Key& key, scheduler::Instant now)
      PD_REQUIRES(mutex_);
  [[nodiscard]] int64_t RoomOf(const OnlineConfig& config, const Key& key, scheduler::Instant now)
      PD_REQUIRES(mutex_);
  void Charge(const OnlineConfig& config, const scheduler::Influence& influence,
              scheduler::Instant now) PD_REQUIRES(mutex_);

  const ConfigStore& config_;
  Mutex mutex_;
  std::map<Key, Bucket> buckets_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

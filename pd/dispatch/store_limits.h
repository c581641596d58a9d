#pragma once

#include <array>
#include <map>
#include <optional>
#include <utility>

#include <tl/expected.hpp>

#include "pd/config/config_store.h"
#include "pd/runtime/mutex.h"
#include "scheduler/filters/reason.h"
#include "scheduler/model/store.h"
#include "scheduler/model/time.h"
#include "scheduler/stats/influence.h"

namespace pd {

/// How fast peers may come to and go from each store: token buckets, version 1 of the reference's store limits
/// (as in the reference). A configured rate of r a minute fills r / 60 * 1000 tokens a second, up to 1000 tokens or one
/// second's worth; 0 and rates of 1e8 and more are unlimited. Thread-safe. Leader's memory only.
class StoreLimits {
 public:
  using Key = std::pair<scheduler::StoreId, scheduler::LimitType>;
  /// Tokens that an operator took.
  using Taken = std::map<Key, double>;

  explicit StoreLimits(const ConfigStore& config) : config_(config) {}

  /// What is left for this store now.
  [[nodiscard]] scheduler::StoreLimitRoom Room(scheduler::StoreId store, scheduler::Instant now);

  /// Takes the costs of an operator off all its stores, or nothing and says which store has too little left.
  tl::expected<Taken, scheduler::Refusal> Take(const scheduler::Influence& influence,
                                               scheduler::Instant now);
  /// Takes whatever there is: for operators that do not wait.
  Taken TakeAnyway(const scheduler::Influence& influence, scheduler::Instant now);
  /// Of an operator that did not start after all. A bucket never holds more than it can.
  void GiveBack(const Taken& taken, scheduler::Instant now);

  void Clear();

 private:
  struct Bucket {
    double tokens = 0;
    scheduler::Instant filled_at;
  };

  [[nodiscard]] static double RateOf(const OnlineConfig& config, const Key& key);
  /// Tokens now; none: unlimited.
  std::optional<double> Tokens(const OnlineConfig& config, const Key& key, scheduler::Instant now)
      PD_REQUIRES(mutex_);
  [[nodiscard]] int64_t RoomOf(const OnlineConfig& config, const Key& key, scheduler::Instant now)
      PD_REQUIRES(mutex_);
  Taken Charge(const OnlineConfig& config, const scheduler::Influence& influence,
               scheduler::Instant now) PD_REQUIRES(mutex_);

  const ConfigStore& config_;
  Mutex mutex_;
  std::map<Key, Bucket> buckets_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

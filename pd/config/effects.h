#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pd/config/config.h"
#include "pd/config/config_store.h"
#include "pd/runtime/mutex.h"

// What is accepted because the reference has it, shown again as it was set, and means nothing here. Whoever sets it is
// told so in the log. docs/configuration.md lists it for people.

namespace pd {

struct NoEffect {
  std::string_view key;
  std::string_view why;
};

/// The keys without effect that the file or the command line set. They point into `config`.
std::vector<NoEffect> KeysWithoutEffect(const Config& config);

/// Items of the online configuration whose value has no effect, in the order of their names. Thread-safe.
class OnlineEffects {
 public:
  /// What `online` has of these and the last one had not: each is told once until it is taken back.
  std::vector<NoEffect> News(const OnlineConfig& online) PD_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::set<std::string_view> told_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

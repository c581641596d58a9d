#include "pd/dispatch/outlook.h"

#include <bit>
#include <functional>
#include <string_view>
#include <utility>

#include "scheduler/filters/store_filter.h"

namespace pd {
namespace {

/// For this process: made of every store in every turn.
class Digest {
 public:
  void Add(std::string_view bytes) { Add(std::hash<std::string_view>()(bytes)); }
  void Add(uint64_t value) {
    constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio.
    value_ = (value_ ^ value) * kSpread;
    value_ ^= value_ >> 32U;
  }
  [[nodiscard]] uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0;
};

uint64_t DigestOf(const scheduler::Store& store, const scheduler::PlanContext& context) {
  Digest digest;
  digest.Add(store.id.value);
  digest.Add(static_cast<uint64_t>(store.state));
  for (const scheduler::StoreLabel& label : store.labels) {
    digest.Add(label.key);
    digest.Add(label.value);
  }
  digest.Add(std::bit_cast<uint64_t>(store.leader_weight));
  digest.Add(std::bit_cast<uint64_t>(store.region_weight));
  const scheduler::Millis down = store.DownTime(context.now);
  digest.Add(uint64_t{store.IsDisconnected(context.now)} << 2U |
             uint64_t{store.IsUnhealthy(context.now)} << 1U |
             uint64_t{down > context.options.max_store_down_time});
  return digest.value();
}

}  // namespace

Outlook::Change Outlook::Look(const scheduler::PlanContext& context, Parts parts,
                              Findings findings) {
  std::vector<uint64_t> stores;
  std::vector<Course> courses;
  stores.reserve(context.view.stores().size());
  courses.reserve(context.view.stores().size());
  for (const scheduler::Store& store : context.view.stores()) {
    stores.push_back(DigestOf(store, context));
    courses.push_back(
        {IsLowSpace(store, context.options.low_space_ratio), store.IsPreparing(), store.pauses});
  }
  const bool rules = std::exchange(parts.rules_changed, false);
  const bool outside = rules || parts != parts_ || stores != stores_;
  const bool itself = findings != findings_ || courses != courses_;
  parts_ = std::move(parts);
  stores_ = std::move(stores);
  findings_ = std::move(findings);
  courses_ = std::move(courses);
  return outside ? Change::kFromOutside : itself ? Change::kByItself : Change::kNone;
}

}  // namespace pd

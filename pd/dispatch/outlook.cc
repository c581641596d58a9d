#include "pd/dispatch/outlook.h"

#include <bit>
#include <string_view>
#include <utility>

#include "scheduler/filters/store_filter.h"

namespace pd {
namespace {

/// FNV-1a.
class Digest {
 public:
  void Add(std::string_view bytes) {
    for (const char byte : bytes) Step(static_cast<uint8_t>(byte));
    Step(0xff);  // No byte of UTF-8: "ab", "c" is not "a", "bc".
  }
  void Add(uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8U) Step(static_cast<uint8_t>(value));
  }
  [[nodiscard]] uint64_t value() const { return value_; }

 private:
  void Step(uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }

  uint64_t value_ = 0xcbf29ce484222325;
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

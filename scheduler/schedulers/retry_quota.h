#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "scheduler/model/store.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// How many regions of a store a scheduler tries before it goes on to the next: fewer and fewer where nothing was found
/// (as in the reference). Kept by a scheduler from run to run.
class RetryQuota {
 public:
  static constexpr uint32_t kTriesMax = 10;
  static constexpr Millis kHeldBack = Seconds{60};
  static constexpr Millis kHeldAtLevel = Seconds{3};
  /// Without a run for longer nothing has been waited for.
  static constexpr Millis kGap = kHeldBack;

  [[nodiscard]] uint32_t TriesFor(StoreId store) const {
    const auto it = tries_.find(store);
    return it == tries_.end() ? kTriesMax : it->second;
  }
  void Found(StoreId store) { tries_.erase(store); }
  void FoundNothing(StoreId store) { tries_[store] = std::max(1U, TriesFor(store) / 2); }
  /// To be called first.
  void StartRun(Instant now) {
    if (ran_at_ && now - *ran_at_ > kGap) {
      held_back_since_.reset();
      full_since_.reset();
      in_vain_ = false;
    }
    ran_at_ = now;
  }
  /// Runs that proposed nothing have held stores back, which are below the level where all will meet, for so long that
  /// what holds the others up will not pass: the level is out of reach, until a run without it proposes nothing.
  [[nodiscard]] bool HeldBackInVain(Instant now) {
    if (held_back_since_ && now - *held_back_since_ >= kHeldBack) in_vain_ = true;
    return in_vain_;
  }
  /// The same for a few seconds: nothing is on its way that those could give which are above the level. Then those just
  /// at it may, which get as much back.
  [[nodiscard]] bool HeldAtLevelInVain(Instant now) const {
    return held_back_since_ && now - *held_back_since_ >= kHeldAtLevel;
  }
  enum class Held : uint8_t { kNone, kSome };
  /// How a run has ended.
  void NoteRun(size_t proposals, Held held, Instant now) {
    if (proposals > 0 || in_vain_ || held == Held::kNone) held_back_since_.reset();
    if (proposals > 0) return;
    in_vain_ = false;
    if (held == Held::kSome && !held_back_since_) held_back_since_ = now;
  }

  /// Stores that have reached the level were kept from taking for so long that those below it are not about to get what
  /// they could take over: whoever has much is rid of it first. Until a run that asked all and would keep none from it.
  [[nodiscard]] bool FullInVain(Instant now) const {
    return full_since_ && now - *full_since_ >= kHeldBack;
  }
  enum class Asked : uint8_t { kSome, kAll };
  void NoteFull(Held full, Asked asked, Instant now) {
    if (full == Held::kNone && asked == Asked::kAll) full_since_.reset();
    if (full == Held::kSome && !full_since_) full_since_ = now;
  }

  /// Forgets stores that are gone. `stores` by ascending id.
  void KeepOnly(const std::vector<Store>& stores) {
    std::erase_if(tries_, [&](const auto& entry) {
      return !std::ranges::binary_search(stores, entry.first, {}, &Store::id);
    });
  }

 private:
  std::map<StoreId, uint32_t> tries_;  // Absent: kTriesMax.
  std::optional<Instant> ran_at_;
  std::optional<Instant> held_back_since_;
  std::optional<Instant> full_since_;
  bool in_vain_ = false;
};

}  // namespace scheduler

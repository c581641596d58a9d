#include "pd/tso/tso_oracle.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace pd {
namespace {

constexpr int kTries = 10;
constexpr std::string_view kRetriesExceeded = "generate tso maximum number of retries exceeded";
constexpr int64_t kNanosPerMilli = 1'000'000;
/// Ends are stored as nanoseconds in 63 bits.
constexpr int64_t kStorableMaxMs = INT64_MAX / kNanosPerMilli;
/// With the clock standing still, time is pushed on only when so much of the counter is gone.
constexpr int64_t kLogicalHigh = int64_t{1} << (Timestamp::kLogicalBits - 1);

tl::unexpected<Error> CannotGenerate(ErrorCode code, std::string_view why) {
  return Fail(code, "[PD:tso:ErrGenerateTimestamp]generate timestamp failed, " + std::string(why));
}

tl::unexpected<Error> NotLeader() {
  return CannotGenerate(ErrorCode::kNotLeader, "requested pd is not leader of cluster");
}

tl::unexpected<Error> CannotReset(std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument,
              "[PD:tso:ErrResetUserTimestamp]reset user timestamp failed, " + std::string(why));
}

/// Milliseconds between two times by way of wrapping nanoseconds: what the reference compares, so that a time beyond
/// the year 2262 counts as past.
int64_t WrappedGapMs(int64_t to_ms, int64_t from_ms) {
  const uint64_t gap =
      (static_cast<uint64_t>(to_ms) - static_cast<uint64_t>(from_ms)) * kNanosPerMilli;
  return static_cast<int64_t>(gap) / kNanosPerMilli;
}

TsoOracle::Options Sensible(TsoOracle::Options options) {
  options.window = std::max({options.window, 2 * options.update_interval, TsoOracle::kWindowMin});
  return options;
}

}  // namespace

TsoOracle::TsoOracle(const Options& options, const Clock& clock, Save save,
                     std::function<bool()> lease_valid)
    : options_(Sensible(options)),
      clock_(clock),
      save_(std::move(save)),
      lease_valid_(std::move(lease_valid)) {}

int64_t TsoOracle::NowMs() const { return clock_.UnixNanos() / kNanosPerMilli; }

TsoOracle::Window TsoOracle::Plan(int64_t saved_end_ms) const {
  const int64_t start = std::max(NowMs(), saved_end_ms);
  return {start, start + options_.window / Millis(1)};
}

void TsoOracle::Start(Window window) {
  const MutexLock lock(mutex_);
  ++epoch_;
  saving_ = false;
  end_ms_.store(window.end_ms, std::memory_order_release);
  last_.store(Timestamp{window.start_ms, 0}.Composed(), std::memory_order_release);
  changed_.NotifyAll();
}

int64_t TsoOracle::Stop() {
  const MutexLock lock(mutex_);
  ++epoch_;
  saving_ = false;
  const uint64_t last = last_.exchange(0, std::memory_order_acq_rel);
  end_ms_.store(0, std::memory_order_release);
  changed_.NotifyAll();
  return last == 0 ? 0 : Timestamp::FromComposed(last).physical_ms + 1;
}

Result<Timestamp> TsoOracle::TryGenerate(uint32_t count) {
  uint64_t last = last_.load(std::memory_order_acquire);
  if (last == 0 || count == 0 || count > Timestamp::kLogicalMax) return RefuseToGrant(count);
  while (true) {
    const uint64_t granted = last + count;
    if (granted >> Timestamp::kLogicalBits == last >> Timestamp::kLogicalBits) {
      if (!last_.compare_exchange_weak(last, granted, std::memory_order_acq_rel)) {
        if (last == 0) return RefuseToGrant(count);
        continue;
      }
      // Last of all: had another leader begun before this check, the lease would be over.
      if (!lease_valid_())
        return CannotGenerate(ErrorCode::kNotLeader, "requested is not leader anymore");
      return Timestamp::FromComposed(granted);
    }
    events_.overflows.fetch_add(1, std::memory_order_relaxed);
    const bool advanced = Advance();
    const uint64_t seen = std::exchange(last, last_.load(std::memory_order_acquire));
    if (last == 0 || (!advanced && seen == last)) return RefuseToGrant(count);
  }
}

tl::unexpected<Error> TsoOracle::RefuseToGrant(uint32_t count) const {
  if (!lease_valid_()) return NotLeader();
  if (count == 0)
    return CannotGenerate(ErrorCode::kInvalidArgument, "tso count should be positive");
  if (count > Timestamp::kLogicalMax)
    return CannotGenerate(ErrorCode::kExhausted, kRetriesExceeded);
  if (!running())
    return CannotGenerate(ErrorCode::kUnavailable, "timestamp in memory isn't initialized");
  return CannotGenerate(ErrorCode::kUnavailable, kRetriesExceeded);
}

Result<Timestamp> TsoOracle::Generate(uint32_t count) {
  auto granted = TryGenerate(count);
  for (int i = 0; i < kTries && !granted && granted.error().code == ErrorCode::kUnavailable; ++i) {
    {
      const MutexLock lock(mutex_);
      changed_.WaitFor(mutex_, options_.update_interval);
    }
    granted = TryGenerate(count);
  }
  if (!granted && granted.error().code == ErrorCode::kUnavailable) {
    return CannotGenerate(ErrorCode::kExhausted, kRetriesExceeded);
  }
  return granted;
}

bool TsoOracle::Advance() {
  const int64_t now = NowMs();
  uint64_t last = last_.load(std::memory_order_acquire);
  while (last != 0) {
    const Timestamp current = Timestamp::FromComposed(last);
    int64_t next = now;
    if (next <= current.physical_ms) {
      if (current.logical <= kLogicalHigh) return false;
      next = current.physical_ms + 1;
    }
    // The end is read after `last`: both belong to one start, since a stop clears `last` first and the exchange below
    // would then fail.
    next = std::min(next, end_ms_.load(std::memory_order_acquire) - 1);
    if (next <= current.physical_ms) return false;
    if (last_.compare_exchange_weak(last, Timestamp{next, 0}.Composed(),
                                    std::memory_order_acq_rel)) {
      return true;
    }
  }
  return false;
}

void TsoOracle::Tick() {
  if (!running()) return;
  const int64_t now = NowMs();
  if (now < last().physical_ms) events_.clock_behind.fetch_add(1, std::memory_order_relaxed);
  Advance();
  const int64_t wanted = std::max(now, last().physical_ms);
  const int64_t window_ms = options_.window / Millis(1);
  if (saved_end_ms() - wanted > window_ms / 2) return;
  {
    const MutexLock lock(mutex_);
    if (saving_) return;
  }
  SaveEnd(wanted + window_ms, [](const Result<void>&) {});
}

void TsoOracle::SaveEnd(int64_t end_ms, SaveDone done) {
  std::optional<uint64_t> epoch;
  {
    const MutexLock lock(mutex_);
    if (last_.load(std::memory_order_acquire) != 0) {
      saving_ = true;
      epoch = epoch_;
    }
  }
  if (!epoch) return done(NotLeader());
  events_.saves.fetch_add(1, std::memory_order_relaxed);
  save_(end_ms, [this, end_ms, epoch = *epoch, done = std::move(done)](const Result<void>& saved) {
    const Result<void> counted = OnSaved(end_ms, epoch, saved);
    if (!counted) events_.save_failures.fetch_add(1, std::memory_order_relaxed);
    done(counted);
  });
}

Result<void> TsoOracle::OnSaved(int64_t end_ms, uint64_t epoch, const Result<void>& saved) {
  const MutexLock lock(mutex_);
  // Of a time that is over, the end says nothing.
  if (epoch != epoch_) return saved ? Result<void>(NotLeader()) : saved;
  saving_ = false;
  if (saved) {
    end_ms_.store(std::max(end_ms, end_ms_.load()), std::memory_order_release);
    Advance();  // The old end may have held time back, and the next tick may be far.
  }
  changed_.NotifyAll();
  return saved;
}

Result<void> TsoOracle::Reset(uint64_t timestamp, IfSmaller if_smaller, GapCheck gap_check,
                              Nanos max_gap) {
  const Timestamp wanted = Timestamp::FromComposed(timestamp);
  const Timestamp now = last();
  if (!running()) return NotLeader();
  const int64_t gap_ms = WrappedGapMs(wanted.physical_ms, now.physical_ms);
  const bool smaller_counter = gap_ms == 0 && wanted.logical <= now.logical;
  if (gap_ms < 0 || smaller_counter) {
    if (if_smaller == IfSmaller::kIgnore) return {};
    return CannotReset(smaller_counter ? "the specified counter is smaller than now"
                                       : "the specified ts is smaller than now");
  }
  if (gap_check == GapCheck::kOn && gap_ms >= max_gap / Millis(1)) {
    return CannotReset("the specified ts is too larger than now");
  }
  if (wanted.physical_ms > kStorableMaxMs - options_.window / Millis(1)) {
    return CannotReset("the specified ts is too larger than now");
  }
  auto done = std::make_shared<std::promise<Result<void>>>();
  SaveEnd(wanted.physical_ms + options_.window / Millis(1),
          [done](const Result<void>& saved) { done->set_value(saved); });
  if (auto saved = done->get_future().get(); !saved) return saved;
  {
    const MutexLock lock(mutex_);  // No start or stop between the look at the end and the jump.
    if (wanted.physical_ms >= end_ms_.load(std::memory_order_acquire)) return NotLeader();
    uint64_t current = last_.load(std::memory_order_acquire);
    while (current != 0 && current < timestamp) {
      if (last_.compare_exchange_weak(current, timestamp, std::memory_order_acq_rel)) break;
    }
    if (current == 0) return NotLeader();
  }
  if (!lease_valid_()) return NotLeader();
  return {};
}

}  // namespace pd

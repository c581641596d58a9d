#include "pd/meta/watch_hub.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pd/fsm/layout.h"

namespace pd {

/// One watch. The hub's mutex guards the queue; `delivery` is held around every call of the sink, so that whoever holds
/// it and sets `ended` knows that no call follows.
struct WatchHub::Watcher {
  uint64_t id = 0;
  WatchRequest request;
  std::shared_ptr<WatchSink> sink;

  // Under the hub's mutex.
  std::deque<Event> queue;  // Of revisions >= next; empty while behind.
  size_t queue_bytes = 0;
  bool behind = true;  // Reads history.

  Mutex delivery;
  bool ended PD_GUARDED_BY(delivery) = false;
  Revision next PD_GUARDED_BY(delivery) = 0;  // First revision the sink has not taken.
  Nanos not_before PD_GUARDED_BY(delivery){0};

  [[nodiscard]] bool Wants(const Event& event) const {
    if (event.type == Event::Type::kPut ? request.no_put : request.no_delete) return false;
    return layout::InRange(event.kv.key, request.key, request.range_end);
  }
};

class WatchHub::Handle final : public Watch {
 public:
  Handle(WatchHub& hub, std::shared_ptr<Watcher> watcher)
      : hub_(hub), watcher_(std::move(watcher)) {}
  ~Handle() override {
    hub_.Remove(watcher_->id);
    const MutexLock lock(watcher_->delivery);
    watcher_->ended = true;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

 private:
  WatchHub& hub_;
  std::shared_ptr<Watcher> watcher_;
};

Result<std::unique_ptr<Watch>> WatchHub::Add(WatchRequest request,
                                             std::shared_ptr<WatchSink> sink) {
  if (request.key.empty()) return Fail(ErrorCode::kInvalidArgument, "a watch needs a key");
  Revision next = request.start_revision;
  if (next <= 0) {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view);
    if (!reader) return tl::unexpected(reader.error());
    next = reader->mark().revision + 1;
  }
  auto watcher = std::make_shared<Watcher>();
  watcher->request = std::move(request);
  watcher->sink = std::move(sink);
  {
    const MutexLock lock(watcher->delivery);
    watcher->next = next;
  }
  const MutexLock lock(mutex_);
  if (watchers_.size() >= limits_.watches) return Fail(ErrorCode::kQueueFull, "too many watches");
  watcher->id = next_id_++;
  watchers_.emplace(watcher->id, watcher);
  return std::unique_ptr<Watch>(std::make_unique<Handle>(*this, std::move(watcher)));
}

void WatchHub::Remove(uint64_t id) {
  const MutexLock lock(mutex_);
  watchers_.erase(id);
}

size_t WatchHub::size() const {
  const MutexLock lock(mutex_);
  return watchers_.size();
}

std::vector<std::shared_ptr<WatchHub::Watcher>> WatchHub::All() const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Watcher>> all;
  all.reserve(watchers_.size());
  for (const auto& [id, watcher] : watchers_) all.push_back(watcher);
  return all;
}

void WatchHub::Applied(const std::vector<Event>& events) {
  const MutexLock lock(mutex_);
  for (const Event& event : events) {
    told_ = event.kv.mod_revision;
    for (const auto& [id, watcher] : watchers_) {
      if (watcher->behind || !watcher->Wants(event)) continue;
      watcher->queue_bytes +=
          event.kv.key.size() + event.kv.value.size() + event.prev_kv.value.size();
      watcher->queue.push_back(event);
      if (watcher->queue.size() <= limits_.events && watcher->queue_bytes <= limits_.bytes)
        continue;
      watcher->behind = true;
      watcher->queue.clear();
      watcher->queue_bytes = 0;
    }
  }
}

void WatchHub::Replaced() {
  const MutexLock lock(mutex_);
  for (const auto& [id, watcher] : watchers_) {
    watcher->behind = true;
    watcher->queue.clear();
    watcher->queue_bytes = 0;
  }
}

bool WatchHub::Deliver(Nanos now, bool& again) {
  bool did = false;
  for (const std::shared_ptr<Watcher>& watcher : All()) did |= DeliverTo(*watcher, now, again);
  return did;
}

bool WatchHub::DeliverTo(Watcher& watcher, Nanos now, bool& again) {
  const MutexLock delivery(watcher.delivery);
  if (watcher.ended) return false;
  if (now < watcher.not_before) {
    again = true;
    return false;
  }
  std::vector<Event> events;
  {
    const MutexLock lock(mutex_);
    if (!watcher.behind) {
      events.assign(std::make_move_iterator(watcher.queue.begin()),
                    std::make_move_iterator(watcher.queue.end()));
      watcher.queue.clear();
      watcher.queue_bytes = 0;
      if (events.empty()) return false;
    }
  }
  if (events.empty()) {
    const bool did = CatchUp(watcher, now);
    again |= watcher.not_before > now;
    return did;
  }
  // Some may have been read from history already, just before the queue was opened.
  const Revision wanted = watcher.next;
  std::erase_if(events, [&](const Event& event) { return event.kv.mod_revision < wanted; });
  if (events.empty()) return true;
  const Revision next = events.back().kv.mod_revision + 1;
  if (!Offer(watcher, std::move(events), next, now)) again = true;
  return true;
}

/// Reads a piece of history. At its end the watcher follows by its queue, if no event has come in between.
bool WatchHub::CatchUp(Watcher& watcher, Nanos now) {
  watcher.delivery.AssertHeld();
  const auto view = database_.TakeView();
  const auto reader = StateReader::On(*view);
  if (!reader) {
    Cancel(watcher, reader.error(), 0);
    return true;
  }
  const StateMark& mark = reader->mark();
  if (watcher.next > mark.revision) {
    const MutexLock lock(mutex_);
    if (told_ <= mark.revision) watcher.behind = false;
    return watcher.behind;
  }
  auto history = reader->EventsFrom(watcher.next, limits_.batch_bytes);
  if (!history) {
    const Error error{history.error().code,
                      fmt::format("required watch revision: {} is smaller than current "
                                  "compact/min revision {}.",
                                  watcher.next, mark.compact_revision)};
    Cancel(watcher, history.error().code == ErrorCode::kCompacted ? error : history.error(),
           mark.compact_revision);
    return true;
  }
  std::erase_if(history->events, [&](const Event& event) { return !watcher.Wants(event); });
  if (history->events.empty()) {
    watcher.next = history->next;
    return true;
  }
  return Offer(watcher, std::move(history->events), history->next, now);
}

/// False when the sink wants to be asked again; its events are read from history then.
bool WatchHub::Offer(Watcher& watcher, std::vector<Event> events, Revision next, Nanos now) {
  watcher.delivery.AssertHeld();
  if (!watcher.request.prev_kv) {
    for (Event& event : events) event.prev_kv = {};
  }
  if (watcher.sink->OnEvents(events, next - 1)) {
    watcher.next = next;
    return true;
  }
  watcher.not_before = now + limits_.retry;
  const MutexLock lock(mutex_);
  watcher.behind = true;
  watcher.queue.clear();
  watcher.queue_bytes = 0;
  return false;
}

void WatchHub::Cancel(Watcher& watcher, const Error& error, Revision compact_revision) {
  watcher.delivery.AssertHeld();
  watcher.ended = true;
  Remove(watcher.id);
  watcher.sink->OnCanceled(error, compact_revision);
}

void WatchHub::CancelAll(const Error& error) {
  for (const std::shared_ptr<Watcher>& watcher : All()) {
    const MutexLock delivery(watcher->delivery);
    if (!watcher->ended) Cancel(*watcher, error, 0);
  }
}

}  // namespace pd

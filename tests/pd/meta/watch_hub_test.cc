#include "pd/meta/watch_hub.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using namespace std::chrono_literals;

/// Takes what it is given, unless told to refuse.
class Sink final : public WatchSink {
 public:
  bool OnEvents(const std::vector<Event>& taken, Revision revision) override {
    if (refuse > 0) {
      --refuse;
      return false;
    }
    CHECK_FALSE(taken.empty());
    CHECK(revision >= taken.back().kv.mod_revision);
    events.insert(events.end(), taken.begin(), taken.end());
    return true;
  }
  void OnCanceled(const Error& why, Revision compact_revision) override {
    CHECK_FALSE(canceled.has_value());
    canceled = why;
    compacted = compact_revision;
  }

  int refuse = 0;
  std::vector<Event> events;
  std::optional<Error> canceled;
  Revision compacted = 0;
};

/// A state with a hub over it, fed as the raft thread would.
class Space {
 public:
  explicit Space(const WatchHub::Limits& limits = {})
      : state_(MetaState::Open(database_).value()), hub_(database_, limits) {}

  void Do(CommandBody body) {
    WriteBatch batch;
    AppliedChanges changes;
    REQUIRE(state_.Apply({std::move(body), 0}, batch, changes)->has_value());
    state_.MarkApplied(++index_, 1, batch);
    REQUIRE(database_.Write(batch, Durability::kBuffered).has_value());
    for (const Event& event : changes.events) all_.push_back(event);
    pending_.push_back(std::move(changes.events));
    if (!hold_) Tell();
  }
  void Put(const std::string& key, const std::string& value) {
    KvTxn txn;
    txn.Put(key, value);
    Do(std::move(txn));
  }
  /// What was written is told only now; readers may have seen it before.
  void Hold(bool hold) {
    hold_ = hold;
    if (!hold) Tell();
  }
  void Tell() {
    for (const auto& events : std::exchange(pending_, {})) hub_.Applied(events);
  }

  std::unique_ptr<Watch> Start(const std::shared_ptr<Sink>& sink, Revision from,
                               const std::string& key = "a", const std::string& end = "z",
                               bool prev_kv = true) {
    WatchRequest request;
    request.key = key;
    request.range_end = end;
    request.start_revision = from;
    request.prev_kv = prev_kv;
    return Start(sink, request);
  }
  std::unique_ptr<Watch> Start(const std::shared_ptr<Sink>& sink, const WatchRequest& request) {
    auto watch = hub_.Add(request, sink);
    REQUIRE(watch.has_value());
    return *std::move(watch);
  }

  /// Until nothing more comes, whatever the sinks refuse.
  void Deliver() {
    bool again = true;
    while (again) {
      again = false;
      while (hub_.Deliver(now_, again)) {
      }
      now_ += 1s;
    }
  }

  WatchHub& hub() { return hub_; }
  Revision revision() const { return state_.mark().revision; }
  const std::vector<Event>& all() const { return all_; }
  std::vector<Event> From(Revision first) const {
    std::vector<Event> events;
    for (const Event& event : all_) {
      if (event.kv.mod_revision >= first) events.push_back(event);
    }
    return events;
  }

 private:
  test::FakeDatabase database_;
  MetaState state_;
  WatchHub hub_;
  raft::LogIndex index_ = 0;
  bool hold_ = false;
  Nanos now_{0};
  std::vector<std::vector<Event>> pending_;
  std::vector<Event> all_;
};

TEST_CASE("a watch from now sees what comes, one from the past also what was") {
  Space space;
  space.Put("a", "1");
  space.Put("b", "1");
  const auto now = std::make_shared<Sink>();
  const auto past = std::make_shared<Sink>();
  const auto watch_now = space.Start(now, 0);
  const auto watch_past = space.Start(past, 2);
  space.Put("a", "2");
  space.Deliver();
  CHECK(now->events == space.From(4));
  CHECK(past->events == space.all());
  space.Put("b", "2");
  space.Deliver();
  CHECK(now->events == space.From(4));
  CHECK(past->events == space.all());
}

TEST_CASE("filters: range, kind of event, previous pair") {
  Space space;
  const auto one = std::make_shared<Sink>();
  const auto puts = std::make_shared<Sink>();
  const auto deletes = std::make_shared<Sink>();
  const auto bare = std::make_shared<Sink>();
  const auto watch_one = space.Start(one, 0, "b", "");
  WatchRequest request;
  request.key = "a";
  request.range_end = "z";
  request.no_delete = true;
  const auto watch_puts = space.Start(puts, request);
  request.no_delete = false;
  request.no_put = true;
  const auto watch_deletes = space.Start(deletes, request);
  const auto watch_bare = space.Start(bare, 0, "a", "z", false);
  space.Put("a", "1");
  space.Put("b", "1");
  space.Put("b", "2");
  KvTxn txn;
  txn.Delete("a", "z");
  space.Do(txn);
  space.Deliver();
  REQUIRE(one->events.size() == 3);
  CHECK(one->events[1].prev_kv.value == "1");
  CHECK(puts->events.size() == 3);
  REQUIRE(deletes->events.size() == 2);
  CHECK(deletes->events[0].kv.key == "a");
  REQUIRE(bare->events.size() == 5);
  CHECK(bare->events[2].prev_kv == KeyValue{});
}

TEST_CASE("a start in the future waits for it") {
  Space space;
  const auto sink = std::make_shared<Sink>();
  const auto watch = space.Start(sink, 4);
  for (int n = 0; n < 5; ++n) space.Put("a", std::to_string(n));
  space.Deliver();
  CHECK(sink->events == space.From(4));
}

TEST_CASE("history that is gone ends the watch with the reference's text") {
  Space space;
  for (int n = 0; n < 9; ++n) space.Put("a", std::to_string(n));
  space.Do(Compact{5});
  const auto late = std::make_shared<Sink>();
  const auto fine = std::make_shared<Sink>();
  const auto watch_late = space.Start(late, 4);
  const auto watch_fine = space.Start(fine, 5);
  space.Deliver();
  REQUIRE(late->canceled.has_value());
  CHECK(late->canceled->code == ErrorCode::kCompacted);
  CHECK(late->canceled->context ==
        "required watch revision: 4 is smaller than current compact/min revision 5.");
  CHECK(late->compacted == 5);
  CHECK(late->events.empty());
  CHECK_FALSE(fine->canceled.has_value());
  CHECK(fine->events.size() == 6);
}

TEST_CASE("a sink that takes nothing costs no memory, only time, until compaction overtakes it") {
  WatchHub::Limits limits;
  limits.events = 3;
  Space space(limits);
  const auto slow = std::make_shared<Sink>();
  const auto watch = space.Start(slow, 0);
  space.Deliver();
  slow->refuse = 5;
  for (int n = 0; n < 50; ++n) space.Put("a", std::to_string(n));
  space.Deliver();
  CHECK(slow->events == space.all());

  for (int n = 0; n < 5; ++n) space.Put("a", "more than the queue holds");
  space.Do(Compact{space.revision()});
  space.Deliver();
  REQUIRE(slow->canceled.has_value());
  CHECK(slow->canceled->code == ErrorCode::kCompacted);
}

TEST_CASE("nobody is called after the end") {
  Space space;
  const auto dropped = std::make_shared<Sink>();
  const auto kept = std::make_shared<Sink>();
  auto watch_dropped = space.Start(dropped, 0);
  const auto watch_kept = space.Start(kept, 0);
  watch_dropped.reset();
  space.Put("a", "1");
  space.Deliver();
  CHECK(dropped->events.empty());
  CHECK(space.hub().size() == 1);
  space.hub().CancelAll({ErrorCode::kNotStarted, "stopping"});
  CHECK(kept->canceled->code == ErrorCode::kNotStarted);
  space.Put("a", "2");
  space.Deliver();
  CHECK(kept->events.size() == 1);
  CHECK_FALSE(dropped->canceled.has_value());
}

TEST_CASE("bad watches and too many watches are refused") {
  WatchHub::Limits limits;
  limits.watches = 1;
  Space space(limits);
  const auto sink = std::make_shared<Sink>();
  CHECK(space.hub().Add({}, sink).error().code == ErrorCode::kInvalidArgument);
  const auto watch = space.Start(sink, 0);
  WatchRequest request;
  request.key = "a";
  CHECK(space.hub().Add(request, sink).error().code == ErrorCode::kQueueFull);
}

TEST_CASE("whatever sinks do and whenever watches start, each sees every event once and in order") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    std::mt19937 rng(seed);
    WatchHub::Limits limits;
    limits.events = 1 + rng() % 6;
    limits.batch_bytes = 1 + rng() % 200;
    Space space(limits);
    struct One {
      std::shared_ptr<Sink> sink;
      std::unique_ptr<Watch> watch;
      Revision from = 0;
    };
    std::vector<One> watches;
    Nanos now{0};
    for (int round = 0; round < 60; ++round) {
      switch (rng() % 6) {
        case 0: {
          One one;
          one.sink = std::make_shared<Sink>();
          one.from = static_cast<Revision>(2 + rng() % static_cast<uint64_t>(space.revision() + 1));
          one.watch = space.Start(one.sink, one.from);
          watches.push_back(std::move(one));
          break;
        }
        case 1: {
          bool again = false;
          space.hub().Deliver(now, again);
          break;
        }
        case 2:
          if (!watches.empty())
            watches[rng() % watches.size()].sink->refuse = static_cast<int>(rng() % 4);
          break;
        case 3:
          space.Hold(rng() % 2 == 0);
          break;
        case 4:
          now += 10ms;
          if (rng() % 10 == 0) space.hub().Replaced();
          break;
        default: {
          KvTxn txn;
          txn.Put(std::string(1, static_cast<char>('a' + rng() % 3)), std::to_string(round));
          if (rng() % 3 == 0) txn.Put("k", std::to_string(round));
          space.Do(std::move(txn));
        }
      }
    }
    space.Hold(false);
    space.Deliver();
    for (const One& one : watches) REQUIRE(one.sink->events == space.From(one.from));
  }
}

}  // namespace
}  // namespace pd

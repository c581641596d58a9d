#include "api/worker_pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <catch2/catch.hpp>

namespace api {
namespace {

TEST_CASE("jobs run, all of them, also those that wait at the stop") {
  std::atomic<int> done = 0;
  WorkerPool pool({.threads_max = 3, .queue_max = 1000});
  for (int i = 0; i < 500; ++i) REQUIRE(pool.Submit([&] { ++done; }));
  pool.Stop();
  CHECK(done == 500);
  CHECK_FALSE(pool.Submit([&] { ++done; }));
  pool.Stop();
  CHECK(done == 500);
}

TEST_CASE("as many jobs run at once as there are threads, the rest waits, and more is refused") {
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0;
  bool go_on = false;
  const auto job = [&] {
    std::unique_lock lock(mutex);
    ++running;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
  };
  WorkerPool pool({.threads_max = 2, .queue_max = 3});
  REQUIRE(pool.Submit(job));
  REQUIRE(pool.Submit(job));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return running == 2; });
  }
  for (int i = 0; i < 3; ++i) REQUIRE(pool.Submit(job));
  CHECK_FALSE(pool.Submit(job));
  {
    const std::lock_guard lock(mutex);
    CHECK(running == 2);
    go_on = true;
    changed.notify_all();
  }
  pool.Stop();
  CHECK(running == 5);
}

}  // namespace
}  // namespace api

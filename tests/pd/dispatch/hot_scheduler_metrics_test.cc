#include "pd/dispatch/hot_scheduler_metrics.h"

#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

TEST_CASE("runs of balance-hot-region are counted, and what is under way is shown", "[metrics]") {
  MetricsRegistry registry;
  scheduler::HotRegionMemory memory;
  const scheduler::Instant now{scheduler::Seconds{100}};
  scheduler::HotMove move;
  move.from = {1};
  move.to = {2};
  move.write = scheduler::Load{{1000, 0, 0, 0}};
  move.moves_peer = true;
  move.planned = now;
  memory.moves[{7}] = move;
  scheduler::Decision decision;
  decision.Refuse({scheduler::Reason::kNoHotPeers, {3}, {}, 0, 1, {}});
  decision.Refuse({scheduler::Reason::kLoadsAlike, {}, {}, 0, 1, {}});
  NoteHotRun(memory, decision, now, registry);
  const auto shows = [&](const char* line) {
    const std::string page = registry.Render();
    CAPTURE(page, line);
    CHECK(page.find(line) != std::string::npos);
  };
  shows(R"(pd_scheduler_hot_region{type="no-hot-peers",store="3"} 1)");
  shows(R"(pd_scheduler_hot_region{type="source",store="1"} 1)");
  shows(R"(pd_scheduler_hot_region{type="target",store="2"} 1)");
  shows(R"(pd_scheduler_hot_peer_sum{type="move-peer",rw="write",dim="byte"} 1000)");
  shows(R"(pd_scheduler_hot_pending_sum{store="1",rw="write",dim="byte"} -1000)");
  shows(R"(pd_scheduler_hot_pending_sum{store="2",rw="write",dim="byte"} 1000)");
  CHECK(registry.Render().find("hot_region_direction{") == std::string::npos);

  memory.moves[{7}].done = now + scheduler::Seconds{5};
  NoteHotRun(memory, {}, now + scheduler::Seconds{5}, registry);
  shows(
      R"(hot_region_direction{type="move-peer",rw="write",store="2",direction="in",dim="byte"} 1)");
  shows(R"(pd_scheduler_hot_region{type="source",store="1"} 1)");
  memory.moves.clear();
  NoteHotRun(memory, {}, now, registry);
  CHECK(registry.Render().find("hot_pending_sum{") == std::string::npos);
}

TEST_CASE("means and deviations are shown for each task and engine", "[metrics]") {
  MetricsRegistry registry;
  scheduler::HotRegionMemory memory;
  memory.summaries[{scheduler::HotTask::kWriteLeader, scheduler::Engine::kTiKv}] = {
      scheduler::Load{{1000, 10, 5, 0}}, scheduler::Load{{0.5, 0.25, 0, 0}}, 2, 0.75};
  memory.summaries[{scheduler::HotTask::kWritePeer, scheduler::Engine::kTiFlash}] = {
      scheduler::Load{{3000, 0, 0, 0}}, {}, 0, 0};
  memory.summaries[{scheduler::HotTask::kReadPeer, scheduler::Engine::kTiKv}] = {
      scheduler::Load{{0, 0, 0, 80}}, {}, 0, 0};
  NoteHotRun(memory, {}, {}, registry);
  const std::string page = registry.Render();
  CAPTURE(page);
  for (const char* line : {R"({type="exp-byte-rate-write-leader",store="tikv"} 1000)",
                           R"({type="stddev-byte-rate-write-leader",store="tikv"} 0.5)",
                           R"({type="stddev-key-rate-write-leader",store="tikv"} 0.25)",
                           R"({type="exp-count-rate-write-leader",store="tikv"} 2)",
                           R"({type="stddev-count-rate-write-leader",store="tikv"} 0.75)",
                           R"({type="exp-byte-rate-write-region",store="tiflash"} 3000)",
                           R"({type="exp-cpu-rate-read-region",store="tikv"} 80)"}) {
    CHECK(page.find(std::string("pd_scheduler_hot_peers_summary") + line) != std::string::npos);
  }
  CHECK(page.find("cpu-rate-write") == std::string::npos);
}

}  // namespace
}  // namespace pd

#include "scheduler/model/classify.h"

#include <functional>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

Region Known() {
  Region region;
  region.id = RegionId{1};
  region.epoch = {2, 2};
  region.peers = {{PeerId{1}, StoreId{1}}, {PeerId{2}, StoreId{2}}};
  region.leader = region.peers[0];
  region.term = 5;
  region.size_mib = 10;
  region.keys = 100;
  region.flow.bytes_written = 10000;
  region.flow.bytes_read = 20000;
  region.buckets.version = 3;
  region.source = RegionSource::kHeartbeat;
  return region;
}

constexpr RegionChange kNothing{};
constexpr RegionChange kIndex{.index = true};
constexpr RegionChange kIndexLook{.index = true, .look = true};
constexpr RegionChange kIndexNotify{.index = true, .notify = true};
constexpr RegionChange kLook{.index = true, .notify = true, .look = true};
constexpr RegionChange kSaved{.index = true, .save = true, .notify = true};
constexpr RegionChange kFresh{.index = true, .save = true, .notify = true, .fresh = true};

TEST_CASE("a heartbeat is classified by what it changes", "[classify]") {
  struct Case {
    const char* what;
    std::function<void(Region&)> change;
    RegionChange expected;
  };
  const std::vector<Case> cases = {
      {"nothing", [](Region&) {}, kNothing},
      {"version", [](Region& r) { r.epoch.version = 3; }, kFresh},
      {"conf_ver", [](Region& r) { r.epoch.conf_ver = 3; }, kFresh},
      {"leader", [](Region& r) { r.leader = r.peers[1]; }, kLook},
      {"leader lost", [](Region& r) { r.leader = {}; }, kLook},
      {"term alone", [](Region& r) { r.term = 6; }, kNothing},
      {"peer count", [](Region& r) { r.peers.pop_back(); }, kSaved},
      {"newer buckets", [](Region& r) { r.buckets.version = 4; }, kSaved},
      {"older buckets", [](Region& r) { r.buckets.version = 2; }, kNothing},
      {"buckets gone", [](Region& r) { r.buckets.version = 0; }, kSaved},
      {"flow within rounding", [](Region& r) { r.flow.bytes_written = 10499; }, kNothing},
      {"flow beyond rounding", [](Region& r) { r.flow.bytes_written = 10500; }, kIndexNotify},
      {"read flow", [](Region& r) { r.flow.bytes_read = 0; }, kIndexNotify},
      {"keys that flowed", [](Region& r) { r.flow.keys_written = 77; }, kNothing},
      {"down peer",
       [](Region& r) {
         r.down_peers = {{r.peers[1], 5}};
       },
       kLook},
      {"pending peer", [](Region& r) { r.pending_peers = {r.peers[1]}; }, kLook},
      {"size", [](Region& r) { r.size_mib = 11; }, kIndex},
      {"keys", [](Region& r) { r.keys = 101; }, kIndex},
      {"replication",
       [](Region& r) {
         r.replication = {ReplicationState::kSimpleMajority, 1};
       },
       kIndex},
      {"replication unknown", [](Region& r) { r.replication.state_id = 1; }, kNothing},
      {"encryption", [](Region& r) { r.encryption_meta = "key"; }, kSaved},
      {"flashback", [](Region& r) { r.in_flashback = true; }, kIndex},
      {"a store leaves", [](Region& r) { r.on_leaving_store = true; }, kIndexLook},
      {"heard of first", [](Region& r) { r.source = RegionSource::kSync; }, kIndexLook},
      {"flashback time", [](Region& r) { r.flashback_start_ts = 1; }, kIndex},
  };
  const Region origin = Known();
  for (const Case& c : cases) {
    INFO(c.what);
    Region report = Known();
    c.change(report);
    CHECK(ClassifyRegion(&origin, report, {}) == c.expected);
  }
  CHECK(ClassifyRegion(nullptr, Known(), {}) == kFresh);
}

TEST_CASE("a down peer that stays down for longer is no change", "[classify]") {
  Region origin = Known();
  origin.down_peers = {{origin.peers[1], 5}};
  Region report = origin;
  report.down_peers[0].down_s = 65;
  CHECK(ClassifyRegion(&origin, report, {}) == kNothing);
}

TEST_CASE("finer rounding shows at once", "[classify]") {
  const Region origin = Known();
  CHECK(ClassifyRegion(&origin, Known(), {.flow_divisor = 10, .flow_divisor_before = 1000}) ==
        kIndexNotify);
  CHECK(ClassifyRegion(&origin, Known(), {.flow_divisor = 10000, .flow_divisor_before = 1000}) ==
        kNothing);
}

TEST_CASE("the first report after a load from disk counts as a new leader", "[classify]") {
  Region origin = Known();
  origin.leader = {};
  origin.source = RegionSource::kStorage;
  CHECK(ClassifyRegion(&origin, Known(), {}) == kLook);
}

TEST_CASE("reports are brought into shape", "[classify]") {
  const Region origin = Known();
  Region report = Known();
  report.size_mib = 0;
  report.keys = 0;
  report.buckets = {};
  report.flow.bytes_written = 5;
  report.flow.keys_written = kFlowInsane;
  report.flow.bytes_read = kFlowInsane - 1;
  report.flow.write_queries = UINT64_MAX;
  report.flow.read_queries = 7;
  report.flow.cpu_usage = kFlowInsane;
  report.pending_peers = {report.peers[1], report.peers[0]};
  report.down_peers = {{report.peers[1], 1}, {report.peers[0], 2}};
  Region fresh = report;

  NormalizeReport(&origin, report);
  CHECK(report.size_mib == 10);
  CHECK(report.keys == 100);
  CHECK(report.buckets.version == 3);
  CHECK(report.flow.bytes_written == 0);
  CHECK(report.flow.keys_written == 0);
  CHECK(report.flow.bytes_read == kFlowInsane - 1);
  CHECK(report.flow.write_queries == 0);
  CHECK(report.flow.read_queries == 7);
  CHECK(report.flow.cpu_usage == 0);
  CHECK(report.pending_peers[0].id == PeerId{1});
  CHECK(report.down_peers[0].peer.id == PeerId{1});

  NormalizeReport(nullptr, fresh);
  CHECK(fresh.size_mib == 1);
  CHECK(fresh.keys == 0);
}

TEST_CASE("sizes round down but not away", "[classify]") {
  CHECK(SizeMib(0) == 0);
  CHECK(SizeMib(1) == 1);
  CHECK(SizeMib((uint64_t{1} << 20) - 1) == 1);
  CHECK(SizeMib((uint64_t{2} << 20) - 1) == 1);
  CHECK(SizeMib(uint64_t{96} << 20) == 96);
}

}  // namespace
}  // namespace scheduler

#include "api/grpc/heartbeat_streams.h"

#include <memory>
#include <optional>

#include <catch2/catch.hpp>

namespace api {
namespace {

class ManualClock final : public pd::Clock {
 public:
  [[nodiscard]] pd::Nanos Monotonic() const override { return now; }
  [[nodiscard]] int64_t UnixNanos() const override { return now.count(); }
  pd::Nanos now{1000};
};

/// A store that takes what the test lets it take.
class FakeStore final : public RawSink {
 public:
  SinkResult Write(const google::protobuf::MessageLite&) override {
    ++writes;
    return result;
  }
  void Finish(RpcStatus status) override { finished = std::move(status); }
  [[nodiscard]] bool closed() const override { return finished.has_value(); }

  SinkResult result = SinkResult::kQueued;
  int writes = 0;
  std::optional<RpcStatus> finished;
};

struct Fixture {
  Fixture() {
    region.id = scheduler::RegionId{7};
    region.peers = {{scheduler::PeerId{8}, scheduler::StoreId{1}}};
    region.leader = region.peers[0];
    streams.Bind(scheduler::StoreId{1}, streams.NewStream(), HeartbeatStreams::Sink(store));
  }
  bool Send() { return streams.Send(region, scheduler::TransferLeaderCommand{}); }

  ManualClock clock;
  bool serving = true;
  pd::MetricsRegistry registry;
  HeartbeatMetrics metrics{registry};
  HeartbeatStreams streams{
      [] { return uint64_t{1}; }, [this] { return serving; }, clock,
      [this](scheduler::StoreId id) { return metrics.PushesOf(id, "tikv1:20160"); }};
  std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>();
  scheduler::Region region;
};

TEST_CASE("steps go only from a leader with its lease, errors always") {
  Fixture fixture;
  CHECK(fixture.Send());
  fixture.serving = false;
  CHECK_FALSE(fixture.Send());
  CHECK(fixture.store->writes == 1);
  metapb::Peer leader;
  leader.set_store_id(1);
  CHECK(fixture.streams.SendError(leader, "no"));
}

TEST_CASE("a store that reads nothing for five seconds loses its stream") {
  Fixture fixture;
  fixture.store->result = SinkResult::kFull;
  CHECK_FALSE(fixture.Send());
  fixture.clock.now += std::chrono::seconds(4);
  CHECK_FALSE(fixture.Send());
  // A pause in between starts the time again.
  fixture.store->result = SinkResult::kQueued;
  CHECK(fixture.Send());
  fixture.store->result = SinkResult::kFull;
  fixture.clock.now += std::chrono::seconds(4);
  CHECK_FALSE(fixture.Send());
  fixture.clock.now += std::chrono::seconds(4);
  CHECK_FALSE(fixture.Send());
  CHECK_FALSE(fixture.store->finished);
  fixture.clock.now += std::chrono::seconds(2);
  CHECK_FALSE(fixture.Send());
  REQUIRE(fixture.store->finished);
  CHECK(*fixture.store->finished ==
        RpcStatus{StatusCode::kDeadlineExceeded, "send heartbeat timeout"});
  const int writes = fixture.store->writes;
  CHECK_FALSE(fixture.Send());
  CHECK(fixture.store->writes == writes);
}

TEST_CASE("what is pushed is counted by store and outcome") {
  Fixture fixture;
  CHECK(fixture.Send());
  CHECK(fixture.Send());
  fixture.store->result = SinkResult::kClosed;
  CHECK_FALSE(fixture.Send());
  CHECK_FALSE(fixture.Send());  // Unbound now.
  const std::string page = fixture.registry.Render();
  const auto shows = [&](const char* status, const char* count) {
    const std::string line =
        std::string(R"(pd_hbstream_region_message{address="tikv1:20160",store="1",type="push",)") +
        "status=\"" + status + "\"} " + count + "\n";
    return page.find(line) != std::string::npos;
  };
  CHECK(shows("ok", "2"));
  CHECK(shows("err", "1"));
  CHECK(shows("skip", "1"));
}

TEST_CASE("a closed stream is forgotten at the first push") {
  Fixture fixture;
  fixture.store->result = SinkResult::kClosed;
  CHECK_FALSE(fixture.Send());
  CHECK_FALSE(fixture.Send());
  CHECK(fixture.store->writes == 1);
  CHECK_FALSE(fixture.store->finished);
}

}  // namespace
}  // namespace api

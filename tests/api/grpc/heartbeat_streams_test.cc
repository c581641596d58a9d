#include "api/grpc/heartbeat_streams.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>

#include "api/grpc/server.h"
#include "tests/api/grpc/test_client.h"
#include "tests/harness/wait.h"

namespace api {
namespace {

using harness::Eventually;

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
  void Abort(RpcStatus status) override { aborted = std::move(status); }
  [[nodiscard]] bool closed() const override { return finished || aborted; }

  SinkResult result = SinkResult::kQueued;
  int writes = 0;
  std::optional<RpcStatus> finished;
  std::optional<RpcStatus> aborted;
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
  std::string address = "tikv1:20160";
  HeartbeatMetrics metrics{registry, [this](scheduler::StoreId) { return address; }};
  HeartbeatStreams streams{[] { return uint64_t{1}; }, [this] { return serving; }, clock,
                           [this](scheduler::StoreId id) { return metrics.Of(id); }};
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
  CHECK_FALSE(fixture.store->aborted);
  fixture.clock.now += std::chrono::seconds(2);
  CHECK_FALSE(fixture.Send());
  REQUIRE(fixture.store->aborted);
  CHECK(*fixture.store->aborted ==
        RpcStatus{StatusCode::kDeadlineExceeded, "send heartbeat timeout"});
  const int writes = fixture.store->writes;
  CHECK_FALSE(fixture.Send());
  CHECK(fixture.store->writes == writes);
}

/// Binds its stream to store 1, as the handler of heartbeats does.
class BoundSession final : public StreamSession<pdpb::RegionHeartbeatRequest> {
 public:
  BoundSession(Fixture& fixture, HeartbeatStreams::Sink sink, std::atomic<int>& open)
      : fixture_(fixture), sink_(std::move(sink)), open_(open) {}
  void OnMessage(const pdpb::RegionHeartbeatRequest&) override {
    fixture_.streams.Bind(scheduler::StoreId{1}, stream_, sink_);
    ++open_;
  }
  void OnHalfClose() override {}
  void OnClose() override {
    fixture_.streams.Unbind(stream_);
    --open_;
  }

 private:
  Fixture& fixture_;
  const HeartbeatStreams::Sink sink_;
  std::atomic<int>& open_;
  const uint64_t stream_ = fixture_.streams.NewStream();
};

TEST_CASE("the call of a store that reads nothing ends at both sides") {
  Fixture fixture;
  std::atomic<int> open = 0;
  MethodRegistry methods;
  methods.Stream<pdpb::RegionHeartbeatRequest, pdpb::RegionHeartbeatResponse>(
      "/pdpb.PD/RegionHeartbeat", kPdpbFast, [&](const CallContext&, HeartbeatStreams::Sink sink) {
        return std::make_unique<BoundSession>(fixture, std::move(sink), open);
      });
  WorkerPool pool{{}};
  GrpcServer server(
      methods, pool,
      {.listen = "127.0.0.1:0",
       .streams = {.queue_max = 4, .queue_bytes_max = 64U << 20, .pause_reading_at = 2}},
      {});
  REQUIRE(server.Start());
  TestStream stream(ChannelTo(server.port()), "/pdpb.PD/RegionHeartbeat");
  REQUIRE(stream.Send(pdpb::RegionHeartbeatRequest()));
  REQUIRE(Eventually([&] { return open == 1; }));

  metapb::Peer leader;
  leader.set_store_id(1);
  const auto push = [&] { return fixture.streams.SendError(leader, std::string(1U << 20, 'e')); };
  // Until nothing moves any more: the transport takes a while to fill its buffers.
  int pushed = 0;
  for (int full = 0; full < 100 && pushed < 1000; ++full) {
    while (pushed < 1000 && push()) {
      ++pushed;
      full = 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  REQUIRE(pushed < 1000);
  fixture.clock.now += std::chrono::seconds(6);
  CHECK_FALSE(push());
  CHECK(Eventually([&] { return open == 0; }));
  int read = 0;
  while (stream.ReceiveBytes()) ++read;
  CHECK(read < pushed);
  CHECK(stream.Status() == RpcStatus{StatusCode::kDeadlineExceeded, "send heartbeat timeout"});
  server.Stop(std::chrono::milliseconds(0));
  pool.Stop();
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

TEST_CASE("the series of a store go with the store and with its address") {
  Fixture fixture;
  const auto shows = [&](const std::string& labels) {
    return fixture.registry.Render().find(labels) != std::string::npos;
  };
  const auto count_all = [&] {
    const HeartbeatMetrics::Handle series = fixture.metrics.Of(scheduler::StoreId{1});
    series->received->Add();
    series->seconds->Observe(1);
    series->seconds_on_the_way->Observe(1);
    series->store_seconds->Observe(1);
  };
  count_all();
  CHECK(fixture.Send());
  REQUIRE(shows(R"(address="tikv1:20160",store="1")"));

  // The open stream counts where it did until it binds again, even when the store comes back in between.
  for (const char* address : {"tikv9:20160", "tikv1:20160", "tikv9:20160"}) {
    fixture.address = address;
    count_all();
    CHECK(fixture.Send());
    CHECK(shows(R"(address="tikv1:20160",store="1")"));
  }
  fixture.streams.Bind(scheduler::StoreId{1}, fixture.streams.NewStream(),
                       HeartbeatStreams::Sink(fixture.store));
  CHECK_FALSE(shows("tikv1:20160"));
  CHECK(shows(R"(address="tikv9:20160",store="1")"));

  fixture.address.clear();
  CHECK(shows("tikv9:20160"));
  fixture.store->result = SinkResult::kClosed;
  CHECK_FALSE(fixture.Send());  // Unbound.
  CHECK_FALSE(shows(R"(store="1")"));
  // A message to a store that is gone does not bring them back for long.
  CHECK_FALSE(fixture.Send());
  CHECK_FALSE(shows(R"(store="1")"));
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

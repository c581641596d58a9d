#include "api/grpc/server.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>

#include "proto/pdpb.pb.h"
#include "tests/api/grpc/test_client.h"
#include "tests/harness/wait.h"

namespace api {
namespace {

using harness::Eventually;

using Millis = std::chrono::milliseconds;

/// What the sessions and handlers of a test tell the test.
struct Probe {
  std::atomic<int> opened = 0;
  std::atomic<int> messages = 0;
  std::atomic<int> half_closed = 0;
  std::atomic<int> closed = 0;
  std::atomic<bool> saw_cancel = false;
  std::mutex mutex;
  std::condition_variable changed;
  bool release = false;

  void Release() {
    const std::lock_guard lock(mutex);
    release = true;
    changed.notify_all();
  }
  void WaitForRelease() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return release; });
  }
};

/// Echoes counts. A count of 13 ends the stream, a count of N >= 100 is answered N times.
class EchoSession final : public StreamSession<pdpb::TsoRequest> {
 public:
  EchoSession(Probe& probe, StreamSink<pdpb::TsoResponse> sink)
      : probe_(probe), sink_(std::move(sink)) {
    ++probe_.opened;
  }
  void OnMessage(const pdpb::TsoRequest& request) override {
    ++probe_.messages;
    if (request.count() == 13) return sink_.Finish({StatusCode::kUnknown, "unlucky"});
    pdpb::TsoResponse response;
    response.set_count(request.count());
    response.mutable_header()->mutable_error()->set_message(request.dc_location());
    for (uint32_t i = 0; i < (request.count() < 100 ? 1 : request.count()); ++i) {
      sink_.Write(response);
    }
  }
  void OnHalfClose() override {
    ++probe_.half_closed;
    sink_.Finish({});
  }
  void OnClose() override { ++probe_.closed; }

 private:
  Probe& probe_;
  StreamSink<pdpb::TsoResponse> sink_;
};

/// Keeps its sink where the test reaches it.
class PushSession final : public ServerStreamSession {
 public:
  explicit PushSession(Probe& probe) : probe_(probe) { ++probe_.opened; }
  void OnClose() override { ++probe_.closed; }

 private:
  Probe& probe_;
};

class FixedLeader final : public LeaderDirectory {
 public:
  [[nodiscard]] LeaderView Leader() const override {
    const std::lock_guard lock(mutex_);
    return view_;
  }
  void Set(LeaderView view) {
    const std::lock_guard lock(mutex_);
    view_ = std::move(view);
  }

 private:
  mutable std::mutex mutex_;
  LeaderView view_;
};

class SlotLimiter final : public RateLimiter {
 public:
  bool Enter(std::string_view rpc_name) override {
    if (rpc_name != "GetRegion") return true;
    return taken.exchange(true) ? false : true;
  }
  void Leave(std::string_view rpc_name) override {
    if (rpc_name == "GetRegion") taken = false;
  }
  std::atomic<bool> taken = false;
};

struct Fixture {
  explicit Fixture(std::string name = "leader", StreamLimits limits = {},
                   size_t receive_bytes_max = GrpcServer::Options().receive_bytes_max)
      : name_(std::move(name)) {
    AddMethods();
    metrics.emplace(registry_of_metrics, methods);
    GrpcServer::Options options{
        .listen = "127.0.0.1:0", .receive_bytes_max = receive_bytes_max, .streams = limits};
    server.emplace(methods, pool, options, GrpcServer::Parts{&leader, &limiter, &*metrics});
    REQUIRE(server->Start());
    channel = ChannelTo(server->port());
  }
  ~Fixture() {
    probe.Release();
    server->Stop(Millis(0));
    pool.Stop();
    CHECK(probe.opened == probe.closed);
  }

  void AddMethods() {
    AddAllocId("/pdpb.PD/AllocID", kPdpbBlocking);
    MethodOptions to_leader = kPdpbBlocking;
    to_leader.forwarding = Forwarding::kToLeader;
    AddAllocId("/pdpb.PD/Write", to_leader);
    methods.Unary<pdpb::GetRegionRequest, pdpb::GetRegionResponse>(
        "/pdpb.PD/GetRegion", kPdpbBlocking,
        [this](const CallContext& context,
               const pdpb::GetRegionRequest&) -> RpcResult<pdpb::GetRegionResponse> {
          ++probe.messages;
          while (!context.Cancelled() && !released()) std::this_thread::sleep_for(Millis(1));
          probe.saw_cancel = context.Cancelled();
          return pdpb::GetRegionResponse();
        });
    const auto echo = [this](const CallContext&, StreamSink<pdpb::TsoResponse> sink) {
      return std::make_unique<EchoSession>(probe, std::move(sink));
    };
    MethodOptions tso = kPdpbFast;
    tso.forwarding = Forwarding::kBeforeWrapped;
    methods.Stream<pdpb::TsoRequest, pdpb::TsoResponse>("/pdpb.PD/Tso", tso, echo);
    methods.Stream<pdpb::TsoRequest, pdpb::TsoResponse>("/pdpb.PD/PooledTso", kPdpbBlocking, echo);
    methods.ServerStream<pdpb::WatchGlobalConfigRequest, pdpb::WatchGlobalConfigResponse>(
        "/pdpb.PD/WatchGlobalConfig", {},
        [this](const CallContext&, const pdpb::WatchGlobalConfigRequest& request,
               StreamSink<pdpb::WatchGlobalConfigResponse> sink) -> std::unique_ptr<PushSession> {
          if (request.config_path() == "bad") {
            sink.Finish({StatusCode::kInvalidArgument, "bad path"});
            return nullptr;
          }
          const std::lock_guard lock(probe.mutex);
          push.emplace(sink);
          return std::make_unique<PushSession>(probe);
        });
  }

  void AddAllocId(const char* name, MethodOptions options) {
    methods.Unary<pdpb::AllocIDRequest, pdpb::AllocIDResponse>(
        name, options,
        [this](const CallContext& context,
               const pdpb::AllocIDRequest& request) -> RpcResult<pdpb::AllocIDResponse> {
          if (request.count() == 0) return FailRpc(StatusCode::kUnavailable, "not leader");
          if (request.count() == 9) throw std::runtime_error("thrown");
          pdpb::AllocIDResponse response;
          response.set_id(request.count());
          std::string seen = name_;
          for (const auto& [key, value] : context.metadata()) {
            if (key.rfind("pd-", 0) == 0 || key.rfind("qm-", 0) == 0)
              seen += " " + key + "=" + value;
          }
          response.mutable_header()->mutable_error()->set_message(seen);
          return response;
        });
  }

  bool released() {
    const std::lock_guard lock(probe.mutex);
    return probe.release;
  }

  const std::string name_;
  Probe probe;
  std::optional<StreamSink<pdpb::WatchGlobalConfigResponse>> push;  // Under probe.mutex.
  FixedLeader leader;
  SlotLimiter limiter;
  pd::MetricsRegistry registry_of_metrics;
  MethodRegistry methods;
  std::optional<CallMetrics> metrics;
  WorkerPool pool{{}};
  std::optional<GrpcServer> server;
  std::shared_ptr<grpc::Channel> channel;
};

pdpb::AllocIDRequest Count(uint32_t count) {
  pdpb::AllocIDRequest request;
  request.set_count(count);
  return request;
}

pdpb::TsoRequest Tso(uint32_t count) {
  pdpb::TsoRequest request;
  request.set_count(count);
  return request;
}

TEST_CASE("unary calls answer, fail and survive a throwing handler") {
  Fixture f;
  const auto call = [&](uint32_t count) {
    return CallUnary<pdpb::AllocIDResponse>(f.channel, "/pdpb.PD/AllocID", Count(count));
  };
  const auto good = call(5);
  CHECK(good.first.ok());
  CHECK(good.second.id() == 5);
  CHECK(call(0).first == RpcStatus{StatusCode::kUnavailable, "not leader"});
  CHECK(call(9).first == RpcStatus{StatusCode::kInternal, "thrown"});
  CHECK(call(6).second.id() == 6);
}

TEST_CASE("what is not there is Unimplemented") {
  Fixture f;
  const auto status = [&](const std::string& method) {
    return CallUnary<pdpb::AllocIDResponse>(f.channel, method, Count(1)).first;
  };
  CHECK(status("/tsopb.TSO/Tso") ==
        RpcStatus{StatusCode::kUnimplemented, "unknown service tsopb.TSO"});
  CHECK(status("/pdpb.PD/Nothing") ==
        RpcStatus{StatusCode::kUnimplemented, "unknown method Nothing for service pdpb.PD"});
}

TEST_CASE("bytes that are no message end the call") {
  Fixture f;
  for (const std::string method :
       {"/pdpb.PD/AllocID", "/pdpb.PD/Tso", "/pdpb.PD/WatchGlobalConfig"}) {
    TestStream stream(f.channel, method);
    stream.SendBytes("\xff\xff\xff");
    CHECK_FALSE(stream.ReceiveBytes());
    CHECK(stream.Status().code == StatusCode::kInternal);
  }
  TestStream empty(f.channel, "/pdpb.PD/AllocID");
  empty.HalfClose();
  CHECK(empty.Status().code == StatusCode::kInternal);
}

TEST_CASE("a stream answers in order and ends as its session says") {
  Fixture f;
  for (const std::string method : {"/pdpb.PD/Tso", "/pdpb.PD/PooledTso"}) {
    TestStream stream(f.channel, method);
    for (uint32_t i = 14; i < 64; ++i) REQUIRE(stream.Send(Tso(i)));
    for (uint32_t i = 14; i < 64; ++i) CHECK(stream.Receive<pdpb::TsoResponse>()->count() == i);
    stream.HalfClose();
    CHECK_FALSE(stream.ReceiveBytes());
    CHECK(stream.Status().ok());

    TestStream ended(f.channel, method);
    ended.Send(Tso(1));
    ended.Send(Tso(13));
    CHECK(ended.Receive<pdpb::TsoResponse>()->count() == 1);
    CHECK_FALSE(ended.ReceiveBytes());
    CHECK(ended.Status() == RpcStatus{StatusCode::kUnknown, "unlucky"});
  }
  CHECK(Eventually([&] { return f.probe.closed == 4; }));
  CHECK(f.probe.half_closed >= 2);
}

TEST_CASE("a client that does not read is not read from") {
  Fixture f("leader",
            StreamLimits{.queue_max = 4096, .queue_bytes_max = 64u << 20, .pause_reading_at = 8});
  TestStream stream(f.channel, "/pdpb.PD/Tso");
  pdpb::TsoRequest big = Tso(7);
  big.set_dc_location(std::string(64 << 10, 'x'));
  // Writes go through until the windows of both directions are full; then the server must have stopped reading with no
  // answer lost.
  constexpr int kMessages = 400;
  std::thread writer([&] {
    for (int i = 0; i < kMessages && stream.Send(big); ++i) {
    }
  });
  Eventually([&] { return f.probe.messages > 8; });
  std::this_thread::sleep_for(Millis(200));
  CHECK(f.probe.messages < kMessages);
  stream.Cancel();
  writer.join();
  CHECK(Eventually([&] { return f.probe.closed == 1; }));
}

/// An open watch whose client reads when the test does, with room for a few events.
struct SlowWatch {
  SlowWatch() {
    stream.Send(pdpb::WatchGlobalConfigRequest());
    REQUIRE(Eventually([&] {
      const std::lock_guard lock(f.probe.mutex);
      return f.push.has_value();
    }));
  }
  static pdpb::WatchGlobalConfigResponse Big() {
    pdpb::WatchGlobalConfigResponse response;
    response.add_changes()->set_payload(std::string(1 << 20, 'p'));
    return response;
  }

  Fixture f{"leader",
            StreamLimits{.queue_max = 4, .queue_bytes_max = 64u << 20, .pause_reading_at = 2}};
  TestStream stream{f.channel, "/pdpb.PD/WatchGlobalConfig"};
};

TEST_CASE("a full queue refuses and a closed stream says so") {
  SlowWatch watch;
  auto& [f, stream] = watch;
  const pdpb::WatchGlobalConfigResponse response = SlowWatch::Big();
  SinkResult result = SinkResult::kQueued;
  int queued = 0;
  for (int i = 0; i < 1000 && result == SinkResult::kQueued; ++i) {
    result = f.push->Write(response);
    queued += result == SinkResult::kQueued ? 1 : 0;
  }
  CHECK(result == SinkResult::kFull);
  f.push->Finish({StatusCode::kDeadlineExceeded, "send heartbeat timeout"});
  CHECK(f.push->Write(response) == SinkResult::kClosed);
  CHECK(f.push->closed());
  for (int i = 0; i < queued; ++i) CHECK(stream.ReceiveBytes().has_value());
  CHECK_FALSE(stream.ReceiveBytes());
  CHECK(stream.Status() == RpcStatus{StatusCode::kDeadlineExceeded, "send heartbeat timeout"});
}

TEST_CASE("an aborted stream ends though its client does not read") {
  SlowWatch watch;
  auto& [f, stream] = watch;
  const RpcStatus slow{StatusCode::kResourceExhausted, "too slow"};
  int queued = 0;
  SECTION("that waits for nothing") { f.push->Abort(slow); }
  SECTION("whose queue is full") {
    const pdpb::WatchGlobalConfigResponse response = SlowWatch::Big();
    while (f.push->Write(response) == SinkResult::kQueued) ++queued;
    SECTION("at once") { f.push->Abort(slow); }
    SECTION("though Finish waits") {
      f.push->Finish({});
      f.push->Abort(slow);
    }
    CHECK(f.push->Write(response) == SinkResult::kClosed);
  }
  CHECK(f.push->closed());
  CHECK(Eventually([&] { return f.probe.closed == 1; }));
  // gRPC's client tells the status behind what had reached it: less than the flow control lets through.
  int read = 0;
  while (stream.ReceiveBytes()) ++read;
  CHECK(read <= std::max(0, queued - 4));  // The queue is lost.
  CHECK(stream.Status() == slow);
  f.push->Abort(slow);  // Of a call that is no more: nothing.
}

TEST_CASE("a server stream can refuse at once") {
  Fixture f;
  TestStream stream(f.channel, "/pdpb.PD/WatchGlobalConfig");
  pdpb::WatchGlobalConfigRequest request;
  request.set_config_path("bad");
  stream.Send(request);
  CHECK_FALSE(stream.ReceiveBytes());
  CHECK(stream.Status() == RpcStatus{StatusCode::kInvalidArgument, "bad path"});
}

TEST_CASE("a handler learns that its client has gone") {
  Fixture f;
  {
    TestStream stream(f.channel, "/pdpb.PD/GetRegion");
    stream.Send(pdpb::GetRegionRequest());
    CHECK(Eventually([&] { return f.probe.messages == 1; }));
    stream.Cancel();
    CHECK(stream.Status().code == StatusCode::kCancelled);
  }
  CHECK(Eventually([&] { return f.probe.saw_cancel.load(); }));

  TestStream late(f.channel, "/pdpb.PD/GetRegion", {}, Millis(30));
  late.Send(pdpb::GetRegionRequest());
  CHECK(late.Status().code == StatusCode::kDeadlineExceeded);
}

TEST_CASE("the limiter refuses the second call") {
  Fixture f;
  TestStream first(f.channel, "/pdpb.PD/GetRegion");
  first.Send(pdpb::GetRegionRequest());
  REQUIRE(Eventually([&] { return f.probe.messages == 1; }));
  CHECK(
      CallUnary<pdpb::GetRegionResponse>(f.channel, "/pdpb.PD/GetRegion", pdpb::GetRegionRequest())
          .first == RpcStatus{StatusCode::kResourceExhausted,
                              "[PD:server:ErrRateLimitExceeded]rate limit exceeded"});
  CHECK(f.limiter.taken);
  f.probe.Release();
  CHECK(first.ReceiveBytes());
  CHECK(first.Status().ok());
  CHECK(Eventually([&] { return !f.limiter.taken; }));
}

TEST_CASE("big messages pass up to the limit") {
  CHECK(GrpcServer::Options().receive_bytes_max == (150u << 20) + (512u << 10));
  Fixture f("leader", {}, 8u << 20);
  pdpb::TsoRequest big = Tso(7);
  big.set_dc_location(std::string((8u << 20) - 100, 'x'));
  TestStream stream(f.channel, "/pdpb.PD/Tso");
  REQUIRE(stream.Send(big));
  CHECK(stream.Receive<pdpb::TsoResponse>()->header().error().message().size() ==
        big.dc_location().size());

  big.set_dc_location(std::string(8u << 20, 'x'));
  TestStream beyond(f.channel, "/pdpb.PD/Tso");
  beyond.Send(big);
  CHECK(beyond.Status().code == StatusCode::kResourceExhausted);
}

TEST_CASE("calls go to the leader when asked to") {
  Fixture leader("leader");
  Fixture follower("follower");
  const std::string leader_url = "http://127.0.0.1:" + std::to_string(leader.server->port());
  const std::string follower_url = "http://127.0.0.1:" + std::to_string(follower.server->port());
  leader.leader.Set({{leader_url}, {leader_url}});
  follower.leader.Set({{leader_url}, {follower_url}});
  const auto ask = [&](Fixture& f, const std::string& host, uint32_t count) {
    return CallUnary<pdpb::AllocIDResponse>(f.channel, "/pdpb.PD/AllocID", Count(count),
                                            {{"pd-forwarded-host", host}, {"pd-extra", "kept"}});
  };

  const auto local = ask(leader, leader_url, 1);
  CHECK(local.second.header().error().message().rfind("leader ", 0) == 0);
  const auto through = ask(follower, leader_url, 2);
  CHECK(through.first.ok());
  CHECK(through.second.id() == 2);
  const std::string seen = through.second.header().error().message();
  CHECK(seen.rfind("leader ", 0) == 0);
  CHECK(seen.find(" pd-forwarded-host=") + std::string(" pd-forwarded-host=").size() <=
        seen.size());
  CHECK(seen.find("http") == std::string::npos);
  CHECK(seen.find(" pd-extra=kept") != std::string::npos);
  CHECK(ask(follower, leader_url, 0).first == RpcStatus{StatusCode::kUnavailable, "not leader"});
  const RpcStatus refused{
      StatusCode::kInvalidArgument,
      "forwarded host \"" + follower_url +
          "\" is not a client URL of the PD leader: pd is not leader of cluster"};
  CHECK(ask(follower, follower_url, 1).first == refused);
  CHECK(ask(leader, follower_url, 1).first == refused);

  // Calls that only a leader can answer go there unasked, and never round in a circle.
  const auto write = [](Fixture& f) {
    return CallUnary<pdpb::AllocIDResponse>(f.channel, "/pdpb.PD/Write", Count(7));
  };
  CHECK(write(follower).second.header().error().message().rfind("leader ", 0) == 0);
  CHECK(write(leader).second.header().error().message().rfind("leader", 0) == 0);
  leader.leader.Set({{follower_url}, {leader_url}});
  CHECK(write(follower).second.header().error().message().rfind("leader ", 0) == 0);
  leader.leader.Set({{leader_url}, {leader_url}});

  TestStream stream(follower.channel, "/pdpb.PD/Tso", {{"pd-forwarded-host", leader_url}});
  for (uint32_t i = 14; i < 50; ++i) REQUIRE(stream.Send(Tso(i)));
  for (uint32_t i = 14; i < 50; ++i) CHECK(stream.Receive<pdpb::TsoResponse>()->count() == i);
  stream.Send(Tso(13));
  CHECK_FALSE(stream.ReceiveBytes());
  CHECK(stream.Status() == RpcStatus{StatusCode::kUnknown, "unlucky"});
  CHECK(follower.probe.opened == 0);

  TestStream many(follower.channel, "/pdpb.PD/Tso", {{"pd-forwarded-host", leader_url}});
  many.Send(Tso(1000));
  for (int i = 0; i < 1000; ++i) REQUIRE(many.ReceiveBytes().has_value());
  many.HalfClose();
  CHECK(many.Status().ok());

  TestStream wrapped(follower.channel, "/pdpb.PD/Tso", {{"pd-forwarded-host", follower_url}});
  wrapped.Send(Tso(1));
  CHECK(wrapped.Status().message == "rpc error: code = InvalidArgument desc = " + refused.message);

  TestStream dropped(follower.channel, "/pdpb.PD/Tso", {{"pd-forwarded-host", leader_url}});
  dropped.Send(Tso(1));
  CHECK(dropped.ReceiveBytes());
  const int closed = leader.probe.closed;
  dropped.Cancel();
  CHECK(Eventually([&] { return leader.probe.closed == closed + 1; }));
}

TEST_CASE("forwarding to nobody is an error, not a hang") {
  Fixture follower("follower");
  follower.leader.Set({{}, {"http://127.0.0.1:2"}});
  const auto ask = [&](const std::string& host) {
    return CallUnary<pdpb::AllocIDResponse>(follower.channel, "/pdpb.PD/AllocID", Count(1),
                                            {{"pd-forwarded-host", host}})
        .first;
  };
  CHECK(ask("http://127.0.0.1:1") == RpcStatus{StatusCode::kUnavailable, "not leader"});
  CHECK(ask("").ok());
  CHECK(CallUnary<pdpb::AllocIDResponse>(follower.channel, "/pdpb.PD/AllocID", Count(1),
                                         {{"hasleader", "true"}})
            .first == RpcStatus{StatusCode::kUnavailable, "etcdserver: no leader"});
  follower.leader.Set({{"http://127.0.0.1:1"}, {"http://127.0.0.1:2"}});
  CHECK(ask("http://127.0.0.1:1").code == StatusCode::kUnavailable);
}

TEST_CASE("a server stops under load") {
  for (int round = 0; round < 5; ++round) {
    Fixture f;
    std::vector<std::thread> clients;
    std::atomic<bool> stop = false;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        const auto channel = ChannelTo(f.server->port());
        while (!stop) {
          CallUnary<pdpb::AllocIDResponse>(channel, "/pdpb.PD/AllocID", Count(1));
          TestStream stream(channel, "/pdpb.PD/Tso");
          for (int j = 0; j < 10 && stream.Send(Tso(100)); ++j) stream.ReceiveBytes();
        }
      });
    }
    Eventually([&] { return f.probe.messages > 50; });
    f.server->Stop(Millis(round * 20));
    stop = true;
    for (auto& client : clients) client.join();
  }
}

TEST_CASE("calls are counted under the reference's names") {
  Fixture f;
  CallUnary<pdpb::AllocIDResponse>(f.channel, "/pdpb.PD/AllocID", Count(1));
  CallUnary<pdpb::AllocIDResponse>(f.channel, "/pdpb.PD/AllocID", Count(0));
  const auto has = [&](const std::string& line) {
    return Eventually(
        [&] { return f.registry_of_metrics.Render().find(line) != std::string::npos; });
  };
  const std::string labels = "grpc_type=\"unary\",grpc_service=\"pdpb.PD\",grpc_method=\"AllocID\"";
  CHECK(has("grpc_server_handled_total{" + labels + ",grpc_code=\"OK\"} 1"));
  CHECK(has("grpc_server_handled_total{" + labels + ",grpc_code=\"Unavailable\"} 1"));
  CHECK(has("grpc_server_handling_seconds_count{" + labels + "} 2"));
  CHECK(has("grpc_server_msg_received_total{" + labels + "} 2"));
}

}  // namespace
}  // namespace api

#include "api/grpc/registry.h"

#include <catch2/catch.hpp>

#include "proto/pdpb.pb.h"

namespace api {
namespace {

class CollectingSink final : public RawSink {
 public:
  SinkResult Write(const google::protobuf::MessageLite& message) override {
    sent.push_back(message.SerializeAsString());
    return SinkResult::kQueued;
  }
  void Finish(RpcStatus status) override { finished = std::move(status); }
  void Abort(RpcStatus status) override { finished = std::move(status); }
  [[nodiscard]] bool closed() const override { return finished.has_value(); }

  std::vector<std::string> sent;
  std::optional<RpcStatus> finished;
};

class EchoSession final : public StreamSession<pdpb::TsoRequest> {
 public:
  explicit EchoSession(StreamSink<pdpb::TsoResponse> sink) : sink_(std::move(sink)) {}
  void OnMessage(const pdpb::TsoRequest& request) override {
    pdpb::TsoResponse response;
    response.set_count(request.count());
    sink_.Write(response);
  }
  void OnHalfClose() override { sink_.Finish({}); }

 private:
  StreamSink<pdpb::TsoResponse> sink_;
};

TEST_CASE("a unary handler is reached without its types") {
  MethodRegistry registry;
  registry.Unary<pdpb::AllocIDRequest, pdpb::AllocIDResponse>(
      "/pdpb.PD/AllocID", kPdpbBlocking,
      [](const CallContext&,
         const pdpb::AllocIDRequest& request) -> RpcResult<pdpb::AllocIDResponse> {
        if (request.count() == 0) return FailRpc(StatusCode::kUnknown, "no count");
        pdpb::AllocIDResponse response;
        response.set_id(request.count() + 1);
        return response;
      });
  const MethodRegistry::Method* method = registry.Find("/pdpb.PD/AllocID");
  REQUIRE(method != nullptr);
  CHECK(method->service == "pdpb.PD");
  CHECK(method->name == "AllocID");
  const auto& unary = *std::get<std::unique_ptr<UnaryMethod>>(method->body);
  const CallContext context(CallContext::Fields{});

  pdpb::AllocIDRequest request;
  pdpb::AllocIDResponse response;
  const auto emit = [&](const google::protobuf::MessageLite& message) {
    response.CheckTypeAndMergeFrom(message);
  };
  CHECK(unary.Handle(context, request, emit) == RpcStatus{StatusCode::kUnknown, "no count"});
  request.set_count(6);
  CHECK(unary.Handle(context, request, emit).ok());
  CHECK(response.id() == 7);
}

TEST_CASE("a stream session is reached without its types") {
  MethodRegistry registry;
  registry.Stream<pdpb::TsoRequest, pdpb::TsoResponse>(
      "/pdpb.PD/Tso", kPdpbFast, [](const CallContext&, StreamSink<pdpb::TsoResponse> sink) {
        return std::make_unique<EchoSession>(std::move(sink));
      });
  const auto& stream =
      *std::get<std::unique_ptr<StreamMethod>>(registry.Find("/pdpb.PD/Tso")->body);
  const CallContext context(CallContext::Fields{});
  const auto sink = std::make_shared<CollectingSink>();
  const auto session = stream.Open(context, sink);
  dynamic_cast<pdpb::TsoRequest&>(session->request()).set_count(3);
  session->OnMessage();
  session->OnHalfClose();
  session->OnClose();
  REQUIRE(sink->sent.size() == 1);
  pdpb::TsoResponse response;
  REQUIRE(response.ParseFromString(sink->sent[0]));
  CHECK(response.count() == 3);
  CHECK(sink->finished == RpcStatus{});
}

TEST_CASE("unknown methods are told apart from unknown services") {
  MethodRegistry registry;
  registry.Unary<pdpb::AllocIDRequest, pdpb::AllocIDResponse>(
      "/pdpb.PD/AllocID", {},
      [](const CallContext&, const pdpb::AllocIDRequest&) -> RpcResult<pdpb::AllocIDResponse> {
        return pdpb::AllocIDResponse();
      });
  CHECK(registry.Find("/pdpb.PD/Nothing") == nullptr);
  CHECK(registry.Unimplemented("/tsopb.TSO/Tso").message == "unknown service tsopb.TSO");
  CHECK(registry.Unimplemented("/pdpb.PD/Nothing").message ==
        "unknown method Nothing for service pdpb.PD");
  CHECK(registry.Unimplemented("x").message == "malformed method name: x");
  CHECK(registry.Unimplemented("x").code == StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace api

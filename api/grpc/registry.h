#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <google/protobuf/message_lite.h>

#include "api/grpc/call_context.h"
#include "api/grpc/rpc_status.h"
#include "api/grpc/stream.h"

namespace api {

/// Where a handler runs.
enum class RunOn {
  kIo,    // On the thread that read the message: it must not block, not even on Raft. A few
          // microseconds at most.
  kPool,  // On the bounded worker pool: it may block for a bounded time. A full pool answers
          // ResourceExhausted.
};

/// What `pd-forwarded-host` does to a method (as in the reference).
enum class Forwarding {
  kNone,  // The header is ignored.
  kBefore,  // Checked and obeyed before the handler runs: most of pdpb; streams by their first message.
  kBeforeWrapped,  // The same, but a refusal reads `rpc error: code = <Code> desc = <text>` (Tso).
  kByHandler,  // The handler checks first what comes before forwarding, then calls CheckForwardedHost.
  kToLeader,  // A member that does not lead sends the call to the leader unasked: the reference's members all wrote.
};

/// Whether the method's bare name ("GetRegion") may be given a rate limit (as in the reference).
enum class RateLimited { kNo, kYes };

struct MethodOptions {
  RunOn run_on = RunOn::kPool;
  Forwarding forwarding = Forwarding::kNone;
  RateLimited rate_limited = RateLimited::kNo;
};

/// The two usual kinds of pdpb method.
inline constexpr MethodOptions kPdpbFast{RunOn::kIo, Forwarding::kBefore, RateLimited::kYes};
inline constexpr MethodOptions kPdpbBlocking{RunOn::kPool, Forwarding::kBefore, RateLimited::kYes};

/// A unary method without its types. `Handle` gives its response to `emit` before it returns ok,
/// exactly once.
class UnaryMethod {
 public:
  using Emit = std::function<void(const google::protobuf::MessageLite&)>;

  virtual ~UnaryMethod() = default;
  [[nodiscard]] virtual std::unique_ptr<google::protobuf::MessageLite> NewRequest() const = 0;
  virtual RpcStatus Handle(const CallContext& context, const google::protobuf::MessageLite& request,
                           const Emit& emit) const = 0;
};

/// An open stream without its types.
class RawSession {
 public:
  virtual ~RawSession() = default;
  /// Where the next message is to be parsed into; reused from message to message.
  virtual google::protobuf::MessageLite& request() = 0;
  /// Hands over what stands in request().
  virtual void OnMessage() = 0;
  virtual void OnHalfClose() = 0;
  virtual void OnClose() = 0;
};

/// A streaming method of any of the three kinds without its types.
class StreamMethod {
 public:
  virtual ~StreamMethod() = default;
  [[nodiscard]] virtual std::unique_ptr<RawSession> Open(const CallContext& context,
                                                         std::shared_ptr<RawSink> sink) const = 0;
};

/// All methods a server answers, by full name. Filled at start, read-only afterwards; then
/// thread-safe.
///
///     registry.Unary<pdpb::GetStoreRequest, pdpb::GetStoreResponse>(
///         "/pdpb.PD/GetStore", kPdpbFast,
///         [&](const CallContext& context, const pdpb::GetStoreRequest& request)
///             -> RpcResult<pdpb::GetStoreResponse> { ... });
///
///     registry.Stream<pdpb::TsoRequest, pdpb::TsoResponse>(
///         "/pdpb.PD/Tso", kPdpbFast,
///         [&](const CallContext& context, StreamSink<pdpb::TsoResponse> sink) {
///           return std::make_unique<TsoSession>(tso, std::move(sink));
///         });
///
///     registry.ServerStream<pdpb::WatchGlobalConfigRequest, pdpb::WatchGlobalConfigResponse>(
///         "/pdpb.PD/WatchGlobalConfig", {.run_on = RunOn::kPool},
///         [&](const CallContext& context, const pdpb::WatchGlobalConfigRequest& request,
///             StreamSink<pdpb::WatchGlobalConfigResponse> sink) {
///           return std::make_unique<WatchSession>(...);  // May be null when it finished the sink
///           at once.
///         });
///
/// A name registered twice stops the process. A name of an unknown service gets Unimplemented
/// `unknown service X`, an unknown method of a known service `unknown method Y for service X`.
class MethodRegistry {
 public:
  struct Method {
    MethodOptions options;
    std::string service;  // "pdpb.PD"
    std::string name;     // "GetStore"
    std::variant<std::unique_ptr<UnaryMethod>, std::unique_ptr<StreamMethod>> body;
    const char* grpc_type =
        "unary";  // As the metric label: unary, bidi_stream, server_stream, client_stream.
  };

  template <class Request, class Response, class Handler>
  void Unary(std::string_view full_name, MethodOptions options, Handler handler);

  /// `open` is (const CallContext&, StreamSink<Response>) ->
  /// std::unique_ptr<StreamSession<Request>-derived>; null when it finished the sink itself.
  template <class Request, class Response, class Open>
  void Stream(std::string_view full_name, MethodOptions options, Open open);

  /// As Stream; the client sends many messages and gets one.
  template <class Request, class Response, class Open>
  void ClientStream(std::string_view full_name, MethodOptions options, Open open);

  /// `open` is (const CallContext&, const Request&, StreamSink<Response>) ->
  /// std::unique_ptr<ServerStreamSession-derived>.
  template <class Request, class Response, class Open>
  void ServerStream(std::string_view full_name, MethodOptions options, Open open);

  /// The method, or null.
  [[nodiscard]] const Method* Find(std::string_view full_name) const;

  /// How a call of a method that is not there ends.
  [[nodiscard]] RpcStatus Unimplemented(std::string_view full_name) const;

  [[nodiscard]] const std::map<std::string, Method, std::less<>>& methods() const {
    return methods_;
  }

 private:
  void Add(std::string_view full_name, Method method);

  std::map<std::string, Method, std::less<>> methods_;
};

namespace internal {

template <class Request, class Handler>
class TypedUnary final : public UnaryMethod {
 public:
  explicit TypedUnary(Handler handler) : handler_(std::move(handler)) {}

  [[nodiscard]] std::unique_ptr<google::protobuf::MessageLite> NewRequest() const override {
    return std::make_unique<Request>();
  }
  RpcStatus Handle(const CallContext& context, const google::protobuf::MessageLite& request,
                   const Emit& emit) const override {
    auto result = handler_(context, static_cast<const Request&>(request));
    if (!result) return std::move(result.error());
    emit(*result);
    return {};
  }

 private:
  Handler handler_;
};

template <class Request>
class TypedSession final : public RawSession {
 public:
  explicit TypedSession(std::unique_ptr<StreamSession<Request>> session)
      : session_(std::move(session)) {}

  google::protobuf::MessageLite& request() override { return request_; }
  void OnMessage() override {
    if (session_) session_->OnMessage(request_);
  }
  void OnHalfClose() override {
    if (session_) session_->OnHalfClose();
  }
  void OnClose() override {
    if (session_) session_->OnClose();
  }

 private:
  Request request_;
  std::unique_ptr<StreamSession<Request>> session_;
};

template <class Request, class Response, class OpenFunction>
class TypedStream final : public StreamMethod {
 public:
  explicit TypedStream(OpenFunction open) : open_(std::move(open)) {}

  [[nodiscard]] std::unique_ptr<RawSession> Open(const CallContext& context,
                                                 std::shared_ptr<RawSink> sink) const override {
    return std::make_unique<TypedSession<Request>>(
        open_(context, StreamSink<Response>(std::move(sink))));
  }

 private:
  OpenFunction open_;
};

/// A server stream seen as a stream whose first message opens it.
template <class Request, class Response, class OpenFunction>
class ServerStreamAdapter final : public StreamSession<Request> {
 public:
  ServerStreamAdapter(const CallContext& context, StreamSink<Response> sink,
                      const OpenFunction& open)
      : context_(context), sink_(std::move(sink)), open_(open) {}

  void OnMessage(const Request& request) override {
    if (opened_) return;  // A second request breaks the protocol and changes nothing.
    opened_ = true;
    session_ = open_(context_, request, sink_);
  }
  void OnHalfClose() override {
    if (!opened_) sink_.Finish({StatusCode::kInternal, "no request on a server stream"});
  }
  void OnClose() override {
    if (session_) session_->OnClose();
  }

 private:
  const CallContext& context_;
  StreamSink<Response> sink_;
  const OpenFunction& open_;
  bool opened_ = false;
  std::unique_ptr<ServerStreamSession> session_;
};

}  // namespace internal

template <class Request, class Response, class Handler>
void MethodRegistry::Unary(std::string_view full_name, MethodOptions options, Handler handler) {
  Method method{options,
                {},
                {},
                std::make_unique<internal::TypedUnary<Request, Handler>>(std::move(handler))};
  Add(full_name, std::move(method));
}

template <class Request, class Response, class Open>
void MethodRegistry::Stream(std::string_view full_name, MethodOptions options, Open open) {
  Method method{options,
                {},
                {},
                std::make_unique<internal::TypedStream<Request, Response, Open>>(std::move(open))};
  method.grpc_type = "bidi_stream";
  Add(full_name, std::move(method));
}

template <class Request, class Response, class Open>
void MethodRegistry::ClientStream(std::string_view full_name, MethodOptions options, Open open) {
  Method method{options,
                {},
                {},
                std::make_unique<internal::TypedStream<Request, Response, Open>>(std::move(open))};
  method.grpc_type = "client_stream";
  Add(full_name, std::move(method));
}

template <class Request, class Response, class Open>
void MethodRegistry::ServerStream(std::string_view full_name, MethodOptions options, Open open) {
  auto adapt = [open = std::move(open)](const CallContext& context, StreamSink<Response> sink) {
    return std::make_unique<internal::ServerStreamAdapter<Request, Response, Open>>(
        context, std::move(sink), open);
  };
  Method method{options,
                {},
                {},
                std::make_unique<internal::TypedStream<Request, Response, decltype(adapt)>>(
                    std::move(adapt))};
  method.grpc_type = "server_stream";
  Add(full_name, std::move(method));
}

}  // namespace api

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/message_lite.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include "api/grpc/bytes.h"
#include "api/grpc/rpc_status.h"

namespace api {

/// A channel of its own to a loopback port.
inline std::shared_ptr<grpc::Channel> ChannelTo(
    int port, const std::shared_ptr<grpc::ChannelCredentials>& credentials =
                  grpc::InsecureChannelCredentials()) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), credentials, arguments);
}

using TestMetadata = std::vector<std::pair<std::string, std::string>>;

/// One stream (or unary call) as a client sees it, with calls that wait.
class TestStream {
 public:
  TestStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
             const TestMetadata& metadata = {},
             std::chrono::milliseconds deadline = std::chrono::seconds(20))
      : stub_(channel) {
    for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
    context_.set_deadline(std::chrono::system_clock::now() + deadline);
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(this);
    started_ = Wait();
  }
  ~TestStream() {
    context_.TryCancel();
    if (!finished_) Status();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;

  bool SendBytes(const std::string& bytes) {
    if (!started_) return false;
    call_->Write(FromString(bytes), this);
    return Wait();
  }
  bool Send(const google::protobuf::MessageLite& message) {
    return SendBytes(message.SerializeAsString());
  }
  bool HalfClose() {
    if (!started_) return false;
    call_->WritesDone(this);
    return Wait();
  }
  std::optional<std::string> ReceiveBytes() {
    if (!started_) return std::nullopt;
    grpc::ByteBuffer bytes;
    call_->Read(&bytes, this);
    if (!Wait()) return std::nullopt;
    return ToString(bytes);
  }
  template <class Message>
  std::optional<Message> Receive() {
    const auto bytes = ReceiveBytes();
    Message message;
    if (!bytes || !message.ParseFromString(*bytes)) return std::nullopt;
    return message;
  }
  RpcStatus Status() {
    finished_ = true;
    grpc::Status status;
    call_->Finish(&status, this);
    Wait();
    return {static_cast<StatusCode>(status.error_code()), status.error_message()};
  }
  void Cancel() { context_.TryCancel(); }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool started_ = false;
  bool finished_ = false;
};

/// A unary call: the response when the status is OK.
template <class Response>
std::pair<RpcStatus, Response> CallUnary(const std::shared_ptr<grpc::Channel>& channel,
                                         const std::string& method,
                                         const google::protobuf::MessageLite& request,
                                         const TestMetadata& metadata = {}) {
  TestStream stream(channel, method, metadata);
  stream.Send(request);
  stream.HalfClose();
  const auto response = stream.Receive<Response>();
  return {stream.Status(), response.value_or(Response())};
}

}  // namespace api

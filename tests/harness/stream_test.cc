#include "tests/harness/stream.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <grpcpp/generic/async_generic_service.h>

#include "tests/harness/pd_client.h"
#include "tests/harness/process.h"

namespace harness {
namespace {

// Answers every message of every stream with itself.
class EchoServer : private grpc::CallbackGenericService {
 public:
  EchoServer() : address_("127.0.0.1:" + std::to_string(FreePort())) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~EchoServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  const std::string& address() const { return address_; }

 private:
  class Echo : public grpc::ServerGenericBidiReactor {
   public:
    Echo() { StartRead(&message_); }
    void OnReadDone(bool ok) override {
      if (ok) {
        StartWrite(&message_);
      } else {
        Finish(grpc::Status::OK);
      }
    }
    void OnWriteDone(bool ok) override {
      if (ok) StartRead(&message_);
      if (!ok) Finish(grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer message_;
  };
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Echo;
  }

  const std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  if (!bytes.DumpToSingleSlice(&slice).ok()) return "no message";
  return std::string(slice.begin(), slice.end());
}

// What a stream told, in order.
class Record {
 public:
  Stream::Callbacks callbacks() {
    return {[this](grpc::ByteBuffer bytes) { Add(Text(bytes)); },
            [this](const grpc::Status&) { Add("end"); }};
  }
  std::vector<std::string> WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_.size() >= count; });
    return told_;
  }

 private:
  void Add(std::string text) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(text));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
};

TEST_CASE("messages come back in order, the end comes last") {
  const EchoServer server;
  Record record;
  Stream stream(OpenChannel(server.address()), "/echo/Echo", record.callbacks());
  for (const char* text : {"one", "two", "three"}) REQUIRE(stream.Write(Bytes(text)));
  CHECK(record.WaitFor(3) == std::vector<std::string>{"one", "two", "three"});
  stream.End();
  CHECK(record.WaitFor(4).back() == "end");
  CHECK(stream.ended());
  CHECK_FALSE(stream.Write(Bytes("four")));
  CHECK(stream.backlog() == 0);
  stream.End();  // Again: nothing is left to wait for.
}

TEST_CASE("End returns after the last callback") {
  const EchoServer server;
  std::atomic<bool> answered = false;
  std::atomic<bool> returned = false;
  Stream stream(OpenChannel(server.address()), "/echo/Echo",
                {[&](grpc::ByteBuffer) {
                   answered = true;
                   answered.notify_all();
                 },
                 [&](const grpc::Status&) {
                   std::this_thread::sleep_for(Millis(100));  // Who does not wait is ahead by now.
                   returned = true;
                 }});
  REQUIRE(stream.Write(Bytes("one")));
  answered.wait(false);
  stream.End();
  CHECK(returned);
}

TEST_CASE("a stream that is dropped leaves nothing to gRPC's threads") {
  for (int round = 0; round < 100; ++round) {
    // Nobody listens there, and no other channel is open: this is the last one of the process.
    std::shared_ptr<grpc::Channel> channel = OpenChannel("127.0.0.1:1");
    const std::weak_ptr<grpc::Channel> watch = channel;
    auto ended = std::make_unique<std::atomic<bool>>(false);
    auto stream = std::make_unique<Stream>(
        std::exchange(channel, nullptr), "/echo/Echo",
        Stream::Callbacks{[](grpc::ByteBuffer) {}, [&](const grpc::Status&) { *ended = true; }});
    stream->Write(Bytes("lost"));
    stream.reset();
    REQUIRE(*ended);
    REQUIRE(watch.expired());
    ended.reset();
  }
}

}  // namespace
}  // namespace harness

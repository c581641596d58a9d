#include "tests/e2e/kill/clients.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <grpcpp/generic/async_generic_service.h>

#include "tests/harness/bytes.h"
#include "tests/harness/process.h"

namespace killtest {
namespace {

using harness::Millis;

constexpr Millis kPatience(30'000);  // For what must come: how long it takes proves nothing.

// A member that answers every request with the next numbers from the physical time it was told; while it is stopped, it
// takes requests and answers them later, with what it would have said then.
class Member : private grpc::CallbackGenericService {
 public:
  Member() : address_("127.0.0.1:" + std::to_string(harness::FreePort())) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~Member() override {
    Resume();  // A stream ends only after its answer.
    server_->Shutdown(std::chrono::system_clock::now());
  }

  const std::string& address() const { return address_; }

  void Pause() {
    const std::lock_guard lock(mutex_);
    paused_ = true;
  }
  void Resume() {
    std::vector<Held> held;
    {
      const std::lock_guard lock(mutex_);
      paused_ = false;
      held.swap(held_);
    }
    for (const Held& one : held) one.stream->Answer(one.request);
  }
  // Numbers start here from now on.
  void SetTime(int64_t physical) {
    const std::lock_guard lock(mutex_);
    physical_ = physical;
    logical_ = 0;
  }

 private:
  class TsoStream : public grpc::ServerGenericBidiReactor {
   public:
    explicit TsoStream(Member& member) : member_(member) { StartRead(&incoming_); }

    void Answer(const pdpb::TsoRequest& request) {
      outgoing_ = harness::ToBuffer(member_.Grant(request));
      StartWrite(&outgoing_);
    }
    void OnReadDone(bool ok) override {
      pdpb::TsoRequest request;
      if (!ok || !harness::FromBuffer(incoming_, request)) {
        Finish(grpc::Status::OK);
      } else if (!member_.Hold(*this, request)) {
        Answer(request);
      }
    }
    void OnWriteDone(bool ok) override {
      if (ok) StartRead(&incoming_);
      if (!ok) Finish(grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    Member& member_;
    grpc::ByteBuffer incoming_;
    grpc::ByteBuffer outgoing_;
  };
  struct Held {
    TsoStream* stream;
    pdpb::TsoRequest request;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new TsoStream(*this);
  }
  bool Hold(TsoStream& stream, const pdpb::TsoRequest& request) {
    const std::lock_guard lock(mutex_);
    if (paused_) held_.push_back({&stream, request});
    return paused_;
  }
  pdpb::TsoResponse Grant(const pdpb::TsoRequest& request) {
    const std::lock_guard lock(mutex_);
    logical_ += request.count();
    pdpb::TsoResponse answer;
    answer.set_count(request.count());
    answer.mutable_timestamp()->set_physical(physical_);
    answer.mutable_timestamp()->set_logical(logical_);
    return answer;
  }

  const std::string address_;
  std::mutex mutex_;
  bool paused_ = false;
  int64_t physical_ = 1000;
  int64_t logical_ = 0;
  std::vector<Held> held_;
  std::unique_ptr<grpc::Server> server_;
};

std::vector<Grant> WaitForLate(TsoLine& line, size_t count) {
  std::vector<Grant> all;
  const int64_t deadline_ns = NowNs() + kPatience.count() * 1'000'000;
  while (all.size() < count && NowNs() < deadline_ns) {
    const std::vector<Grant> late = line.TakeLate();
    all.insert(all.end(), late.begin(), late.end());
    std::this_thread::sleep_for(Millis(1));
  }
  std::sort(all.begin(), all.end(),
            [](const Grant& a, const Grant& b) { return a.sent_ns < b.sent_ns; });
  return all;
}

TEST_CASE("the answers of a member that was stopped enter the history") {
  Member old_leader;
  Member new_leader;
  new_leader.SetTime(2000);
  TsoLine to_old(old_leader.address());
  TsoLine to_new(new_leader.address());
  std::vector<Grant> history;
  const auto ask = [&](TsoLine& line) {
    const auto grant = line.Ask(1, 5, kPatience);
    REQUIRE(grant.has_value());
    history.push_back(*grant);
  };
  ask(to_old);
  old_leader.Pause();
  CHECK_FALSE(to_old.Ask(1, 5, Millis(20)));  // Sent before the new leader has answered.
  ask(to_new);
  CHECK_FALSE(to_old.Ask(1, 5, Millis(20)));  // Sent after that: it must not be granted any more.
  CHECK(to_old.TakeLate().empty());
  CHECK(FindViolations(history, "timestamp").empty());

  const int64_t resumed_ns = NowNs();
  old_leader.Resume();
  const std::vector<Grant> late = WaitForLate(to_old, 2);
  REQUIRE(late.size() == 2);
  CHECK(late[0].sent_ns < history[1].sent_ns);
  CHECK(late[1].sent_ns > history[1].received_ns);
  for (const Grant& grant : late) CHECK(grant.received_ns > resumed_ns);
  history.insert(history.end(), late.begin(), late.end());
  CHECK(FindViolations(history, "timestamp").size() == 1);
  ask(to_old);  // The line goes on.
}

TEST_CASE("no more late answers are waited for than the bound says") {
  Member member;
  TsoLine line(member.address());
  REQUIRE(line.Ask(1, 1, kPatience));  // Connected.
  member.Pause();
  for (size_t i = 0; i < TsoLine::kLateMax + 3; ++i) CHECK_FALSE(line.Ask(1, 1, Millis(5)));
  member.Resume();
  CHECK(WaitForLate(line, TsoLine::kLateMax).size() == TsoLine::kLateMax);
}

}  // namespace
}  // namespace killtest

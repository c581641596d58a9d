#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/pdpb.pb.h"
#include "tests/e2e/kill/history.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/stream.h"

namespace killtest {

/// Monotonic time of this machine.
int64_t NowNs();

/// Knows which member leads: asks each member over and over, on a thread of its own, so that a stopped one holds up
/// nothing. A member leads if it says so itself. Thread-safe.
class LeaderWatch {
 public:
  explicit LeaderWatch(std::vector<std::string> urls);
  ~LeaderWatch();

  /// Index of the leader; nothing while there is none.
  std::optional<size_t> leader() const;
  /// True if the member has answered lately, in whatever role.
  bool Answers(size_t index) const;
  uint64_t cluster_id() const { return cluster_id_; }

 private:
  struct Member {
    std::string url;
    std::shared_ptr<grpc::GenericStub> stub;
    int64_t answered_ns = 0;
    int64_t led_ns = 0;  // When it last said that it leads; 0 if it says it does not.
  };
  void Ask(Member& member);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Member>> members_;
  std::atomic<uint64_t> cluster_id_ = 0;
  std::atomic<bool> stopped_ = false;
  std::vector<std::thread> threads_;
};

/// One TSO stream to one member, opened again after it has ended. One request at a time. One thread calls it.
///
/// A member that is stopped may still answer what it was asked before, long after others took over: the most dangerous
/// answers there are. So a stream whose answer is late stays open, and the next request goes on a new one.
class TsoLine {
 public:
  explicit TsoLine(const std::string& url);
  TsoLine(const TsoLine&) = delete;
  TsoLine& operator=(const TsoLine&) = delete;

  /// Nothing on an error or when no answer comes in time.
  std::optional<Grant> Ask(uint64_t cluster_id, uint32_t count, harness::Millis timeout);

  /// What was answered after its Ask() had given up, each answer once. At most kLateMax answers are waited for; beyond
  /// that the oldest stream is given up.
  std::vector<Grant> TakeLate();
  static constexpr size_t kLateMax = 32;

 private:
  // One stream and the one request under way on it.
  struct Call {
    std::mutex mutex;
    std::condition_variable changed;
    Grant grant;            // Its last number and the time of receipt come with the answer.
    bool answered = false;  // The grant is complete.
    bool failed = false;    // No answer will come.
  };
  struct Line {
    std::shared_ptr<Call> call;  // Shared with the callbacks.
    std::unique_ptr<harness::Stream> stream;
  };

  void Open();
  static void TakeAnswer(Call& call, grpc::ByteBuffer bytes);
  static void Close(Line& line);
  void KeepOpen();
  void CollectLate();

  std::shared_ptr<grpc::Channel> channel_;
  Line current_;
  std::deque<Line> late_;           // Oldest first.
  std::vector<Grant> late_grants_;  // Not taken yet.
};

/// Clients that ask for timestamps and ids all the time, each on its own thread, wherever the leader is. What they got
/// is kept.
class Load {
 public:
  Load(const LeaderWatch& watch, std::vector<std::string> urls, int tso_clients, int id_clients);
  ~Load();

  /// Ends the clients; call it before the rest.
  void Stop();
  const std::vector<Grant>& timestamps() const { return timestamps_; }
  /// Timestamps whose answer came after the client had gone on.
  const std::vector<Grant>& late_timestamps() const { return late_timestamps_; }
  const std::vector<Grant>& ids() const { return ids_; }

  /// When the last timestamp was received.
  int64_t last_success_ns() const { return last_success_ns_; }

 private:
  void RunTso(uint64_t seed);
  void RunIds(uint64_t seed);

  const LeaderWatch& watch_;
  std::vector<std::string> urls_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int64_t> last_success_ns_ = 0;
  std::mutex mutex_;
  std::vector<Grant> timestamps_;
  std::vector<Grant> late_timestamps_;
  std::vector<Grant> ids_;
  std::vector<std::thread> threads_;
};

}  // namespace killtest

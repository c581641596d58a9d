#include "api/grpc/tso_stream.h"

#include <atomic>
#include <deque>
#include <utility>

#include "api/error_map.h"
#include "api/grpc/request_checks.h"

namespace api {
namespace {

constexpr int kTries = 10;
constexpr size_t kWaitingMax =
    4096;  // Requests of one stream; a client waits for answers long before.
constexpr pd::Millis kTryAgain{1};

}  // namespace

/// One stream: shared by its session and, while requests wait, by the desk.
class TsoStreamState : public std::enable_shared_from_this<TsoStreamState> {
 public:
  TsoStreamState(TsoDesk& desk, StreamSink<pdpb::TsoResponse> sink)
      : desk_(desk), sink_(std::move(sink)) {}

  void OnRequest(const pdpb::TsoRequest& request) PD_EXCLUDES(mutex_) {
    const pd::Nanos now = desk_.server_.clock().Monotonic();
    auto refused = CheckStarted(desk_.server_);
    if (!refused) refused = CheckClusterId(desk_.server_, request.header().cluster_id());
    const pd::MutexLock lock(mutex_);
    if (refused) return Finish(std::move(*refused));
    if (waiting_.size() >= kWaitingMax) {
      return Finish({StatusCode::kResourceExhausted, "too many requests wait for timestamps"});
    }
    waiting_.push_back({request.count(), now});
    if (waiting_.size() == 1) Drain(now);
    if (!waiting_.empty() && !parked_) {
      parked_ = true;
      desk_.Park(shared_from_this());
    }
  }

  void OnHalfClose() PD_EXCLUDES(mutex_) {
    const pd::MutexLock lock(mutex_);
    half_closed_ = true;
    if (waiting_.empty()) Finish({});
  }

  /// Takes no lock: the sink is written to with the lock held.
  void OnClose() { closed_.store(true, std::memory_order_release); }

  /// Answers what can be answered now; true when nothing is left.
  bool TryAgain(pd::Nanos now) PD_EXCLUDES(mutex_) {
    const pd::MutexLock lock(mutex_);
    if (closed_.load(std::memory_order_acquire)) waiting_.clear();
    Drain(now);
    if (!waiting_.empty()) return false;
    parked_ = false;
    if (half_closed_) Finish({});
    return true;
  }

 private:
  struct Waiting {
    uint32_t count;
    pd::Nanos since;
  };

  void Drain(pd::Nanos now) PD_REQUIRES(mutex_) {
    pd::TsoOracle& tso = desk_.server_.tso();
    while (!waiting_.empty()) {
      const Waiting head = waiting_.front();
      auto granted = tso.TryGenerate(head.count);
      if (!granted && granted.error().code == pd::ErrorCode::kUnavailable &&
          now - head.since < kTries * tso.options().update_interval) {
        return;
      }
      if (!granted) {
        waiting_.clear();
        return Finish({StatusCode::kUnknown, granted.error().context});
      }
      waiting_.pop_front();
      if (!Answer(head, *granted, now)) {
        waiting_.clear();
        return sink_.Abort(
            {StatusCode::kResourceExhausted, "the client does not read its timestamps"});
      }
    }
  }

  /// False when the client does not take it: a client counts answers, so none may be left out.
  bool Answer(const Waiting& request, pd::Timestamp granted, pd::Nanos now) PD_REQUIRES(mutex_) {
    FillHeader(desk_.server_, *response_.mutable_header());
    response_.set_count(request.count);
    response_.mutable_timestamp()->set_physical(granted.physical_ms);
    response_.mutable_timestamp()->set_logical(granted.logical);
    if (sink_.Write(response_) != SinkResult::kQueued) return false;
    desk_.batch_sizes_.Observe(request.count);
    desk_.seconds_.Observe(std::chrono::duration<double>(now - request.since).count());
    return true;
  }

  void Finish(RpcStatus status) PD_REQUIRES(mutex_) {
    waiting_.clear();
    sink_.Finish(std::move(status));
  }

  TsoDesk& desk_;
  const StreamSink<pdpb::TsoResponse> sink_;
  std::atomic<bool> closed_{false};
  pd::Mutex mutex_;
  std::deque<Waiting> waiting_ PD_GUARDED_BY(mutex_);
  pdpb::TsoResponse response_ PD_GUARDED_BY(mutex_);
  bool parked_ PD_GUARDED_BY(mutex_) = false;
  bool half_closed_ PD_GUARDED_BY(mutex_) = false;
};

namespace {

class TsoSession final : public StreamSession<pdpb::TsoRequest> {
 public:
  explicit TsoSession(std::shared_ptr<TsoStreamState> state) : state_(std::move(state)) {}

  void OnMessage(const pdpb::TsoRequest& request) override { state_->OnRequest(request); }
  void OnHalfClose() override { state_->OnHalfClose(); }
  void OnClose() override { state_->OnClose(); }

 private:
  const std::shared_ptr<TsoStreamState> state_;
};

}  // namespace

TsoDesk::TsoDesk(pd::PdServer& server)
    : server_(server),
      batch_sizes_(server.metrics()
                       .Histograms("pd_server_handle_tso_batch_size", "Timestamps per TSO request.",
                                   pd::ExponentialBounds(1, 2, 13))
                       .Only()),
      seconds_(server.metrics()
                   .Histograms("pd_server_handle_tso_duration_seconds",
                               "Server-side time of a TSO batch.",
                               pd::ExponentialBounds(0.0005, 2, 13))
                   .Only()),
      thread_([this] { Run(); }) {}

TsoDesk::~TsoDesk() { Stop(); }

void TsoDesk::Register(MethodRegistry& methods) {
  methods.Stream<pdpb::TsoRequest, pdpb::TsoResponse>(
      "/pdpb.PD/Tso", {RunOn::kIo, Forwarding::kBeforeWrapped, RateLimited::kYes},
      [this](const CallContext&, StreamSink<pdpb::TsoResponse> sink) {
        return std::make_unique<TsoSession>(
            std::make_shared<TsoStreamState>(*this, std::move(sink)));
      });
}

void TsoDesk::Stop() {
  {
    const pd::MutexLock lock(mutex_);
    stopping_ = true;
    woken_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void TsoDesk::Park(std::shared_ptr<TsoStreamState> stream) {
  const pd::MutexLock lock(mutex_);
  parked_.push_back(std::move(stream));
  woken_.NotifyAll();
}

void TsoDesk::Run() {
  std::vector<std::shared_ptr<TsoStreamState>> streams;
  while (true) {
    {
      const pd::MutexLock lock(mutex_);
      while (!stopping_ && streams.empty() && parked_.empty()) woken_.Wait(mutex_);
      if (stopping_) return;
      if (!streams.empty()) woken_.WaitFor(mutex_, kTryAgain);
      streams.insert(streams.end(), parked_.begin(), parked_.end());
      parked_.clear();
    }
    const pd::Nanos now = server_.clock().Monotonic();
    std::erase_if(streams, [now](const auto& stream) { return stream->TryAgain(now); });
  }
}

}  // namespace api

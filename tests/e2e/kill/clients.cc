#include "tests/e2e/kill/clients.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace killtest {
namespace {

using harness::Millis;

constexpr Millis kAskTimeout(150);
constexpr Millis kAnswerTimeout(200);
constexpr int64_t kFreshNs = 400'000'000;
constexpr int kLogicalBits = 18;

}  // namespace

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

LeaderWatch::LeaderWatch(std::vector<std::string> urls) {
  for (const std::string& url : urls) {
    auto member = std::make_unique<Member>();
    member->url = url;
    member->stub = std::make_shared<grpc::GenericStub>(harness::OpenChannel(url));
    members_.push_back(std::move(member));
  }
  for (const auto& member : members_) {
    threads_.emplace_back([this, &member] {
      while (!stopped_) {
        Ask(*member);
        std::this_thread::sleep_for(Millis(10));
      }
    });
  }
}

LeaderWatch::~LeaderWatch() {
  stopped_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void LeaderWatch::Ask(Member& member) {
  pdpb::GetMembersResponse answer;
  const grpc::Status status = harness::PdClient::CallOn(
      member.stub, "/pdpb.PD/GetMembers", pdpb::GetMembersRequest(), answer, kAskTimeout);
  const bool answers = status.ok() && !answer.header().has_error();
  const bool leads = answers && answer.leader().client_urls_size() > 0 &&
                     answer.leader().client_urls(0) == member.url;
  const std::lock_guard lock(mutex_);
  if (answers) {
    member.answered_ns = NowNs();
    cluster_id_ = answer.header().cluster_id();
  }
  member.led_ns = leads ? NowNs() : 0;
}

std::optional<size_t> LeaderWatch::leader() const {
  const std::lock_guard lock(mutex_);
  std::optional<size_t> newest;
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i]->led_ns + kFreshNs < NowNs()) continue;
    if (!newest || members_[i]->led_ns > members_[*newest]->led_ns) newest = i;
  }
  return newest;
}

bool LeaderWatch::Answers(size_t index) const {
  const std::lock_guard lock(mutex_);
  return members_[index]->answered_ns + kFreshNs > NowNs();
}

TsoLine::TsoLine(const std::string& url) : channel_(harness::OpenChannel(url)) {}

void TsoLine::Open() {
  Close(current_);
  current_.call = std::make_shared<Call>();
  current_.stream = std::make_unique<harness::Stream>(
      channel_, "/pdpb.PD/Tso",
      harness::Stream::Callbacks{
          [call = current_.call](grpc::ByteBuffer bytes) { TakeAnswer(*call, std::move(bytes)); },
          [call = current_.call](const grpc::Status&) {
            const std::lock_guard lock(call->mutex);
            call->failed = true;
            call->changed.notify_one();
          }});
}

void TsoLine::TakeAnswer(Call& call, grpc::ByteBuffer bytes) {
  const int64_t received_ns = NowNs();
  pdpb::TsoResponse answer;
  const bool granted = harness::FromBuffer(bytes, answer) && !answer.header().has_error();
  const std::lock_guard lock(call.mutex);
  if (granted && answer.count() == call.grant.count) {
    call.grant.received_ns = received_ns;
    call.grant.last = (static_cast<uint64_t>(answer.timestamp().physical()) << kLogicalBits) +
                      static_cast<uint64_t>(answer.timestamp().logical());
    call.answered = true;
  } else {
    call.failed = true;
  }
  call.changed.notify_one();
}

void TsoLine::Close(Line& line) {
  line.stream.reset();
  line.call.reset();
}

std::optional<Grant> TsoLine::Ask(uint64_t cluster_id, uint32_t count, Millis timeout) {
  if (current_.stream == nullptr || current_.stream->ended()) Open();
  pdpb::TsoRequest request;
  request.mutable_header()->set_cluster_id(cluster_id);
  request.set_count(count);
  Call& call = *current_.call;
  std::unique_lock lock(call.mutex);
  call.answered = false;
  call.grant = {};
  call.grant.count = count;
  call.grant.sent_ns = NowNs();
  lock.unlock();
  current_.stream->Write(harness::ToBuffer(request));
  lock.lock();
  call.changed.wait_for(lock, timeout, [&] { return call.answered || call.failed; });
  if (call.answered) return call.grant;
  const bool failed = call.failed;
  lock.unlock();
  if (failed) {
    Close(current_);
  } else {
    KeepOpen();
  }
  return std::nullopt;
}

void TsoLine::KeepOpen() {
  CollectLate();
  if (late_.size() == kLateMax) {
    Close(late_.front());
    late_.pop_front();
  }
  late_.push_back(std::exchange(current_, {}));
}

void TsoLine::CollectLate() {
  for (auto line = late_.begin(); line != late_.end();) {
    std::unique_lock lock(line->call->mutex);
    if (line->call->answered) late_grants_.push_back(line->call->grant);
    const bool over = line->call->answered || line->call->failed;
    lock.unlock();
    if (!over) {
      ++line;
      continue;
    }
    Close(*line);
    line = late_.erase(line);
  }
}

std::vector<Grant> TsoLine::TakeLate() {
  CollectLate();
  return std::exchange(late_grants_, {});
}

Load::Load(const LeaderWatch& watch, std::vector<std::string> urls, int tso_clients, int id_clients)
    : watch_(watch), urls_(std::move(urls)) {
  for (int i = 0; i < tso_clients; ++i) {
    threads_.emplace_back([this, i] { RunTso(static_cast<uint64_t>(i)); });
  }
  for (int i = 0; i < id_clients; ++i) {
    threads_.emplace_back([this, i] { RunIds(static_cast<uint64_t>(i)); });
  }
}

Load::~Load() { Stop(); }

void Load::Stop() {
  stopped_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Load::RunTso(uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<std::unique_ptr<TsoLine>> lines;
  for (const std::string& url : urls_) lines.push_back(std::make_unique<TsoLine>(url));
  std::vector<Grant> grants;
  while (!stopped_) {
    const std::optional<size_t> leader = watch_.leader();
    if (!leader) {
      std::this_thread::sleep_for(Millis(2));
      continue;
    }
    const auto count = static_cast<uint32_t>(1 + rng() % 50);
    const std::optional<Grant> grant =
        lines[*leader]->Ask(watch_.cluster_id(), count, kAnswerTimeout);
    if (!grant) {
      std::this_thread::sleep_for(Millis(2));
      continue;
    }
    grants.push_back(*grant);
    last_success_ns_ = grant->received_ns;
    std::this_thread::sleep_for(std::chrono::microseconds(rng() % 1000));
  }
  const std::lock_guard lock(mutex_);
  timestamps_.insert(timestamps_.end(), grants.begin(), grants.end());
  for (const auto& line : lines) {
    const std::vector<Grant> late = line->TakeLate();
    late_timestamps_.insert(late_timestamps_.end(), late.begin(), late.end());
  }
}

void Load::RunIds(uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::vector<std::shared_ptr<grpc::GenericStub>> stubs;
  for (const std::string& url : urls_) {
    stubs.push_back(std::make_shared<grpc::GenericStub>(harness::OpenChannel(url)));
  }
  std::vector<Grant> grants;
  while (!stopped_) {
    const std::optional<size_t> leader = watch_.leader();
    std::this_thread::sleep_for(std::chrono::microseconds(500 + rng() % 1000));
    if (!leader) continue;
    pdpb::AllocIDRequest request;
    pdpb::AllocIDResponse response;
    request.mutable_header()->set_cluster_id(watch_.cluster_id());
    request.set_count(static_cast<uint32_t>(1 + rng() % 20));
    Grant grant;
    grant.sent_ns = NowNs();
    const grpc::Status status = harness::PdClient::CallOn(stubs[*leader], "/pdpb.PD/AllocID",
                                                          request, response, Millis(500));
    grant.received_ns = NowNs();
    if (!status.ok() || response.header().has_error()) continue;
    grant.last = response.id();
    grant.count = std::max<uint32_t>(1, response.count());  // A single id comes without a count.
    grants.push_back(grant);
  }
  const std::lock_guard lock(mutex_);
  ids_.insert(ids_.end(), grants.begin(), grants.end());
}

}  // namespace killtest

#include "tests/harness/region_load.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "tests/harness/pd_group.h"
#include "tests/harness/wait.h"

namespace harness {
namespace {

constexpr size_t kBacklogMax = 2000;  // Reports that wait in one stream.
constexpr Millis kStuck(60'000);
constexpr Millis kCallTimeout(10'000);
constexpr int kKeyDigits = 18;
constexpr uint64_t kMib = 1024 * 1024;

uint64_t UnixSeconds() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

uint64_t RegionId(int64_t number) { return 1000 + static_cast<uint64_t>(number) * 4; }

void Must(const std::string& failure) {
  if (!failure.empty()) throw std::runtime_error(failure);
}

}  // namespace

void RegionLoad::Bootstrap() {
  for (uint64_t id = 1; id <= kStores; ++id) {
    metapb::Store store;
    store.set_id(id);
    store.set_address("127.2.0." + std::to_string(id) + ":20160");
    store.set_version("8.5.0");
    if (id == 1) {
      pdpb::BootstrapRequest request;
      pdpb::BootstrapResponse response;
      *request.mutable_store() = store;
      metapb::Region* region = request.mutable_region();
      region->set_id(RegionId(0));
      region->mutable_region_epoch()->set_conf_ver(1);
      region->mutable_region_epoch()->set_version(1);
      region->add_peers()->set_id(RegionId(0) + 1);
      region->mutable_peers(0)->set_store_id(1);
      Must(client_.CallUntilOk("/pdpb.PD/Bootstrap", request, response, kCallTimeout));
    }
    PutStore(store);
  }
}

void RegionLoad::PutStore(const metapb::Store& store) {
  pdpb::PutStoreRequest request;
  pdpb::PutStoreResponse response;
  *request.mutable_store() = store;
  Must(client_.CallUntilOk("/pdpb.PD/PutStore", request, response, kCallTimeout));
  pdpb::StoreHeartbeatRequest heartbeat;
  pdpb::StoreHeartbeatResponse answer;
  heartbeat.mutable_stats()->set_store_id(store.id());
  heartbeat.mutable_stats()->set_capacity(1ULL << 50);
  heartbeat.mutable_stats()->set_available(1ULL << 49);
  Must(client_.CallUntilOk("/pdpb.PD/StoreHeartbeat", heartbeat, answer, kCallTimeout));
}

void RegionLoad::StopPlanning() {
  for (const char* limit : {"leader", "region", "replica", "merge", "hot-region"}) {
    const std::string body = std::string("{\"") + limit + "-schedule-limit\":0}";
    if (HttpRequest(client_.leader(), "POST", "/pd/api/v1/config", nullptr, body) != 200) {
      throw std::runtime_error("the schedule limits could not be set");
    }
  }
}

void RegionLoad::OpenStreams() {
  streams_.clear();
  const auto ended = [this](const grpc::Status& status) {
    if (status.error_code() == grpc::StatusCode::CANCELLED) return;
    ++streams_ended_;
    std::fprintf(stderr, "a heartbeat stream ended: %s\n", status.error_message().c_str());
  };
  for (int i = 0; i < kStores; ++i) {
    streams_.push_back(std::make_unique<Stream>(OpenChannel(client_.leader()),
                                                "/pdpb.PD/RegionHeartbeat",
                                                Stream::Callbacks{[](grpc::ByteBuffer) {}, ended}));
  }
}

void RegionLoad::FindLeaderAgain() {
  client_.ForgetLeader();
  if (!client_.FindLeader(Millis(20'000))) throw std::runtime_error("the leader is gone");
  OpenStreams();
}

bool RegionLoad::Send(int64_t number, const News& news) {
  Stream& stream = *streams_[static_cast<size_t>(number % kStores)];
  if (stream.backlog() > kBacklogMax) {
    WaitUntil("a stream to take reports", kStuck, [&] { return stream.backlog() <= kBacklogMax; });
  }
  pdpb::RegionHeartbeatRequest report;
  report.mutable_header()->set_cluster_id(client_.cluster_id());
  *report.mutable_region() = Region(number, news.conf_ver);
  *report.mutable_leader() = report.region().peers(0);
  report.set_term(6);
  report.set_approximate_size(96 * kMib);
  report.set_approximate_keys(960'000);
  report.set_bytes_written(news.bytes_written);
  report.set_keys_written(news.bytes_written / 100);
  report.set_bytes_read(news.bytes_written / 2);
  report.set_keys_read(news.bytes_written / 200);
  report.mutable_interval()->set_end_timestamp(UnixSeconds());
  report.mutable_interval()->set_start_timestamp(UnixSeconds() - 60);
  return stream.Write(ToBuffer(report));
}

void RegionLoad::Drain() {
  for (const auto& stream : streams_) {
    WaitUntil("a stream to take its reports", kStuck, [&] { return stream->backlog() == 0; });
  }
}

bool RegionLoad::SendAll() {
  const int64_t ended_before = streams_ended_;
  for (int64_t number = 0; number < options_.regions; ++number) {
    if (!Send(number, {})) return false;
  }
  Drain();
  // A stream's reports are taken in order: its last one tells of all.
  for (int64_t number = std::max<int64_t>(0, options_.regions - kStores); number < options_.regions;
       ++number) {
    WaitUntil("the leader to know all regions", kStuck,
              [&] { return streams_ended_ != ended_before || Find(number).has_value(); });
  }
  return streams_ended_ == ended_before;
}

std::string RegionLoad::Key(int64_t number) const {
  char digits[24];
  std::snprintf(digits, sizeof(digits), "%0*lld", kKeyDigits, static_cast<long long>(number));
  std::string key = "t_bench_" + std::string(digits);
  if (key.size() < options_.key_bytes) key.resize(options_.key_bytes, 'k');
  return key;
}

metapb::Region RegionLoad::Region(int64_t number, uint64_t conf_ver) const {
  metapb::Region region;
  region.set_id(RegionId(number));
  if (number > 0) region.set_start_key(Key(number));
  if (number + 1 < options_.regions) region.set_end_key(Key(number + 1));
  // As if the first region had been split into all of them.
  region.mutable_region_epoch()->set_version(static_cast<uint64_t>(options_.regions));
  region.mutable_region_epoch()->set_conf_ver(conf_ver);
  for (uint64_t i = 0; i < 3; ++i) {
    metapb::Peer* peer = region.add_peers();
    peer->set_id(RegionId(number) + 1 + i);
    peer->set_store_id((static_cast<uint64_t>(number) + i) % kStores + 1);
  }
  return region;
}

std::optional<metapb::Region> RegionLoad::Find(int64_t number) {
  pdpb::GetRegionByIDRequest request;
  pdpb::GetRegionResponse response;
  request.set_region_id(RegionId(number));
  const grpc::Status status = client_.Call("/pdpb.PD/GetRegionByID", request, response);
  if (!status.ok() || response.header().has_error()) return std::nullopt;
  if (response.region().id() != RegionId(number)) return std::nullopt;
  return response.region();
}

}  // namespace harness

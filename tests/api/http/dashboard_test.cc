#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/http/dashboard_feed.h"
#include "api/http/dashboard_handlers.h"
#include "api/http/dashboard_hot.h"
#include "api/http/dashboard_json.h"
#include "api/http/web_assets.h"

namespace api {
namespace {

using Json = nlohmann::json;

DashboardSnapshot Picture() {
  DashboardSnapshot snapshot;
  snapshot.time_ms = 5000;
  snapshot.cluster_id = 18446744073709551615U;
  snapshot.name = "pd1";
  snapshot.leads = true;
  snapshot.bootstrapped = true;
  pd::MemberDetail self;
  self.member.id = 9007199254740993;
  self.member.name = "pd1";
  self.member.client_urls = {"http://a:1"};
  snapshot.leader = self.member;
  snapshot.members = {{.detail = self, .leader = true, .healthy = std::nullopt}};
  DashboardStore entry;
  entry.store.id = scheduler::StoreId{4};
  entry.store.labels = {{"zone", "z1"}};
  entry.store.counts.leaders = 3;
  entry.store.counts.followers = 6;
  entry.store.stats.used_bytes = 77;
  entry.store.stats.bytes_read = 500;
  entry.store.stats.interval_start_s = 100;
  entry.store.stats.interval_end_s = 110;
  entry.state = "Up";
  entry.region_score = 2.5;
  snapshot.stores = {entry};
  entry.low_space = true;
  entry.progress = pd::StoreProgress::Report{
      {5}, pd::StoreProgress::Action::kRemoving, 0.25, 0, scheduler::Progress::kNever};
  snapshot.stores.push_back(entry);
  DashboardOperator op;
  op.region_id = 7;
  op.why = "store 1 <holds> more";
  snapshot.operators.running = {op};
  snapshot.operators.running_count = 9;
  snapshot.operators.refusals = {{"balance-leader", "already-balanced", "even", 3}};
  DashboardScheduler idle;
  idle.name = "evict-leader-scheduler";
  idle.status = "disabled";
  DashboardScheduler busy;
  busy.name = "balance-leader-scheduler";
  busy.status = "limit";
  busy.store_ids = {4};
  busy.resumes_in_ms = 60'000;
  busy.kind = "leader";
  busy.running = 4;
  busy.limit = 4;
  busy.ran_ms_ago = 20;
  busy.proposed_latest = 1;
  busy.proposed_total = 7;
  busy.proposed_last = {30, 9, "transfer leader: store 4 to 5", "4 holds more"};
  busy.refusals = {{"schedule-limit", std::nullopt, "4 run", "wait", 1},
                   {"store-busy", 4, "store 4 is busy", "", 3}};
  busy.refusals_total = 12;
  snapshot.schedulers = {idle, busy};
  snapshot.hot.stores = {{4, {100.06, 3, 0.25}, {}}};
  return snapshot;
}

TEST_CASE("a snapshot has the fields that the page reads") {
  const Json json = Json::parse(DashboardSnapshotJson(Picture()));
  CHECK(json["format"] == 1);
  CHECK(json["cluster_id"] == "18446744073709551615");
  CHECK(json["members"][0]["id"] == "9007199254740993");
  CHECK(json["members"][0]["healthy"].is_null());
  CHECK(json["leader"]["client_urls"][0] == "http://a:1");
  const Json& store = json["stores"][0];
  CHECK(store["id"] == 4);
  CHECK(store["region_count"] == 9);
  CHECK(store["read_bytes_per_s"] == 50);
  CHECK(store["labels"][0]["value"] == "z1");
  CHECK(store["heartbeat_age_ms"].is_null());
  CHECK(store["low_space"] == false);
  CHECK(store["progress"].is_null());
  CHECK(json["stores"][1]["low_space"] == true);
  CHECK(json["stores"][1]["progress"] ==
        Json{{"fraction", 0.25}, {"speed_mib_per_s", 0.0}, {"left_s", nullptr}});
  CHECK(json["operators"]["running_count"] == 9);
  CHECK(json["operators"]["running"][0]["why"] == "store 1 <holds> more");
  CHECK(json["refusals"][0]["count"] == 3);

  const Json hot = json["hot"];
  CHECK(hot["stores"] == Json::parse(R"([{"id":4,"read":[100.1,3,0.3],"write":[0,0,0]}])"));
  CHECK(hot["peers"]["read_peers"] == Json::parse(R"({"total":0,"hottest":[]})"));

  DashboardSnapshot follower;
  follower.name = "pd2";
  const Json other = Json::parse(DashboardSnapshotJson(follower));
  CHECK(other["leader"].is_null());
  CHECK(other["stores"].is_array());
  CHECK(other["answered_by"]["leads"] == false);
}

TEST_CASE("a snapshot tells what each scheduler does, and why not more") {
  const Json json = Json::parse(DashboardSnapshotJson(Picture()))["schedulers"];
  REQUIRE(json.size() == 2);
  CHECK(json[0] == Json::parse(R"({"name":"evict-leader-scheduler","status":"disabled",
        "store_ids":[],"resumes_in_ms":null,"kind":"","running":0,"limit":null,"ran_ms_ago":null,
        "proposed_latest":0,"proposed_total":0,"proposed_last":null,"refusals":[],
        "refusals_total":0})"));
  CHECK(json[1] == Json::parse(R"({"name":"balance-leader-scheduler","status":"limit",
        "store_ids":[4],"resumes_in_ms":60000,"kind":"leader","running":4,"limit":4,"ran_ms_ago":20,
        "proposed_latest":1,"proposed_total":7,
        "proposed_last":{"ms_ago":30,"region_id":9,"brief":"transfer leader: store 4 to 5",
                         "why":"4 holds more"},
        "refusals":[{"reason":"schedule-limit","store_id":null,"text":"4 run","remedy":"wait",
                     "times":1},
                    {"reason":"store-busy","store_id":4,"text":"store 4 is busy","remedy":"",
                     "times":3}],
        "refusals_total":12})"));
}

TEST_CASE("hot peers of each kind have a list of their own") {
  DashboardSnapshot snapshot = Picture();
  snapshot.hot.peers.write_leaders = Hottest({{7, 4, "leader", 12, {10, 2, 1}}});
  const Json peers = Json::parse(DashboardSnapshotJson(snapshot))["hot"]["peers"];
  const Json none = Json::parse(R"({"total":0,"hottest":[]})");
  CHECK(peers["read_peers"] == none);
  CHECK(peers["read_leaders"] == none);
  CHECK(peers["write_peers"] == none);
  CHECK(peers["write_leaders"] ==
        Json::parse(R"({"total":1,"hottest":[{"region_id":7,"store_id":4,"role":"leader",
        "degree":12,"rates":[10,2,1]}]})"));
}

TEST_CASE("the hottest are the first by any of the rates") {
  std::vector<DashboardHotPeer> all;
  for (uint64_t i = 1; i <= 40; ++i) {
    // The more bytes the fewer keys; one region has the most queries.
    const auto bytes = static_cast<double>(i);
    all.push_back({i, 1, "leader", 3, {bytes, 100 - bytes, i == 20 ? 5.0 : 0.0}});
  }
  const DashboardHotPeers peers = Hottest(all);
  CHECK(peers.total == 40);
  std::vector<uint64_t> regions;
  for (const DashboardHotPeer& peer : peers.hottest) regions.push_back(peer.region_id);
  std::sort(regions.begin(), regions.end());
  // By bytes 31 to 40, by keys 1 to 10; by queries 20, then the lowest ids, which are there.
  CHECK(regions == std::vector<uint64_t>{1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 20,
                                         31, 32, 33, 34, 35, 36, 37, 38, 39, 40});
  CHECK(peers.hottest.front().region_id == 40);
  CHECK(Hottest({}).hottest.empty());
}

TEST_CASE("loads are those of stores that are heard and have counted") {
  DashboardStore entry = Picture().stores[0];
  entry.heartbeat_age_ms = 9'000;
  entry.store.stats.keys_read = 20;
  entry.store.stats.write_queries = 5;
  std::vector<DashboardStore> stores(4, entry);
  stores[1].heartbeat_age_ms = 20'001;
  stores[2].heartbeat_age_ms.reset();
  stores[3].store.stats.interval_end_s = stores[3].store.stats.interval_start_s;
  stores.push_back(entry);
  stores.back().store.state = scheduler::StoreState::kTombstone;
  const auto loads = StoreLoadsOf(stores);
  REQUIRE(loads.size() == 1);
  CHECK(loads[0].store_id == 4);
  CHECK(loads[0].read == DashboardRates{50, 2, 0});
  CHECK(loads[0].write == DashboardRates{0, 0, 0.5});
}

TEST_CASE("samples keep what the charts draw") {
  const DashboardSample sample = SampleOf(Picture());
  const Json json = Json::parse(DashboardHistoryJson(std::vector{sample}));
  CHECK(json[0]["stores"]["4"] == Json::array({3, 9, 77, 50, 0}));
  CHECK(json[0]["running"] == 9);
}

/// Collects events; refuses them when told to.
class FakeSink final : public EventSink {
 public:
  bool Send(std::string_view event, std::string_view data) override {
    const std::lock_guard lock(mutex_);
    if (gone_) return false;
    events_.emplace_back(event, data);
    changed_.notify_all();
    return true;
  }
  void Close() override {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    changed_.notify_all();
  }
  bool closed() const override {
    const std::lock_guard lock(mutex_);
    return gone_;
  }
  std::vector<std::pair<std::string, std::string>> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return events_.size() >= count || gone_; });
    return events_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool gone_ = false;
  std::vector<std::pair<std::string, std::string>> events_;
};

TEST_CASE("every page gets a picture at once and then one a period") {
  int64_t time_ms = 0;
  DashboardFeed feed(
      [&time_ms] {
        DashboardSnapshot snapshot = Picture();
        snapshot.time_ms = ++time_ms;
        return snapshot;
      },
      {.period = pd::Millis{2}});
  feed.Start();
  const auto first = std::make_shared<FakeSink>();
  feed.Subscribe(first);
  const auto events = first->Wait(6);
  REQUIRE(events.size() >= 6);
  int64_t last = 0;
  for (const auto& [name, data] : events) {
    if (name != "snapshot") continue;
    const int64_t now = Json::parse(data)["time_ms"];
    CHECK(now > last);
    last = now;
  }

  const auto second = std::make_shared<FakeSink>();
  feed.Subscribe(second);
  const auto greeting = second->Wait(2);
  CHECK(greeting[0].first == "history");
  CHECK(Json::parse(greeting[0].second).size() >= 4);
  CHECK(greeting[1].first == "snapshot");

  first->Close();
  second->Wait(6);
  feed.Stop();
  CHECK(second->closed());
  const auto late = std::make_shared<FakeSink>();
  feed.Subscribe(late);
  CHECK(late->closed());
}

TEST_CASE("a member that does not lead has no history, and a large one is thinned out") {
  DashboardSnapshot snapshot = Picture();
  snapshot.stores.resize(10, snapshot.stores[0]);
  int64_t time_ms = 0;
  DashboardFeed feed(
      [&] {
        snapshot.time_ms = ++time_ms;
        return snapshot;
      },
      {.period = pd::Millis{1}, .samples_max = 20, .history_figures_max = 40});
  feed.Start();
  const auto waiting = std::make_shared<FakeSink>();
  feed.Subscribe(waiting);
  waiting->Wait(30);
  const auto sink = std::make_shared<FakeSink>();
  feed.Subscribe(sink);
  const auto events = sink->Wait(2);
  const Json history = Json::parse(events[0].second);
  CHECK(history.size() <= 5);
  CHECK(history.back()["time_ms"].get<int64_t>() + 1 ==
        Json::parse(events[1].second)["time_ms"].get<int64_t>());
  feed.Stop();
}

HttpRequest Get(std::string target, HttpFields headers = {}) {
  HttpRequest request;
  request.target = std::move(target);
  request.path = request.target.substr(0, request.target.find('?'));
  request.headers = std::move(headers);
  return request;
}

TEST_CASE("the page is served from the binary") {
  const HttpResponse page = ServeWebAsset(Get("/dashboard/"), "");
  CHECK(page.status == 200);
  CHECK(page.body.find("<title>Quartermaster</title>") != std::string::npos);

  std::map<std::string, std::string> headers(page.headers.begin(), page.headers.end());
  CHECK(headers["Content-Type"] == "text/html; charset=utf-8");
  CHECK(headers["Cache-Control"] == "no-cache");
  CHECK(ServeWebAsset(Get("/dashboard/", {{"If-None-Match", headers["ETag"]}}), "").status == 304);
  CHECK(ServeWebAsset(Get("/dashboard/nothing"), "nothing").status == 404);

  bool scripts = false;
  for (const WebAsset& asset : WebAssets()) {
    if (!asset.path.starts_with("assets/") || !asset.path.ends_with(".js")) continue;
    scripts = true;
    const HttpResponse packed =
        ServeWebAsset(Get("/", {{"Accept-Encoding", "br, gzip"}}), std::string(asset.path));
    CHECK(packed.body.size() < asset.bytes.size());
    CHECK(packed.body.starts_with("\x1f\x8b"));
    std::map<std::string, std::string> of_script(packed.headers.begin(), packed.headers.end());
    CHECK(of_script["Content-Encoding"] == "gzip");
    CHECK(of_script["Cache-Control"].find("immutable") != std::string::npos);
  }
  CHECK(scripts);
}

TEST_CASE("the routes are those that the page and people ask for") {
  Router router;
  DashboardFeed feed([] { return Picture(); });
  RegisterDashboard(router, feed);
  const HttpResponse moved = (*router.Find("GET", "/dashboard").handler)(Get("/dashboard?a=1"));
  CHECK(moved.status == 301);
  CHECK(moved.headers[0].second == "/dashboard/?a=1");
  CHECK((*router.Find("GET", "/qm/api/v1/events").handler)(Get("/qm/api/v1/events")).on_events);
  const Router::Match index = router.Find("GET", "/dashboard/");
  REQUIRE(index.handler != nullptr);
}

}  // namespace
}  // namespace api

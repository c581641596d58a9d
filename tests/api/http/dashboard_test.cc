#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/http/dashboard_feed.h"
#include "api/http/dashboard_handlers.h"
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

  DashboardSnapshot follower;
  follower.name = "pd2";
  const Json other = Json::parse(DashboardSnapshotJson(follower));
  CHECK(other["leader"].is_null());
  CHECK(other["stores"].is_array());
  CHECK(other["answered_by"]["leads"] == false);
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

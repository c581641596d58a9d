#include "pd/config/config.h"

#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace pd {
namespace {

Config Parsed(std::string_view toml) {
  Config config;
  const auto read = ReadToml(toml, config);
  if (!read) FAIL(read.error().context);
  return config;
}

std::string WhyNot(std::string_view toml) {
  Config config;
  auto read = ReadToml(toml, config);
  if (read) read = FillDefaults(config, "host");
  return read ? "" : read.error().context;
}

TEST_CASE("defaults hang on the name, and advertised URLs on the others", "[config]") {
  Config config;
  REQUIRE(FillDefaults(config, "vm"));
  CHECK(config.name == "pd-vm");
  CHECK(config.data_dir == "default.pd-vm");
  CHECK(config.client_urls == "http://127.0.0.1:2379");
  CHECK(config.advertise_client_urls == "http://127.0.0.1:2379");
  CHECK(config.initial_cluster == "pd-vm=http://127.0.0.1:2380");
  CHECK(config.metric.job == "pd-vm");

  Config two;
  two.name = "a";
  two.advertise_peer_urls = "http://h:1,http://h:2";
  REQUIRE(FillDefaults(two, "vm"));
  CHECK(two.initial_cluster == "a=http://h:1,a=http://h:2");
}

TEST_CASE("every kind of value is read", "[config]") {
  const Config config = Parsed(R"(
name = "pd7"
lease = 3
quota-backend-bytes = "2GiB"
tso-save-interval = "300ms"
enable-prevote = false
[labels]
zone = "z1"
[log]
level = "debug"
[log.file]
max-size = 10
[log.sampling]
initial = 5
[schedule]
max-snapshot-count = 5
low-space-ratio = 0.9
tolerant-size-ratio = 2
enable-cross-table-merge = false
split-merge-interval = "2h"
[schedule.store-limit.4]
add-peer = 20.0
[[schedule.schedulers]]
type = "evict-leader"
args = ["1"]
[replication]
location-labels = ["zone", "host"]
[security]
redact-info-log = "MARKER"
cert-allowed-cn = ["a"]
[[label-property.reject-leader]]
key = "dc"
value = "2"
[replication-mode.dr-auto-sync]
label-key = "dc"
[controller.request-unit]
read-base-cost = 1
)");
  CHECK(config.name == "pd7");
  CHECK(config.lease_s == 3);
  CHECK(config.quota_backend_bytes.bytes == 2ULL << 30);
  CHECK(config.tso_save_interval == Millis(300));
  CHECK_FALSE(config.enable_prevote);
  CHECK(config.labels.at("zone") == "z1");
  CHECK(config.log.file.max_size_mib == 10);
  CHECK(config.log.sampling->initial == 5);
  CHECK(config.schedule.max_snapshot_count == 5);
  CHECK(config.schedule.tolerant_size_ratio == 2);
  CHECK_FALSE(config.schedule.enable_cross_table_merge);
  CHECK(config.schedule.split_merge_interval == std::chrono::hours(2));
  CHECK(config.schedule.store_limit.at(4).add_peer == 20);
  CHECK(config.schedule.store_limit.at(4).remove_peer == 15);
  REQUIRE(config.schedule.schedulers.size() == 1);
  CHECK(config.schedule.schedulers[0].type == "evict-leader");
  CHECK(config.replication.location_labels == std::vector<std::string>{"zone", "host"});
  CHECK(config.security.redact_info_log == Redaction::kMarker);
  CHECK(config.label_property.at("reject-leader")[0].key == "dc");
  CHECK(config.replication_mode.dr_auto_sync.label_key == "dc");
  CHECK(config.controller.request_unit.read_base_cost == 1);
  CHECK(config.warnings.empty());
  CHECK(config.IsExplicit("tso-save-interval"));
  CHECK(config.IsExplicit("schedule.low-space-ratio"));
  CHECK_FALSE(config.IsExplicit("tick-interval"));
}

TEST_CASE("settings of TLS go together", "[config]") {
  const std::string https = "client-urls = \"https://127.0.0.1:1\"\n";
  const std::string pair = "[security]\ncert-path = \"c\"\nkey-path = \"k\"\n";
  CHECK(WhyNot(https + pair) == "");
  CHECK(WhyNot(https + pair + "cacert-path = \"a\"\ncert-allowed-cn = [\"x\", \"y\"]\n") == "");
  CHECK(WhyNot(pair) == "");  // Plain URLs stay plain.
  CHECK(WhyNot("advertise-client-urls = \"https://proxy:1\"") == "");
  CHECK(WhyNot(https) ==
        "config item client-urls: https://127.0.0.1:1 needs security.cert-path and "
        "security.key-path");
  CHECK(WhyNot("peer-urls = \"http://127.0.0.1:1,https://127.0.0.1:2\"") ==
        "config item peer-urls: http://127.0.0.1:1,https://127.0.0.1:2 needs security.cert-path "
        "and security.key-path");
  CHECK(WhyNot("[security]\ncacert-path = \"a\"") ==
        "config item security.cert-path: must be set when key-path or cacert-path is");
  CHECK(WhyNot("[security]\nkey-path = \"k\"") ==
        "config item security.cert-path: must be set when key-path or cacert-path is");
  CHECK(WhyNot("[security]\ncert-path = \"c\"") ==
        "config item security.key-path: must be set when cert-path or cacert-path is");
  CHECK(WhyNot(pair + "cert-allowed-cn = [\"x\"]") ==
        "config item security.cert-allowed-cn: needs cacert-path: without it no client certificate "
        "is asked for");
}

TEST_CASE("problems name the key", "[config]") {
  CHECK(WhyNot("lease = \"x\"") ==
        "config item lease: wants a whole number, not a value of type string");
  CHECK(WhyNot("[schedule]\nmax-snapshot-count = -1") ==
        "config item schedule.max-snapshot-count: wants a whole number, 0 or more, not a value of "
        "type integer");
  CHECK(WhyNot("[schedule]\npatrol-region-interval = \"5\"") ==
        "config item schedule.patrol-region-interval: time: missing unit in duration \"5\"");
  CHECK(WhyNot("[schedule.store-limit.x]\nadd-peer=1") ==
        "config item schedule.store-limit: \"x\" is no store id");
  CHECK(WhyNot("[replication]\nlocation-labels = [\"a\", 1]") ==
        "config item replication.location-labels[1]: wants a string, not a value of type integer");
  CHECK(WhyNot("name = ") != "");
  CHECK(WhyNot("name = ").starts_with("line 1: "));
  CHECK(WhyNot("[pd-server]\ntrace-region-flow = true")
            .starts_with("config item pd-server.trace-region-flow"));
  CHECK(WhyNot("[schedule]\ndisable-make-up-replica = true\nenable-make-up-replica = true") ==
        "config items schedule.disable-make-up-replica and schedule.enable-make-up-replica "
        "contradict each other: "
        "set only the second");
  CHECK(WhyNot("client-urls = \"127.0.0.1:1\"") ==
        "config item client-urls: \"127.0.0.1:1\" is no URL of the form http://host:port");
  CHECK(WhyNot("tick-interval = \"2s\"") ==
        "config item election-interval: 3s must be more than 5 times tick-interval 2s");
  CHECK(WhyNot("[log]\nlevel = \"loud\"") == "config item log.level: log level loud is illegal");
  CHECK(WhyNot("join = \"http://a:1\"\ninitial-cluster = \"a=http://a:1\"") ==
        "-initial-cluster and -join can not be provided at the same time");
  CHECK(
      WhyNot("data-dir = \"/d\"\n[log.file]\nfilename = \"/d/pd.log\"").find("log.file.filename") !=
      std::string::npos);
  CHECK(WhyNot("data-dir = \"/d\"\n[log.file]\nfilename = \"/data/pd.log\"").empty());
  CHECK(WhyNot("[replication]\nisolation-level = \"zone\"") ==
        "isolation-level must be one of location-labels or empty");
}

TEST_CASE("history is kept by age or by number of revisions, in etcd's spelling", "[config]") {
  struct Row {
    const char* mode;
    const char* retention;
    Nanos age;
    int64_t revisions;
  };
  using namespace std::chrono_literals;
  const Row rows[] = {
      {"periodic", "1h", 1h, 0},     {"periodic", "30m", 30min, 0},  {"periodic", "8", 8h, 0},
      {"periodic", "0", 0s, 0},      {"revision", "1000", 0s, 1000}, {"revision", "0", 0s, 0},
      {"revision", "1us", 0s, 1000},
  };
  for (const Row& row : rows) {
    INFO(row.mode << " " << row.retention);
    Config config;
    config.auto_compaction_mode = row.mode;
    config.auto_compaction_retention = row.retention;
    REQUIRE(FillDefaults(config, "vm"));
    const auto kept = ParseHistoryKept(config);
    REQUIRE(kept);
    CHECK(kept->age == row.age);
    CHECK(kept->revisions == row.revisions);
  }
  const std::string item = "config item auto-compaction-retention: ";
  CHECK(WhyNot("auto-compaction-retention = \"soon\"").starts_with(item));
  CHECK(WhyNot("auto-compaction-retention = \"\"").starts_with(item));
  CHECK(WhyNot("auto-compaction-retention = \"-1h\"") == item + "must not be negative");
  CHECK(WhyNot("auto-compaction-retention = \"-1\"") == item + "must not be negative");
  CHECK(WhyNot("auto-compaction-retention = \"9000000000000000000\"") ==
        item + "9000000000000000000 hours are too many");
}

TEST_CASE("unknown keys are warnings that name them, old switches are turned over", "[config]") {
  const Config config =
      Parsed("bogus = 1\n[schedule]\nx-limit = 2\ndisable-make-up-replica = true\n[nothing]\na=1");
  CHECK(config.warnings ==
        std::vector<std::string>{"Config contains undefined item: schedule.x-limit",
                                 "Config contains undefined item: bogus",
                                 "Config contains undefined item: nothing",
                                 "config item schedule.disable-make-up-replica is deprecated, use "
                                 "schedule.enable-make-up-replica"});
  CHECK_FALSE(config.schedule.enable_make_up_replica);
}

TEST_CASE("GET /config shows the sections in the reference's order", "[config]") {
  Config config;
  REQUIRE(FillDefaults(config, "vm"));
  const auto json = nlohmann::ordered_json::parse(ConfigToJson(config));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  const std::vector<std::string> head = {
      "client-urls", "peer-urls", "advertise-client-urls", "advertise-peer-urls",
      "name",        "data-dir",  "force-new-cluster"};
  CHECK(std::vector<std::string>(keys.begin(), keys.begin() + 7) == head);
  CHECK(keys.back() == "metering");
  CHECK(json["lease"] == 5);
  CHECK(json["quota-backend-bytes"] == "8GiB");
  CHECK(json["security"]["cert-allowed-cn"].is_null());
  CHECK(json["security"]["SSLCABytes"].is_null());
  CHECK(json["log"]["sampling"].is_null());
  CHECK(json["schedule"]["default-store-limit"].dump() == R"({"add-peer":15,"remove-peer":15})");
  CHECK_FALSE(json["schedule"].contains("halt-scheduling"));
  CHECK(json["keyspace"]["pre-alloc"].is_null());
}

}  // namespace
}  // namespace pd

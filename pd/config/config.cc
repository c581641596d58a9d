#include "pd/config/config.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "pd/config/config_store.h"
#include "pd/config/json_text.h"
#include "pd/config/json_writer.h"

namespace pd {
namespace {

constexpr const char* kDefaultClientUrls = "http://127.0.0.1:2379";
constexpr const char* kDefaultPeerUrls = "http://127.0.0.1:2380";
constexpr int64_t kHistoryHoursMax = 24 * 365 * 100;

tl::unexpected<Error> BadItem(std::string_view key, std::string_view what) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("config item {}: {}", key, what));
}

template <class T>
void FillEmpty(T& value, const T& fallback) {
  if (value == T{}) value = fallback;
}

/// "pd1=http://a:1,pd1=http://b:1": each URL with the name in front.
std::string NamedUrls(const std::string& name, const std::string& urls) {
  std::string out;
  size_t from = 0;
  while (from <= urls.size()) {
    const size_t comma = std::min(urls.find(',', from), urls.size());
    out += (out.empty() ? "" : ",") + name + "=" + urls.substr(from, comma - from);
    from = comma + 1;
  }
  return out;
}

Result<void> CheckUrls(const Config& config) {
  const std::pair<const char*, const std::string*> lists[] = {
      {"client-urls", &config.client_urls},
      {"peer-urls", &config.peer_urls},
      {"advertise-client-urls", &config.advertise_client_urls},
      {"advertise-peer-urls", &config.advertise_peer_urls}};
  for (const auto& [key, list] : lists) {
    if (const auto urls = ParseUrls(*list); !urls) return BadItem(key, urls.error().context);
  }
  return {};
}

Result<void> CheckTiming(const Config& config) {
  if (config.lease_s <= 0) return BadItem("lease", "must be above 0");
  if (config.tso_save_interval <= Nanos(0)) return BadItem("tso-save-interval", "must be above 0s");
  if (config.tick_interval <= Nanos(0)) return BadItem("tick-interval", "must be above 0s");
  if (config.election_interval <= 5 * config.tick_interval) {
    return BadItem("election-interval", fmt::format("{} must be more than 5 times tick-interval {}",
                                                    FormatDuration(config.election_interval),
                                                    FormatDuration(config.tick_interval)));
  }
  return {};
}

Result<void> CheckChoice(std::string_view key, const std::string& value,
                         std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
  return BadItem(key, fmt::format("\"{}\" is not one of {}", value, fmt::join(choices, ", ")));
}

Result<void> CheckHistoryKept(const Config& config) {
  if (const auto kept = ParseHistoryKept(config); !kept) return tl::unexpected(kept.error());
  return {};
}

/// Which TLS settings go together; whether the files are good shows at the start.
Result<void> CheckTls(const Config& config) {
  const SecurityConfig& security = config.security;
  const bool any =
      !security.cacert_path.empty() || !security.cert_path.empty() || !security.key_path.empty();
  if (any && security.cert_path.empty())
    return BadItem("security.cert-path", "must be set when key-path or cacert-path is");
  if (any && security.key_path.empty())
    return BadItem("security.key-path", "must be set when cert-path or cacert-path is");
  if (any && security.cacert_path.empty() && !security.cert_allowed_cn.empty()) {
    return BadItem("security.cert-allowed-cn",
                   "needs cacert-path: without it no client certificate is asked for");
  }
  for (const auto& [key, urls] :
       {std::pair("client-urls", &config.client_urls), std::pair("peer-urls", &config.peer_urls)}) {
    if (any || urls->find("https://") == std::string::npos) continue;
    return BadItem(key, fmt::format("{} needs security.cert-path and security.key-path", *urls));
  }
  return {};
}

Result<void> CheckSecurity(const SecurityConfig& security) {
  return CheckChoice("security.encryption.data-encryption-method",
                     security.encryption.data_encryption_method,
                     {"plaintext", "aes128-ctr", "aes192-ctr", "aes256-ctr"});
}

/// The log would fill the data directory, and a wipe of the data would take the log with it.
Result<void> CheckLogOutsideData(const Config& config) {
  const std::string& file = config.log.file.filename;
  if (file.empty() || !file.starts_with(config.data_dir)) return {};
  const std::string_view rest = std::string_view(file).substr(config.data_dir.size());
  if (!rest.starts_with('/') && !config.data_dir.ends_with('/')) return {};
  return BadItem("log.file.filename",
                 fmt::format("log directory shouldn't be the subdirectory of data directory {}",
                             config.data_dir));
}

}  // namespace

Result<std::vector<std::string>> ParseUrls(std::string_view list) {
  std::vector<std::string> urls;
  size_t from = 0;
  while (from <= list.size()) {
    const size_t comma = std::min(list.find(',', from), list.size());
    const std::string_view url = list.substr(from, comma - from);
    const size_t scheme = url.find("://");
    const std::string_view host = scheme == std::string_view::npos ? "" : url.substr(scheme + 3);
    const size_t colon = host.rfind(':');
    const bool known = url.starts_with("http://") || url.starts_with("https://") ||
                       url.starts_with("unix://") || url.starts_with("unixs://");
    if (!known || colon == std::string_view::npos || colon + 1 == host.size() ||
        host.find('/') != std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("\"{}\" is no URL of the form http://host:port", url));
    }
    urls.emplace_back(url);
    from = comma + 1;
  }
  return urls;
}

Result<void> FillDefaults(Config& config, const std::string& hostname) {
  FillEmpty(config.name, "pd-" + hostname);
  FillEmpty(config.data_dir, "default." + config.name);
  FillEmpty(config.client_urls, std::string(kDefaultClientUrls));
  FillEmpty(config.advertise_client_urls, config.client_urls);
  FillEmpty(config.peer_urls, std::string(kDefaultPeerUrls));
  FillEmpty(config.advertise_peer_urls, config.peer_urls);
  FillEmpty(config.metric.job, config.name);
  if (!config.log_level.empty() && !config.IsExplicit("log.level"))
    config.log.level = config.log_level;
  FillEmpty(config.log.file.filename, config.log_file);
  if (!config.join.empty() && !config.initial_cluster.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "-initial-cluster and -join can not be provided at the same time");
  }
  if (config.initial_cluster.empty() && config.join.empty()) {
    config.initial_cluster = NamedUrls(config.name, config.advertise_peer_urls);
  }
  config.tso_update_physical_interval =
      std::clamp<Nanos>(config.tso_update_physical_interval, Millis(1), std::chrono::seconds(10));
  if (!config.IsExplicit("tso-save-interval")) {
    config.tso_save_interval = std::chrono::seconds(config.lease_s);
  }
  const Result<void> checks[] = {
      CheckUrls(config),
      CheckTiming(config),
      CheckChoice("initial-cluster-state", config.initial_cluster_state, {"new", "existing"}),
      CheckChoice("log.format", config.log.format, {"text", "json"}),
      CheckChoice("auto-compaction-mode", config.auto_compaction_mode, {"periodic", "revision"}),
      CheckTls(config),
      CheckHistoryKept(config),
      CheckSecurity(config.security),
      CheckLogOutsideData(config),
      ValidateOnlineConfig(MakeOnlineConfig(config))};
  for (const Result<void>& check : checks) {
    if (!check) return check;
  }
  const auto log = MakeLogOptions(config);
  if (!log) return BadItem("log.level", log.error().context);
  return {};
}

std::string ConfigToJson(const Config& config) {
  nlohmann::ordered_json json = JsonWriter::Write(config);
  json["metering"] = nlohmann::ordered_json::object();
  // The certificates' bytes are never part of a file; the reference shows the fields all the same.
  nlohmann::ordered_json security = nlohmann::ordered_json::object();
  for (const auto& [key, value] : json["security"].items()) {
    if (key == "redact-info-log") {
      for (const char* bytes : {"SSLCABytes", "SSLCertBytes", "SSLKEYBytes"})
        security[bytes] = nullptr;
    }
    security[key] = value;
  }
  json["security"] = security;
  return DumpCompact(json);
}

Result<HistoryKept> ParseHistoryKept(const Config& config) {
  constexpr const char* kKey = "auto-compaction-retention";
  const std::string& text = config.auto_compaction_retention;
  const bool by_age = config.auto_compaction_mode == "periodic";
  HistoryKept kept;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, kept.revisions);
  if (failed != std::errc() || rest != end) {
    const auto age = ParseDuration(text);
    if (!age) return BadItem(kKey, age.error().context);
    kept.revisions = age->count();
    kept.age = *age;
  } else if (by_age && kept.revisions <= kHistoryHoursMax) {
    kept.age = std::chrono::hours(kept.revisions);
  } else if (by_age) {
    return BadItem(kKey, fmt::format("{} hours are too many", kept.revisions));
  }
  if (kept.revisions < 0) return BadItem(kKey, "must not be negative");
  return by_age ? HistoryKept{kept.age, 0} : HistoryKept{Nanos(0), kept.revisions};
}

Result<LogOptions> MakeLogOptions(const Config& config) {
  const auto level = ParseLogLevel(config.log.level);
  if (!level) return tl::unexpected(level.error());
  LogOptions options;
  options.level = *level;
  options.json = config.log.format == "json";
  options.disable_timestamp = config.log.disable_timestamp;
  options.disable_caller = config.log.disable_caller;
  options.file = config.log.file.filename;
  options.max_size_mib = config.log.file.max_size_mib;
  options.max_days = config.log.file.max_days;
  options.max_backups = config.log.file.max_backups;
  options.redaction = config.security.redact_info_log;
  return options;
}

}  // namespace pd

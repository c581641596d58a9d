#include "pd/cluster/store_rules.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace pd {
namespace {

using scheduler::Store;
using scheduler::StoreLabel;

constexpr std::string_view kEngineRoleLabel = "engine_role";

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

void AppendText(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) text += fmt::format("{}:{} ", name, Quoted(value));
}

Result<void> CheckVersion(const Store& store, const OnlineConfig& config) {
  const auto version = ParseVersion(store.version);
  if (!version) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("invalid put store {}, error: {}", StoreText(store), version.error().context));
  }
  const auto cluster = ParseVersion(config.cluster_version);
  const bool compatible = !cluster || *cluster < *version ||
                          (cluster->major == version->major && cluster->minor == version->minor);
  if (compatible) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("version should compatible with version  {}, got {}", cluster->Text(),
                          version->Text()));
}

Result<void> CheckAddress(const Store& store, const Store& other) {
  const auto taken = [&](const std::string& address) {
    return address == other.address ||
           (!other.peer_address.empty() && address == other.peer_address);
  };
  if (taken(store.address)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("duplicated store address: {}, already registered by {}",
                            StoreText(store), StoreText(other)));
  }
  if (!store.peer_address.empty() && taken(store.peer_address)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("duplicated store peer address: {}, already registered by {}",
                            StoreText(store), StoreText(other)));
  }
  return {};
}

}  // namespace

Result<void> CheckStoreIdentity(const Store& store, const std::vector<Store>& others,
                                const OnlineConfig& config) {
  if (!store.id) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("invalid put store {}", StoreText(store)));
  }
  if (auto checked = CheckVersion(store, config); !checked) return checked;
  for (const Store& other : others) {
    if (other.id == store.id || other.IsRemoved() || other.physically_destroyed) continue;
    if (auto checked = CheckAddress(store, other); !checked) return checked;
  }
  return {};
}

Result<void> CheckStoreLabels(const Store& store, const OnlineConfig& config) {
  if (!config.replication.strictly_match_label) return {};
  const std::vector<std::string>& wanted = config.replication.location_labels;
  for (const std::string& key : wanted) {
    if (store.Label(key).empty()) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("label configuration is incorrect, need to specify the key: {} ", key));
    }
  }
  for (const StoreLabel& label : store.labels) {
    if (label.key == scheduler::kEngineLabel || label.key == kEngineRoleLabel) continue;
    if (std::ranges::find(wanted, label.key) == wanted.end()) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("key matching the label was not found in the PD, store label key: {} ",
                      label.key));
    }
  }
  return {};
}

std::string StoreText(const Store& store) {
  static constexpr const char* kStates[] = {"Up", "Offline", "Tombstone"};
  static constexpr const char* kNodeStates[] = {"Preparing", "Serving", "Removing", "Removed"};
  std::string text;
  if (store.id) text += fmt::format("id:{} ", store.id.value);
  AppendText(text, "address", store.address);
  if (store.state != scheduler::StoreState::kUp) {
    text += fmt::format("state:{} ", kStates[static_cast<size_t>(store.state)]);
  }
  for (const StoreLabel& label : store.labels) {
    std::string inner;
    AppendText(inner, "key", label.key);
    AppendText(inner, "value", label.value);
    text += fmt::format("labels:<{}> ", inner);
  }
  AppendText(text, "version", store.version);
  AppendText(text, "peer_address", store.peer_address);
  AppendText(text, "status_address", store.status_address);
  AppendText(text, "git_hash", store.git_hash);
  if (store.start_timestamp_s != 0) {
    text += fmt::format("start_timestamp:{} ", store.start_timestamp_s);
  }
  AppendText(text, "deploy_path", store.deploy_path);
  if (store.last_heartbeat_unix_ns != 0) {
    text += fmt::format("last_heartbeat:{} ", store.last_heartbeat_unix_ns);
  }
  if (store.physically_destroyed) text += "physically_destroyed:true ";
  if (store.node_state != scheduler::NodeState::kPreparing) {
    text += fmt::format("node_state:{} ", kNodeStates[static_cast<size_t>(store.node_state)]);
  }
  return text;
}

Error StoreNotFound(scheduler::StoreId id) {
  return {ErrorCode::kNotFound,
          fmt::format("[PD:core:ErrStoreNotFound]store {} not found", id.value)};
}

Error InvalidStoreId(scheduler::StoreId id) {
  return {ErrorCode::kNotFound,
          fmt::format("[PD:cluster:ErrInvalidStoreID]invalid store id {}, not found", id.value)};
}

}  // namespace pd

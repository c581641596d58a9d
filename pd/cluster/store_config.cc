#include "pd/cluster/store_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pd/config/values.h"

namespace pd {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kSizeMaxMib = uint64_t{1} << 30;

tl::unexpected<Error> Bad(std::string_view key, std::string_view what) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("coprocessor.{}: {}", key, what));
}

/// `missing` when the section does not have the key.
Result<uint64_t> ReadSizeMib(const Json& section, const char* key, uint64_t missing) {
  const auto found = section.find(key);
  if (found == section.end() || found->is_null()) return missing;
  uint64_t bytes = 0;
  if (found->is_string()) {
    const Result<ByteSize> size = ParseByteSize(found->get_ref<const std::string&>());
    if (!size) return Bad(key, size.error().context);
    bytes = size->bytes;
  } else if (found->is_number_unsigned()) {
    bytes = found->get<uint64_t>();
  } else {
    return Bad(key, "is no size");
  }
  const uint64_t mib = bytes >> 20U;
  if (mib == 0 || mib > kSizeMaxMib) return Bad(key, "is no size of a region");
  return mib;
}

Result<uint64_t> ReadKeys(const Json& section, const char* key, uint64_t missing) {
  const auto found = section.find(key);
  if (found == section.end() || found->is_null()) return missing;
  if (!found->is_number_unsigned()) return Bad(key, "is no number of keys");
  const auto keys = found->get<uint64_t>();
  if (keys == 0 || keys > scheduler::kRegionKeysMost)
    return Bad(key, "is no number of keys of a region");
  return keys;
}

Result<void> ReadSplit(const Json& section, StoreConfig& config) {
  const auto half_more = [](uint64_t value) { return value + value / 2; };
  const auto split_size = ReadSizeMib(section, "region-split-size", config.bounds.split_size_mib);
  if (!split_size) return tl::unexpected(split_size.error());
  const auto max_size = ReadSizeMib(section, "region-max-size", half_more(*split_size));
  if (!max_size) return tl::unexpected(max_size.error());
  const auto split_keys = ReadKeys(section, "region-split-keys", config.bounds.split_keys);
  if (!split_keys) return tl::unexpected(split_keys.error());
  const auto max_keys = ReadKeys(section, "region-max-keys", half_more(*split_keys));
  if (!max_keys) return tl::unexpected(max_keys.error());
  if (*max_size < *split_size) return Bad("region-max-size", "is less than region-split-size");
  if (*max_keys < *split_keys) return Bad("region-max-keys", "is less than region-split-keys");
  config.bounds.split_size_mib = *split_size;
  config.bounds.max_size_mib = *max_size;
  config.bounds.split_keys = *split_keys;
  config.bounds.max_keys = *max_keys;
  return {};
}

std::string_view HostOf(std::string_view address) { return address.substr(0, address.rfind(':')); }

/// "127.0.0.1" and its like, "localhost", or no host at all: of no use from another machine.
bool IsLocal(std::string_view host) {
  return host.empty() || host == "localhost" || host.starts_with("127.") || host == "0.0.0.0" ||
         host == "[::]" || host == "[::1]";
}

}  // namespace

Result<StoreConfig> ParseStoreConfig(std::string_view json) {
  const Json all = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (all.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "the answer is no JSON");
  const auto split = all.is_object() ? all.find("coprocessor") : all.end();
  if (split == all.end() || !split->is_object()) {
    return Fail(ErrorCode::kInvalidArgument, "the answer has no section coprocessor");
  }
  StoreConfig config;
  if (auto read = ReadSplit(*split, config); !read) return tl::unexpected(read.error());
  const auto buckets = split->find("enable-region-bucket");
  config.region_buckets = buckets != split->end() && buckets->is_boolean() && buckets->get<bool>();
  const auto storage = all.find("storage");
  if (storage != all.end() && storage->is_object()) {
    const auto engine = storage->find("engine");
    if (engine != storage->end() && engine->is_string()) config.engine = engine->get<std::string>();
  }
  return config;
}

std::string ReachableStatusAddress(std::string_view status_address, std::string_view address) {
  const size_t port = status_address.rfind(':');
  const std::string_view host = HostOf(address);
  if (port == std::string_view::npos || !IsLocal(HostOf(status_address)) || IsLocal(host)) {
    return std::string(status_address);
  }
  return fmt::format("{}{}", host, status_address.substr(port));
}

}  // namespace pd

#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "pd/config/fields.h"

namespace pd {
namespace {

/// Visitor that reads a TOML table over a section. Each problem names the dotted key; the first one stops the reading.
class TomlReader {
 public:
  TomlReader(const toml::table& table, std::string path) : table_(table), path_(std::move(path)) {}

  template <class T>
  void Field(FieldName name, T& value) {
    known_.insert(name.toml);
    const toml::node* const node = table_.get(name.toml);
    if (error_ || node == nullptr) return;
    name_ = name.toml;
    Take(*node, value);
    if (!node->is_table()) explicit_keys_.push_back(path_ + name_);
  }

  template <class T>
  void OmitEmpty(FieldName name, T& value) {
    Field(name, value);
  }
  void CommaList(FieldName name, std::vector<std::string>& list) { Field(name, list); }
  void NullList(FieldName name, std::vector<std::string>& list) { Field(name, list); }
  void NullMap(FieldName name, std::map<std::string, std::string>& map) { Field(name, map); }

  /// What the tables held besides the known keys, by dotted key.
  std::vector<std::string> TakeUnknown() {
    for (const auto& [key, value] : table_) {
      const std::string name(key.str());
      if (!known_.contains(name)) unknown_.push_back(path_ + name);
    }
    return std::move(unknown_);
  }
  std::vector<std::string> TakeExplicit() { return std::move(explicit_keys_); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void Take(const toml::node& node, std::string& value) {
    if (const auto text = node.value_exact<std::string>()) {
      value = *text;
    } else {
      Wrong(node, "a string");
    }
  }
  void Take(const toml::node& node, bool& value) {
    if (const auto flag = node.value_exact<bool>()) {
      value = *flag;
    } else {
      Wrong(node, "true or false");
    }
  }
  void Take(const toml::node& node, TextBool& value) {
    bool flag = value;
    Take(node, flag);
    value = flag;
  }
  void Take(const toml::node& node, int64_t& value) {
    if (const auto number = node.value_exact<int64_t>()) {
      value = *number;
    } else {
      Wrong(node, "a whole number");
    }
  }
  void Take(const toml::node& node, uint64_t& value) {
    const auto number = node.value_exact<int64_t>();
    if (number && *number >= 0) {
      value = static_cast<uint64_t>(*number);
    } else {
      Wrong(node, "a whole number, 0 or more");
    }
  }
  void Take(const toml::node& node, double& value) {
    if (node.is_number()) {
      value = *node.value<double>();
    } else {
      Wrong(node, "a number");
    }
  }
  void Take(const toml::node& node, Nanos& value) {
    const auto text = node.value_exact<std::string>();
    if (!text) return Wrong(node, "a duration in quotes, such as \"10s\"");
    const auto parsed = ParseDuration(*text);
    if (!parsed) return Fails(parsed.error().context);
    value = *parsed;
  }
  void Take(const toml::node& node, ByteSize& value) {
    if (const auto bytes = node.value_exact<int64_t>(); bytes && *bytes >= 0) {
      value.bytes = static_cast<uint64_t>(*bytes);
      return;
    }
    const auto text = node.value_exact<std::string>();
    if (!text) return Wrong(node, "a size in quotes, such as \"8GiB\"");
    const auto parsed = ParseByteSize(*text);
    if (!parsed) return Fails(parsed.error().context);
    value = *parsed;
  }
  void Take(const toml::node& node, Redaction& value) {
    const auto flag = node.value_exact<bool>();
    const auto text = node.value_exact<std::string>();
    if (flag) {
      value = *flag ? Redaction::kOn : Redaction::kOff;
    } else if (text && (*text == "MARKER" || *text == "marker")) {
      value = Redaction::kMarker;
    } else {
      Wrong(node, "true, false or \"MARKER\"");
    }
  }
  void Take(const toml::node& node, std::map<uint64_t, StoreLimitConfig>& value) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return Wrong(node, "a table");
    for (const auto& [key, limit] : *table) {
      uint64_t id = 0;
      const std::string_view text = key.str();
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
      if (failed != std::errc{} || end != text.data() + text.size()) {
        return Fails(fmt::format("\"{}\" is no store id", text));
      }
      TakeInside(name_ + "." + std::string(text), limit, value[id]);
    }
  }
  template <Section S>
  void Take(const toml::node& node, S& value) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return Wrong(node, "a table");
    TomlReader inner(*table, path_ + name_ + ".");
    VisitFields(inner, value);
    if (inner.error_) error_ = inner.error_;
    Append(unknown_, inner.TakeUnknown());
    Append(explicit_keys_, inner.TakeExplicit());
  }
  template <class T>
  void Take(const toml::node& node, std::optional<T>& value) {
    T fresh = value.value_or(T{});
    Take(node, fresh);
    value = fresh;
  }
  template <class T>
  void Take(const toml::node& node, std::vector<T>& value) {
    const toml::array* const array = node.as_array();
    if (array == nullptr) return Wrong(node, "a list");
    value.assign(array->size(), T{});
    for (size_t i = 0; i < array->size() && !error_; ++i) {
      TakeInside(fmt::format("{}[{}]", name_, i), (*array)[i], value[i]);
    }
  }
  template <class T>
  void Take(const toml::node& node, std::map<std::string, T>& value) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return Wrong(node, "a table");
    for (const auto& [key, item] : *table) {
      const std::string text(key.str());
      TakeInside(name_ + "." + text, item, value[text]);
    }
  }

  /// Takes a part of the value of name_, under a name of its own.
  template <class T>
  void TakeInside(const std::string& name, const toml::node& node, T& value) {
    if (error_) return;
    const std::string outer = std::exchange(name_, name);
    Take(node, value);
    name_ = outer;
  }

  static void Append(std::vector<std::string>& to, std::vector<std::string> from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  void Wrong(const toml::node& node, std::string_view wanted) {
    std::ostringstream kind;
    kind << node.type();
    Fails(fmt::format("wants {}, not a value of type {}", wanted, kind.str()));
  }
  void Fails(const std::string& text) {
    error_ =
        Error{ErrorCode::kInvalidArgument, fmt::format("config item {}: {}", path_ + name_, text)};
  }

  const toml::table& table_;
  const std::string path_;
  std::string name_;
  std::set<std::string> known_;
  std::vector<std::string> unknown_;
  std::vector<std::string> explicit_keys_;
  std::optional<Error> error_;
};

/// Keys that older releases knew and that have no effect any more.
bool IsRetired(const std::string& key) {
  static const std::set<std::string> kRetired = {"enable-dynamic-config", "namespace-classifier",
                                                 "metering", "heartbeat-stream-bind-interval"};
  return kRetired.contains(key) || key.starts_with("metering.") ||
         key.starts_with("service-middleware");
}

/// Old switches say "disable"; the new ones "enable". Setting both is an error.
Result<void> TurnOverOldSwitches(Config& config) {
  ScheduleConfig& schedule = config.schedule;
  struct Pair {
    const char* feature;
    TextBool& old_switch;
    TextBool& new_switch;
  };
  const Pair pairs[] = {
      {"remove-down-replica", schedule.disable_remove_down_replica,
       schedule.enable_remove_down_replica},
      {"replace-offline-replica", schedule.disable_replace_offline_replica,
       schedule.enable_replace_offline_replica},
      {"make-up-replica", schedule.disable_make_up_replica, schedule.enable_make_up_replica},
      {"remove-extra-replica", schedule.disable_remove_extra_replica,
       schedule.enable_remove_extra_replica},
      {"location-replacement", schedule.disable_location_replacement,
       schedule.enable_location_replacement},
  };
  for (const Pair& pair : pairs) {
    const std::string old_key = fmt::format("schedule.disable-{}", pair.feature);
    const std::string new_key = fmt::format("schedule.enable-{}", pair.feature);
    if (!config.IsExplicit(old_key)) continue;
    if (config.IsExplicit(new_key)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("config items {} and {} contradict each other: set only the second",
                              old_key, new_key));
    }
    if (pair.old_switch) pair.new_switch = false;
    pair.old_switch = false;
    config.warnings.push_back(
        fmt::format("config item {} is deprecated, use {}", old_key, new_key));
  }
  return {};
}

}  // namespace

bool Config::IsExplicit(std::string_view key) const {
  return std::find(explicit_keys.begin(), explicit_keys.end(), key) != explicit_keys.end();
}

Result<void> ReadToml(std::string_view text, Config& config) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
  TomlReader reader(table, "");
  VisitFields(reader, config);
  if (reader.error()) return tl::unexpected(*reader.error());
  for (std::string& key : reader.TakeExplicit()) config.explicit_keys.push_back(std::move(key));
  for (const std::string& key : reader.TakeUnknown()) {
    if (key == "pd-server.trace-region-flow") {
      return Fail(
          ErrorCode::kInvalidArgument,
          "config item pd-server.trace-region-flow is gone, use pd-server.flow-round-by-digit");
    }
    if (!IsRetired(key)) config.warnings.push_back("Config contains undefined item: " + key);
  }
  return TurnOverOldSwitches(config);
}

Result<void> ReadTomlFile(const std::string& path, Config& config) {
  std::ifstream file(path);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file) return Fail(ErrorCode::kIo, fmt::format("cannot read config file {}", path));
  auto read = ReadToml(text.str(), config);
  if (!read) return Fail(read.error().code, fmt::format("{}: {}", path, read.error().context));
  return {};
}

}  // namespace pd

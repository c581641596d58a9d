#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <variant>

#include "pd/result.h"
#include "pd/runtime/clock.h"

// The server's log in the unified format, one line an event:
//   [2026/11/23 16:00:00.000 +00:00] [INFO] [file.cc:12] ["store is up"] [store-id=4]
//   [address=tikv4:20160]
// Message, keys and values are put in quotes when they hold anything but plain visible characters.
// A process has one log, like it has one standard error: the functions below may be called from any
// thread, before and after ConfigureLog().

namespace pd {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kFatal };

/// What becomes of user keys in the log (security.redact-info-log): shown, replaced by "?", or put
/// between ‹ and ›.
enum class Redaction { kOff, kOn, kMarker };

/// A user key, which redaction may hide. Shown in upper-case hexadecimal.
struct LogKey {
  std::string_view bytes;
};

/// A key and a value of a log line. Only looks at its arguments, so it must not outlive the call it
/// is written in.
class LogField {
 public:
  using Value = std::variant<int64_t, uint64_t, double, bool, std::string_view, LogKey>;

  LogField(std::string_view key, bool value) : key_(key), value_(value) {}
  LogField(std::string_view key, std::signed_integral auto value)
      : key_(key), value_(static_cast<int64_t>(value)) {}
  LogField(std::string_view key, std::unsigned_integral auto value)
      : key_(key), value_(static_cast<uint64_t>(value)) {}
  LogField(std::string_view key, double value) : key_(key), value_(value) {}
  LogField(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
  LogField(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  LogField(std::string_view key, const std::string& value)
      : key_(key), value_(std::string_view(value)) {}
  LogField(std::string_view key, LogKey value) : key_(key), value_(value) {}
  LogField(std::string_view key, const Error& error)
      : key_(key), value_(std::string_view(error.context)) {}

  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] const Value& value() const { return value_; }

 private:
  std::string_view key_;
  Value value_;
};

using LogFields = std::initializer_list<LogField>;

/// Where the lines go and how they look; the `log` section of the configuration.
struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool json = false;  // One JSON object a line instead of the unified text.
  bool disable_timestamp = false;
  bool disable_caller = false;
  std::string file;  // Empty: standard error.
  int64_t max_size_mib =
      300;                  // The file is renamed to <name>-<time><ext> before it grows past this.
  int64_t max_days = 0;     // Renamed files older than this are removed; 0: never.
  int64_t max_backups = 0;  // No more renamed files than this are kept; 0: all.
  Redaction redaction = Redaction::kOff;
};

/// Starts to write as `options` say. kIo when the file cannot be opened (the old place stays).
Result<void> ConfigureLog(const LogOptions& options);

/// Changes the level alone, at run time.
void SetLogLevel(LogLevel level);
[[nodiscard]] LogLevel GetLogLevel();

/// "debug", "info", "warn" or "warning", "error", "fatal", in any case; anything else is
/// kInvalidArgument.
Result<LogLevel> ParseLogLevel(std::string_view name);
[[nodiscard]] std::string_view LogLevelName(LogLevel level);

/// The line that LogInfo() would write, without the end of line: for tests and for other sinks.
std::string FormatLogLine(const LogOptions& options, int64_t unix_nanos, std::source_location where,
                          std::string_view message, LogFields fields);

void Log(LogLevel level, std::string_view message, LogFields fields, std::source_location where);

inline void LogDebug(std::string_view message, LogFields fields = {},
                     std::source_location where = std::source_location::current()) {
  Log(LogLevel::kDebug, message, fields, where);
}
inline void LogInfo(std::string_view message, LogFields fields = {},
                    std::source_location where = std::source_location::current()) {
  Log(LogLevel::kInfo, message, fields, where);
}
inline void LogWarn(std::string_view message, LogFields fields = {},
                    std::source_location where = std::source_location::current()) {
  Log(LogLevel::kWarn, message, fields, where);
}
inline void LogError(std::string_view message, LogFields fields = {},
                     std::source_location where = std::source_location::current()) {
  Log(LogLevel::kError, message, fields, where);
}
/// Writes the line and ends the process with status 1, without running destructors: for a promise
/// that cannot be kept.
[[noreturn]] void LogFatal(std::string_view message, LogFields fields = {},
                           std::source_location where = std::source_location::current());

}  // namespace pd

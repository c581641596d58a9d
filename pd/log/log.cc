#include "pd/log/log.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pd/log/library_log.h"
#include "pd/runtime/mutex.h"

namespace pd {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kNanosPerSecond = 1'000'000'000;

/// "2026/11/23 16:00:00.000 +00:00" in the machine's zone.
std::string FormatLogTime(int64_t unix_nanos) {
  const std::time_t seconds = unix_nanos / kNanosPerSecond;
  std::tm local{};
  localtime_r(&seconds, &local);
  const int64_t millis = unix_nanos / 1'000'000 % 1000;
  const long offset_minutes = local.tm_gmtoff / 60;
  const long size = std::labs(offset_minutes);
  return fmt::format("{:04}/{:02}/{:02} {:02}:{:02}:{:02}.{:03} {}{:02}:{:02}",
                     local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                     local.tm_min, local.tm_sec, millis, offset_minutes < 0 ? '-' : '+', size / 60,
                     size % 60);
}

std::string_view BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool NeedsQuotes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '[' || c == ']' ||
           c == '\\';
  });
}

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void AppendText(std::string& out, std::string_view text) {
  if (text.empty() || NeedsQuotes(text)) {
    AppendQuoted(out, text);
  } else {
    out += text;
  }
}

std::string RenderKey(LogKey key, Redaction redaction) {
  if (redaction == Redaction::kOn) return "?";
  std::string hex;
  for (const char c : key.bytes) {
    fmt::format_to(std::back_inserter(hex), "{:02X}", static_cast<unsigned char>(c));
  }
  return redaction == Redaction::kMarker ? "‹" + hex + "›" : hex;
}

/// The value as bare text; `quoted` tells whether JSON must put it in quotes.
std::string RenderValue(const LogField::Value& value, Redaction redaction, bool& quoted) {
  quoted = false;
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    quoted = true;
    return std::string(*text);
  }
  if (const auto* key = std::get_if<LogKey>(&value)) {
    quoted = true;
    return RenderKey(*key, redaction);
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<uint64_t>(&value)) return fmt::format("{}", *number);
  return fmt::format("{}", std::get<double>(value));
}

struct LineHead {
  std::string time;  // Empty: no time stamp.
  std::string_view level;
  std::string caller;  // File and line, or a library; empty: none.
};

std::string FormatTextLine(const LineHead& head, std::string_view message, LogFields fields,
                           Redaction redaction) {
  std::string line;
  if (!head.time.empty()) line += '[' + head.time + "] ";
  line += '[';
  line += head.level;
  line += "] ";
  if (!head.caller.empty()) line += '[' + head.caller + "] ";
  line += '[';
  AppendText(line, message);
  line += ']';
  for (const LogField& field : fields) {
    bool quoted = false;
    line += " [";
    AppendText(line, field.key());
    line += '=';
    AppendText(line, RenderValue(field.value(), redaction, quoted));
    line += ']';
  }
  return line;
}

std::string FormatJsonLine(const LineHead& head, std::string_view message, LogFields fields,
                           Redaction redaction) {
  std::string line = "{\"level\":";
  AppendQuoted(line, head.level);
  if (!head.time.empty()) {
    line += ",\"time\":";
    AppendQuoted(line, head.time);
  }
  if (!head.caller.empty()) {
    line += ",\"caller\":";
    AppendQuoted(line, head.caller);
  }
  line += ",\"message\":";
  AppendQuoted(line, message);
  for (const LogField& field : fields) {
    bool quoted = false;
    line += ',';
    AppendQuoted(line, field.key());
    line += ':';
    const std::string value = RenderValue(field.value(), redaction, quoted);
    if (quoted) {
      AppendQuoted(line, value);
    } else {
      line += value;
    }
  }
  return line + '}';
}

/// What Rotate puts between the stem and the extension: "-2026-11-23T16-00-00.000". The number counts
/// within the second, in three digits or more.
bool IsBackupStamp(std::string_view text) {
  constexpr std::string_view kShape = "-dddd-dd-ddTdd-dd-dd.ddd";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() < kShape.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char wanted = i < kShape.size() ? kShape[i] : 'd';
    if (wanted == 'd' ? !is_digit(text[i]) : text[i] != wanted) return false;
  }
  return true;
}

/// Whether `name` is a renamed predecessor of the log file `path`: other servers, and other programs,
/// may keep files with similar names in the same folder.
bool IsBackupOf(const fs::path& path, const std::string& name) {
  const std::string stem = path.stem().string();
  const std::string extension = path.extension().string();
  if (name.size() < stem.size() + extension.size()) return false;
  if (!name.starts_with(stem) || !name.ends_with(extension)) return false;
  return IsBackupStamp(
      std::string_view(name).substr(stem.size(), name.size() - stem.size() - extension.size()));
}

/// The open log file and its renamed predecessors. Not thread-safe.
class LogFile {
 public:
  Result<void> Open(const LogOptions& options) {
    std::error_code ignored;
    const fs::path parent = fs::path(options.file).parent_path();
    if (!parent.empty()) fs::create_directories(parent, ignored);
    const int fd = open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
      return Fail(ErrorCode::kIo, fmt::format("cannot open log file {}: {}", options.file,
                                              std::generic_category().message(errno)));
    }
    struct stat info {};
    fstat(fd, &info);
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
    size_ = info.st_size;
    options_ = options;
    return {};
  }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  void Write(std::string_view line) {
    const int64_t limit = options_.max_size_mib * 1024 * 1024;
    if (limit > 0 && size_ > 0 && size_ + static_cast<int64_t>(line.size()) > limit) Rotate();
    const ssize_t written = write(fd_, line.data(), line.size());
    if (written > 0) size_ += written;
  }

 private:
  void Rotate() {
    const fs::path path(options_.file);
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    const std::string stamp = fmt::format("{:%Y-%m-%dT%H-%M-%S}", local);
    fs::path backup;
    for (int i = 0; backup.empty() || fs::exists(backup); ++i) {
      backup = path.parent_path() / fmt::format("{}-{}.{:03}{}", path.stem().string(), stamp, i,
                                                path.extension().string());
    }
    std::error_code failed;
    fs::rename(path, backup, failed);
    if (failed) return;
    const LogOptions options = options_;
    if (!Open(options).has_value()) return;
    RemoveOld();
  }

  void RemoveOld() const {
    const fs::path path(options_.file);
    std::vector<fs::path> backups;
    std::error_code failed;
    const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (IsBackupOf(path, entry.path().filename().string())) backups.push_back(entry.path());
    }
    std::sort(backups.begin(), backups.end(), std::greater<>());  // Newest first, by the stamp.
    const auto oldest =
        fs::file_time_type::clock::now() - std::chrono::hours(24) * options_.max_days;
    for (size_t i = 0; i < backups.size(); ++i) {
      const bool too_many =
          options_.max_backups > 0 && i >= static_cast<size_t>(options_.max_backups);
      const bool too_old =
          options_.max_days > 0 && fs::last_write_time(backups[i], failed) < oldest;
      if (too_many || too_old) fs::remove(backups[i], failed);
    }
  }

  int fd_ = -1;
  int64_t size_ = 0;
  LogOptions options_;
};

std::string CallerText(std::source_location where) {
  return fmt::format("{}:{}", BaseName(where.file_name()), where.line());
}

std::string FormatLine(const LogOptions& options, LineHead head, std::string_view message,
                       LogFields fields) {
  if (options.disable_timestamp) head.time.clear();
  if (options.disable_caller) head.caller.clear();
  return options.json ? FormatJsonLine(head, message, fields, options.redaction)
                      : FormatTextLine(head, message, fields, options.redaction);
}

struct Sink {
  Mutex mutex;
  LogOptions options PD_GUARDED_BY(mutex);
  LogFile file PD_GUARDED_BY(mutex);
};

/// Never destroyed: threads may log while the process ends.
Sink& TheSink() {
  static Sink* const sink = new Sink;
  return *sink;
}

std::atomic<LogLevel> g_level{LogLevel::kInfo};

void WriteLine(LogLevel level, std::string caller, std::string_view message, LogFields fields) {
  Sink& sink = TheSink();
  const MutexLock lock(sink.mutex);
  LineHead head{FormatLogTime(SystemClock().UnixNanos()), LogLevelName(level), std::move(caller)};
  std::string line = FormatLine(sink.options, std::move(head), message, fields);
  line += '\n';
  if (sink.file.is_open()) {
    sink.file.Write(line);
  } else {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  }
}

}  // namespace

Result<void> ConfigureLog(const LogOptions& options) {
  Sink& sink = TheSink();
  const MutexLock lock(sink.mutex);
  if (options.file.empty()) {
    sink.file.Close();
  } else if (auto opened = sink.file.Open(options); !opened) {
    return opened;
  }
  sink.options = options;
  g_level = options.level;
  return {};
}

void SetLogLevel(LogLevel level) { g_level = level; }

LogLevel GetLogLevel() { return g_level; }

Result<LogLevel> ParseLogLevel(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "debug") return LogLevel::kDebug;
  if (lower == "info") return LogLevel::kInfo;
  if (lower == "warn" || lower == "warning") return LogLevel::kWarn;
  if (lower == "error") return LogLevel::kError;
  if (lower == "fatal") return LogLevel::kFatal;
  return Fail(ErrorCode::kInvalidArgument, fmt::format("log level {} is illegal", name));
}

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kFatal:
      return "FATAL";
  }
  return "UNKNOWN";
}

std::string FormatLogLine(const LogOptions& options, int64_t unix_nanos, std::source_location where,
                          std::string_view message, LogFields fields) {
  return FormatLine(options,
                    {FormatLogTime(unix_nanos), LogLevelName(LogLevel::kInfo), CallerText(where)},
                    message, fields);
}

void Log(LogLevel level, std::string_view message, LogFields fields, std::source_location where) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  WriteLine(level, CallerText(where), message, fields);
}

void LogFromLibrary(LogLevel level, std::string_view library, std::string_view message) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  WriteLine(level, std::string(library), message, {});
}

void LogFatal(std::string_view message, LogFields fields, std::source_location where) {
  Log(LogLevel::kFatal, message, fields, where);
  std::_Exit(1);
}

}  // namespace pd

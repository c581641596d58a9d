#include "pd/log/log.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>

#include "pd/log/library_log.h"
#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

namespace fs = std::filesystem;

std::string Line(const LogOptions& options, std::string_view message, LogFields fields) {
  return FormatLogLine(options, 0, std::source_location::current(), message, fields);
}

TEST_CASE("lines have the unified format", "[log]") {
  const std::string line =
      Line({}, "store is up", {{"id", 4}, {"address", "tikv4:20160"}, {"note", "a \"b\""}});
  CHECK(std::regex_match(
      line, std::regex(R"(\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d\] \[INFO\] )"
                       R"(\[log_test\.cc:\d+\] \["store is up"\] \[id=4\] )"
                       R"(\[address=tikv4:20160\] \[note="a \\"b\\""\])")));
}

TEST_CASE("plain words stay bare, anything else is quoted", "[log]") {
  LogOptions options;
  options.disable_timestamp = true;
  options.disable_caller = true;
  CHECK(Line(options, "started", {}) == "[INFO] [started]");
  CHECK(Line(options, "a=b", {}) == R"([INFO] ["a=b"])");
  CHECK(Line(options, "x",
             {{"empty", ""}, {"line", "a\nb"}, {"on", true}, {"share", 0.5}, {"minus", -1}}) ==
        R"([INFO] [x] [empty=""] [line="a\nb"] [on=true] [share=0.5] [minus=-1])");
}

TEST_CASE("keys are redacted on request", "[log]") {
  LogOptions options;
  options.disable_timestamp = options.disable_caller = true;
  const auto line = [&] { return Line(options, "split", {{"key", LogKey{"a\xff"}}}); };
  CHECK(line() == "[INFO] [split] [key=61FF]");
  options.redaction = Redaction::kOn;
  CHECK(line() == "[INFO] [split] [key=?]");
  options.redaction = Redaction::kMarker;
  CHECK(line() == "[INFO] [split] [key=\"‹61FF›\"]");
}

TEST_CASE("one JSON object a line", "[log]") {
  LogOptions options;
  options.json = options.disable_timestamp = options.disable_caller = true;
  CHECK(Line(options, "x", {{"id", 4U}, {"name", "a\"b"}}) ==
        R"({"level":"INFO","message":"x","id":4,"name":"a\"b"})");
}

TEST_CASE("levels are known by name", "[log]") {
  CHECK(*ParseLogLevel("WARNING") == LogLevel::kWarn);
  CHECK(ParseLogLevel("bogus").error().context == "log level bogus is illegal");
}

TEST_CASE("files are renamed when they are full, and old ones removed", "[log]") {
  std::string folder = fs::temp_directory_path() / "qm-log-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  LogOptions options;
  options.file = folder + "/sub/pd.log";
  options.max_size_mib = 1;
  options.max_backups = 2;
  REQUIRE(ConfigureLog(options));
  const std::string text(200'000, 'x');
  for (int i = 0; i < 40; ++i) LogInfo(text);
  LogDebug("not written");
  SetLogLevel(LogLevel::kDebug);
  LogDebug("written");
  REQUIRE(ConfigureLog({}));
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder + "/sub")) {
    ++files;
    CHECK(entry.file_size() <= 1024 * 1024);
  }
  CHECK(files == 3);
  std::ifstream file(options.file);
  const std::string content((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
  CHECK(content.find("[written]") != std::string::npos);
  CHECK(content.find("not written") == std::string::npos);
  fs::remove_all(folder);
}

TEST_CASE("rotation removes its own backups alone", "[log]") {
  std::string folder = fs::temp_directory_path() / "qm-log-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::vector<std::string> foreign = {
      "pd-1.log",
      "pd-1-2026-11-28T10-00-00.000.log",
      "pd-slow.log",
      "pd-2026-11-28.log",
      "pd-2026-11-28T10-00-00.log",
      "pd-2026-11-28T10-00-00.00x.log",
      "pd-2026-11-28T10-00-00.000.log.gz",
      "pd-zzzz-11-28T10-00-00.000.log",
  };
  const std::string old_backup = folder + "/pd-2026-11-28T10-00-00.000.log";
  for (const std::string& name : foreign) std::ofstream(folder + "/" + name) << "theirs";
  std::ofstream(old_backup) << "old";
  LogOptions options;
  options.file = folder + "/pd.log";
  options.max_size_mib = 1;
  options.max_backups = 1;
  REQUIRE(ConfigureLog(options));
  const std::string text(600'000, 'x');
  for (int i = 0; i < 3; ++i) LogInfo(text);
  REQUIRE(ConfigureLog({}));
  for (const std::string& name : foreign) {
    INFO(name);
    CHECK(fs::exists(folder + "/" + name));
  }
  CHECK_FALSE(fs::exists(old_backup));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++files;
  CHECK(files == foreign.size() + 2);  // The file and its newest backup.
  fs::remove_all(folder);
}

TEST_CASE("lines of a library carry its name for a source", "[log]") {
  const test::TemporaryFolder folder;
  LogOptions options;
  options.file = folder.path() + "/pd.log";
  options.disable_timestamp = true;
  REQUIRE(ConfigureLog(options));
  LogFromLibrary(LogLevel::kWarn, "raft", "1 became leader at term 2");
  LogFromLibrary(LogLevel::kDebug, "raft", "below the level");
  options.json = true;
  REQUIRE(ConfigureLog(options));
  LogFromLibrary(LogLevel::kInfo, "raft", "x");
  REQUIRE(ConfigureLog({}));
  std::ifstream file(options.file);
  const std::string content((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
  CHECK(content ==
        "[WARN] [raft] [\"1 became leader at term 2\"]\n"
        "{\"level\":\"INFO\",\"caller\":\"raft\",\"message\":\"x\"}\n");
}

TEST_CASE("a log that cannot be opened is an error", "[log]") {
  LogOptions options;
  options.file = "/proc/nowhere/pd.log";
  CHECK(ConfigureLog(options).error().code == ErrorCode::kIo);
}

}  // namespace
}  // namespace pd

// Runs Raft scripts: every .txt below the folder (or the one file) given with --data, each in a process of its own, so
// that a broken invariant, which ends the process, fails one script and not the rest.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/datadriven/datadriven.h"
#include "tests/raft/scripts/interaction.h"

namespace raft::scripts {
namespace {

constexpr int kSkipped = 77;

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

bool OneOf(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

struct Script {
  std::filesystem::path path;
  Dialect dialect = Dialect::kEtcd;
};

// The kind of a script shows in its first command. One without any has nothing to differ in.
datadriven::Handler HandlerFor(const Script& script, FatalHook fatal) {
  const std::vector<datadriven::Stanza> stanzas =
      datadriven::Parse(datadriven::ReadFile(script.path.string()));
  if (stanzas.empty()) return [](const datadriven::Stanza&) { return std::string(); };
  const Dialect dialect = script.dialect;
  const std::string& first = stanzas.front().command;
  if (OneOf(first, {"committed", "vote", "group_committed"})) return QuorumHandler(dialect);
  if (OneOf(first, {"simple", "enter-joint", "leave-joint"})) return ConfChangeHandler(dialect);
  return InteractionHandler(std::move(fatal));
}

// What is wrong with a script, or nothing.
std::string Complaint(const Script& script, const FatalHook& fatal) {
  const std::filesystem::path& path = script.path;
  size_t line = 0;
  const FatalHook with_line = [&](std::string_view text) {
    fatal(fmt::format("{}:{}: fatal: {}", path.string(), line, text));
  };
  try {
    const datadriven::Handler handler = HandlerFor(script, with_line);
    return datadriven::RunFile(path.string(), [&](const datadriven::Stanza& stanza) {
      line = stanza.line;
      return handler(stanza);
    });
  } catch (const std::exception& bad) {
    return fmt::format("{}:{}: {}", path.string(), line, bad.what());
  }
}

std::string RunApart(const Script& script) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    const FatalHook fatal = [&](std::string_view text) {
      WriteAll(ends[1], text);
      _exit(1);
    };
    const std::string complaint = Complaint(script, fatal);
    WriteAll(ends[1], complaint);
    _exit(complaint.empty() ? 0 : 1);
  }
  close(ends[1]);
  std::string complaint;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    complaint.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  const bool passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!passed && complaint.empty())
    complaint = script.path.string() + ": the script's process died";
  return complaint;
}

// A script is in the dialect of raft-rs if a folder of that name is on its way from `data` on.
std::vector<Script> ScriptsAt(const std::filesystem::path& data) {
  const auto in_dialect = [&data](const std::filesystem::path& path) {
    const std::filesystem::path way = path.lexically_relative(data.parent_path());
    const bool raft_rs =
        std::any_of(way.begin(), way.end(), [](const auto& part) { return part == "raft-rs"; });
    return Script{path, raft_rs ? Dialect::kRaftRs : Dialect::kEtcd};
  };
  if (!std::filesystem::is_directory(data)) return {in_dialect(data)};
  std::vector<Script> scripts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           data, std::filesystem::directory_options::follow_directory_symlink)) {
    if (entry.is_regular_file() && entry.path().extension() == ".txt") {
      scripts.push_back(in_dialect(entry.path()));
    }
  }
  std::sort(scripts.begin(), scripts.end(),
            [](const Script& a, const Script& b) { return a.path < b.path; });
  return scripts;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2 || arguments[0] != "--data") {
    fmt::print(stderr, "usage: raft_datadriven_test --data DIR\n");
    return 2;
  }
  const std::filesystem::path data = arguments[1];
  if (!std::filesystem::exists(data)) {
    fmt::print("SKIPPED: there are no Raft scripts at {}\n0 passed, 0 failed\n", data.string());
    return kSkipped;
  }
  size_t passed = 0;
  size_t failed = 0;
  for (const Script& script : ScriptsAt(std::filesystem::canonical(data))) {
    const std::string complaint = RunApart(script);
    ++(complaint.empty() ? passed : failed);
    if (!complaint.empty()) fmt::print("FAILED {}\n", complaint);
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace raft::scripts

int main(int argc, char** argv) {
  return raft::scripts::Main(std::vector<std::string>(argv + 1, argv + argc));
}

#include <cstdio>
#include <memory>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string ReadAll(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  return text;
}

}  // namespace

// Temporary files rather than pipes: neither side can then wait for the other.
tl::expected<std::string, std::string> RunJq(const std::string& filter, const std::string& body) {
  const File in(std::tmpfile());
  const File out(std::tmpfile());
  if (!in || !out) return tl::unexpected<std::string>("cannot create a temporary file for jq");
  if (std::fwrite(body.data(), 1, body.size(), in.get()) != body.size()) {
    return tl::unexpected<std::string>("cannot write to a temporary file for jq");
  }
  std::rewind(in.get());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDERR_FILENO);
  std::string program = "jq";
  std::string compact = "-c";
  std::string expression = filter;
  char* argv[] = {program.data(), compact.data(), expression.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, "jq", &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return tl::unexpected<std::string>("exec: \"jq\": executable file not found in $PATH");
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return ReadAll(out.get());
}

}  // namespace api::pdctl

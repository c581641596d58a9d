#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace harness {

/// A child process that dies with us. Not thread-safe.
class Process {
 public:
  /// Starts `command`; its output goes to `log_file`.
  Process(std::vector<std::string> command, std::string log_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Start();
  bool running() const { return pid_ > 0; }
  /// True if the process has ended by itself; it is reaped then.
  bool Ended();
  pid_t pid() const { return pid_; }

  /// SIGKILL, and waits for the end.
  void Kill();
  /// SIGTERM, and waits for the end; SIGKILL when it has not ended after a minute, with a line on standard error.
  void Terminate();
  /// SIGSTOP and SIGCONT.
  void Pause();
  void Resume();

 private:
  void Reap();

  std::vector<std::string> command_;
  std::string log_file_;
  pid_t pid_ = 0;
};

/// What /proc says of a process.
struct Usage {
  double cpu_s = 0;  // User and system time.
  uint64_t rss_bytes = 0;
};
Usage ReadUsage(pid_t pid);

/// A port of the loopback that nobody listens on, below the range of outgoing connections, so that it can be bound
/// again after a restart. Never the same twice in one process.
int FreePort();

/// A new directory below the system's place for temporary files, removed with everything in it at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  /// Leaves the directory in place, for a look at it after a failure.
  void Keep() { keep_ = true; }

 private:
  std::string path_;
  bool keep_ = false;
};

}  // namespace harness

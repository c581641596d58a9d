#include <filesystem>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

/// pdctl -i behind a terminal of its own, with a temporary directory for its history.
class Session {
 public:
  explicit Session(const fs::path& directory) {
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      setenv("TMPDIR", directory.c_str(), 1);
      setenv("TZ", "UTC", 1);
      execl(QM_PDCTL, QM_PDCTL, "-u", "127.0.0.1:1", "-i", nullptr);
      _exit(127);
    }
  }
  ~Session() {
    close(terminal_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Type(const std::string& keys) {
    REQUIRE(write(terminal_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }

  /// Reads on until `text` has appeared; false at the end of output. Forgets what it has read.
  bool See(const std::string& text) {
    while (screen_.find(text) == std::string::npos) {
      pollfd wait{terminal_, POLLIN, 0};
      char buffer[512];
      if (poll(&wait, 1, kPatienceMs) <= 0) return false;
      const ssize_t n = read(terminal_, buffer, sizeof buffer);
      if (n <= 0) return false;
      screen_.append(buffer, static_cast<size_t>(n));
    }
    screen_.erase(0, screen_.find(text) + text.size());
    return true;
  }

  int ExitStatus() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static constexpr int kPatienceMs = 60'000;
  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string screen_;
};

TEST_CASE("lines are completed, edited, remembered and run") {
  std::string name = (fs::temp_directory_path() / "pdctl-XXXXXX").string();
  const fs::path directory = mkdtemp(name.data());
  {
    Session session(directory);
    REQUIRE(session.See("\xC2\xBB"));
    session.Type("ts\t");
    REQUIRE(session.See("tso "));
    session.Type("4438520552979169329\x7F\r");  // One digit too many, and taken back.
    REQUIRE(session.See("logic:   4"));
    session.Type("\033[A");
    REQUIRE(session.See("tso 443852055297916932"));
    session.Type("\x15sch\tsh\t\r");
    REQUIRE(session.See("cannot connect"));
    session.Type("exit\r");
    CHECK(session.ExitStatus() == 0);
  }
  {
    Session session(directory);
    session.Type("\033[A\033[A\033[A");  // Back to the first line of the last session.
    REQUIRE(session.See("tso 443852055297916932"));
    session.Type("\x03");
    CHECK(session.ExitStatus() == 0);
  }
  fs::remove_all(directory);
}

}  // namespace

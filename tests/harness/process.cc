#include "tests/harness/process.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace harness {
namespace {

constexpr std::chrono::seconds kTerminateMax(60);

}  // namespace

Process::Process(std::vector<std::string> command, std::string log_file)
    : command_(std::move(command)), log_file_(std::move(log_file)) {}

Process::~Process() { Kill(); }

void Process::Start() {
  if (running()) return;
  std::vector<char*> argv;
  for (std::string& word : command_) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    const int out = open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (out >= 0) {
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
    }
    setpgid(0, 0);  // Ctrl-C reaches us only; we end our children in order.
    execvp(argv[0], argv.data());
    _exit(127);
  }
  pid_ = pid;
}

bool Process::Ended() {
  if (!running()) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  pid_ = 0;
  return true;
}

void Process::Reap() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
}

void Process::Kill() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  Reap();
}

void Process::Terminate() {
  if (!running()) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kTerminateMax;
  while (!Ended()) {
    if (std::chrono::steady_clock::now() > deadline) {
      std::fprintf(stderr, "%s does not end on SIGTERM: killed\n", command_[0].c_str());
      Kill();
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Process::Pause() {
  if (running()) kill(pid_, SIGSTOP);
}

void Process::Resume() {
  if (running()) kill(pid_, SIGCONT);
}

Usage ReadUsage(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  Usage usage;
  std::ifstream stat(folder + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return usage;
  // Behind the name: state is field 3, utime and stime are fields 14 and 15 (proc(5)).
  std::istringstream fields(text.substr(name_end + 2));
  std::string word;
  double ticks = 0;
  for (int field = 3; field <= 15 && fields >> word; ++field) {
    if (field >= 14) ticks += std::stod(word);
  }
  usage.cpu_s = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream statm(folder + "/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  usage.rss_bytes = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return usage;
}

int FreePort() {
  static std::mutex mutex;
  static std::set<int> taken;
  static std::mt19937 rng(std::random_device{}());
  const std::lock_guard lock(mutex);
  for (;;) {
    const int port = std::uniform_int_distribution<int>(20000, 29999)(rng);
    if (taken.contains(port)) continue;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free =
        bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 && listen(fd, 1) == 0;
    close(fd);
    if (!free) continue;
    taken.insert(port);
    return port;
  }
}

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "quartermaster-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!keep_) std::filesystem::remove_all(path_, ignored);
}

}  // namespace harness

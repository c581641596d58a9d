#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "raft/logger.h"

namespace raft {

/// Where one node's log lines and broken invariants go. A text is made only if somebody wants it.
class Journal {
 public:
  Journal(Logger* logger, FatalHook fatal) : logger_(logger), fatal_(std::move(fatal)) {}

  template <class... Args>
  void Debug(fmt::format_string<Args...> text, Args&&... args) const {
    Write(LogLevel::kDebug, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Info(fmt::format_string<Args...> text, Args&&... args) const {
    Write(LogLevel::kInfo, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Warn(fmt::format_string<Args...> text, Args&&... args) const {
    Write(LogLevel::kWarn, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Error(fmt::format_string<Args...> text, Args&&... args) const {
    Write(LogLevel::kError, text, std::forward<Args>(args)...);
  }

  /// Who tells the node's state when an invariant is broken; outlives the journal's use.
  void set_state(std::function<std::string()> state) { state_ = std::move(state); }

  /// Logs the text, which scripts know, and gives the hook the node's state along with it. Does not
  /// come back.
  template <class... Args>
  [[noreturn]] void Fatal(fmt::format_string<Args...> text, Args&&... args) const {
    Die(fmt::format(text, std::forward<Args>(args)...));
  }

  bool Enabled(LogLevel level) const { return logger_ != nullptr && logger_->Enabled(level); }

 private:
  template <class... Args>
  void Write(LogLevel level, fmt::format_string<Args...> text, Args&&... args) const {
    if (Enabled(level)) logger_->Log(level, fmt::format(text, std::forward<Args>(args)...));
  }

  [[noreturn]] void Die(const std::string& text) const {
    if (logger_ != nullptr) logger_->Log(LogLevel::kFatal, text);
    if (fatal_) fatal_(state_ ? text + "\n" + state_() : text);
    std::abort();
  }

  Logger* logger_;
  FatalHook fatal_;
  std::function<std::string()> state_;
};

}  // namespace raft
